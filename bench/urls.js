// node bench/urls.js: the cost of staticUrl(name) over that of a bare Map.get() of the same names.
import { createStaticFiles, fileSystemStorage, hashedStorage } from 'staticfiles';
import { compare, keep, printTable } from './measure.js';
import { collectedFolder, namesUpTo } from './project.js';

const names = namesUpTo(10_000);
// Pages ask with strings of their own.
const asked = names.map((name) => Buffer.from(name).toString());

const hashed = createStaticFiles({
  debug: false,
  staticRoot: collectedFolder(names.length),
  storage: hashedStorage(),
});
const plain = createStaticFiles({ debug: false, storage: fileSystemStorage() });

const rows = [];
await run('manifest of 10,000 names', 1.5, hashed.staticUrl, asked);
await run('the same, 20 of them again and again', 1.5, hashed.staticUrl, asked.slice(0, 20));
await run('plain storage, 1,000 names again and again', 3, plain.staticUrl, asked.slice(0, 1000));
await run('the same, 20 of them again and again', 3, plain.staticUrl, asked.slice(0, 20));
printTable(['look-up', 'ns', 'Map.get ns', 'ratio (least..most)', 'bar'], rows);

async function run(what, bar, staticUrl, names) {
  const map = new Map(names.map((name) => [name, staticUrl(name)]));
  const order = strewn(names);
  const result = await compare(
    {
      map: () => {
        for (const name of order) keep(map.get(name));
      },
      staticUrl: () => {
        for (const name of order) keep(staticUrl(name));
      },
    },
    { per: names.length },
  );
  const { ns, ratio, least, most } = result.staticUrl;
  rows.push([
    what,
    ns.toFixed(1),
    result.map.ns.toFixed(1),
    `${ratio.toFixed(2)} (${least.toFixed(2)}..${most.toFixed(2)})`,
    `${bar}: ${ratio <= bar ? 'met' : 'MISSED'}`,
  ]);
}

/** All of them, each time at a distance from the one before, as a stride without common divisor. */
function strewn(values) {
  return values.map((_, i) => values[(i * 7919) % values.length]);
}
