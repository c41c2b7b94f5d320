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
import { whyNoPython } from './contenders.js';
import { CHANGED, remoteCorpus } from './corpus.js';
import { countingProxy } from './counting-proxy.js';
import { planOf, seriesOf } from './plan.js';
import { startStore } from './store.js';
import { printTables } from './tables.js';

const { values: options } = parseArgs({
  options: {
    files: { type: 'string' },
    latency: { type: 'string' },
    concurrency: { type: 'string' },
    cases: { type: 'string' },
    only: { type: 'string' },
    limit: { type: 'string' },
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
  const whyNot = whyNoPython();
  if (whyNot) console.error(`django-storages and boto3 are left out: ${whyNot}.`);
  const store = await startStore();
  const proxy = await countingProxy(store.endpoint);
  try {
    for (const step of planOf(options)) {
      const source = copyOf(remoteCorpus(step.files));
      for (let round = 0; round < Number(process.env.ROUNDS ?? step.rounds ?? 1); round++) {
        for (const series of seriesOf(step, whyNot !== undefined)) {
          await measure(series, source, store, proxy, (result) => keep({ ...result, round }));
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
async function measure(series, source, store, proxy, tell) {
  const { label, files, latency, concurrency, cases, limit } = series;
  const bucket = await store.bucket();
  for (const each of cases) {
    if (each === 'changed') appendFileSync(join(source, CHANGED), '.changed {\n  top: 0;\n}\n');
    settle(source);
    const {
      program = process.execPath,
      args,
      env,
    } = commandOf(series, each, {
      source,
      bucket,
      endpoint: proxy.url,
      env: store.env,
    });
    console.error(`${files} files, ${latency} ms: ${label}, ${concurrency} at a time, ${each}`);
    const load = loadavg()[0];
    proxy.start(latency);
    let timed;
    try {
      timed = await run(program, args, env, limit);
    } catch (error) {
      console.error(error.message); // the others may do better
      process.exitCode = 1;
    }
    const counts = await proxy.stop();
    if (timed === undefined) return;
    const found = await store.look(bucket);
    tell({ files, latency, label, concurrency, case: each, ...timed, ...counts, ...found, load });
    if (timed.isCutShort) return;
  }
}

function commandOf({ command, concurrency }, each, { source, bucket, endpoint, env }) {
  const own = command({ source, bucket, endpoint, concurrency, case: each });
  const job = { BENCH_SOURCE: source, BENCH_BUCKET: bucket, BENCH_ENDPOINT: endpoint };
  return { ...own, env: { ...env, ...job, NODE_NO_WARNINGS: '1', ...own.env } };
}
