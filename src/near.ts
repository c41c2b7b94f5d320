import { createRequire } from 'node:module';

/**
 * The distance between two names. It is wanted for messages only, and CommonJS brings a loader with
 * it: both would cost every start.
 */
function distance(a: string, b: string): number {
  levenshtein ??= createRequire(import.meta.url)('fastest-levenshtein') as Levenshtein;
  return levenshtein.distance(a, b);
}

type Levenshtein = typeof import('fastest-levenshtein');
let levenshtein: Levenshtein | undefined;

/** How many suggestions a message can bear. */
const LIMIT = 3;

/**
 * The candidates that look most like `given`, the nearest first, at most three: the same in other
 * case, the same last part elsewhere, or a few slips of the keyboard away.
 */
export function nearNames(given: string, candidates: Iterable<string>): string[] {
  const lower = given.toLowerCase();
  const last = lastPart(lower);
  const tolerance = Math.max(1, Math.floor(lower.length * 0.3));
  const best: { name: string; score: number }[] = [];
  for (const name of candidates) {
    const score = scoreOf(name.toLowerCase(), lower, last, tolerance);
    if (score === undefined) continue;
    const worst = best[LIMIT - 1];
    if (worst !== undefined && score >= worst.score) continue;
    const at = best.findIndex((other) => score < other.score);
    best.splice(at < 0 ? best.length : at, 0, { name, score });
    best.length = Math.min(best.length, LIMIT);
  }
  return best.map(({ name }) => name);
}

/** 0 for another case, then by edit distance; the same file in another folder counts as one slip or so. */
function scoreOf(name: string, given: string, last: string, tolerance: number): number | undefined {
  if (name === given) return 0;
  if (lastPart(name) === last && last !== '') {
    return 1 + distance(name, given) / (name.length + given.length);
  }
  if (Math.abs(name.length - given.length) > tolerance) return undefined;
  const edits = distance(name, given);
  return edits <= tolerance ? edits : undefined;
}

function lastPart(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** ` Did you mean 'a' or 'b'?`, to be put behind a message; empty where nothing is near. */
export function didYouMean(near: readonly string[]): string {
  if (near.length === 0) return '';
  const quoted = near.map((name) => `'${name}'`);
  const last = quoted.pop();
  return ` Did you mean ${quoted.length > 0 ? `${quoted.join(', ')} or ${last}` : last}?`;
}
