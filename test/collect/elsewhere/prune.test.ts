import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { ListedFile, Storage } from '../../../src/storage.js';
import { memoryStorage } from '../../../src/storages/memory.js';
import { type Exchange, proxyTo, type StoreProxy } from '../../proxy.js';
import { type Site, type SiteOptions, site } from './site.js';
import {
  entries,
  fileNames,
  isListing,
  lacking,
  objectOf,
  type Store,
  sentThrough,
  useStores,
} from './stores.js';

const { swift, azurite } = useStores();

const base = (version: number) => `p { width: ${version}px }\n`.repeat(30);

/** The sources of a release: one style sheet, which another names, changes with each. */
const release = (version: number) => ({
  'css/base.css': base(version),
  [`only-${version}.txt`]: `${version}`,
});

/** A site that has been deployed so many times, and stands as the last release has it. */
async function deployed(
  storage: Storage,
  releases: number,
  options: SiteOptions = {},
): Promise<Site> {
  const own = site();
  for (let version = 1; version <= releases; version++) {
    await become(own, version);
    await own.files(storage, options).collect();
  }
  return own;
}

const last = new WeakMap<Site, number>();

async function become(own: Site, version: number): Promise<void> {
  const before = last.get(own);
  if (before !== undefined) own.remove(`only-${before}.txt`);
  own.change(release(version));
  last.set(own, version);
}

/** Holds the first request that is meant until it is let go. */
function holdFirst(proxy: StoreProxy, isMeant: (request: Exchange) => boolean) {
  let reached = () => {};
  let letGo = () => {};
  const held = new Promise<void>((resolve) => {
    reached = resolve;
  });
  const free = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  let isFirst = true;
  proxy.before = async (request) => {
    if (!isFirst || !isMeant(request)) return undefined;
    isFirst = false;
    reached();
    await free;
    return undefined;
  };
  return { held, letGo };
}

const isAnnouncement = (request: Exchange) =>
  request.method === 'PUT' && objectOf(request).startsWith('.staticfiles/manifests/');
const isFile = (request: Exchange) =>
  request.method === 'PUT' && !/^(?:\.staticfiles\/|staticfiles\.json)/.test(objectOf(request));
const isDelete = ({ method }: Exchange) => method === 'DELETE';

