import { CONCURRENCY, CONTENDERS, DJANGO, FLOOR, HASHED_ONLY, OURS, SDK } from './contenders.js';

/** How long a run may take, in seconds: what takes longer is cut short, and told as such. */
const LIMIT = 900;
const SWEEP = [8, 32, 64];
const COLLECTING = ['cold', 'nothing', 'changed'];
const CASES = [...COLLECTING, 'start', 'serve'];

/**
 * What is measured where nothing else is asked for: everybody over few files; those that matter as if
 * the store were across the internet, and over many files; ourselves over very many.
 */
export const PLAN = [
  { files: 1_000, rounds: 3 },
  { files: 1_000, latency: 20, only: [DJANGO, FLOOR, OURS], cases: COLLECTING },
  { files: 1_000, latency: 50, only: [DJANGO, FLOOR, OURS], cases: ['cold'] },
  { files: 10_000, only: [DJANGO, SDK, FLOOR, OURS, HASHED_ONLY] },
  { files: 100_000, only: [FLOOR, OURS], sweep: [CONCURRENCY], limit: 3_600 },
];

/** The part of the plan that the command line asks for, of the contenders by parts of their labels. */
export function planOf({ files, latency = '0', concurrency, cases, only = '', limit }) {
  const asked = {
    ...(cases && { cases: cases.split(',') }),
    ...(limit && { limit: Number(limit) }),
  };
  if (files === undefined) return PLAN.map((step) => ({ ...step, ...asked }));
  const numbers = (text) => text.split(',').map(Number);
  const labels = Object.keys(CONTENDERS).filter((label) =>
    only.split(',').some((part) => label.includes(part)),
  );
  return numbers(files).flatMap((count) =>
    numbers(latency).map((milliseconds) => ({
      files: count,
      latency: milliseconds,
      only: labels,
      ...asked,
      ...(concurrency && { sweep: numbers(concurrency) }),
    })),
  );
}

/**
 * Who does which cases, one after the other over one bucket. All begin with an empty one, so that the
 * first case is always `cold`.
 *
 * @param withoutPython leaves out who is written in it
 */
export function seriesOf(step, withoutPython = false) {
  const { files, latency = 0, only, sweep = SWEEP, cases = CASES, limit = LIMIT } = step;
  const wanted = Object.entries(CONTENDERS).filter(
    ([label, { isPython }]) => (only?.includes(label) ?? true) && !(isPython && withoutPython),
  );
  return wanted.flatMap(([label, { cases: own, isSwept, command }]) => {
    const series = { label, files, latency, command, limit };
    const others = isSwept ? sweep.filter((each) => each !== CONCURRENCY) : [];
    const later = own.filter((each) => each !== 'cold' && cases.includes(each));
    return [
      ...others.map((concurrency) => ({ ...series, concurrency, cases: ['cold'] })),
      { ...series, concurrency: CONCURRENCY, cases: ['cold', ...later] },
    ];
  });
}
