import { createHash } from 'node:crypto';
import { appendFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { StorageError } from '../../src/errors.js';
import { add, project } from '../project.js';
import type { Exchange } from '../proxy.js';
import { bytes, text, useAzurite } from './azure-store.js';

const store = useAzurite();

const BLOCK = 65_536;
const md5Of = (body: Uint8Array) => createHash('md5').update(body).digest('hex');
/** Different in each block, and different for each seed. */
const body = (size: number, seed = 1) =>
  Buffer.from(Uint8Array.from({ length: size }, (_, at) => (at * seed + (at >> 8)) % 251));

/** A file of some blocks, and a storage that sends it in them. */
async function large(size = 3 * BLOCK + 7) {
  const path = join(project({ 'large.js': body(size) }), 'large.js');
  const container = await store.azurite.container({ public: true });
  const { proxy, storage } = await store.behindProxy({ storage: { container, blockSize: BLOCK } });
  return { path, proxy, storage, send: storage.writeFile as NonNullable<typeof storage.writeFile> };
}

const isBlock = ({ path }: Exchange) => /[?&]comp=block(?:&|$)/.test(path);
const isList = ({ path }: Exchange) => /[?&]comp=blocklist(?:&|$)/.test(path);

describe('a local file in Azure', () => {
  test('goes whole where it is small, and in blocks where it is larger', async () => {
    for (const [size, blocks] of [
      [0, 0],
      [BLOCK, 0],
      [BLOCK + 1, 2],
      [3 * BLOCK, 3],
    ] as const) {
      const { path, proxy, storage, send } = await large(size);
      await send('a/large.js', path, { headers: { 'Cache-Control': 'max-age=1' } });
      expect(proxy.requests.filter(isBlock).length).toBe(blocks);
      expect(proxy.count()).toBe(blocks + 1);
      expect(await storage.read('a/large.js')).toEqual(body(size));
      for await (const file of storage.entries?.() ?? []) {
        expect(file).toMatchObject({ name: 'a/large.js', size, md5: md5Of(body(size)) });
      }
      const { headers } = await fetch(storage.url('a/large.js'));
      expect(headers.get('cache-control')).toBe('max-age=1');
      expect(headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    }
  });

  test('says of each block what it is, so that a broken one is refused', async () => {
    const { path, proxy, send } = await large();
    await send('a.js', path);
    const sums = proxy.requests.filter(isBlock).map(({ headers }) => headers['content-md5']);
    expect(new Set(sums).size).toBe(4);
    expect(sums.every((sum) => /^[\w+/]{22}==$/.test(String(sum)))).toBe(true);
  });

  test('is stored only where it has the MD5 that it should', async () => {
    for (const size of [10, 3 * BLOCK]) {
      const { path, storage, send } = await large(size);
      await storage.write('a.js', bytes('old'));
      await expect(send('a.js', path, { md5: md5Of(bytes('other')) })).rejects.toThrow(
        StorageError,
      );
      expect(await text(storage.read('a.js'))).toBe('old');
      await send('a.js', path, { md5: md5Of(body(size)).toUpperCase() });
      expect(await storage.read('a.js')).toEqual(body(size));
    }
  });

  test('that changes while it is sent is a fault, and is not stored', async () => {
    const changes: ((path: string) => void)[] = [
      (path) => appendFileSync(path, 'more'),
      (path) => utimesSync(path, new Date(), new Date(Date.now() + 5000)),
    ];
    for (const change of changes) {
      const { path, proxy, storage, send } = await large();
      await storage.write('a.js', bytes('old'));
      proxy.before = (request) => {
        if (isBlock(request)) change(path);
        return undefined;
      };
      await expect(send('a.js', path)).rejects.toThrow(
        new StorageError(
          `The file ${path} changed while it was being sent, and was not stored. Run this again when nobody writes it.`,
        ),
      );
      expect(await text(storage.read('a.js'))).toBe('old');
    }
  });

  test('that breaks off is not there, nor is anything of it', async () => {
    const { path, proxy, storage, send } = await large();
    proxy.before = (request) => (isList(request) ? { status: 400 } : undefined);
    await expect(send('a.js', path)).rejects.toThrow(StorageError);
    expect(await storage.exists('a.js')).toBe(false);
    expect(await storage.read('a.js')).toBeUndefined();
    const names: string[] = [];
    for await (const name of storage.list()) names.push(name);
    expect(names).toEqual([]);
    proxy.before = undefined;
    await send('a.js', path);
    expect(await storage.read('a.js')).toEqual(body(3 * BLOCK + 7));
  });

  test('is there where the answers about it were lost', async () => {
    const { path, proxy, storage, send } = await large();
    const lost = new Set<string>();
    proxy.before = ({ path }) => {
      if (lost.has(path)) return 'pass';
      lost.add(path);
      return 'reset-after';
    };
    await send('a.js', path);
    expect(lost.size).toBe(5);
    expect(await storage.read('a.js')).toEqual(body(3 * BLOCK + 7));
  });

  test('is sent anew where another upload of the name took its blocks away', async () => {
    const { path, proxy, storage, send } = await large();
    const folder = project({});
    add(folder, { 'other.js': body(2 * BLOCK, 3) });
    let other: Promise<void> | undefined;
    proxy.before = async (request) => {
      if (isList(request) && other === undefined) {
        other = send('a.js', join(folder, 'other.js'));
        await other;
      }
      return undefined;
    };
    await send('a.js', path);
    expect(await storage.read('a.js')).toEqual(body(3 * BLOCK + 7));
    // Its own blocks twice, and the other's once.
    expect(proxy.requests.filter(isBlock).length).toBe(10);
  });

  test('is never mixed with another upload of the name', async () => {
    const { path, storage, send } = await large();
    const folder = project({});
    add(folder, { 'other.js': body(3 * BLOCK, 3) });
    await Promise.all([send('a.js', path), send('a.js', join(folder, 'other.js'))]);
    const sums = [body(3 * BLOCK + 7), body(3 * BLOCK, 3)].map(md5Of);
    expect(sums).toContain(md5Of((await storage.read('a.js')) ?? bytes('')));
  });

  test('that is a folder, or not there, is what the file system says', async () => {
    const { storage, send } = await large();
    await expect(send('a.js', project({}))).rejects.toMatchObject({ code: 'EISDIR' });
    await expect(send('a.js', join(project({}), 'gone'))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await storage.exists('a.js')).toBe(false);
  });

  test('goes in several blocks at once', async () => {
    const { path, proxy, send } = await large();
    const arrived: (() => void)[] = [];
    proxy.before = async (request) => {
      if (!isBlock(request)) return undefined;
      // None is answered before all are there.
      await new Promise<void>((resolve) => {
        if (arrived.push(resolve) === 4) for (const answer of arrived) answer();
      });
      return undefined;
    };
    await send('a.js', path);
    expect(arrived.length).toBe(4);
  });
});
