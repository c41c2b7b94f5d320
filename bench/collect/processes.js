import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { median } from '../measure.js';
import { filesOf } from './corpus.js';

/** How often each contender runs. */
const ROUNDS = Number(process.env.ROUNDS ?? 5);

/** How often a process is asked for its memory, in ms; rarely enough to cost it nothing. */
const POLL = 20;

/** The folder that everything is written to, gone when the process ends. TMPDIR says on which disk. */
export const scratch = mkdtempSync(join(tmpdir(), 'staticfiles-bench-'));
process.on('exit', () => rmSync(scratch, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));

/** Whether that is memory, not a disk: Linux's TMPFS_MAGIC. */
export const inMemory = statfsSync(scratch).type === 0x01021994;

/**
 * Runs the contenders as processes of their own, in turn, round after round, so that each round's
 * ratios compare times of the same moment.
 *
 * @param contenders by label: `command()` answers what to run; `before()` and `after()`, if there, are
 *   not timed
 * @returns by label, the runs
 */
export async function inTurn(contenders, rounds = ROUNDS) {
  const runs = Object.fromEntries(Object.keys(contenders).map((label) => [label, []]));
  for (let round = 0; round < rounds; round++) {
    for (const [label, { before, command, after }] of Object.entries(contenders)) {
      await before?.();
      const { program = process.execPath, args, env } = command();
      runs[label].push(await run(program, args, env));
      await after?.();
    }
  }
  return runs;
}

/**
 * Runs a program to its end, or to that of its time.
 *
 * @param limit in seconds
 */
export async function run(program, args, env = {}, limit = Number.POSITIVE_INFINITY) {
  const start = performance.now();
  const child = spawn(program, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
    ...(Number.isFinite(limit) && { timeout: limit * 1000 }),
  });
  let megabytes;
  const poll = setInterval(() => {
    megabytes = peakOf(child.pid) ?? megabytes;
  }, POLL);
  const [status] = await once(child, 'exit').finally(() => clearInterval(poll));
  const seconds = (performance.now() - start) / 1000;
  if (seconds >= limit) return { seconds, megabytes, isCutShort: true };
  if (status !== 0) throw new Error(`${program} ${args.join(' ')} ended with ${status}`);
  return { seconds, megabytes };
}

/** The most memory that a process has had so far; `undefined` where the system does not tell. */
function peakOf(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1];
    return kilobytes && Number(kilobytes) / 1024;
  } catch {
    return undefined; // it has just ended, or the system is no Linux
  }
}

/** Reads every file of a folder, so that no run waits for the disk, and has all writing ended. */
export function settle(folder) {
  for (const path of filesOf(folder)) readFileSync(path);
  spawnSync('sync');
}

/** The median of what one of the runs' figures is, and its least and most: `0.42 (0.40..0.51)`. */
export function spread(values, digits = 2) {
  const sorted = values.toSorted((a, b) => a - b);
  const [least, middle, most] = [sorted[0], median(values), sorted.at(-1)];
  return `${middle.toFixed(digits)} (${least.toFixed(digits)}..${most.toFixed(digits)})`;
}

export function secondsOf(runs) {
  return runs.map(({ seconds }) => seconds);
}

/** How many times as long as the base each run took, round by round. */
export function ratiosTo(base, runs) {
  return runs.map(({ seconds }, round) => seconds / base[round].seconds);
}

/** The most memory of any run, in whole MB; `undefined` where it is not known. */
export function peak(runs) {
  const known = runs.flatMap(({ megabytes }) => megabytes ?? []);
  return known.length > 0 ? Math.round(Math.max(...known)) : undefined;
}

export function verdict(value, bar, unit = '') {
  return `${bar}${unit}: ${value <= bar ? 'met' : 'MISSED'}`;
}
