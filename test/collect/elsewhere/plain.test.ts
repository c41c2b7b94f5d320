import { utimesSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { Storage } from '../../../src/storage.js';
import { memoryStorage } from '../../../src/storages/memory.js';
import { proxyTo } from '../../proxy.js';
import { SMALL, site } from './site.js';
import { fileNames, isListing, md5, sentThrough, useStores } from './stores.js';

const { swift, azurite } = useStores();

const PLAIN = { isPlain: true } as const;

describe.each([swift, azurite])('under plain names alone, into $name', (kind) => {
  it.skipIf(kind.missing)('what has changed is sent, and nothing else', async () => {
    const store = await kind.create();
    const proxy = await proxyTo(store.origin);
    const own = site();
    const files = own.files(store.storage({}, proxy.url), PLAIN);
    expect(await files.collect()).toMatchObject({ sent: { files: 6 }, hashed: [] });
    const objects = await store.objects();
    expect(Object.keys(objects).sort()).toEqual(Object.keys(SMALL).sort());
    for (const [name, { body, cache }] of Object.entries(objects)) {
      expect([name, md5(body), cache]).toEqual([
        name,
        md5(SMALL[name] ?? ''),
        'public, max-age=60',
      ]);
    }

    proxy.reset();
    expect(await files.collect()).toMatchObject({ sent: { files: 0 }, unmodified: { length: 6 } });
    expect([proxy.count(), proxy.requests.filter(isListing).length]).toEqual([1, 1]);

    own.change({ 'robots.txt': 'USER-agent: *\n' });
    utimesSync(join(own.root, 'static/robots.txt'), 1, 1);
    proxy.reset();
    const { copied } = await files.collect();
    expect([copied, sentThrough(proxy.requests)]).toEqual([['robots.txt'], ['robots.txt']]);
    expect(proxy.count('HEAD')).toBe(0);
  });

  it.skipIf(kind.missing)('compressed forms follow their file', async () => {
    const store = await kind.create();
    const own = site({ 'a.css': 'a { color: red }\n'.repeat(40), 'b.txt': 'b' });
    const options = { ...PLAIN, settings: { compress: true } };
    const files = own.files(store.storage(), options);
    expect(await files.collect()).toMatchObject({ sent: { files: 4 } });
    expect(await files.collect()).toMatchObject({ sent: { files: 0 } });
    own.change({ 'a.css': 'a { color: tan }\n'.repeat(40) });
    expect(await files.collect()).toMatchObject({ sent: { files: 3 } });
    const { 'a.css': css, 'a.css.gz': form } = await store.objects();
    expect(gunzipSync(form?.body ?? '').equals(css?.body ?? Buffer.of())).toBe(true);
    expect(form).toMatchObject({ encoding: 'gzip', type: css?.type, cache: css?.cache });
    // Whoever serves the form would serve what the file no longer is.
    own.change({ 'a.css': 'a' });
    await files.collect();
    expect(await fileNames(store.storage())).toEqual(['a.css', 'b.txt']);
  });

  it.skipIf(kind.missing)('forms that others keep stay where nothing changes', async () => {
    const store = await kind.create();
    const storage = store.storage();
    const own = site({ 'a.css': 'a { color: red }\n'.repeat(40), 'b.txt': 'b' });
    const files = own.files(storage, PLAIN);
    await files.collect();
    const theirs = ['a.css.br', 'a.css.zst', 'b.txt.gz'];
    for (const name of theirs) await storage.write(name, Buffer.from('theirs'));
    expect(await files.collect()).toMatchObject({ sent: { files: 0 } });
    expect(await fileNames(storage)).toEqual(['a.css', 'b.txt', ...theirs].sort());
    // Whoever serves a form would serve what the file no longer is.
    own.change({ 'b.txt': 'bb' });
    await files.collect();
    expect(await fileNames(storage)).toEqual(['a.css', 'a.css.br', 'a.css.zst', 'b.txt']);
    await own.files(storage, { ...PLAIN, settings: { compress: ['gzip'] } }).collect();
    expect(await fileNames(storage)).toEqual(['a.css', 'a.css.gz', 'b.txt']);
  });

  it.skipIf(kind.missing)('in place they are encoded, and sent once', async () => {
    const store = await kind.create();
    const own = site();
    const files = own.files(store.storage({ encoding: 'gzip' }), PLAIN);
    await files.collect();
    const { 'css/base.css': css } = await store.objects();
    expect(css?.encoding).toBe('gzip');
    expect(gunzipSync(css?.body ?? '').toString()).toBe(SMALL['css/base.css']);
    expect(await files.collect()).toMatchObject({ sent: { files: 0 } });
    expect(await own.files(store.storage(), PLAIN).collect()).toMatchObject({ sent: { files: 4 } });
  });

  it.skipIf(kind.missing)('--clear deletes the rest, and leaves nothing of its own', async () => {
    const store = await kind.create();
    const own = site();
    await own.files(store.storage(), PLAIN).collect();
    await store.storage().write('stray.txt', Buffer.from('stray'));
    own.remove('robots.txt');
    const { deleted } = await own.files(store.storage(), PLAIN).collect({ clear: true });
    expect([...deleted].sort()).toEqual(['robots.txt', 'stray.txt']);
    const { 'robots.txt': _, ...rest } = SMALL;
    expect(Object.keys(await store.objects()).sort()).toEqual(Object.keys(rest).sort());
  });
});

describe('under plain names alone', () => {
  it('an old compressed form of what was sent does not stay, wherever a run ends', async () => {
    const { attach, ...storage } = memoryStorage();
    const own = site({ 'a.css': 'a { color: red }\n'.repeat(40), 'b.css': 'b' });
    await own.files(storage, { ...PLAIN, settings: { compress: true } }).collect();
    own.change({ 'a.css': 'a { color: tan }\n'.repeat(40), 'b.css': 'bb' });
    const breaking: Storage = {
      ...storage,
      concurrency: 1,
      async write(name, ...rest) {
        await storage.write(name, ...rest);
        throw new Error('killed');
      },
    };
    await expect(own.files(breaking, PLAIN).collect()).rejects.toThrow('killed');
    await own.files(storage, PLAIN).collect();
    expect(await fileNames(storage)).toEqual(['a.css', 'b.css']);
  });
});

describe('a storage of somebody’s own, that can only do what it must', () => {
  /** It lists names, tells size and time, and has no paths. */
  function simple(): Storage & { written: string[] } {
    const written: string[] = [];
    const { read, write, delete: remove, exists, stat, list, url } = memoryStorage();
    return {
      ...{ read, delete: remove, exists, stat, list, url, written },
      async write(name, body, options) {
        written.push(name);
        return write(name, body, options);
      },
    };
  }

  it('gets plain files by size and time', async () => {
    const storage = simple();
    const own = site();
    await own.files(storage, PLAIN).collect();
    expect(storage.written.length).toBe(6);
    await own.files(storage, PLAIN).collect();
    expect(storage.written.length).toBe(6);
    own.change({ 'robots.txt': 'USER-agent: *\n' });
    utimesSync(join(own.root, 'static/robots.txt'), 1, 1);
    await own.files(storage, PLAIN).collect();
    expect(storage.written.slice(6)).toEqual(['robots.txt']);
  });

  it('gets a release, of which the manifest comes last', async () => {
    const storage = simple();
    const own = site();
    await own.files(storage).collect();
    expect(storage.written.at(-1)).toBe('staticfiles.json');
    const count = storage.written.length;
    await own.files(storage).collect();
    expect(storage.written.length).toBe(count);
    own.change({ 'robots.txt': 'USER-agent: *\n' });
    await own.files(storage).collect();
    expect(storage.written.length).toBe(count + 4);
    expect(await own.files(storage).prune({ keep: 1 })).toMatchObject({ kept: [{}] });
  });
});
