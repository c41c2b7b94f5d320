import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { do_not_optimize as keep, measure } from 'mitata';

export { keep };

/**
 * Times the contenders in turn, round after round, so that each round's ratio compares times of the
 * same moment: the machine may be slow, but it is so for all of them.
 *
 * @param contenders functions by their label; the first is what the others are compared with
 * @param per how many of the thing that is counted (look-ups, tags) one call does
 * @returns by label: the median time of one in nanoseconds, and the median, least and greatest ratio
 */
export async function compare(contenders, { per = 1, rounds = ROUNDS } = {}) {
  const labels = Object.keys(contenders);
  const times = Object.fromEntries(labels.map((label) => [label, []]));
  for (let round = 0; round <= rounds; round++) {
    // Every other round runs backwards, so that nobody always follows the same neighbour.
    for (const label of round % 2 ? labels : labels.toReversed()) {
      const { p50 } = await measure(contenders[label], { min_cpu_time: 60e6 });
      if (round > 0) times[label].push(p50 / per); // the first round warms up
    }
  }
  const base = times[labels[0]];
  return Object.fromEntries(
    labels.map((label) => {
      const ratios = times[label].map((time, round) => time / base[round]).sort((a, b) => a - b);
      return [
        label,
        { ns: median(times[label]), ratio: median(ratios), least: ratios[0], most: ratios.at(-1) },
      ];
    }),
  );
}

/**
 * Runs each part of a script in a process of its own: how a function is compiled depends on all that
 * has called it before.
 */
export async function runApart(script, parts) {
  const [, , chosen] = process.argv;
  if (chosen !== undefined) return parts[chosen]();
  for (const part of Object.keys(parts)) {
    const { status } = spawnSync(process.execPath, [fileURLToPath(script), part], {
      stdio: 'inherit',
    });
    if (status !== 0) throw new Error(`${script} ${part} ended with ${status}`);
  }
}

/** How many rounds are timed; more of them make medians steadier. */
const ROUNDS = Number(process.env.ROUNDS ?? 25);

export function median(values) {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Prints a table in Markdown, as it stands in README.md. */
export function printTable(head, rows) {
  console.log(`\n| ${head.join(' | ')} |\n|${' --- |'.repeat(head.length)}`);
  for (const row of rows) console.log(`| ${row.join(' | ')} |`);
}
