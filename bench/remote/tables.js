import { peak, secondsOf, spread, verdict } from '../collect/processes.js';
import { median, printTable } from '../measure.js';
import { CONCURRENCY, DJANGO, FLOOR, OURS, SERVING } from './contenders.js';

const KINDS = ['PUT', 'HEAD', 'GET', 'LIST', 'COPY', 'POST', 'DELETE'];
const CASES = {
  cold: 'into an empty bucket',
  nothing: 'nothing changed',
  changed: 'one stylesheet changed',
};
const MANY = 10_000;

/** One table for each number of files and each latency, in the order in which they were measured. */
export function printTables(results) {
  const isServing = (result) => result.case in SERVING;
  printCollecting(results.filter((result) => !isServing(result)));
  printServing(results.filter(isServing));
}

function printCollecting(results) {
  for (const [title, own] of groups(results, titleOf)) {
    const kinds = KINDS.filter((kind) => own.some(({ requests }) => kind in requests));
    const rows = [...groups(own, rowOf).values()];
    printTable(
      [
        title,
        'case',
        'in flight',
        ...kinds,
        'MB sent',
        's (least..most)',
        'MB of memory',
        `times as fast as ${DJANGO}`,
        'times PutObject alone',
        'bar',
      ],
      rows.map((runs) => rowFor(runs, kinds, own)),
    );
    printNotes(own);
  }
}

function groups(results, keyOf) {
  const byKey = new Map();
  for (const result of results) {
    const key = keyOf(result);
    byKey.set(key, [...(byKey.get(key) ?? []), result]);
  }
  return byKey;
}

function titleOf({ files, latency }) {
  const amount = `${files.toLocaleString('en')} files`;
  return latency === 0 ? amount : `${amount}, ${latency} ms a request more`;
}

function rowOf({ label, concurrency, case: each }) {
  return JSON.stringify([label, concurrency, each]);
}

function rowFor(runs, kinds, all) {
  const [{ label, concurrency, case: each, requests }] = runs;
  const of = (base, number) =>
    all.filter((it) => it.label === base && it.case === each && it.concurrency === number);
  const slower = label === DJANGO ? [] : ratios(of(DJANGO, CONCURRENCY), runs);
  const floor = label === FLOOR ? [] : ratios(runs, of(FLOOR, concurrency));
  const isCutShort = runs.some((run) => run.isCutShort);
  return [
    label,
    CASES[each],
    most(runs),
    ...kinds.map((kind) => requests[kind] ?? 0),
    (median(runs.map(({ sent }) => sent)) / 1e6).toFixed(1),
    isCutShort ? `more than ${runs[0].seconds.toFixed(0)}` : spreadOf(secondsOf(runs), 1),
    peak(runs) ?? '',
    slower.length > 0 ? spreadOf(slower, 1) : '',
    floor.length > 0 && label === OURS ? spreadOf(floor, 2) : '',
    bars(runs, slower).join(', '),
  ];
}

/** How many times as long as the others the base's runs took, round by round. */
function ratios(base, others) {
  return others.flatMap(({ seconds }, i) => (base[i] ? [base[i].seconds / seconds] : []));
}

/** Of one round there is nothing to say but the figure. */
function spreadOf(values, digits) {
  return values.length > 1 ? spread(values, digits) : values[0].toFixed(digits);
}

function most(runs) {
  return Math.max(...runs.map(({ mostInFlight }) => mostInFlight));
}

/** What was promised. */
function bars(runs, faster) {
  const [{ label, files, case: each, concurrency, requests }] = runs;
  if (!label.startsWith(OURS)) return [];
  const none = ['PUT', 'HEAD'].every((kind) => requests[kind] === undefined);
  if (each === 'nothing' && files === MANY) {
    const count = Object.values(requests).reduce((sum, some) => sum + some, 0);
    return [verdict(count, 12, ' requests'), `no PUT, no HEAD: ${none ? 'met' : 'MISSED'}`];
  }
  if (each !== 'cold') return [];
  const isFull = most(runs) === concurrency;
  const flight = `${concurrency} in flight: ${isFull ? 'met' : 'MISSED'}`;
  if (faster.length === 0) return [flight];
  return [flight, `5 times: ${median(faster) >= 5 ? 'met' : 'MISSED'}`];
}

/** What an application server asks the store for. */
function printServing(results) {
  const rows = [...groups(results, titleOf)].flatMap(([title, own]) => {
    const start = own.find((result) => result.case === 'start');
    const serve = own.find((result) => result.case === 'serve');
    if (start === undefined || serve === undefined) return [];
    const again = serve.statuses[304];
    const each = (key) => Math.round((serve[key] - start[key]) / again);
    return [
      [
        title,
        start.manifestBytes,
        (start.manifestBytes / start.files).toFixed(1),
        start.seconds.toFixed(2),
        start.megabytes.toFixed(0),
        again,
        each('sent'),
        each('received'),
      ],
    ];
  });
  if (rows.length === 0) return;
  printTable(
    [
      'an application server',
      'bytes of the manifest',
      'of them a name',
      's to the first URL',
      'MB',
      'looks again',
      'bytes sent for one',
      'bytes received',
    ],
    rows,
  );
}

/** What a table would hide, each thing once. */
function printNotes(results) {
  const notes = results.flatMap(({ label, case: each, statuses, objects, requests }) => {
    const of = `${label}, ${CASES[each]}`;
    const faults = Object.entries(statuses).filter(([status]) => Number(status) >= 500);
    const sent = (requests.PUT ?? 0) - (statuses[501] ?? 0);
    return [
      ...faults.map(([status, count]) => `${of}: ${count} answered with ${status}.`),
      // Django's sends some more than once.
      ...(each === 'cold' && objects < sent && label !== DJANGO
        ? [`${of}: ${sent} objects were sent, but ${objects} are listed.`]
        : []),
    ];
  });
  if (notes.length > 0) console.log(`\n${[...new Set(notes)].join('\n')}`);
}
