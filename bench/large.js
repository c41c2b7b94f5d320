// node --expose-gc bench/large.js: a manifest of 100,000 names, once read and once asked wrongly.
import { createStaticFiles, hashedStorage } from 'staticfiles';
import { median, printTable } from './measure.js';
import { collectedFolder, nameOf } from './project.js';

const COUNT = 100_000;
const staticRoot = collectedFolder(COUNT);
const rows = [];

const first = [];
let kept;
let memory;
for (let run = 0; run < 9; run++) {
  kept = undefined;
  globalThis.gc?.();
  const before = process.memoryUsage().heapUsed;
  const files = createStaticFiles({ debug: false, staticRoot, storage: hashedStorage() });
  first.push(timed(() => files.staticUrl(nameOf(1))));
  kept = files;
  globalThis.gc?.();
  memory ??= (process.memoryUsage().heapUsed - before) / 1e6; // later ones take the place of earlier
}
rows.push(['the first URL: reads and parses the manifest', `${median(first).toFixed(0)} ms`]);
rows.push(['its memory', globalThis.gc ? `${memory.toFixed(1)} MB` : 'run with --expose-gc']);

for (const [what, name] of [
  ['a slip of the keyboard', 'css/app7/prat-100.css'],
  ['the right file in a wrong folder', 'css/other/part-100.css'],
  ['nothing like it', 'nothing like it'],
]) {
  const times = Array.from({ length: 15 }, () => timed(() => refused(kept, name)));
  rows.push([
    `an unknown name, ${what}: the error with its near names`,
    `${median(times).toFixed(0)} ms`,
  ]);
}
rows.push([
  'constantUrl() of an unknown name, for compilers of templates',
  `${median(Array.from({ length: 15 }, () => timed(() => kept.constantUrl('css/app7/prat-100.css')))).toFixed(0)} ms`,
]);
printTable(['a manifest of 100,000 names', 'median'], rows);

function refused(files, name) {
  try {
    files.staticUrl(name);
  } catch {
    return; // as it must
  }
  throw new Error(`'${name}' is in the manifest`);
}

function timed(run) {
  const start = performance.now();
  run();
  return performance.now() - start;
}
