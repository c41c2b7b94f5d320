import { statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Storage } from '../../../src/storage.js';
import { memoryStorage } from '../../../src/storages/memory.js';
import { proxyTo } from '../../proxy.js';
import { type SiteOptions, SMALL, site } from './site.js';
import {
  entries,
  isListing,
  lacking,
  lieOfDigests,
  objectOf,
  type Store,
  sentThrough,
  useStores,
} from './stores.js';

const { swift, azurite } = useStores();

/** Collects, and lets the manifest not come through: what was sent is there, and nothing is published. */
async function collectInVain(own: ReturnType<typeof site>, store: Store): Promise<void> {
  const proxy = await proxyTo(store.origin);
  proxy.before = async (request) =>
    request.method === 'PUT' && objectOf(request) === 'staticfiles.json'
      ? { status: 403 }
      : undefined;
  await expect(own.files(store.storage({}, proxy.url)).collect()).rejects.toThrow('403');
}

describe.each([swift, azurite])('plain names on $name', (kind) => {
  it.skipIf(kind.missing)('get what has changed, of the same size and older too', async () => {
    const store = await kind.create();
    const own = site();
    await own.files(store.storage()).collect();
    const path = join(own.root, 'static/robots.txt');
    const { atimeMs, mtimeMs } = statSync(path);
    own.change({ 'robots.txt': 'USER-agent: *\n' });
    utimesSync(path, atimeMs / 1000, mtimeMs / 1000 - 86_400);
    expect(await own.files(store.storage()).collect()).toMatchObject({ sent: { files: 2 } });
    const { 'robots.txt': robots } = await store.objects();
    expect(robots?.body.toString()).toBe('USER-agent: *\n');
  });

  it.skipIf(kind.missing)('that a killed deploy has overwritten come back', async () => {
    const store = await kind.create();
    const own = site();
    await own.files(store.storage()).collect();
    own.change({ 'robots.txt': 'killed: *----\n' });
    await collectInVain(own, store);
    expect((await lacking(store.storage())).length).toBe(1);
    own.change({ 'robots.txt': SMALL['robots.txt'] ?? '' });
    expect(await own.files(store.storage()).collect()).toMatchObject({ sent: { files: 1 } });
    expect(await lacking(store.storage())).toEqual([]);
  });

  it.skipIf(kind.missing)('and hashed ones that somebody deleted come back', async () => {
    const store = await kind.create();
    const own = site();
    const { hashed } = await own.files(store.storage(), { settings: { compress: true } }).collect();
    const base = hashed.find(({ name }) => name === 'css/base.css')?.hashedName ?? '';
    const gone = [base, `${base}.br`, 'robots.txt'];
    for (const name of gone) await store.storage().delete(name);
    const options = { settings: { compress: true } };
    expect(await own.files(store.storage(), options).collect()).toMatchObject({
      sent: { files: gone.length },
    });
    expect(await lacking(store.storage())).toEqual([]);
  });

  it.skipIf(kind.missing)('of large files, sent in parts, are sent when they change', async () => {
    const store = await kind.create();
    const size = 6 * 2 ** 20;
    const own = site({ 'film.mp4': Buffer.alloc(size, 'a') });
    const files = own.files(store.storage({ partSize: 5 * 2 ** 20 }));
    expect(await files.collect()).toMatchObject({ sent: { files: 2 } });
    expect(await files.collect()).toMatchObject({ sent: { files: 0 } });
    own.change({ 'robots.txt': 'more' });
    expect(await files.collect()).toMatchObject({ sent: { files: 2 } });
    own.change({ 'film.mp4': Buffer.alloc(size, 'b') });
    expect(await files.collect()).toMatchObject({ sent: { files: 2 } });
    expect(await lacking(store.storage())).toEqual([]);

    own.change({ 'film.mp4': Buffer.alloc(size, 'c') });
    await collectInVain(own, store);
    own.change({ 'film.mp4': Buffer.alloc(size, 'b') });
    expect(await files.collect()).toMatchObject({ sent: { files: 1 } });
    expect(await lacking(store.storage())).toEqual([]);
  });

  it.skipIf(kind.missing)(
    'are right where listings tell other digests, as with SSE-KMS',
    async () => {
      const store = await kind.create();
      const proxy = await proxyTo(store.origin);
      lieOfDigests(proxy, store.origin);
      const own = site();
      const files = own.files(store.storage({}, proxy.url));
      await files.collect();
      proxy.reset();
      expect(await files.collect()).toMatchObject({ sent: { files: 0 } });
      expect(proxy.requests.filter(isListing).map(({ fault }) => fault)).toContain('answer');

      own.change({ 'robots.txt': 'USER-agent: *\n' });
      expect(await files.collect()).toMatchObject({ sent: { files: 2 } });
      expect(sentThrough(proxy.requests)).toContain('robots.txt');
      expect(await lacking(store.storage())).toEqual([]);

      own.change({ 'robots.txt': 'killed: *----\n' });
      await collectInVain(own, store);
      own.change({ 'robots.txt': 'USER-agent: *\n' });
      await files.collect();
      expect(await lacking(store.storage())).toEqual([]);
    },
  );
});

