// node bench/collect/collect.js [CORPUS...]: collecting with hashed names, beside `cp -r` of the same files;
// then again with nothing changed, and with one file changed.
import { appendFileSync, cpSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { median, printTable } from '../measure.js';
import { corpus, filesOf, referencedFileOf } from './corpus.js';
import {
  inMemory,
  inTurn,
  peak,
  ratiosTo,
  scratch,
  secondsOf,
  spread,
  verdict,
} from './processes.js';
import { bareCopy, bareWalk, cold, cp, django, ours } from './programs.js';

const CP = '`cp -r`';
const OURS = '`staticfiles collectstatic`';
const WALK = 'bare Node: lstat of every source and output';
const NOTHING = `${OURS}, nothing changed`;
const CHANGED = `${OURS}, one file changed that stylesheets name`;
const MEGABYTES = 200;

const names = process.argv.slice(2);
for (const name of names.length > 0 ? names : ['large', 'synthetic-100000']) {
  const title = `${name}, ${inMemory ? 'in memory' : 'on disk'}`;
  await first(title, corpus(name), barsOf(name));
  await again(title, corpus(name), referencedFileOf(name));
}

/** How many times `cp -r` it may take; where there are two, the second is the next goal. */
function barsOf(name) {
  if (name !== 'large') return [1.8];
  return inMemory ? [2.5, 2] : [0.9];
}

async function first(title, source, bars) {
  const contenders = {
    [CP]: cp,
    'bare Node, synchronous, hashed names as hard links': bareCopy('sync'),
    'the same, 16 files at a time': bareCopy('async'),
    [OURS]: ours,
    ...(process.env.BENCH_DJANGO ? { "Django's manifest storage": django } : {}),
  };
  const runs = await inTurn(
    Object.fromEntries(
      Object.entries(contenders).map(([label, command]) => [label, cold(source, command)]),
    ),
  );
  const files = filesOf(source).length;
  printTable(
    [title, 's (least..most)', 'files/s', `times ${CP}`, 'MB', 'bar'],
    Object.entries(runs).map(([label, own]) => {
      const ratios = ratiosTo(runs[CP], own);
      return [
        label,
        spread(secondsOf(own)),
        Math.round(files / median(secondsOf(own))),
        spread(ratios),
        peak(own) ?? '',
        label === OURS
          ? [...bars.map((bar) => verdict(median(ratios), bar)), ...memory(title, own)].join(', ')
          : '',
      ];
    }),
  );
}

async function again(title, corpusFolder, referencedFile) {
  const source = join(scratch, 'source'); // a copy, of which a file can be changed
  rmSync(source, { recursive: true, force: true });
  cpSync(corpusFolder, source, { recursive: true, preserveTimestamps: true });
  await inTurn({ [OURS]: cold(source, ours) }, 1);
  const runs = await inTurn({
    [WALK]: { command: () => bareWalk(source) },
    [NOTHING]: { command: () => ours(source) },
    [CHANGED]: {
      before: () => appendFileSync(join(source, referencedFile), '\n'),
      command: () => ours(source),
    },
  });
  printTable(
    [`${title}, again`, 's (least..most)', 'times the walk', 'MB', 'bar'],
    Object.entries(runs).map(([label, own]) => {
      const ratios = ratiosTo(runs[WALK], own);
      const bars = label === NOTHING ? [verdict(median(ratios), 2)] : [];
      return [
        label,
        spread(secondsOf(own)),
        spread(ratios),
        peak(own) ?? '',
        label === WALK ? '' : [...bars, ...memory(title, own)].join(', '),
      ];
    }),
  );
}

/** The bar is one for 100,000 files. */
function memory(title, runs) {
  return title.includes('100000') ? [verdict(peak(runs), MEGABYTES, ' MB')] : [];
}