describe.each([swift, azurite])('prune on $name', (kind) => {
  it.skipIf(kind.missing)('leaves nothing where nothing was ever published', async () => {
    const store = await kind.create();
    await expect(site().files(store.storage()).prune()).rejects.toThrow('there is no manifest');
    expect(await store.objects()).toEqual({});
  });

  it.skipIf(kind.missing)('tells in a dry run what it would do, and does nothing', async () => {
    const store = await kind.create();
    const own = await deployed(store.storage(), 3);
    const before = await store.objects();
    const proxy = await proxyTo(store.origin);
    const deleted: string[] = [];
    const report = await own
      .files(store.storage({}, proxy.url))
      .prune({ keep: 1, dryRun: true, onDelete: (name) => deleted.push(name) });
    expect(proxy.count()).toBe(proxy.count('GET'));
    expect(await store.objects()).toEqual(before);
    expect(report).toMatchObject({ dryRun: true, kept: [{}], dropped: [{}, {}], deleted });

    const real = await own.files(store.storage()).prune({ keep: 1 });
    expect(real.deleted.toSorted()).toEqual(deleted.toSorted());
    expect(deleted).toContain('only-1.txt');
    const after = await store.objects();
    for (const name of deleted) expect(Object.keys(after)).not.toContain(name);
    expect(await lacking(store.storage())).toEqual([]);
  });

  it.skipIf(kind.missing)('keeps what kept deploys name, and what is others’', async () => {
    const store = await kind.create();
    const storage = store.storage();
    const others = [
      ...['logo.png', 'backup/app.0123456789ab.js', 'css/other.0123456789ab.css'],
      // Beside ours, and named as if they were.
      ...['only-1.txt.gz', 'only-1.txt.zst', 'css/base.css.br'],
      ...['only-1.0123456789ab.txt', 'css/base.0123456789ab.css', 'css/base.0123456789ab.css.br'],
    ];
    for (const name of others) await storage.write(name, Buffer.from('theirs'));
    const own = await deployed(storage, 4, { settings: { compress: true } });
    const manifests = await Promise.all(
      (await entries(storage, '.staticfiles/manifests/')).map(async ({ name }) =>
        JSON.parse(Buffer.from((await storage.read(name)) ?? []).toString()),
      ),
    );
    const report = await own.files(storage).prune({ keep: 2 });
    expect(report).toMatchObject({ kept: [{}, {}], dropped: [{}, {}] });
    expect(await lacking(storage)).toEqual([]);
    const names = await fileNames(storage);
    expect(names).toEqual(expect.arrayContaining(others));
    const version = (number: number) => manifests.find(({ paths }) => paths[`only-${number}.txt`]);
    expect(names).toEqual(expect.arrayContaining(Object.values(version(3).paths)));
    for (const gone of [1, 2]) {
      expect(names).not.toContain(`only-${gone}.txt`);
      const { paths, variants } = version(gone);
      for (const hashed of [paths[`only-${gone}.txt`], paths['css/base.css']]) {
        expect(names.filter((name) => name.startsWith(hashed))).toEqual([]);
      }
      expect(variants['css/base.css']).toBeDefined();
    }
  });

  it.skipIf(kind.missing)(
    'deletes and sends nothing where a page answers for a listing',
    async () => {
      const store = await kind.create();
      const own = await deployed(store.storage(), 3);
      const before = await entries(store.storage(), '.staticfiles/manifests/');
      const names = await fileNames(store.storage());
      const { proxy, held } = await beside(store);
      for (const prefix of ['staticfiles%2F', '']) {
        proxy.before = async (request) =>
          isListing(request) && request.path.includes(prefix)
            ? { status: 200, headers: { 'Content-Type': 'text/html' }, body: '<html></html>' }
            : undefined;
        for (const args of [['prune', '--keep', '3'], ['collectstatic']]) {
          const { status, err } = await own.call(held, args);
          expect([status, err]).toEqual([1, expect.stringMatching(/no listing/)]);
        }
      }
      expect(sentThrough(proxy.requests)).toEqual([]);
      expect(await entries(store.storage(), '.staticfiles/manifests/')).toEqual(before);
      expect(await fileNames(store.storage())).toEqual(names);
    },
  );

  it.skipIf(kind.missing)('keeps what others publish under another name', async () => {
    const store = await kind.create();
    const [storage, options] = [store.storage(), { hashed: { manifestName: 'conf/theirs.json' } }];
    const own = await deployed(storage, 2);
    const theirs = site({ 'theirs.txt': '1', 'css/base.css': base(1) });
    await theirs.files(storage, options).collect();
    theirs.change({ 'theirs.txt': '2' });
    await theirs.files(storage, options).collect();
    await become(own, 3);
    await own.files(storage).collect();
    const LAST = ['css/base.css']; // a plain name that both have is whose deploy came last
    const before = await entries(storage, '.staticfiles/manifests/conf/');
    const report = await own.files(storage).prune({ keep: 1 });
    expect(report).toMatchObject({ kept: [{}], dropped: [{}, {}] });
    expect(await lacking(storage)).toEqual([]);
    expect(await lacking(storage, 'conf/theirs.json')).toEqual(LAST);
    expect(await entries(storage, '.staticfiles/manifests/conf/')).toEqual(before);
    const names = await fileNames(storage);
    expect(names.filter((name) => /^only-[12]/.test(name))).toEqual([]);
    expect(names.filter((name) => /^theirs\./.test(name)).length).toBe(3);
    const theirReport = await theirs.files(storage, options).prune({ keep: 1 });
    expect(theirReport).toMatchObject({ kept: [{}], dropped: [{}] });
    expect((await fileNames(storage)).filter((name) => /^theirs\./.test(name)).length).toBe(2);
    expect(await lacking(storage)).toEqual([]);
    expect(await lacking(storage, 'conf/theirs.json')).toEqual(LAST);
  });
});

