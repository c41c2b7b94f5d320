// node bench/serve/start-up.js: what it takes to start serving with a manifest of 100,000 names, from
// the start of the process until the first answer.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createJiti } from 'jiti';
import { median, printTable } from '../measure.js';
import { hashedNameOf, namesUpTo } from '../project.js';

const RUNS = Number(process.env.RUNS ?? 30);
const COUNT = 100_000;
const BARS = { ms: 200, MB: 100 };

const folder = mkdtempSync(join(tmpdir(), 'staticfiles-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true }));
const names = namesUpTo(COUNT);
const name = names[COUNT / 2];
const bytes = await writeManifest();

const EMPTY = 'an empty module';
const OURS = 'the first answer of a hashed name';
const programs = {
  [EMPTY]: 'empty.js',
  'node:http alone, its first answer': 'http.js',
  'the first staticUrl()': 'url.js',
  [OURS]: 'answer.js',
};

const runs = Object.fromEntries(Object.keys(programs).map((label) => [label, []]));
for (let run = -1; run < RUNS; run++) {
  for (const [label, program] of Object.entries(programs)) {
    const measured = await measure(program);
    if (run >= 0) runs[label].push(measured); // the first ones fill the disk's cache
  }
}
printTable(
  [
    `${COUNT.toLocaleString('en')} names, ${(bytes / 1e6).toFixed(1)} MB`,
    'ms',
    'more than empty (quartiles)',
    'MB',
    'more than empty',
    'the most MB, more than empty',
    'bar',
  ],
  Object.keys(programs).map(row),
);

/** Writes a manifest as collecting does, by its own writer, and the one file that is asked for. */
async function writeManifest() {
  const source = fileURLToPath(new URL('../../src/collect/publish.ts', import.meta.url));
  const { serialiseManifest } = await createJiti(import.meta.url).import(source);
  const manifest = serialiseManifest(
    names.map((name, number) => {
      const size = 400 + ((number * 7919) % 90_000);
      const variants = { br: Math.round(size * 0.27), gzip: Math.round(size * 0.31) };
      const isText = /\.(css|js|svg)$/.test(name);
      return { name, hashedName: hashedNameOf(name), size, variants: isText ? variants : {} };
    }),
  );
  writeFileSync(join(folder, 'staticfiles.json'), manifest);
  const file = join(folder, hashedNameOf(name));
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, 'body');
  return manifest.length;
}

/** From the start of a process until it says that it has come so far. */
async function measure(program) {
  const path = fileURLToPath(new URL(`start-up/${program}`, import.meta.url));
  const args = [path, folder, name, `/static/${hashedNameOf(name)}`];
  const start = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  const [said] = await once(child.stdout, 'data');
  const ms = performance.now() - start;
  const peak = peakOf(child.pid);
  const [status] = await exited;
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  return { ms, MB: Number(said) / 1e6, peak };
}

/** The most memory that a process has had so far, in MB; NaN where the system does not tell. */
function peakOf(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) / 976.5625;
  } catch {
    return Number.NaN; // it has just ended, or the system is no Linux
  }
}

function row(label) {
  const own = (figure) => median(runs[label].map((run) => run[figure]));
  const more = (figure) =>
    runs[label].map((run, index) => run[figure] - runs[EMPTY][index][figure]).sort((a, b) => a - b);
  if (label === EMPTY) return [label, own('ms').toFixed(0), '', own('MB').toFixed(0), '', '', ''];
  const times = more('ms');
  const [low, middle, high] = [1, 2, 3].map((quarter) => times[(times.length * quarter) >> 2]);
  const memory = median(more('MB'));
  const verdict = (value, unit) =>
    `${BARS[unit]} ${unit}: ${value <= BARS[unit] ? 'met' : 'MISSED'}`;
  return [
    label,
    own('ms').toFixed(0),
    `${middle.toFixed(0)} (${low.toFixed(0)}..${high.toFixed(0)})`,
    own('MB').toFixed(0),
    memory.toFixed(0),
    median(more('peak').filter(Number.isFinite))?.toFixed(0) ?? '',
    label === OURS ? `${verdict(middle, 'ms')}, ${verdict(memory, 'MB')}` : '',
  ];
}
