// node compress.js FOLDER: what compressing a folder costs at least: brotli 11 and gzip 9 of each distinct
// content once, on all cores, the largest first, so that no core is left alone with one at the end.
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { brotliCompressSync, gzipSync, constants as zlib } from 'node:zlib';
import { isCompressible } from '../../../dist/src/media-types.js';

if (isMainThread) {
  const paths = distinctFiles(process.argv[2]);
  const next = new Int32Array(new SharedArrayBuffer(4));
  for (let core = 0; core < availableParallelism(); core++) {
    new Worker(new URL(import.meta.url), { workerData: { paths, next } });
  }
} else {
  const { paths, next } = workerData;
  for (;;) {
    const path = paths[Atomics.add(next, 0, 1)];
    if (path === undefined) break;
    compress(readFileSync(path));
  }
}

function compress(body) {
  gzipSync(body, { level: 9 });
  brotliCompressSync(body, {
    params: { [zlib.BROTLI_PARAM_QUALITY]: 11, [zlib.BROTLI_PARAM_SIZE_HINT]: body.length },
  });
}

function distinctFiles(folder) {
  const byContent = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !isCompressible(entry.name)) continue;
    const path = join(entry.parentPath, entry.name);
    byContent.set(createHash('md5').update(readFileSync(path)).digest('hex'), path);
  }
  const sizes = new Map([...byContent.values()].map((path) => [path, statSync(path).size]));
  return [...sizes.keys()].sort((a, b) => sizes.get(b) - sizes.get(a));
}