/** Of what is the same whoever keeps the files. */
describe('prune on Azurite', () => {
  it('leaves plain names alone that no deploy has sent', async () => {
    const store = await azurite.create();
    const storage = store.storage();
    const options = { hashed: { keepOriginals: false } };
    const own = await deployed(storage, 2, options);
    await storage.write('only-1.txt', Buffer.from('theirs'));
    await own.files(storage, options).prune({ keep: 1 });
    const names = await fileNames(storage);
    expect(names.filter((name) => name.includes('only-1'))).toEqual(['only-1.txt']);
  });

  it('removes compressed forms, and plain names, that only dropped deploys have', async () => {
    const store = await azurite.create();
    const storage = store.storage();
    const own = site({ 'a.css': base(1), 'b.txt': '1' });
    const compressed = { settings: { compress: true } };
    await own.files(storage, compressed).collect();
    const forms = (await fileNames(storage)).filter((name) => /\.(?:br|gz)$/.test(name));
    expect(forms.length).toBe(2);
    const options = { hashed: { keepOriginals: ['a.css'] } };
    own.change({ 'c.txt': '1' });
    await own.files(storage, options).collect();
    const { deleted } = await own.files(storage, options).prune({ keep: 1 });
    expect(deleted.filter((name) => !name.startsWith('.')).sort()).toEqual([...forms, 'b.txt']);
    expect(await lacking(storage)).toEqual([]);
  });

  it('removes what a deploy of Django’s names, and nothing beside that', async () => {
    const store = await azurite.create();
    const storage = store.storage();
    const names = ['a.0123456789ab.txt', 'a.txt'];
    const manifest = { paths: { 'a.txt': 'a.0123456789ab.txt' }, version: '1.1', hash: 'x' };
    const theirs = ['a.0123456789ab.txt.gz', 'a.ba9876543210.txt', 'a.txt.br'];
    for (const name of [...names, ...theirs]) await storage.write(name, Buffer.from('a'));
    await storage.write('staticfiles.json', Buffer.from(JSON.stringify(manifest)));
    await deployed(storage, 1);
    const { deleted } = await site().files(storage).prune({ keep: 1 });
    expect(deleted.filter((name) => !name.startsWith('.')).sort()).toEqual(names);
    expect(await fileNames(storage)).toEqual(expect.arrayContaining(theirs));
  });

  it('drops nothing that was replaced more lately than it is told', async () => {
    const store = await azurite.create();
    const own = await deployed(store.storage(), 2);
    const files = own.files(store.storage());
    expect(await files.prune({ olderThan: '1h' })).toMatchObject({ kept: [{}, {}], deleted: [] });
    expect(await files.prune({ olderThan: 0 })).toMatchObject({ kept: [{}], dropped: [{}] });
  });

  it('counts a roll-back, and a deploy that came twice, once', async () => {
    const store = await azurite.create();
    const storage = store.storage();
    const own = await deployed(storage, 3);
    for (const version of [2, 3, 2]) {
      await become(own, version);
      await own.files(storage).collect();
    }
    const report = await own.files(storage).prune({ keep: 2 });
    expect(report).toMatchObject({ kept: [{}, {}], dropped: [{}] });
    expect(await lacking(storage)).toEqual([]);
    await become(own, 3);
    expect(await own.files(storage).collect()).toMatchObject({ sent: { files: 1 } }); // a plain name
    await become(own, 1);
    const { sent } = await own.files(storage).collect();
    expect(sent?.files).toBeGreaterThan(1);
  });
});

/** Two machines: one has the store behind a proxy, and what it does is held there. */
async function beside(store: Store) {
  const proxy = await proxyTo(store.origin);
  return { proxy, held: store.storage({}, proxy.url), storage: store.storage() };
}

describe.each([swift, azurite])('prune and deploys at once on $name', (kind) => {
  it.skipIf(kind.missing)('a deploy that is sending', async () => {
    const store = await kind.create();
    const { proxy, held, storage } = await beside(store);
    const own = await deployed(storage, 2);
    const other = site();
    await become(other, 9);
    const hold = holdFirst(proxy, isFile);
    const collecting = other.files(held).collect();
    await hold.held;
    expect(await own.files(storage).prune({ keep: 1 })).toMatchObject({ dropped: [{}] });
    hold.letGo();
    await collecting;
    expect(await lacking(storage)).toEqual([]);
    expect(await fileNames(storage)).toContain('only-9.txt');
  });

  it.skipIf(kind.missing)('a roll-back in the middle of pruning waits for its end', async () => {
    const store = await kind.create();
    const { proxy, held, storage } = await beside(store);
    const own = await deployed(storage, 2);
    const hold = holdFirst(proxy, isDelete);
    const pruning = own.files(held).prune({ keep: 1 });
    await hold.held;
    const rolling = site();
    await become(rolling, 1);
    const told: string[] = [];
    await rolling.files(storage).collect({
      onEvent(event) {
        if (event.type !== 'wait') return;
        told.push(event.message);
        hold.letGo();
      },
    });
    await pruning;
    expect(told).toEqual([
      expect.stringMatching(/^Files of earlier deploys are being pruned in .*; waiting/),
    ]);
    expect(await lacking(storage)).toEqual([]);
  });
});

