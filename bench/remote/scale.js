// node bench/remote/scale.js FILE: from what remote.js --results FILE has measured, what a store costs,
// and what is beyond what was measured. Everything that it prints is computed.
import { readFileSync } from 'node:fs';
import { median, printTable } from '../measure.js';
import { CONCURRENCY, DJANGO, OURS } from './contenders.js';

/** Dollars; S3 Standard and CloudFront in us-east-1, https://aws.amazon.com/s3/pricing/. */
const PRICES = {
  write: 0.005 / 1000, // PUT, COPY, POST, LIST
  read: 0.0004 / 1000, // GET and all others; HEAD too
  gigabyteMonth: 0.023,
};
/** Requests a second of one prefix that S3 promises to take at least. */
const S3_WRITES = 3_500;
const S3_READS = 5_500;
const WRITES = ['PUT', 'COPY', 'POST', 'LIST'];
const READS = ['GET', 'HEAD'];
const MILLION = 1_000_000;
const MONTH = 30 * 24 * 3600;
const SERVERS = [1, 100, 1_000];
const REFRESH = [30, 300];

const [, , file] = process.argv;
const results = readFileSync(file, 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line))
  .filter(({ latency, concurrency, isCutShort }) => {
    return latency === 0 && concurrency === CONCURRENCY && !isCutShort;
  });
printRuns();
printMillion();
printServers();

function printRuns() {
  const rows = [DJANGO, OURS].flatMap((label) =>
    ['cold', 'nothing', 'changed'].flatMap((each) =>
      sizes(label, each).map((files) => {
        const { requests } = of(label, each, files)[0];
        const [writes, reads] = [sum(requests, WRITES), sum(requests, READS)];
        return [files.toLocaleString('en'), label, each, writes, reads, dollars(price(requests))];
      }),
    ),
  );
  printTable(['files', 'by', 'case', 'at the price of PUT', 'of GET', '$'], rows);
}

/** Along the line through the two largest sizes that were measured. */
function printMillion() {
  const rows = [DJANGO, OURS].flatMap((label) =>
    ['cold', 'nothing', 'changed'].flatMap((each) => {
      const measured = sizes(label, each).slice(-2);
      if (measured.length === 0) return [];
      const at = (figure) =>
        extrapolated(
          measured.map((files) => [files, median(of(label, each, files).map(figure))]),
          MILLION,
        );
      const writes = at(({ requests }) => sum(requests, WRITES));
      const stored = each === 'cold' ? at(({ sent }) => sent) / 1e9 : undefined;
      return [
        [
          label,
          each,
          measured.map((files) => files.toLocaleString('en')).join(', '),
          Math.round(writes).toLocaleString('en'),
          Math.round(at(({ requests }) => sum(requests, READS))).toLocaleString('en'),
          (at(({ sent, received }) => sent + received) / 1e9).toFixed(1),
          dollars(at(({ requests }) => price(requests))),
          stored ? dollars(stored * PRICES.gigabyteMonth) : '',
          (at(({ seconds }) => seconds) / 60).toFixed(1),
          (writes / S3_WRITES / 60).toFixed(1),
        ],
      ];
    }),
  );
  printTable(
    [
      'a million files',
      'case',
      'computed from',
      'at the price of PUT',
      'of GET',
      'GB sent and received',
      '$',
      '$ a month to keep it',
      'minutes at the rate of this Swift',
      `at S3's ${S3_WRITES.toLocaleString('en')} writes a second`,
    ],
    rows,
  );
}

function extrapolated([[files, value], [most, last] = []], to) {
  if (most === undefined) return (value * to) / files;
  return last + ((last - value) * (to - most)) / (most - files);
}

function printServers() {
  const bytes = bytesOfALook();
  const rows = REFRESH.flatMap((seconds) =>
    SERVERS.map((servers) => {
      const looks = (servers * MONTH) / seconds;
      return [
        servers.toLocaleString('en'),
        `${seconds} s`,
        Math.round(looks).toLocaleString('en'),
        dollars(looks * PRICES.read),
        ((looks * bytes) / 1e9).toFixed(1),
        (servers / seconds).toFixed(1),
        `${((servers / seconds / S3_READS) * 100).toFixed(2)} %`,
      ];
    }),
  );
  printTable(
    [
      'servers',
      'refresh',
      'looks a month',
      '$ a month',
      `GB a month at ${bytes} bytes`,
      'a second',
      `of S3's ${S3_READS.toLocaleString('en')}`,
    ],
    rows,
  );
}

/** The answer 304, on the wire. */
function bytesOfALook() {
  const [start] = results.filter((result) => result.case === 'start');
  const [serve] = results.filter((result) => result.case === 'serve');
  if (start === undefined || serve === undefined) return Number.NaN;
  return Math.round((serve.received - start.received) / serve.statuses[304]);
}

function of(label, each, files) {
  return results.filter((it) => it.label === label && it.case === each && it.files === files);
}

function sizes(label, each) {
  const own = results.filter((it) => it.label === label && it.case === each);
  return [...new Set(own.map(({ files }) => files))].sort((a, b) => a - b);
}

function sum(requests, kinds) {
  return kinds.reduce((total, kind) => total + (requests[kind] ?? 0), 0);
}

function price(requests) {
  return sum(requests, WRITES) * PRICES.write + sum(requests, READS) * PRICES.read;
}

function dollars(amount) {
  return amount === 0 ? '0' : amount.toFixed(amount < 0.1 ? 5 : 2);
}
