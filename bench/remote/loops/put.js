// node put.js: sends every file by PutObject and does nothing else. BENCH_CONCURRENCY says how many at a
// time (1); with BENCH_TWICE each is sent under a hashed name too, as a collected site has them.
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Agent } from 'node:http';
import { parse, relative } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { lookup } from 'mrmime';
import { filesOf } from '../../collect/corpus.js';

const { BENCH_SOURCE: source, BENCH_BUCKET: Bucket, BENCH_ENDPOINT: endpoint } = process.env;
const concurrency = Number(process.env.BENCH_CONCURRENCY ?? 1);
const client = new S3Client({
  endpoint,
  forcePathStyle: true,
  requestChecksumCalculation: 'WHEN_REQUIRED',
  requestHandler: { httpAgent: new Agent({ keepAlive: true, maxSockets: concurrency }) },
});

const paths = filesOf(source);
await Promise.all(Array.from({ length: concurrency }, send));
client.destroy();

async function send() {
  for (let path = paths.pop(); path !== undefined; path = paths.pop()) {
    const body = await readFile(path);
    const name = relative(source, path);
    await put(name, body, 'max-age=60');
    if (process.env.BENCH_TWICE) {
      await put(hashedName(name, body), body, 'max-age=315360000, immutable');
    }
  }
}

function put(Key, Body, CacheControl) {
  const ContentType = lookup(Key) ?? 'application/octet-stream';
  return client.send(new PutObjectCommand({ Bucket, Key, Body, ContentType, CacheControl }));
}

function hashedName(name, body) {
  const { dir, name: stem, ext } = parse(name);
  return `${dir}/${stem}.${createHash('md5').update(body).digest('hex').slice(0, 12)}${ext}`;
}