describe('prune and deploys at once on Azurite', () => {
  it('a roll-back that has looked, and has not told yet', async () => {
    const store = await azurite.create();
    const { proxy, held, storage } = await beside(store);
    const own = await deployed(storage, 2);
    const pruner = own.files(storage);
    const rolling = site();
    await become(rolling, 1);
    const hold = holdFirst(proxy, isAnnouncement);
    const collecting = rolling.files(held).collect();
    await hold.held;
    expect(await pruner.prune({ keep: 1 })).toMatchObject({ dropped: [{}] });
    hold.letGo();
    await collecting;
    expect(await lacking(storage)).toEqual([]);
  });

  it('a roll-back while two prune, of which one has ended', async () => {
    const store = await azurite.create();
    const { proxy, held, storage } = await beside(store);
    const own = await deployed(storage, 2);
    const slow = holdFirst(proxy, isDelete);
    const pruning = own.files(held).prune({ keep: 1 });
    await slow.held;
    // The other one finds nothing else to do, for it keeps more.
    await own.files(storage).prune({ keep: 5 });
    const rolling = site();
    await become(rolling, 1);
    let waits = 0;
    await rolling.files(storage).collect({
      onEvent(event) {
        if (event.type !== 'wait') return;
        waits++;
        slow.letGo();
      },
    });
    slow.letGo();
    await pruning;
    expect(waits).toBe(1);
    expect(await lacking(storage)).toEqual([]);
  });

  it('a deploy sends what a repeated request to delete is on its way to', async () => {
    const store = await azurite.create();
    const { proxy, held, storage } = await beside(store);
    const own = await deployed(storage, 2);
    // The answer to a deletion is lost; the next try comes late.
    let letGo = () => {};
    const free = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    let reached = () => {};
    const repeated = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let name: string | undefined;
    proxy.before = async (request) => {
      if (!isDelete(request)) return undefined;
      if (name === undefined) {
        name = objectOf(request);
        return 'reset-after';
      }
      if (name === objectOf(request)) {
        reached();
        await free;
      }
      return undefined;
    };
    const pruning = own.files(held).prune({ keep: 1 });
    await repeated;
    await pause(300); // the others are deleted meanwhile
    const rolling = site();
    await become(rolling, 1);
    const collecting = rolling
      .files(storage)
      .collect({ onEvent: ({ type }) => void (type === 'wait' && letGo()) });
    await collecting;
    letGo();
    await pruning;
    expect(await lacking(storage)).toEqual([]);
  });
});

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

/** Lets the clock of this process stand until it is set. */
function clock(): (later: number) => void {
  vi.useFakeTimers({ toFake: ['Date'] });
  onTestFinished(() => void vi.useRealTimers());
  return (later) => void vi.setSystemTime(Date.now() + later);
}

/** A storage in which a deploy is killed, or so it seems, when it sends that name. */
function brokenAt(storage: Storage, isMeant: (name: string) => boolean): Storage {
  return {
    ...storage,
    async write(name, ...rest) {
      if (isMeant(name)) throw new Error('killed');
      return storage.write(name, ...rest);
    },
  };
}

const isPlain = (name: string) => /^(?:only-\d+\.txt|css\/base\.css)$/.test(name);

