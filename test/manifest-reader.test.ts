import { createHash } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { archiveName } from '../src/archive.js';
import { ManifestError, NotReadyError, PeerError, StorageError } from '../src/errors.js';
import { type ManifestReader, manifestReader, type ReaderOptions } from '../src/manifest-reader.js';
import type { Storage } from '../src/storage.js';
import { fileSystemStorage } from '../src/storages/filesystem.js';
import { memoryStorage } from '../src/storages/memory.js';
import { type DistantStore, distantStore, manifestOf, type StoreTraits } from './distant-store.js';
import { project } from './project.js';
import { thrownBy } from './thrown.js';
import { warnings } from './warnings.js';

const PLACE = 's3://bucket/site/staticfiles.json';
const [A, B, C] = ['a', 'b', 'c'].map((hash) => manifestOf({ 'x.css': `x.${hash}.css` }));
const HOUR = 3_600_000;

interface Site extends DistantStore {
  readonly reader: ManifestReader;
  /** The hash that the reader answers at present. */
  hash(): string | undefined;
}

/** A store that has the manifest A, and a reader of it. */
async function site(options: Partial<ReaderOptions> = {}, traits: StoreTraits = {}): Promise<Site> {
  const store = distantStore(traits);
  await store.publish(A ?? '');
  const reader = readerOf(store.storage, options);
  const hash = () => /x\.(.+)\.css/.exec(reader.current().paths.get('x.css') ?? '')?.[1];
  return { ...store, reader, hash };
}

function readerOf(storage: DistantStore['storage'], options: Partial<ReaderOptions> = {}) {
  const { manifestName = 'staticfiles.json', refreshMs = 0, strict = true, ...more } = options;
  return manifestReader(storage, { manifestName, refreshMs, strict, ...more });
}

/** The clock goes on by so much, at once, and timers with it. */
function clock(): { skip(ms: number): void } {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] });
  onTestFinished(() => void vi.useRealTimers());
  return { skip: (ms) => void vi.advanceTimersByTime(ms) };
}

/** All that can be done without waiting, is done. */
const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('reading from elsewhere', () => {
  test('asks by the tag of what it has, and keeps that where it is unchanged', async () => {
    const { reader, asked, hash, publish } = await site();
    await reader.ready();
    const first = reader.current();
    await reader.load();
    expect(reader.current()).toBe(first);
    await publish(B ?? '');
    await reader.load();
    expect(hash()).toBe('b');
    await reader.load();
    expect(asked).toEqual([undefined, '1', '1', '2']);
  });

  test('reads all of it where there are no tags, and still knows what is the same', async () => {
    const { reader, asked, hash, publish } = await site({}, { hasVersions: false });
    await reader.ready();
    await reader.load();
    const second = reader.current();
    await reader.load();
    expect(reader.current()).toBe(second);
    await publish(B ?? '');
    await reader.load();
    expect(hash()).toBe('b');
    expect(asked).toEqual([undefined, undefined, undefined, undefined]);
  });

  test('knows what is the same under another tag', async () => {
    const { reader, publish } = await site();
    await reader.ready();
    for (const text of [B, C, C]) await publish(text ?? '').then(reader.load);
    const before = reader.current();
    await publish(C ?? '');
    await reader.load();
    expect(reader.current()).toBe(before);
  });

  test('never takes a broken one for the one that it has', async () => {
    const { reader, asked, hash, publish } = await site();
    await reader.ready();
    await publish('{"paths": {');
    await expect(reader.load()).rejects.toThrow('is no JSON');
    await expect(reader.load()).rejects.toThrow('is no JSON');
    expect(hash()).toBe('a');
    expect(asked).toEqual([undefined, '1', '1']);
  });

  test('keeps the last good one where the store is emptied, without strict too', async () => {
    for (const strict of [true, false]) {
      const { reader, hash, storage, publish } = await site({ strict });
      await reader.ready();
      await storage.delete('staticfiles.json');
      await expect(reader.load()).rejects.toThrow(`There is no manifest at ${PLACE}.`);
      expect(hash()).toBe('a');
      await publish(B ?? '');
      await reader.load();
      expect(hash()).toBe('b');
    }
  });

  test('finds the first manifest where there was none, without strict', async () => {
    const { storage, publish } = distantStore();
    const reader = readerOf(storage, { strict: false });
    await reader.ready();
    expect(reader.current().paths.size).toBe(0);
    await reader.load();
    await publish(A ?? '');
    await reader.load();
    expect(reader.current().paths.get('x.css')).toBe('x.a.css');
  });

  test('a reading that was overtaken changes nothing, whatever it ends with', async () => {
    for (const last of ['old', 'gone']) {
      const { reader, hash, hold, release, comeBack, publish, storage } = await site();
      await reader.ready();
      if (last === 'gone') await storage.delete('staticfiles.json');
      else await publish(B ?? '');
      hold();
      const slow = reader.load();
      comeBack();
      await publish(C ?? '');
      await reader.load();
      expect(hash()).toBe('c');
      release();
      await slow;
      expect(hash()).toBe('c');
    }
  });

  test('what was unchanged, but another reading has changed meanwhile, is asked again', async () => {
    type Answer = { body: Buffer; tag: string } | 'unchanged';
    const asked: { unless: string | undefined; give(answer: Answer): Promise<void> }[] = [];
    const readVersion = (_: string, unless?: string) =>
      new Promise<Answer>((resolve) => {
        const give = (answer: Answer) => Promise.resolve(resolve(answer)).then(settled);
        asked.push({ unless, give: give as (answer: Answer) => Promise<void> });
      });
    const reader = readerOf({ ...memoryStorage(), readVersion });
    const hashed = () => reader.current().paths.get('x.css');
    const version = (text = '', tag = '') => ({ body: Buffer.from(text), tag });
    const ready = reader.ready();
    await asked[0]?.give(version(A, 'tag a'));
    await ready;
    const loads = [reader.load(), reader.load()];
    await asked[1]?.give(version(B, 'tag b'));
    expect(hashed()).toBe('x.b.css');
    await asked[2]?.give('unchanged'); // against the tag of A: it was rolled back
    await asked[3]?.give(version(A, 'tag a'));
    await Promise.all(loads);
    expect(hashed()).toBe('x.a.css');
    expect(asked.map(({ unless }) => unless)).toEqual([undefined, 'tag a', 'tag a', 'tag b']);
  });
});

