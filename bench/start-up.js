// node bench/start-up.js: what `import 'staticfiles'` and one URL add to the start of a process.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median, printTable } from './measure.js';
import { collectedFolder } from './project.js';

const RUNS = Number(process.env.RUNS ?? 60);
const BAR = 15;
const folder = collectedFolder(100);

const programs = {
  'an empty module': 'empty.js',
  'a plain storage, one URL': 'plain.js',
  'a manifest of 100 names, one URL': 'hashed.js',
};

const times = Object.fromEntries(Object.keys(programs).map((label) => [label, []]));
for (let run = -2; run < RUNS; run++) {
  for (const [label, program] of Object.entries(programs)) {
    const path = fileURLToPath(new URL(`start-up/${program}`, import.meta.url));
    const start = performance.now();
    const { status } = spawnSync(process.execPath, [path, folder], { stdio: 'inherit' });
    if (status !== 0) throw new Error(`${program} ended with ${status}`);
    if (run >= 0) times[label].push(performance.now() - start); // the first ones fill the disk's cache
  }
}

const [base] = Object.values(times);
printTable(
  ['start-up of', 'ms', 'more than an empty module (quartiles)', 'bar'],
  Object.entries(times).map(([label, own]) => {
    if (own === base) return [label, median(own).toFixed(1), '', ''];
    const more = own.map((time, run) => time - base[run]).sort((a, b) => a - b);
    const [low, middle, high] = [1, 2, 3].map((quarter) => more[(more.length * quarter) >> 2]);
    return [
      label,
      median(own).toFixed(1),
      `${middle.toFixed(1)} (${low.toFixed(1)}..${high.toFixed(1)})`,
      `${BAR}: ${middle <= BAR ? 'met' : 'MISSED'}`,
    ];
  }),
);
