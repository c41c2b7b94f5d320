// node bench/collect/linear.js [FILES...]: whether ten times the files take ten times the time.
import { median, printTable } from '../measure.js';
import { corpus } from './corpus.js';
import { inMemory, inTurn, secondsOf, verdict } from './processes.js';
import { cold, cp, ours } from './programs.js';

/** How much more a file may take among many; `cp -r` beside it tells what is the file system's. */
const BAR = 1.2;

const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [10_000, 30_000, 100_000];
const contenders = {};
for (const size of sizes) {
  const source = corpus(`synthetic-${size}`);
  contenders[`${size} cp`] = cold(source, cp);
  contenders[`${size} ours`] = cold(source, ours);
}
const runs = await inTurn(contenders);
const microseconds = (size, which) => (median(secondsOf(runs[`${size} ${which}`])) / size) * 1e6;
const growth = (size, which) => microseconds(size, which) / microseconds(sizes[0], which);

printTable(
  [
    `files, ${inMemory ? 'in memory' : 'on disk'}`,
    'µs a file',
    `times that of ${sizes[0]}`,
    '`cp -r`: µs a file',
    'times',
    'bar',
  ],
  sizes.map((size) => [
    size,
    microseconds(size, 'ours').toFixed(1),
    growth(size, 'ours').toFixed(2),
    microseconds(size, 'cp').toFixed(1),
    growth(size, 'cp').toFixed(2),
    size === sizes[0] ? '' : verdict(growth(size, 'ours'), BAR),
  ]),
);