describe('ready', () => {
  test('called many times at once reads once, and when it has been read, never', async () => {
    const { reader, asked } = await site();
    await Promise.all([reader.ready(), reader.ready(), reader.ready()]);
    await reader.ready();
    expect(asked.length).toBe(1);
  });

  test('waits for a reading that somebody else has begun', async () => {
    const { reader, asked } = await site();
    await Promise.all([reader.load(), reader.ready()]);
    expect(asked.length).toBe(1);
  });

  test('fails for all who wait, and the next one tries again', async () => {
    const { reader, asked, leave, comeBack, hash } = await site();
    leave(new Error('connection refused'));
    const both = await Promise.allSettled([reader.ready(), reader.ready()]);
    expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(asked.length).toBe(1);
    comeBack();
    await reader.ready();
    expect(hash()).toBe('a');
  });

  test('does not wait for ever for a reading without an answer', async () => {
    const { skip } = clock();
    const { reader, asked, fallSilent, comeBack, hash } = await site({ patienceMs: HOUR });
    fallSilent();
    reader.ready();
    comeBack();
    skip(HOUR - 1000);
    const first = Promise.race([reader.ready().then(() => 'read'), settled().then(() => 'waits')]);
    expect(await first).toBe('waits');
    skip(2000);
    await reader.ready();
    expect(hash()).toBe('a');
    expect(asked.length).toBe(2);
  });
});

