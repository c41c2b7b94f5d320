// node bench/remote/remote.js [--results FILE]: collecting into a store with S3's API, beside
// django-storages and loops of PutObject; everything that plan.js names. Or a part of it:
//   --files 1000,10000 [--latency 0,20,50] [--concurrency 8,32,64] [--cases cold,nothing,changed]
//   [--only LABEL,...] [--limit SECONDS]
// node bench/remote/remote.js --print FILE: the tables of results that were written before.
import { appendFileSync, cpSync, readFileSync, rmSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { run, scratch, settle } from '../collect/processes.js';
import { CHANGED, remoteCorpus } from './corpus.js';
import { countingProxy } from './counting-proxy.js';
import { planOf, seriesOf } from './plan.js';
import { startStore } from './store.js';
import { printTables } from './tables.js';

const ROUNDS = Number(process.env.ROUNDS ?? 1);

const { values: options } = parseArgs({
  options: {
    files: { type: 'string' },
    latency: { type: 'string' },
    concurrency: { type: 'string' },
    cases: { type: 'string' },
    only: { type: 'string' },
    limit: { type: 'string', default: '900' },
    results: { type: 'string' },
    print: { type: 'string' },
  },
});
process.on('SIGTERM', () => process.exit(143)); // the scratch folder goes with the process

const results = [];
if (options.print) readResults(options.print);
else await measureAll();
printTables(results);

function readResults(file) {
  const lines = readFileSync(file, 'utf8').trim().split('\n');
  results.push(...lines.map((line) => JSON.parse(line)));
}

async function measureAll() {
  const store = await startStore();
  const proxy = await countingProxy(store.endpoint);
  try {
    for (const step of planOf(options)) {
      const source = copyOf(remoteCorpus(step.files));
      for (let round = 0; round < ROUNDS; round++) {
        for (const series of seriesOf(step)) {
          for await (const result of measure(series, source, store, proxy)) {
            keep({ ...result, round });
          }
        }
      }
    }
  } finally {
    proxy.close();
    await store.stop();
  }
}

/** Of which a file can be changed. */
function copyOf(corpus) {
  const source = join(scratch, 'source');
  rmSync(source, { recursive: true, force: true });
  cpSync(corpus, source, { recursive: true, preserveTimestamps: true });
  return source;
}

/** A line for each, as soon as it is there: what takes hours may be broken off. */
function keep(result) {
  results.push(result);
  if (options.results) appendFileSync(options.results, `${JSON.stringify(result)}\n`);
}

/** Runs the cases of a series, one after the other, over a bucket of its own. */
async function* measure(series, source, store, proxy) {
  const { label, files, latency, concurrency, cases, command } = series;
  const bucket = await store.bucket();
  for (const each of cases) {
    if (each === 'changed') appendFileSync(join(source, CHANGED), '.changed {\n  top: 0;\n}\n');
    settle(source);
    const {
      program = process.execPath,
      args,
      env,
    } = command({
      source,
      bucket,
      endpoint: proxy.url,
      concurrency,
      case: each,
    });
    const all = {
      ...store.env,
      BENCH_SOURCE: source,
      BENCH_BUCKET: bucket,
      BENCH_ENDPOINT: proxy.url,
      NODE_NO_WARNINGS: '1',
      ...env,
    };
    console.error(`${files} files, ${latency} ms: ${label}, ${concurrency} at a time, ${each}`);
    const load = loadavg()[0];
    proxy.start(latency);
    const timed = await run(program, args, all, Number(options.limit));
    const counts = await proxy.stop();
    const found = await store.look(bucket);
    yield { files, latency, label, concurrency, case: each, ...timed, ...counts, ...found, load };
    if (timed.isCutShort) return;
  }
}