describe('of so many files that they are not all looked for,', () => {
  const FILES = 4100;
  const MANY = Object.fromEntries(
    Array.from({ length: FILES }, (_, index) => [`${index % 41}/${index}.txt`, `${index}`]),
  );

  /** A store in memory, of which somebody hears what is written and listed. */
  function observed(onWrite: (name: string) => Promise<void> = async () => {}) {
    const { attach, entries: list, ...memory } = memoryStorage();
    const listed: (string | undefined)[] = [];
    const storage: Storage = {
      ...memory,
      async *entries(prefix) {
        listed.push(prefix);
        yield* list?.(prefix) ?? [];
      },
    };
    const slow: Storage = {
      ...storage,
      async write(name, ...rest) {
        await onWrite(name);
        return memory.write(name, ...rest);
      },
      async writeIf(name, ...rest) {
        await onWrite(name);
        return memory.writeIf?.(name, ...rest) ?? 'unsupported';
      },
    };
    return { storage, slow, listed };
  }

  it('what somebody deleted comes back with --verify', async () => {
    const { storage, listed } = observed();
    const own = site(MANY);
    const { hashed } = await own.files(storage).collect();
    const [{ hashedName } = { hashedName: '' }] = hashed;
    await storage.delete(hashedName);
    await storage.delete('1/1.txt');
    listed.length = 0;
    expect(await own.files(storage).collect()).toMatchObject({ sent: { files: 0 } });
    expect(listed).toEqual(['.staticfiles/']);
    expect(await own.files(storage).collect({ verify: true })).toMatchObject({
      sent: { files: 2 },
    });
    expect(await lacking(storage)).toEqual([]);

    // What has changed is looked for by its beginning, if it is little.
    listed.length = 0;
    own.change({ '1/1.txt': 'one' });
    expect(await own.files(storage).collect()).toMatchObject({ sent: { files: 2 } });
    expect(listed).toEqual(['.staticfiles/', '1/1.']);
    listed.length = 0;
    own.change(Object.fromEntries(Array.from({ length: 9 }, (_, at) => [`0/${41 * at}.txt`, 'x'])));
    expect(await own.files(storage).collect()).toMatchObject({ sent: { files: 18 } });
    // The last looks whether they were pruned: a plain name was sent again, so no manifest vouches for them.
    expect(listed).toEqual(['.staticfiles/', '', '.staticfiles/']);
    expect(await lacking(storage)).toEqual([]);
  });

  /** Two releases at once, of which the first to begin is the last to come, and loses. */
  async function raceFor(options: SiteOptions = {}) {
    let begun = () => {};
    const isBegun = new Promise<void>((resolve) => {
      begun = resolve;
    });
    let go = () => {};
    const isFree = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { storage, slow } = observed(async (name) => {
      if (name.startsWith('.staticfiles/')) return;
      begun();
      await isFree;
    });
    const winner = site(MANY);
    await winner.files(storage, options).collect();
    const loser = site({ ...MANY, '1/1.txt': 'lost' });
    const losing = loser.files(slow, options).collect();
    await isBegun;
    winner.change({ '2/2.txt': 'won' });
    await winner.files(storage, options).collect();
    go();
    await expect(losing).rejects.toThrow('Another deploy was published');
    return { winner, storage };
  }

  it('plain names that a deploy has overwritten which lost come back', async () => {
    const { winner, storage } = await raceFor();
    expect(await lacking(storage)).toEqual(['1/1.txt']);
    expect(await winner.files(storage).collect({ dryRun: true })).toMatchObject({
      sent: { files: 1 },
    });
    // Also after somebody has pruned, by which the other deploy is forgotten.
    await winner.files(storage).prune({ keep: 1 });
    expect(await winner.files(storage).collect()).toMatchObject({ sent: { files: 1 } });
    expect(await lacking(storage)).toEqual([]);
    const noted = async () => (await entries(storage, '.staticfiles/writers/')).length;
    expect(await noted()).toBe(2); // the one that lost, and who has made it good
    winner.change({ '3/3.txt': 'next' });
    expect(await winner.files(storage).collect()).toMatchObject({ sent: { files: 2 } });
    await winner.files(storage).prune({ keep: 1 });
    expect(await noted()).toBe(2); // for a day it may be at work still
    expect(await lacking(storage)).toEqual([]);
  });
});
