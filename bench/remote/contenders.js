import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratch } from '../collect/processes.js';
import { CHANGED } from './corpus.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const BIN = here('../../dist/src/cli/bin.js');
const PYTHON = process.env.PYTHON ?? '/usr/bin/python3';

/** How many requests ours has in flight where nothing else is said. */
export const CONCURRENCY = 32;

export const DJANGO = 'django-storages, S3ManifestStaticStorage';
export const OURS = '`staticfiles collectstatic`';
export const HASHED_ONLY = `${OURS}, hashed names only`;
export const SDK = 'AWS SDK for JavaScript, a loop of PutObject, no hashes';
export const FLOOR = 'PutObject of the same, nothing else';

/**
 * By label: `cases` are those that it runs, one after the other over one bucket; `command(job)` answers
 * the program that does one. A job has the `source`, the `bucket` and the `endpoint`, the number of
 * requests in flight as `concurrency`, and the `case`. With `isSwept`, the contender also begins with an
 * empty bucket at every other number of requests in flight that is asked for.
 */
export const CONTENDERS = {
  [DJANGO]: {
    cases: ['cold', 'nothing', 'changed'],
    isPython: true,
    command: django('S3ManifestStaticStorage'),
  },
  'django-storages, S3StaticStorage, no hashes': {
    cases: ['cold', 'nothing', 'changed'],
    isPython: true,
    command: django('S3StaticStorage'),
  },
  'boto3, a loop of put_object, no hashes': {
    cases: ['cold'],
    isPython: true,
    command: () => ({ program: PYTHON, args: [here('loops/put.py')] }),
  },
  [SDK]: {
    cases: ['cold'],
    command: () => ({ args: [here('loops/put.js')] }),
  },
  [FLOOR]: {
    cases: ['cold'],
    isSwept: true,
    command: ({ concurrency }) => ({
      args: [here('loops/put.js')],
      env: { BENCH_CONCURRENCY: String(concurrency), BENCH_TWICE: '1' },
    }),
  },
  [OURS]: {
    cases: ['cold', 'nothing', 'changed', 'start', 'serve'],
    isSwept: true,
    command: (job) => (job.case in SERVING ? server(job) : cli(configFile(job))),
  },
  [HASHED_ONLY]: {
    cases: ['cold', 'nothing', 'changed'],
    command: (job) => cli(configFile(job, { keepOriginals: false })),
  },
  '`files.collect()`': {
    cases: ['cold', 'nothing', 'changed'],
    command: (job) => ({ args: [here('collect.js'), configFile(job)] }),
  },
};

/** Why django-storages and boto3 are left out; `undefined` where they are not. */
export function whyNoPython() {
  const imports = 'import boto3, django.contrib.staticfiles, storages.backends';
  const { status } = spawnSync(PYTHON, ['-c', imports], { stdio: 'ignore' });
  if (status === 0) return undefined;
  return `${PYTHON} has no django-storages; Debian: python3-django python3-django-storages python3-boto3`;
}

function django(storage) {
  return () => ({
    program: PYTHON,
    args: ['-m', 'django', 'collectstatic', '--noinput', '-v', '0'],
    env: {
      PYTHONPATH: here('django'),
      PYTHONDONTWRITEBYTECODE: '1',
      DJANGO_SETTINGS_MODULE: 'bench_settings',
      BENCH_STORAGE: storage,
    },
  });
}

function cli(config) {
  return { args: [BIN, 'collectstatic', '--no-input', '-v', '0', '--config', config] };
}

/** How long an application server runs, in seconds. */
export const SERVING = { start: 0, serve: 10 };

/** It looks at the manifest again every second. */
function server(job) {
  const config = configFile(job, { refresh: '1s' });
  return { args: [here('server.js'), config, String(SERVING[job.case]), CHANGED] };
}

/** A project's configuration, as its users write it. */
function configFile({ source, bucket, endpoint, concurrency }, hashed = {}) {
  const file = join(scratch, `${bucket}.config.mjs`);
  const store = { bucket, endpoint, forcePathStyle: true, concurrency };
  writeFileSync(
    file,
    `import { hashedStorage } from ${JSON.stringify(new URL('../../dist/src/index.js', import.meta.url))};
import { s3Storage } from ${JSON.stringify(new URL('../../dist/adapters/s3.js', import.meta.url))};

export default {
  debug: false,
  dirs: ${JSON.stringify([source])},
  storage: hashedStorage({ ...${JSON.stringify(hashed)}, over: s3Storage(${JSON.stringify(store)}) }),
};
`,
  );
  return file;
}
