import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { proxyTo } from '../../proxy.js';
import { site } from './site.js';
import { lacking, objectOf, sentThrough, useStores } from './stores.js';

const { swift } = useStores();

const MIB = 2 ** 20;
/** More than a part. */
const film = (letter: string) => Buffer.alloc(6 * MIB, letter);
/** Its times are full seconds. */
const SECOND = 1100;

/** A site with a film in a bucket behind a proxy. */
async function filmSite() {
  const store = await swift.create();
  const proxy = await proxyTo(store.origin);
  const own = site({ 'film.mp4': film('a'), 'x.txt': '1' });
  const files = own.files(store.storage({ partSize: 5 * MIB }, proxy.url));
  return {
    own,
    files,
    store,
    proxy,
    /** Collects; the names that were sent. */
    async collect() {
      proxy.reset();
      await files.collect();
      return [...new Set(sentThrough(proxy.requests))];
    },
    /** Collects, and lets a request for that object be refused. */
    async collectInVain(name: string) {
      proxy.before = async (request) =>
        request.method === 'PUT' && objectOf(request) === name ? { status: 403 } : undefined;
      await expect(files.collect()).rejects.toThrow('403');
      proxy.before = undefined;
    },
  };
}

describe.skipIf(swift.missing)(`on ${swift.name}, large files under plain names`, () => {
  it('stay after a deploy that failed elsewhere, and ever after', async () => {
    const { own, files, store, collect, collectInVain } = await filmSite();
    await collect();
    own.change({ 'x.txt': '2' });
    await collectInVain('x.txt');
    own.change({ 'x.txt': '3' });
    expect(await collect()).toEqual([expect.stringMatching(/^x\.[\da-f]{12}\.txt$/), 'x.txt']);
    expect(await collect()).toEqual([]);
    await files.prune({ keep: 1 });
    expect(await collect()).toEqual([]);
    expect(await lacking(store.storage())).toEqual([]);
  });

  it('stay after a first deploy that failed at the manifest', async () => {
    const { store, proxy, collect, files } = await filmSite();
    let paused = false;
    proxy.before = async (request) => {
      const name = objectOf(request);
      if (request.method === 'POST' && name === 'film.mp4' && !paused) {
        paused = true;
        await pause(SECOND);
      }
      return request.method === 'PUT' && name === 'staticfiles.json' ? { status: 403 } : undefined;
    };
    await expect(files.collect()).rejects.toThrow('403');
    proxy.before = undefined;
    expect(await collect()).toEqual([]);
    expect(await lacking(store.storage())).toEqual([]);
  });

  it('stay where a deploy has changed them that failed, and another one wants the same', async () => {
    const { own, store, collect, collectInVain } = await filmSite();
    await collect();
    await pause(SECOND);
    own.change({ 'film.mp4': film('b'), 'x.txt': '2' });
    await collectInVain('staticfiles.json');
    own.change({ 'x.txt': '3' });
    expect(await collect()).toEqual([expect.stringMatching(/^x\.[\da-f]{12}\.txt$/), 'x.txt']);
    expect(await collect()).toEqual([]);
    expect(await lacking(store.storage())).toEqual([]);
  });

  it('come back where that one is given up, and no run takes the wrong ones for right', async () => {
    const { own, store, collect, collectInVain } = await filmSite();
    await collect();
    await pause(SECOND);
    own.change({ 'film.mp4': film('b') });
    await collectInVain('staticfiles.json');
    own.change({ 'film.mp4': film('a') });
    expect(await collect()).toEqual(['film.mp4']);
    expect(await lacking(store.storage())).toEqual([]);
    // What that run has sent, is not what the one that failed has.
    own.change({ 'film.mp4': film('b') });
    expect(await collect()).toContain('film.mp4');
    expect(await lacking(store.storage())).toEqual([]);
  });
});