describe('what went wrong', () => {
  test('a store that refuses is the cause', async () => {
    const { reader, leave } = await site();
    const cause = new StorageError('s3://bucket/site/ refuses these credentials.');
    leave(cause);
    const error = await reader.ready().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ManifestError);
    expect(error).toMatchObject({
      message: `The manifest ${PLACE} cannot be read: s3://bucket/site/ refuses these credentials.`,
      location: PLACE,
      cause,
    });
  });

  test('what says itself what to do, is thrown as it is', async () => {
    const { reader, leave } = await site();
    const fault = new PeerError('@aws-sdk/client-s3', 'It is not installed.');
    leave(fault);
    await expect(reader.ready()).rejects.toBe(fault);
  });

  test('URLs that are wanted too early say that, and how it stands with the reading', async () => {
    const { skip } = clock();
    const { reader, leave, fallSilent, comeBack, hash } = await site();
    const error = () => thrownBy(() => reader.current()) as NotReadyError;
    expect(error()).toBeInstanceOf(NotReadyError);
    expect(error().message).toBe(
      `The manifest ${PLACE} is not on this machine and has not been read yet: await files.ready() before the first URL.`,
    );
    fallSilent();
    reader.ready();
    skip(31_000);
    expect(error().message).toMatch(
      /has not been read yet, and its storage has not answered for 31(\.\d)? s: await files\.ready\(\)/,
    );
    const fault = new Error('connection refused');
    leave(fault);
    await expect(reader.load()).rejects.toThrow(ManifestError);
    expect(error()).toBeInstanceOf(NotReadyError);
    expect(error().message).toBe(
      `There are no URLs yet. The manifest ${PLACE} cannot be read: connection refused. files.ready() tries again.`,
    );
    expect(error().cause).toMatchObject({ code: 'ERR_STATICFILES_MANIFEST', cause: fault });
    comeBack();
    await reader.load();
    expect(hash()).toBe('a');
  });

  test('is told by the place of the manifest: a path, the place of the storage, or its name', () => {
    const root = project({});
    const { location, ...placeless } = distantStore().storage;
    expect(readerOf(fileSystemStorage({ root })).location).toBe(join(root, 'staticfiles.json'));
    expect(
      readerOf({ ...placeless, location: 's3://b/' }, { manifestName: 'a/b.json' }),
    ).toMatchObject({
      location: 's3://b/a/b.json',
    });
    expect(readerOf(placeless).location).toBe("'staticfiles.json'");
  });
});

describe('in the background', () => {
  test('whoever comes while it is read gets what is there, and the next one what is new', async () => {
    const { skip } = clock();
    const { reader, hash, asked, publish } = await site({ refreshMs: HOUR });
    await reader.ready();
    await publish(B ?? '');
    skip(0.8 * HOUR);
    await settled();
    expect(hash()).toBe('a');
    expect(asked.length).toBe(1);
    skip(0.4 * HOUR); // nobody has come since
    expect(hash()).toBe('a');
    await settled();
    expect(hash()).toBe('b');
    expect(asked).toEqual([undefined, '1']);
  });

  test('goes on while nobody asks, and ends with the reader', async () => {
    const { skip } = clock();
    const { reader, asked } = await site({ refreshMs: HOUR });
    await reader.ready();
    for (let hour = 0; hour < 24; hour++) {
      skip(HOUR);
      await settled();
    }
    expect(asked.length).toBeGreaterThanOrEqual(22);
    expect(vi.getTimerCount()).toBe(1);
  });

  test('finds the first manifest where there was none, without strict', async () => {
    const { skip } = clock();
    const { storage, publish } = distantStore();
    const reader = readerOf(storage, { strict: false, refreshMs: HOUR });
    await reader.ready();
    await publish(A ?? '');
    skip(1.2 * HOUR);
    await settled();
    expect(reader.current().paths.get('x.css')).toBe('x.a.css');
  });

  test('nothing asks where refresh is not set', async () => {
    const { skip } = clock();
    const { reader, hash, asked } = await site();
    await reader.ready();
    skip(24 * HOUR);
    expect(hash()).toBe('a');
    await settled();
    expect(asked.length).toBe(1);
  });

  test('a manifest of this machine is read again as well', async () => {
    const { skip } = clock();
    const root = project({ 'staticfiles.json': A ?? '' });
    const reader = readerOf(fileSystemStorage({ root }), { refreshMs: HOUR });
    const hashed = () => reader.current().paths.get('x.css');
    expect(hashed()).toBe('x.a.css');
    writeFileSync(join(root, 'staticfiles.json'), B ?? '');
    skip(0.8 * HOUR);
    expect(hashed()).toBe('x.a.css');
    for (let turn = 0; turn < 100; turn++) await settled();
    expect(hashed()).toBe('x.a.css');
    skip(0.4 * HOUR);
    vi.useRealTimers();
    await expect.poll(hashed).toBe('x.b.css');
  });

  test('never asks twice at the same time, and after an answer waits anew', async () => {
    const { skip } = clock();
    const { reader, hash, asked, hold, release, comeBack } = await site({
      refreshMs: 1000,
      patienceMs: HOUR,
    });
    await reader.ready();
    hold();
    for (let i = 0; i < 10; i++) {
      skip(2000);
      hash();
    }
    expect(asked.length).toBe(2);
    comeBack();
    release();
    await settled();
    hash();
    expect(asked.length).toBe(2);
    skip(2000);
    hash();
    expect(asked.length).toBe(3);
  });

  test('servers that were started together do not ask together', async () => {
    const { skip } = clock();
    const sites = await Promise.all(Array.from({ length: 200 }, () => site({ refreshMs: HOUR })));
    for (const { reader } of sites) await reader.ready();
    const askedAfter = async (ms: number) => {
      skip(ms);
      for (const { hash } of sites) hash();
      await settled();
      return sites.filter(({ asked }) => asked.length > 1).length;
    };
    expect(await askedAfter(0.89 * HOUR)).toBe(0);
    const half = await askedAfter(0.11 * HOUR);
    expect(half).toBeGreaterThan(50);
    expect(half).toBeLessThan(150);
    expect(await askedAfter(0.11 * HOUR)).toBe(200);
  });

  test('a store that never answers does not end it', async () => {
    const heard = warnings(PLACE);
    const { skip } = clock();
    const { reader, hash, asked, fallSilent, comeBack, publish } = await site({
      refreshMs: 1000,
      patienceMs: 60_000,
    });
    await reader.ready();
    fallSilent();
    skip(2000);
    hash();
    comeBack();
    await publish(B ?? '');
    skip(59_000);
    hash();
    expect(asked.length).toBe(2);
    skip(2000);
    expect(hash()).toBe('a');
    await settled();
    expect(hash()).toBe('b');
    expect(heard.map((text) => text.replace(/\b6[0-2](\.\d)?(?= s)/, 'some'))).toEqual([
      `StaticFilesWarning: The manifest ${PLACE} cannot be read: its storage has not answered for some s. The last good one stays. This is told once, and again when it can be read.`,
      `StaticFilesWarning: The manifest ${PLACE} can be read again, after some s.`,
    ]);
  });
});

