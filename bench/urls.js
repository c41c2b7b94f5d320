// node bench/urls.js: the cost of staticUrl(name) over that of a bare Map.get() of the same names.
import { createStaticFiles, fileSystemStorage, hashedStorage } from 'staticfiles';
import { compare, keep, printTable, runApart } from './measure.js';
import { collectedFolder, namesUpTo } from './project.js';

await runApart(import.meta.url, {
  async manifest() {
    const storage = hashedStorage();
    const staticRoot = collectedFolder(10_000);
    const { staticUrl } = createStaticFiles({ debug: false, staticRoot, storage });
    await comparePrinted(staticUrl, 1.5, ownNames(10_000), {
      'a manifest of 10,000 names, all of them': 10_000,
      'the same, 20 of them again and again': 20,
    });
  },
  async plain() {
    const { staticUrl } = createStaticFiles({ debug: false, storage: fileSystemStorage() });
    await comparePrinted(staticUrl, 3, ownNames(1000), {
      'a plain storage, 1,000 names again and again': 1000,
      'the same, 20 of them': 20,
    });
  },
});

/** Strings of their own, as pages have them. */
function ownNames(count) {
  return namesUpTo(count).map((name) => Buffer.from(name).toString());
}

async function comparePrinted(staticUrl, bar, names, cases) {
  const rows = [];
  // Both know all names, however few are asked for.
  const map = new Map(names.map((name) => [name, staticUrl(name)]));
  for (const [what, count] of Object.entries(cases)) {
    const order = strewn(names).slice(0, count);
    const result = await compare(
      {
        map: () => {
          for (const name of order) keep(map.get(name));
        },
        staticUrl: () => {
          for (const name of order) keep(staticUrl(name));
        },
      },
      { per: count },
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
  printTable(['look-up', 'ns', 'Map.get ns', 'ratio (least..most)', 'bar'], rows);
}

/** All of them, each at a distance from the one before. */
function strewn(values) {
  return values.map((_, i) => values[(i * 7919) % values.length]);
}
