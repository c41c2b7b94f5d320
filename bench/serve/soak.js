// node bench/serve/soak.js [--minutes 5] [--port 18070]: full load over many files, with all that
// clients do. Fails where the memory goes on growing, a file stays open, or anything goes wrong.
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median, printTable } from '../measure.js';
import { get, startServer } from './server.js';
import { below, noise, pathsIn, projectOf, text, writeFiles } from './site.js';
import { load, requireTools } from './wrk.js';

const { values: options } = parseArgs({
  options: {
    minutes: { type: 'string', default: '5' },
    port: { type: 'string', default: '18070' },
  },
});
requireTools();
const seconds = Math.round(Number(options.minutes) * 60);
const port = Number(options.port);

/** So much the memory may be more at the end than after the warm-up: the noise of its collection. */
const GROWTH = 1.1;

/** Clients that go away in the middle of a transfer, all the time. */
const VANISHING = 10;

const folder = mkdtempSync(join(tmpdir(), 'staticfiles-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
const root = join(folder, 'static');
const names = await collect();
const paths = pathsIn(root);

const program = fileURLToPath(new URL('servers/staticfiles.js', import.meta.url));
const command = [process.execPath, program, String(port), root, 'hashed'];
const server = await startServer(command, port, `/static/${paths[names[0]]}`);
const etag = (await get(port, `/static/${paths[names[0]]}`)).headers.etag;
process.env.MIX = join(folder, 'mix.txt');
const mix = requestsOf();
writeFileSync(process.env.MIX, mix.map((request) => `${request.join('\t')}\n`).join(''));
await sleep(1000);
const before = openFiles();

const samples = [];
const [{ output, errors, perSecond }, aborted] = await underLoad();
await sleep(7000); // those that are gone are noticed, and connections time out
const left = openFiles().filter((file) => !before.includes(file));
const isRunning = server.isRunning();
await server.stop();

printSeries();
const faults = faultsOf();
console.log(`\n${Math.round(perSecond)} requests/s, ${aborted} transfers aborted besides.`);
console.log(output.match(/^Status.*$/gm).join(', '));
for (const fault of faults) console.error(fault);
process.exit(faults.length === 0 ? 0 : 1);

/** 1,200 files of 130 MB, twice what is kept in memory; two of them are too large to be kept. */
async function collect() {
  const source = join(folder, 'source');
  const files = {};
  for (let number = 0; number < 1200; number++) {
    const size = 2 ** (9 + below(10)) + below(512);
    if (number % 6 === 0) files[`js/part-${number}.js`] = text(Math.min(size, 30_000));
    else files[`img/part-${number}.png`] = noise(size);
  }
  for (const number of [1, 2]) files[`media/film-${number}.mp4`] = noise(10 << 20);
  writeFiles(source, files);
  await projectOf('hashed', root, { dirs: [source], compress: true }).collect();
  return Object.keys(files);
}

/** What wrk asks for in turn: mostly whole files. Not HEAD, whose answers it waits for the body of. */
function requestsOf() {
  const range = (value) => [`Range: bytes=${value}`];
  const kinds = [
    ...Array(12).fill((url) => ['GET', url, 'Accept-Encoding: gzip, deflate, br, zstd']),
    (url) => ['GET', url, ...range('0-99')],
    (url) => ['GET', url, ...range('-200')],
    (url) => ['GET', url, ...range('0-9,20-29,-5')],
    (url) => ['GET', url, ...range('99999999-')],
    (url) => ['GET', url, 'If-None-Match: *'],
    () => ['GET', `/static/${paths[names[0]]}`, `If-None-Match: "other", ${etag}`],
    (_url, name) => ['GET', `/static/${name}`],
    (_url, name) => ['GET', `/static/missing/${name}`],
    (url) => ['POST', url],
  ];
  return Array.from({ length: 20_000 }, () => {
    const isFilm = below(1000) === 0;
    const name = isFilm ? names.at(-1 - below(2)) : names[below(names.length - 2)];
    return kinds[below(kinds.length)](`/static/${paths[name]}`, name);
  });
}

/** Loads the server from all sides, and looks at it each second. */
async function underLoad() {
  const script = fileURLToPath(new URL('mix.lua', import.meta.url));
  let isOver = false;
  const loading = load(`http://127.0.0.1:${port}`, { seconds, script }).finally(() => {
    isOver = true;
  });
  const vanishing = Array.from({ length: VANISHING }, async () => {
    let count = 0;
    while (!isOver) count += await vanish();
    return count;
  });
  while (!isOver) {
    samples.push({ megabytes: residentMegabytes(), files: openFiles().length });
    await Promise.race([sleep(1000), loading]);
  }
  const counts = await Promise.all(vanishing);
  return [await loading, counts.reduce((sum, count) => sum + count, 0)];
}

/** Asks for a file and goes away after the first bytes, or before; 1 where that went as it was meant. */
function vanish() {
  const name = below(2) ? names.at(-1 - below(2)) : names[below(names.length)];
  const patience = below(60);
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    const leave = () => socket.destroy();
    socket.on('error', leave);
    socket.on('close', (hadError) => done(hadError ? 0 : 1));
    const method = below(5) === 0 ? 'HEAD' : 'GET';
    socket.write(`${method} /static/${paths[name]} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
    if (below(4) === 0) setTimeout(leave, patience);
    else socket.once('data', () => socket.pause() && setTimeout(leave, patience));
  });
}

function residentMegabytes() {
  const status = readFileSync(`/proc/${server.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) / 976.5625;
}

/** The files below the static root that the server has open. */
function openFiles() {
  const own = `/proc/${server.pid}/fd`;
  const targets = readdirSync(own).map((number) => {
    try {
      return readlinkSync(join(own, number));
    } catch {
      return ''; // closed meanwhile
    }
  });
  return targets.filter((target) => target.startsWith(root));
}

function printSeries() {
  const step = Math.max(1, Math.floor(samples.length / 20));
  const some = samples.filter((_, index) => index % step === 0);
  printTable(
    ['second', ...some.map((sample) => samples.indexOf(sample))],
    [
      ['resident MB', ...some.map(({ megabytes }) => megabytes.toFixed(0))],
      ['open files', ...some.map(({ files }) => files)],
    ],
  );
}

function faultsOf() {
  const counts = [...output.matchAll(/^Status (\d+): (\d+)$/gm)].map((match) => match.map(Number));
  const known = new Set([200, 206, 304, 404, 405, 416]);
  const warmUp = Math.floor(samples.length / 4);
  const third = Math.floor((samples.length - warmUp) / 3);
  const memory = (from) =>
    median(samples.slice(from, from + third).map(({ megabytes }) => megabytes));
  const [early, late] = [memory(warmUp), memory(samples.length - third)];
  console.log(
    `\nMemory after the warm-up ${early.toFixed(0)} MB, at the end ${late.toFixed(0)} MB.`,
  );
  return [
    ...errors.filter((error) => error.startsWith('Socket')),
    ...counts.filter(([, status]) => !known.has(status)).map(([line]) => line),
    ...[...known]
      .filter((status) => !counts.some(([, seen]) => seen === status))
      .map((status) => `No answer had the status ${status}`),
    late > early * GROWTH && `The memory grew from ${early.toFixed(0)} to ${late.toFixed(0)} MB`,
    left.length > 0 && `Left open: ${left.join(', ')}`,
    !isRunning && 'The server ended',
    server.errors(),
  ].filter(Boolean);
}