describe('prune and deploys that never came to be', () => {
  /** Two deploys, and a third one that was killed before it sent its plain names. */
  async function killed(): Promise<{ own: Site; storage: Storage; later: (ms: number) => void }> {
    const later = clock();
    const { attach, ...storage } = memoryStorage();
    const own = await deployed(storage, 1);
    later(HOUR);
    await become(own, 2);
    await own.files(storage).collect();
    later(HOUR);
    await become(own, 3);
    await expect(own.files(brokenAt(storage, isPlain)).collect()).rejects.toThrow('killed');
    return { own, storage, later };
  }
  const filesOf3 = async (storage: Storage) =>
    (await fileNames(storage)).filter((name) => name.startsWith('only-3.'));

  it('keeps what they have sent for a day', async () => {
    const { own, storage, later } = await killed();
    later(23 * HOUR);
    const report = await own.files(storage).prune({ keep: 1 });
    expect(report).toMatchObject({ kept: [{}], dropped: [{}] });
    expect((await filesOf3(storage)).length).toBe(1);
    expect(await own.files(storage).collect()).toMatchObject({ sent: { files: 2 } });
    expect(await lacking(storage)).toEqual([]);
  });

  it('removes that later, and does not count them among those that are kept', async () => {
    const { own, storage, later } = await killed();
    later(25 * HOUR);
    const report = await own.files(storage).prune({ keep: 2 });
    expect(report).toMatchObject({ kept: [{}, {}], dropped: [] });
    expect(await filesOf3(storage)).toEqual([]);
    expect(await lacking(storage)).toEqual([]);

    await become(own, 4);
    await own.files(storage).collect();
    expect(await own.files(storage).prune({ keep: 2 })).toMatchObject({ kept: [{}, {}] });
    const archive = await entries(storage, '.staticfiles/manifests/');
    expect(archive.length).toBe(2);
  });

  it('counts from when a run that goes on with one has begun', async () => {
    const { own, storage, later } = await killed();
    later(23 * HOUR);
    await expect(own.files(brokenAt(storage, isPlain)).collect()).rejects.toThrow('killed');
    later(2 * HOUR);
    await own.files(storage).prune({ keep: 1 });
    expect((await filesOf3(storage)).length).toBe(1);
  });

  it('keeps them after a roll-back to the manifest that they replace', async () => {
    const { attach, ...storage } = memoryStorage();
    const later = clock();
    const own = await deployed(storage, 1);
    for (const version of [3, 2, 1]) {
      later(HOUR);
      await become(own, version);
      if (version !== 3) await own.files(storage).collect();
      else await expect(own.files(brokenAt(storage, isPlain)).collect()).rejects.toThrow('killed');
    }
    await own.files(storage).prune({ keep: 1 });
    expect((await filesOf3(storage)).length).toBe(1);
    later(25 * HOUR);
    await own.files(storage).prune({ keep: 1 });
    expect(await filesOf3(storage)).toEqual([]);
  });

  it('removes what a --clear that broke off has left', async () => {
    const { attach, ...storage } = memoryStorage();
    const own = await deployed(storage, 2);
    const breaking: Storage = {
      ...storage,
      concurrency: 1,
      async delete(name) {
        if (name.startsWith('only-1.')) throw new Error('killed');
        await storage.delete(name);
      },
    };
    await expect(own.files(breaking).collect({ clear: true })).rejects.toThrow('killed');
    await own.files(storage).prune({ keep: 1 });
    const { attach: _, ...fresh } = memoryStorage();
    await own.files(fresh).collect();
    expect((await fileNames(storage)).sort()).toEqual((await fileNames(fresh)).sort());
  });

  it('goes by the clock of the store, where that of this machine is wrong', async () => {
    const store = await azurite.create();
    const storage = store.storage();
    const own = await deployed(storage, 2);
    const proxy = await proxyTo(store.origin);
    proxy.before = async (request) =>
      isFile(request) && isPlain(objectOf(request)) ? { status: 403 } : undefined;
    await become(own, 3);
    await expect(own.files(store.storage({}, proxy.url)).collect()).rejects.toThrow('403');
    clock()(48 * HOUR);
    await own.files(storage).prune({ keep: 1 });
    expect((await filesOf3(storage)).length).toBe(1);
  });
});

describe('prune where listings are not right', () => {
  type Listing = (all: ListedFile[], prefix: string) => ListedFile[] | Promise<ListedFile[]>;
  const OWN = '.staticfiles/';
  const isManifest = ({ name }: ListedFile) => name.startsWith(`${OWN}manifests/`);
  const isMark = ({ name }: ListedFile) => name.startsWith(`${OWN}pruning/`);

  /** Four deploys, in a store that lists something else than there is. */
  async function listing(listed: Listing) {
    const { attach, ...storage } = memoryStorage();
    const own = await deployed(storage, 4);
    const misleading: Storage = {
      ...storage,
      async *entries(prefix = '') {
        yield* await listed(await entries(storage, prefix), prefix);
      },
    };
    return { own, storage, misleading };
  }

  it.each<[string, Listing]>([
    ['that of the archive is empty', (all, prefix) => (prefix === OWN ? [] : all)],
    ['that of files is empty', (all, prefix) => (prefix === '' ? [] : all)],
    ['they are old', (all) => all.filter((one) => !isMark(one))],
    [
      'a deploy is not in it any more',
      (all, prefix) =>
        prefix === OWN ? all.filter((one) => one !== all.findLast(isManifest)) : all,
    ],
  ])('it deletes nothing: %s', async (_, listed) => {
    const { own, storage, misleading } = await listing(listed);
    const before = await entries(storage);
    const { status, out, err } = await own.call(misleading, ['prune', '--keep', '3']);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(
      /^Error: Nothing was deleted: the list of what is in the storage lacks '\.staticfiles\/[^']+', which is there\. /,
    );
    const after = await entries(storage);
    expect(after.filter(({ name }) => name !== `${OWN}pruned.json`)).toEqual(before);
  });

  it('collectstatic --clear deletes nothing either', async () => {
    const { own, storage, misleading } = await listing((all) => all.filter((one) => !isMark(one)));
    const before = await fileNames(storage);
    const { status, err } = await own.call(misleading, ['collectstatic', '--clear', '--no-input']);
    expect([status, err]).toEqual([
      1,
      expect.stringContaining('Nothing was deleted: the list of '),
    ]);
    expect(await fileNames(storage)).toEqual(before);
  });

  it('it goes on where somebody else has deleted what is missing', async () => {
    const { own, storage, misleading } = await listing(async (all, prefix) => {
      if (prefix !== OWN) return all;
      const first = all.find(isManifest);
      await storage.delete(first?.name ?? '');
      return all.filter((one) => one !== first);
    });
    const report = await own.files(misleading).prune({ keep: 2 });
    expect(report).toMatchObject({ kept: [{}, {}], dropped: [{}] });
    expect(await lacking(storage)).toEqual([]);
  });
});

