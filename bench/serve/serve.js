// node bench/serve/serve.js [--rounds 5] [--seconds 4] [--only LABEL,...] [--json FILE] [--port 18080]:
// requests a second of servers of static files. All run at the same time, and are asked one after the
// other: a second to warm up, then what is measured.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { median, printTable } from '../measure.js';
import { BARE, BARS, CONTENDERS, ROWS, SIRV } from './contenders.js';
import { get, processorTime, startServer } from './server.js';
import { CSS, collectSite, pathsIn } from './site.js';
import { load, requireTools } from './wrk.js';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '4' },
    only: { type: 'string' },
    json: { type: 'string' },
    port: { type: 'string', default: '18080' },
  },
});
requireTools();
const labels = chosenLabels(options.only?.split(','));
const folder = mkdtempSync(join(tmpdir(), 'staticfiles-bench-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
process.on('SIGINT', () => process.exit(130));
const site = { folder, ...(await collectSite(folder)) };
const paths = pathsIn(site.hashed);
let port = Number(options.port);

/** By row and label: a measurement a round. */
const results = Object.fromEntries(Object.keys(ROWS).map((row) => [row, {}]));
for (let round = 0; round < Number(options.rounds); round++) await runRound(round);

for (const row of Object.keys(ROWS)) printRow(row);
if (options.json) writeFileSync(options.json, `${JSON.stringify(results, null, 1)}\n`);

/** Those that were asked for by parts of their labels, and what they are compared with. */
function chosenLabels(only) {
  const all = Object.keys(CONTENDERS).filter((label) => {
    const isWanted = !only || label === BARE || only.some((part) => label.includes(part));
    const { missing } = CONTENDERS[label];
    if (isWanted && missing) console.error(`${label} is left out: ${missing}.`);
    return isWanted && !missing;
  });
  return all;
}

async function runRound(round) {
  const servers = {};
  try {
    for (const label of labels) servers[label] = await start(label);
    const bare = servers[BARE];
    // Every other round runs backwards, so that nobody always follows the same neighbour.
    for (const row of Object.keys(ROWS)) {
      for (const label of round % 2 ? labels.toReversed() : labels) {
        if (!CONTENDERS[label].rows.includes(row)) continue;
        const measured = await measure(servers[label], label, row, bare);
        results[row][label] ??= [];
        results[row][label].push(measured);
      }
    }
  } finally {
    for (const server of Object.values(servers)) await server.stop();
  }
}

async function start(label) {
  const own = ++port;
  const { command } = CONTENDERS[label];
  const server = await startServer(command(own, site), own, urlOf(label, CSS));
  return { ...server, port: own };
}

function urlOf(label, name) {
  return `/static/${CONTENDERS[label].isPlain ? name : paths[name]}`;
}

async function measure(server, label, row, bare) {
  const { name } = ROWS[row];
  const headers = await headersFor(server, label, row);
  const sent = await check(server, label, row, headers);
  if (label === 'staticfiles') await checkBare(bare, sent, row);
  const url = `http://127.0.0.1:${server.port}${urlOf(label, name)}`;
  await load(url, { seconds: 1, headers });
  const before = processorTime(server.pid);
  const { output: _, ...measured } = await load(url, { seconds: options.seconds, headers });
  const microseconds = (processorTime(server.pid) - before) / measured.requests;
  const sentAs = sent.headers['content-encoding'] ?? '';
  return { ...measured, microseconds, bytes: sent.body.length, sentAs };
}

async function headersFor(server, label, row) {
  const { name, headers = {}, isConditional } = ROWS[row];
  if (!isConditional) return headers;
  const answer = await get(server.port, urlOf(label, name), headers);
  return { ...headers, 'If-None-Match': answer.headers.etag };
}

/** What is measured must be the right answer. */
async function check({ port }, label, row, headers) {
  const { name, coding, isConditional } = ROWS[row];
  const answer = await get(port, urlOf(label, name), headers);
  const sentAs = coding && CONTENDERS[label].hasCodings ? coding : undefined;
  const file = join(site.hashed, paths[name] + (sentAs ? `.${sentAs}` : ''));
  const body = isConditional ? Buffer.alloc(0) : readFileSync(file);
  const faults = [
    answer.status !== (isConditional ? 304 : 200) && `status ${answer.status}`,
    answer.headers['content-encoding'] !== sentAs && `as ${answer.headers['content-encoding']}`,
    !answer.body.equals(body) && `${answer.body.length} bytes, not the ${body.length} of ${file}`,
  ].filter(Boolean);
  if (faults.length > 0) throw new Error(`${label}, ${row}: ${faults.join(', ')}`);
  return answer;
}

/** The bare handler says the same as ours: each header has its price. */
async function checkBare(bare, ours, row) {
  const answer = await check(bare, BARE, row, await headersFor(bare, BARE, row));
  const said = ({ headers: { date: _, etag, ...others } }) => [...Object.entries(others), !etag];
  const [one, other] = [said(answer), said(ours)].map((list) => list.map(String).sort().join('\n'));
  if (one !== other) throw new Error(`${row}: the bare handler says\n${one}\nand ours\n${other}`);
}

function printRow(row) {
  const measured = results[row];
  printTable(
    [
      row,
      'requests/s (least..most)',
      'p99 ms',
      'µs',
      'of bare (least..most)',
      'by µs',
      'of sirv',
      'bar',
    ],
    Object.keys(measured).map((label) => {
      const runs = measured[label];
      const errors = runs.flatMap((run) => run.errors);
      const [{ sentAs }] = runs;
      const isOther = ROWS[row].coding !== undefined && sentAs !== ROWS[row].coding;
      return [
        label + (isOther ? ` (${sentAs || 'not compressed'})` : ''),
        spread(runs.map(({ perSecond }) => perSecond)) + errors.map((text) => `; ${text}`).join(''),
        median(runs.map(({ p99 }) => p99)).toFixed(1),
        median(runs.map(({ microseconds }) => microseconds)).toFixed(1),
        label === BARE ? '' : spread(ratios(row, label, BARE), 2),
        label === BARE ? '' : median(ratios(row, label, BARE, cheapness)).toFixed(2),
        label === SIRV || !measured[SIRV] ? '' : median(ratios(row, label, SIRV)).toFixed(2),
        verdicts(row, label),
      ];
    }),
  );
}

/** How it compares with a base, round by round. */
function ratios(row, label, base, figure = ({ perSecond }) => perSecond) {
  const bases = results[row][base];
  return results[row][label].map((run, round) => figure(run) / figure(bases[round]));
}

/** What it would be with a processor of its own, whatever else runs on the machine. */
function cheapness({ microseconds }) {
  return 1 / microseconds;
}

function verdicts(row, label) {
  const bars = Object.entries(BARS[row][label] ?? {}).filter(([base]) => results[row][base]);
  return bars
    .map(([base, bar]) => {
      const isMet = median(ratios(row, label, base)) >= bar;
      return `${bar} of ${base === BARE ? 'bare' : base}: ${isMet ? 'met' : 'MISSED'}`;
    })
    .join(', ');
}

function spread(values, digits = 0) {
  const [least, most] = [Math.min(...values), Math.max(...values)];
  return `${[median(values), least].map((value) => value.toFixed(digits)).join(' (')}..${most.toFixed(digits)})`;
}
