import { createHash, randomUUID } from 'node:crypto';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { s3Storage } from '../../adapters/s3.js';
import { StorageError } from '../../src/errors.js';
import type { Storage } from '../../src/storage.js';
import { storageContract } from '../contracts/storage.js';
import { type Swift, swift, swiftMissing, withoutSwift } from '../swift.js';

/** Swift answers 501 to conditions, and takes no times of change. */
const TRAITS = {
  recordsTimes: false,
  checksMd5: true,
  hasEntries: true,
  hasVersions: true,
  writeIf: 'unsupported',
} as const;

const text = (content: string) => new TextEncoder().encode(content);

async function names(storage: Storage): Promise<string[]> {
  const found: string[] = [];
  for await (const name of storage.list()) found.push(name);
  return found.sort();
}

describe.skipIf(swiftMissing)(`s3Storage on Swift${withoutSwift}`, () => {
  let shared: Promise<string> | undefined;

  const connection = ({ endpoint, credentials }: Swift) => ({ endpoint, credentials });
  const fresh = async (options = {}) => {
    const store = await swift();
    return s3Storage({ bucket: await store.bucket(), ...connection(store), ...options });
  };

  storageContract('s3Storage', () => fresh(), TRAITS);
  storageContract(
    's3Storage with a prefix',
    async () => {
      const store = await swift();
      shared ??= store.bucket();
      const prefix = `sites/${randomUUID()}/static`;
      return s3Storage({ bucket: await shared, ...connection(store), prefix });
    },
    TRAITS,
  );

  /** A client of the tests' own, and a storage over the same bucket. */
  async function beside(options = {}) {
    const store = await swift();
    const Bucket = await store.bucket();
    const { region } = store;
    const client = new S3Client({ ...connection(store), region, forcePathStyle: true });
    return {
      storage: s3Storage({ bucket: Bucket, ...connection(store), ...options }),
      put: (Key: string) => client.send(new PutObjectCommand({ Bucket, Key, Body: Key })),
    };
  }

  test('sees nothing outside its prefix, nor what has no name', async () => {
    const { storage, put } = await beside({ prefix: 'p' });
    for (const key of [
      'p/a',
      'p/b/c',
      'p',
      'p2/a',
      'q/a',
      'p/',
      'p/b/',
      'p//d',
      'p/./e',
      'p/../f',
    ]) {
      await put(key);
    }
    for (const key of ['p/back\\slash', 'p/..', 'p/ok..css']) await put(key);
    expect(await names(storage)).toEqual(['a', 'b/c', 'ok..css']);
    expect(await storage.exists('b/')).toBe(false);
    expect(await storage.exists('')).toBe(false);
    await storage.delete('a');
    expect(await names(storage)).toEqual(['b/c', 'ok..css']);
  });

  test('reads names that no XML can hold', async () => {
    const { storage, put } = await beside();
    const odd = ['\u0001\u001f', 'a\nb', 'a\rb', '<&>"\'', '\u007f', '\ufffe', 'x ', ' x', '+%2B '];
    for (const name of odd) await put(name);
    expect(await names(storage)).toEqual(odd.toSorted());
    for (const name of odd) {
      expect(Buffer.from((await storage.read(name)) ?? []).toString()).toBe(name);
    }
  });

  test('lists more than a request tells', async () => {
    const storage = await fresh({ prefix: 'p' });
    const all = Array.from({ length: 1005 }, (_, i) => `f ${String(i).padStart(4, '0')}`);
    const queue = [...all];
    const work = async () => {
      for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
        await storage.write(name, text(''));
      }
    };
    await Promise.all(Array.from({ length: 32 }, work));
    expect(await names(storage)).toEqual(all);
  });

  describe('the header fields of a file', () => {
    async function answer(storage: ReturnType<typeof s3Storage>, name: string) {
      const response = await fetch(await storage.signedUrl(name), { method: 'GET' });
      expect(response.status).toBe(200);
      await response.body?.cancel();
      return Object.fromEntries(response.headers);
    }

    test.each([
      ['a.css', 'text/css; charset=utf-8'],
      ['a.mjs', 'text/javascript; charset=utf-8'],
      ['a.png', 'image/png'],
      ['none', 'application/octet-stream'],
    ])('of %s have a type by its name', async (name, type) => {
      const storage = await fresh();
      await storage.write(name, text('a'));
      expect(await answer(storage, name)).toMatchObject({ 'content-type': type });
    });

    test('are those that it is handed, as far as S3 keeps them', async () => {
      const storage = await fresh();
      const headers = {
        'Cache-Control': 'public, max-age=315360000, immutable',
        'Content-Type': 'text/plain',
        'Content-Encoding': 'br',
        'Content-Disposition': 'attachment; filename="a b.css"',
        'Content-Language': 'de',
        Expires: 'Wed, 18 May 2033 03:33:20 GMT',
      };
      await storage.write('a.css', text('a'), {
        headers: { ...headers, 'Access-Control-Allow-Origin': '*' },
      });
      const found = await answer(storage, 'a.css');
      for (const [name, value] of Object.entries(headers)) {
        expect(storage.keptHeaders).toContain(name.toLowerCase());
        expect(found[name.toLowerCase()], name).toBe(value);
      }
      expect(found['access-control-allow-origin']).toBeUndefined();
    });

    test('are first of all those of its own option', async () => {
      const storage = await fresh({
        headers: { 'cache-control': 'no-cache', 'x-amz-meta-release': '7' },
      });
      await storage.write('a.css', text('a'), { headers: { 'Cache-Control': 'max-age=60' } });
      expect(await answer(storage, 'a.css')).toMatchObject({
        'cache-control': 'no-cache',
        'x-amz-meta-release': '7',
        'content-type': 'text/css; charset=utf-8',
      });
    });

    test('may depend on the name', async () => {
      const storage = await fresh({
        headers: (name: string) =>
          name.endsWith('.txt') ? { 'Content-Type': 'text/plain; charset=latin1' } : undefined,
      });
      await storage.write('/folder//a.txt', text('a'));
      await storage.write('b.css', text('b'));
      expect(await answer(storage, 'folder/a.txt')).toMatchObject({
        'content-type': 'text/plain; charset=latin1',
      });
      expect(await answer(storage, 'b.css')).toMatchObject({
        'content-type': 'text/css; charset=utf-8',
      });
    });

    test('of such a function have to be fields that S3 keeps', async () => {
      const storage = await fresh({ headers: () => ({ Vary: 'Origin' }) });
      await expect(storage.write('a.css', text('a'))).rejects.toThrow(
        'S3 keeps no Vary with a file',
      );
    });
  });

  test('gives URLs by which everybody can read what is private, for a while', async () => {
    const storage = await fresh({ prefix: 'media' });
    const name = 'a+b & c/ü?#%.txt';
    await storage.write(name, text('private'));
    const open = await fetch(storage.url(name));
    expect(open.status).toBeGreaterThanOrEqual(400);
    const url = await storage.signedUrl(name, { expiresIn: 60 });
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('60');
    const signed = await fetch(url);
    expect([signed.status, await signed.text()]).toEqual([200, 'private']);
    const forged = new URL(url);
    forged.searchParams.set('X-Amz-Expires', '6000');
    expect((await fetch(forged)).status).toBe(403);
  });

  test('works with a ready client', async () => {
    const { endpoint, region, credentials, bucket } = await swift();
    const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
    const storage = s3Storage({ bucket: await bucket(), client });
    await storage.write('a.css', text('a'));
    expect(await names(storage)).toEqual(['a.css']);
  });

  test('tells the MD5 of what is sent at once', async () => {
    const storage = await fresh();
    await storage.write('a.css', text('a'));
    for await (const { md5 } of storage.entries()) {
      expect(md5).toBe(createHash('md5').update('a').digest('hex'));
    }
    expect((await storage.readVersion('a.css')) as object).toMatchObject({
      tag: `"${createHash('md5').update('a').digest('hex')}"`,
    });
  });

  describe('a fault', () => {
    afterEach(() => void vi.useRealTimers());

    /** All that can be asked of a storage; but for writeIf(), to which Swift says 501 to everybody. */
    const asks: readonly [string, (storage: ReturnType<typeof s3Storage>) => Promise<unknown>][] = [
      ['read', (storage) => storage.read('a.css')],
      ['readVersion', (storage) => storage.readVersion('a.css', '"tag"')],
      ['exists', (storage) => storage.exists('a.css')],
      ['stat', (storage) => storage.stat('a.css')],
      ['write', (storage) => storage.write('a.css', text('a'))],
      ['writeFile', (storage) => storage.writeFile('a.css', import.meta.filename)],
      ['delete', (storage) => storage.delete('a.css')],
      ['list', names],
    ];

    async function expectFault(storage: ReturnType<typeof s3Storage>, words: string | RegExp) {
      for (const [what, ask] of asks) {
        const fault = await ask(storage).then(
          () => undefined,
          (error) => error,
        );
        expect(fault, what).toBeInstanceOf(StorageError);
        expect(fault.message, what).toMatch(words);
        expect(fault.cause, what).toBeInstanceOf(Error);
      }
    }

    test('is a bucket that is not there, and never a file that is not', async () => {
      const store = await swift();
      await expectFault(
        s3Storage({ bucket: 'nobodys-bucket', ...connection(store) }),
        `there is no bucket 'nobodys-bucket' at ${store.endpoint}/. Create it, or correct 'bucket'. (NoSuchBucket)`,
      );
    });

    test('is a secret that does not fit', async () => {
      const store = await swift();
      const credentials = { ...store.credentials, secretAccessKey: 'wrong' };
      const bucket = await store.bucket();
      await expectFault(
        s3Storage({ bucket, ...connection(store), credentials }),
        'access key and secret key do not belong together. Correct the credentials. (SignatureDoesNotMatch)',
      );
    });

    test('is a right that is missing', async () => {
      const store = await swift();
      const bucket = await store.bucket();
      await expectFault(
        s3Storage({ bucket, ...connection(store), credentials: store.reader }),
        /the credentials do not allow that\. Grant them s3:(?:Get|Put|Delete)Object|s3:ListBucket/,
      );
    });

    test('is a wrong region', async () => {
      const store = await swift();
      const bucket = await store.bucket();
      await expectFault(
        s3Storage({ bucket, ...connection(store), region: 'eu-west-1' }),
        `the bucket '${bucket}' is in another region, 'us-east-1'. Set the option 'region' to it, and 'endpoint' if it names one.`,
      );
    });

    test('is a clock that is off, where the SDK may not put it right', async () => {
      const store = await swift();
      const bucket = await store.bucket();
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
      await expectFault(
        s3Storage({ bucket, ...connection(store), disableClockSkewCorrection: true }),
        "this machine's clock is off. Set it, as by NTP. (RequestTimeTooSkewed)",
      );
    });

    test('is what Swift does not know', async () => {
      const tagged = await fresh({ headers: { 'x-amz-tagging': 'a=b' } });
      await expect(tagged.write('a.css', text('a'))).rejects.toThrow(
        "the store does not know all that it was asked. Leave out x-amz-tagging of 'headers'. (NotImplemented",
      );
      const strange = await fresh({ acl: 'nonsense' });
      await expect(strange.write('a.css', text('a'))).rejects.toThrow(
        "the store answered InvalidArgument: Invalid Argument. Is 'acl' right, and does the store know it?",
      );
    });

    test('is no clock that is off otherwise', async () => {
      const storage = await fresh();
      vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
      await storage.write('a.css', text('a'));
      expect(await names(storage)).toEqual(['a.css']);
    });
  });
});
