import { createHash, randomBytes } from 'node:crypto';
import { appendFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ListMultipartUploadsCommand, S3Client } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { s3Storage } from '../../adapters/s3.js';
import { StorageError } from '../../src/errors.js';
import { openFiles } from '../open-files.js';
import { project } from '../project.js';
import { swift, swiftMissing, withoutSwift } from '../swift.js';
import { type Asked, type Fate, type StandInOptions, standIn } from './s3-stand-in.js';

const MIB = 2 ** 20;
const partSize = 5 * MIB;
const md5 = (body: Uint8Array) => createHash('md5').update(body).digest('hex');

/** A local file of three parts. */
function large(): { readonly path: string; readonly body: Buffer } {
  const body = randomBytes(12 * MIB);
  return { path: join(project({ 'large.bin': body }), 'large.bin'), body };
}

describe.skipIf(swiftMissing)(`a large file goes to Swift in parts${withoutSwift}`, () => {
  async function fresh() {
    const { endpoint, region, credentials, bucket } = await swift();
    const Bucket = await bucket();
    const storage = s3Storage({ bucket: Bucket, endpoint, credentials, partSize });
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    return {
      storage,
      async uploads() {
        return (await client.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads ?? [];
      },
    };
  }

  test('and is there whole, with its header fields', async () => {
    const { storage, uploads } = await fresh();
    const { path, body } = large();
    const headers = { 'Cache-Control': 'max-age=7', 'Content-Encoding': 'br' };
    await storage.writeFile('a/large.js', path, { md5: md5(body), headers });
    expect(body.equals((await storage.read('a/large.js')) ?? Buffer.of())).toBe(true);
    expect(await storage.stat('a/large.js')).toMatchObject({ size: body.length });
    const answer = await fetch(await storage.signedUrl('a/large.js'), { method: 'GET' });
    await answer.body?.cancel();
    expect(Object.fromEntries(answer.headers)).toMatchObject({
      'cache-control': 'max-age=7',
      'content-encoding': 'br',
      'content-type': 'text/javascript; charset=utf-8',
    });
    for await (const entry of storage.entries()) {
      expect(entry).toMatchObject({ name: 'a/large.js', size: body.length, md5: undefined });
    }
    expect(await uploads()).toEqual([]);
  });

  test('and nothing is left of it where it is not what it should be', async () => {
    const { storage, uploads } = await fresh();
    const { path } = large();
    const fault = storage.writeFile('large.bin', path, { md5: '0'.repeat(32) });
    await expect(fault).rejects.toThrow(StorageError);
    await expect(fault).rejects.toThrow(
      `${path} changed while it was sent to large.bin: nothing was stored. Send it again.`,
    );
    expect(await storage.exists('large.bin')).toBe(false);
    expect(await uploads()).toEqual([]);
  });

  test('and what stood there stays until it is whole', async () => {
    const { storage } = await fresh();
    const { path } = large();
    await storage.write('large.bin', Buffer.from('old'));
    await expect(storage.writeFile('large.bin', path, { md5: '0'.repeat(32) })).rejects.toThrow(
      StorageError,
    );
    expect(Buffer.from((await storage.read('large.bin')) ?? []).toString()).toBe('old');
  });
});

describe('writeFile', () => {
  async function storeWith(fate?: StandInOptions['fate'], options = {}) {
    const store = await standIn(fate && { fate });
    return { ...store, storage: s3Storage({ ...store.options, partSize, ...options }) };
  }
  const part = ({ query }: Asked) => Number(query.get('partNumber'));
  const steps = (asked: readonly Asked[]) =>
    asked.map(
      ({ method, query }) => `${method} ${[...query.keys()].filter((key) => key !== 'x-id')}`,
    );

  test('sends a file of one part at once, and larger ones in parts', async () => {
    const { storage, asked, files } = await storeWith();
    const root = project({ small: randomBytes(partSize), larger: randomBytes(partSize + 1) });
    await storage.writeFile('small', join(root, 'small'));
    expect(steps(asked.splice(0))).toEqual(['PUT ']);
    await storage.writeFile('larger', join(root, 'larger'));
    expect(steps(asked).sort()).toEqual([
      'POST uploadId',
      'POST uploads',
      'PUT partNumber,uploadId',
      'PUT partNumber,uploadId',
    ]);
    expect(files.get('larger')?.body.length).toBe(partSize + 1);
  });

  test('tells the fields at the beginning, and the MD5 of each part', async () => {
    const { storage, asked, files } = await storeWith(undefined, {
      acl: 'public-read',
      storageClass: 'STANDARD_IA',
      headers: { 'x-amz-meta-by': 'us' },
    });
    const { path, body } = large();
    await storage.writeFile('a.css', path, { md5: md5(body) });
    expect(asked[0]?.headers).toMatchObject({
      'content-type': 'text/css; charset=utf-8',
      'x-amz-acl': 'public-read',
      'x-amz-storage-class': 'STANDARD_IA',
      'x-amz-meta-by': 'us',
    });
    for (const request of asked.filter(part)) {
      const digest = createHash('md5').update(request.body).digest('base64');
      expect(request.headers['content-md5']).toBe(digest);
      expect(request.headers['x-amz-acl']).toBeUndefined();
    }
    expect(files.get('a.css')?.body.equals(body)).toBe(true);
  });

  test('sends each part again where it failed', async () => {
    const fates = new Map<number, Fate>([
      [1, 'reset'],
      [2, 'lost'],
      [3, { status: 503 }],
    ]);
    const { storage, files, uploads } = await storeWith((asked) => {
      const fate = fates.get(part(asked));
      fates.delete(part(asked));
      return fate;
    });
    const { path, body } = large();
    await storage.writeFile('large.bin', path, { md5: md5(body) });
    expect(files.get('large.bin')?.body.equals(body)).toBe(true);
    expect([uploads.size, fates.size]).toEqual([0, 0]);
  });

  test('knows that it was done when the answer to that was lost', async () => {
    const { storage, files } = await storeWith(({ method, query }, n) =>
      method === 'POST' && query.has('uploadId') && n === 1 ? 'lost' : undefined,
    );
    const { path, body } = large();
    await storage.writeFile('large.bin', path);
    expect(files.get('large.bin')?.body.equals(body)).toBe(true);
  });

  test('gives up what it began where a part is refused, and says why', async () => {
    const { storage, files, uploads, asked } = await storeWith((asked) =>
      part(asked) === 2 ? { status: 403, code: 'AccessDenied' } : undefined,
    );
    const fault = storage.writeFile('large.bin', large().path);
    await expect(fault).rejects.toThrow(
      'Could not write s3://shelf/large.bin: the credentials do not allow that. Grant them s3:PutObject.',
    );
    expect([files.size, uploads.size]).toEqual([0, 0]);
    expect(steps(asked).at(-1)).toBe('DELETE uploadId');
  });

  test('gives up only when no part is under way any more', async () => {
    const events: string[] = [];
    let arrived = () => {};
    const second = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const { storage } = await storeWith(async (asked) => {
      if (asked.method === 'DELETE') events.push('given up');
      if (part(asked) === 1) {
        await second; // which is under way then, whichever came first
        return { status: 403, code: 'AccessDenied' };
      }
      if (part(asked)) {
        arrived();
        await pause(100);
        events.push(`part ${part(asked)}`);
      }
      return undefined;
    });
    await expect(storage.writeFile('large.bin', large().path)).rejects.toThrow(StorageError);
    expect(events.at(-1)).toBe('given up');
    expect(events).toContain('part 2');
  });

  test('says what went wrong first, also where it cannot give up either', async () => {
    const { storage } = await storeWith((asked) =>
      part(asked) || asked.method === 'DELETE'
        ? { status: 403, code: part(asked) ? 'InvalidAccessKeyId' : 'AccessDenied' }
        : undefined,
    );
    await expect(storage.writeFile('large.bin', large().path)).rejects.toThrow(
      'the store does not know the access key',
    );
  });

  test.each<[string, (path: string) => void]>([
    ['longer', (path) => appendFileSync(path, 'more')],
    ['shorter', (path) => truncateSync(path, 11 * MIB)],
    ['another', (path) => writeFileSync(path, randomBytes(12 * MIB))],
  ])('stores nothing of a file that becomes %s meanwhile', async (_, change) => {
    const { path } = large();
    let parts = 0; // they are sent together, and come in any order
    const { storage, files, uploads } = await storeWith((asked) => {
      if (part(asked) && ++parts === 1) change(path);
      return undefined;
    });
    await expect(storage.writeFile('large.bin', path)).rejects.toThrow(
      `${path} changed while it was sent`,
    );
    expect([files.size, uploads.size]).toEqual([0, 0]);
  });

  test('reads on in a file that was removed meanwhile', async () => {
    const { path, body } = large();
    const { storage, files } = await storeWith((asked) => {
      if (part(asked) === 1) rmSync(path);
      return undefined;
    });
    await storage.writeFile('large.bin', path);
    expect(files.get('large.bin')?.body.equals(body)).toBe(true);
  });

  test('throws what the system says of a local file as it is', async () => {
    const { storage, asked } = await storeWith();
    const root = project({ 'folder/a': 'a' });
    await expect(storage.writeFile('a', join(root, 'gone'))).rejects.toMatchObject({
      code: 'ENOENT',
    });
    await expect(storage.writeFile('a', join(root, 'folder'))).rejects.toMatchObject({
      code: 'EISDIR',
    });
    expect(asked).toEqual([]);
  });

  test.each([
    ['parts', 12 * MIB],
    ['whole files', partSize],
  ])('has few %s in memory, and leaves no file open', async (_, size) => {
    let inFlight = 0;
    let most = 0;
    let latest = 0;
    const { storage, files } = await storeWith(async ({ body }) => {
      inFlight += body.length;
      most = Math.max(most, inFlight);
      latest = performance.now();
      // None is answered before all have arrived that may; one alone waits for another.
      const mayMore = () => most <= partSize || performance.now() < latest + 500;
      while (body.length > 0 && mayMore()) await pause(50);
      inFlight -= body.length;
    });
    const names = Array.from({ length: (96 * MIB) / size }, (_, index) => `${index}`);
    const root = project(Object.fromEntries(names.map((name) => [name, randomBytes(size)])));
    await Promise.all(names.map((name) => storage.writeFile(name, join(root, name))));
    expect([...files.keys()].sort()).toEqual(names.sort());
    expect(most).toBeGreaterThan(partSize);
    expect(most).toBeLessThanOrEqual(64 * MIB);
    expect(openFiles(root)).toEqual([]);
  });
});