describe('prune by age', () => {
  it('counts from when the next deploy was published, not from when it began', async () => {
    const later = clock();
    const { attach, ...storage } = memoryStorage();
    const own = await deployed(storage, 1);
    later(HOUR);
    await become(own, 2);
    const slow: Storage = {
      ...storage,
      async writeIf(...args) {
        later(HOUR);
        return storage.writeIf?.(...args) ?? 'unsupported';
      },
    };
    await own.files(slow).collect();
    later(HOUR / 4);
    expect(await own.files(storage).prune({ olderThan: '30m' })).toMatchObject({ kept: [{}, {}] });
    later(HOUR / 2);
    expect(await own.files(storage).prune({ olderThan: '30m' })).toMatchObject({ kept: [{}] });
  });

  it.each([
    ['behind', -2],
    ['ahead', 2],
  ])('goes by the store’s clock where that of one who deployed was %s', async (_, hours) => {
    const later = clock();
    const { attach, ...memory } = memoryStorage();
    let off = 0; // of this machine's clock, in milliseconds
    const storage: Storage = {
      ...memory,
      write: (name, body) => memory.write(name, body, { mtimeMs: Date.now() - off }),
      writeIf: async (name, body, tag) =>
        memory.writeIf?.(name, body, tag, { mtimeMs: Date.now() - off }) ?? 'unsupported',
    };
    const own = await deployed(storage, 2);
    const turn = (wanted: number) => {
      later(wanted - off);
      off = wanted;
    };
    for (const [version, wanted] of [
      [3, hours * HOUR],
      [4, 0],
    ] as const) {
      later(MINUTE);
      turn(wanted);
      await become(own, version);
      await own.files(storage).collect();
    }
    const prune = () => own.files(storage).prune({ keep: 1, olderThan: '1h' });
    expect(await prune()).toMatchObject({ kept: { length: 4 }, deleted: [] });
    later(HOUR);
    expect(await prune()).toMatchObject({ kept: [{}], dropped: { length: 3 } });
  });
});

describe('a deploy', () => {
  const MARK = '.staticfiles/pruning/somebody.json';
  /** A store in which what a roll-back needs is there, and which somebody prunes since so long ago. */
  async function marked(ago: number) {
    const { attach, ...storage } = memoryStorage();
    const own = await deployed(storage, 2);
    await storage.write(MARK, Buffer.from('{}'), { mtimeMs: Date.now() - ago });
    await become(own, 1);
    return { own, storage };
  }

  it('waits for whoever prunes, and says for how long at most', async () => {
    const { own, storage } = await marked(MINUTE);
    const told: string[] = [];
    await own.files(storage).collect({
      onEvent(event) {
        if (event.type !== 'wait') return;
        told.push(event.message);
        void storage.delete(MARK);
      },
    });
    expect(told).toEqual([expect.stringContaining('or for 2 minutes without a sign of it.')]);
    expect(await lacking(storage)).toEqual([]);
  });

  it('does not wait for one who has given no sign for long; the next clears that away', async () => {
    const { own, storage } = await marked(3 * MINUTE);
    const told: string[] = [];
    await own.files(storage).collect({ onEvent: ({ type }) => void told.push(type) });
    expect(told).not.toContain('wait');
    expect(await storage.exists(MARK)).toBe(true);
    await own.files(storage).prune();
    expect(await entries(storage, '.staticfiles/pruning/')).toEqual([]);
  });
});