describe('names of earlier releases', () => {
  const release = (name: string) =>
    manifestOf({ [name]: `${name}.hashed`, 'x.css': `x.${name}.css` });

  test('are answered by the manifests that this process has read, the latest first', async () => {
    const { reader, publish } = await site({ refreshMs: HOUR });
    await reader.ready();
    for (const name of ['1', '2', '3', '4']) {
      await publish(release(name));
      await reader.load();
    }
    expect(reader.current().paths.has('3')).toBe(false);
    expect(reader.earlierName('3')).toBe('3.hashed');
    expect(reader.earlierName('1')).toBe('1.hashed');
    expect(reader.earlierName('x.css')).toBe('x.3.css');
    expect(reader.earlierName('4')).toBeUndefined();
  });

  test('are forgotten after three more, and unknown where nothing is read again', async () => {
    const { reader, publish } = await site({ refreshMs: HOUR });
    await reader.ready();
    for (const name of ['1', '2', '3', '4', '5']) {
      await publish(release(name));
      await reader.load();
    }
    expect(['1', '2'].map((name) => reader.earlierName(name))).toEqual([undefined, '2.hashed']);
    const still = await site();
    await still.reader.ready();
    await still.publish(release('1'));
    await still.reader.load();
    expect(still.reader.earlierName('x.css')).toBeUndefined();
  });

  test('are read from the archive by processes that come later', async () => {
    const storage = memoryStorage();
    const deploys = ['1', '2', '3', '4'].map(release);
    let after = 'none';
    for (const [index, body] of deploys.entries()) {
      const digest = createHash('md5').update(body).digest('hex').slice(0, 12);
      const mtimeMs = index * 1000;
      const name = archiveName('staticfiles.json', digest, mtimeMs, after);
      await storage.write(name, Buffer.from(body), { mtimeMs });
      after = digest;
      const theirs = Buffer.from(release(`their-${index}`));
      await storage.write(archiveName('b.json', 'b', mtimeMs), theirs, { mtimeMs });
    }
    // The last has begun, and is not published.
    await storage.write('staticfiles.json', Buffer.from(deploys[2] ?? ''));
    const reader = readerOf(storage, { refreshMs: HOUR, archive: storage });
    await reader.ready();
    expect(['1', '2', '4', 'their-1'].map((name) => reader.earlierName(name))).toEqual([
      '1.hashed',
      '2.hashed',
      undefined,
      undefined,
    ]);
    const theirs = readerOf(storage, { manifestName: 'b.json', refreshMs: HOUR, archive: storage });
    await storage.write('b.json', Buffer.from(release('their-4')));
    await theirs.ready();
    expect(['their-3', '2'].map((name) => theirs.earlierName(name))).toEqual([
      'their-3.hashed',
      undefined,
    ]);
  });

  test('that cannot be read from there are told of, and nothing else is wrong', async () => {
    const heard = warnings('bucket');
    const storage: Storage = {
      ...memoryStorage(),
      location: 's3://bucket/',
      // biome-ignore lint/correctness/useYield: it fails before
      async *entries() {
        throw new StorageError('s3://bucket/ may not be listed.');
      },
    };
    await storage.write('staticfiles.json', Buffer.from(A ?? ''));
    const reader = readerOf(storage, { refreshMs: HOUR, archive: storage });
    await reader.ready();
    expect(reader.current().paths.size).toBe(1);
    await expect
      .poll(() => heard)
      .toEqual([
        'StaticFilesWarning: The manifests of earlier deploys cannot be read in s3://bucket/: s3://bucket/ may not be listed. Pages of an earlier release that ask for names which only that had, fail in this process.',
      ]);
  });
});

