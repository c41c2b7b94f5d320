// node bench/remote/manifest.js [NAMES...]: how large the manifest of a store is, and what it takes a
// server to hold it: time until the first URL, and memory. It is read from a file: the network's part
// is remote.js's.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';
import { inTurn, peak, scratch, secondsOf, spread } from '../collect/processes.js';
import { printTable } from '../measure.js';
import { hashedNameOf, namesUpTo } from '../project.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const SIZES = [1, 1_000, 10_000, 100_000, 1_000_000];

const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : SIZES;
const manifests = [];
for (const size of sizes) manifests.push(await makeManifest(size));
const runs = await inTurn(
  Object.fromEntries(manifests.map(({ size, args }) => [size, { command: () => ({ args }) }])),
);
printTable(
  ['names', 'bytes', 'a name', 's to the first URL, start included', 'MB'],
  manifests.map(({ size, bytes }) => [
    size.toLocaleString('en'),
    bytes.toLocaleString('en'),
    (bytes / size).toFixed(1),
    spread(secondsOf(runs[size])),
    peak(runs[size]) ?? '',
  ]),
);

/** Writes one as collecting into a store does, by its own writer. */
async function makeManifest(size) {
  const { serialiseManifest } = await createJiti(import.meta.url).import(
    here('../../src/collect/publish.ts'),
  );
  const names = namesUpTo(size);
  const entries = names.map((name) => ({
    name,
    hashedName: hashedNameOf(name),
    size: 400 + ((name.length * 7919) % 90_000),
    checksum: createHash('md5').update(name).digest('hex'),
  }));
  const manifest = serialiseManifest(entries, { codings: [], encoding: undefined });
  const folder = join(scratch, String(size));
  mkdirSync(folder);
  writeFileSync(join(folder, 'staticfiles.json'), manifest);
  const config = join(folder, 'staticfiles.config.mjs');
  writeFileSync(
    config,
    `import { hashedStorage } from ${JSON.stringify(new URL('../../dist/src/index.js', import.meta.url))};
export default { debug: false, staticRoot: ${JSON.stringify(folder)}, storage: hashedStorage() };
`,
  );
  const args = [here('server.js'), config, '0', names[size >> 1]];
  return { size, bytes: manifest.length, args };
}