describe('while the store is away', () => {
  test('the last good one stays, with one warning and one when it is back', async () => {
    const heard = warnings(PLACE);
    const { skip } = clock();
    const { reader, hash, asked, leave, comeBack, publish, storage } = await site({
      refreshMs: 1000,
    });
    await reader.ready();
    const look = async () => {
      skip(60_000);
      expect(hash()).toBe('a');
      await settled();
    };
    leave(new StorageError('s3://bucket/site/ is away.'));
    for (let i = 0; i < 3; i++) await look();
    comeBack();
    await publish('{"paths": {');
    await look();
    await storage.delete('staticfiles.json');
    await look();
    const away = `StaticFilesWarning: The manifest ${PLACE} cannot be read: s3://bucket/site/ is away. The last good one stays. This is told once, and again when it can be read.`;
    expect(heard).toEqual([away]);
    await publish(B ?? '');
    await look();
    expect(hash()).toBe('b');
    expect(heard).toEqual([
      away,
      `StaticFilesWarning: The manifest ${PLACE} can be read again, after 5 min.`,
    ]);
    expect(asked.length).toBe(7);
    leave(new Error('again'));
    skip(2000);
    hash();
    await settled();
    expect(heard.length).toBe(3);
    expect(heard[2]).toContain('cannot be read: again. The last good one stays.');
  });

  test.each([
    ['broken', (text: string) => text.slice(0, 20), 'is no JSON'],
    ['gone', undefined, 'There is no manifest at'],
  ])('or the manifest is %s', async (_, broken, why) => {
    const heard = warnings(PLACE);
    const { skip } = clock();
    const { reader, hash, publish, storage } = await site({ refreshMs: 1000 });
    await reader.ready();
    if (broken === undefined) await storage.delete('staticfiles.json');
    else await publish(broken(B ?? ''));
    skip(2000);
    hash();
    await settled();
    expect(hash()).toBe('a');
    expect(heard.length).toBe(1);
    expect(heard[0]).toContain(why);
  });

  test('what fails that was asked for is told to who asked, and to nobody else', async () => {
    const heard = warnings(PLACE);
    const { reader, hash, leave } = await site({ refreshMs: HOUR });
    await reader.ready();
    leave(new Error('away'));
    await expect(reader.load()).rejects.toThrow('away');
    await settled();
    expect(hash()).toBe('a');
    expect(heard).toEqual([]);
  });

  test('but when that succeeds, the outage is over', async () => {
    const heard = warnings(PLACE);
    const { skip } = clock();
    const { reader, hash, leave, comeBack } = await site({ refreshMs: HOUR });
    await reader.ready();
    leave(new Error('away'));
    skip(2 * HOUR);
    hash();
    await settled();
    comeBack();
    await reader.load();
    await settled();
    expect(heard.length).toBe(2);
    expect(heard[1]).toContain('can be read again, after');
  });

  test('a reading that was given up and fails late, when all is well, is no outage', async () => {
    const heard = warnings(PLACE);
    const { skip } = clock();
    const { storage, publish } = distantStore();
    await publish(A ?? '');
    const fails: ((fault: Error) => void)[] = [];
    const readVersion = vi.fn(storage.readVersion);
    const reader = readerOf({ ...storage, readVersion }, { refreshMs: 1000 });
    await reader.ready();
    readVersion.mockImplementationOnce(() => new Promise((_, reject) => void fails.push(reject)));
    skip(2000);
    reader.current();
    await reader.load();
    fails[0]?.(new Error('reset'));
    await settled();
    expect(heard).toEqual([]);
  });
});

test('a manifest that goes missing on this machine stays as it was read', () => {
  const root = project({ 'staticfiles.json': A ?? '' });
  const reader = readerOf(fileSystemStorage({ root }));
  reader.current();
  rmSync(join(root, 'staticfiles.json'));
  expect(reader.current().paths.get('x.css')).toBe('x.a.css');
});
