import { createHash, randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { SetupError } from '../../src/errors.js';
import { createStaticFiles } from '../../src/static-files.js';
import type { Storage, WriteOptions } from '../../src/storage.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { type MediaStorageOptions, mediaStorage } from '../../src/storages/media.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { storageContract } from '../contracts/storage.js';
import { alternativeOf, inPieces, namesIn, pieces, uploadContract } from '../contracts/uploads.js';
import { project } from '../project.js';
import { thrownBy } from '../thrown.js';

const over = (storage: Storage = memoryStorage(), options: MediaStorageOptions = {}) =>
  mediaStorage({ over: storage, ...options });

storageContract('mediaStorage over another', () => over(), {
  hasEntries: true,
  hasVersions: true,
  writeIf: 'works',
});
uploadContract('mediaStorage over another', (options) => over(memoryStorage(), options));
uploadContract(
  'mediaStorage over one that knows no conditions',
  (options) => {
    const { writeIf, ...rest } = memoryStorage();
    return over(rest, options);
  },
  { keepsFreeNames: false },
);

/** Keeps files in memory, by methods that need their `this`, and writes down what it is told. */
class Shelf implements Storage {
  readonly calls: string[] = [];
  readonly told = new Map<string, WriteOptions | undefined>();
  readonly files = memoryStorage({ baseUrl: 'https://store.example.com/' });
  readonly keptHeaders = new Set(['content-disposition']);
  readonly location = 'shelf://';
  readonly concurrency = 3;
  readonly encoding = 'gzip';
  conditions: 'unsupported' | undefined;
  /** Looks at a local file while it is sent. */
  look: (path: string) => void = () => {};

  read(name: string) {
    return this.files.read(name);
  }
  write(name: string, body: Uint8Array, options?: WriteOptions) {
    this.calls.push('write');
    this.told.set(name, options);
    return this.files.write(name, body, options);
  }
  async writeIf(name: string, body: Uint8Array, tag: string | undefined, options?: WriteOptions) {
    this.calls.push('writeIf');
    this.told.set(name, options);
    return this.conditions ?? this.files.writeIf?.(name, body, tag, options) ?? 'unsupported';
  }
  async writeFile(name: string, path: string, options?: WriteOptions) {
    this.calls.push('writeFile');
    this.told.set(name, options);
    this.look(path);
  }
  delete(name: string) {
    return this.files.delete(name);
  }
  async exists(name: string) {
    this.calls.push('exists');
    return this.files.exists(name);
  }
  stat(name: string) {
    return this.files.stat(name);
  }
  list() {
    return this.files.list();
  }
  url(name: string) {
    return this.files.url(name);
  }
  path(name: string) {
    return `/shelf/${name}`;
  }
}

describe('it has what is underneath', () => {
  test('but for a path and a coding, which are for collecting', () => {
    const uploads = over(new Shelf());
    expect(uploads).toMatchObject({ location: 'shelf://', concurrency: 3 });
    expect(uploads.keptHeaders?.has('content-disposition')).toBe(true);
    expect(uploads).not.toHaveProperty('path');
    expect(uploads).not.toHaveProperty('encoding');
    expect(uploads).not.toHaveProperty('entries');
    expect(uploads).not.toHaveProperty('ready');
    expect(over()).not.toHaveProperty('attach');
  });

  test('and gets ready as that does, where it is asked for URLs', async () => {
    let calls = 0;
    const ready = async () => void calls++;
    await over({ ...memoryStorage(), ready }).ready?.();
    expect(calls).toBe(1);
    const based = over({ ...memoryStorage(), ready }, { baseUrl: '/m/' });
    expect([based.ready, based.stable]).toEqual([undefined, true]);
  });
});

describe('its URLs begin with', () => {
  const store = () => memoryStorage({ baseUrl: 'https://store.example.com/' });

  test('the option, else the setting, as those of templates do, else with those of the store', () => {
    const files = createStaticFiles({ mediaUrl: 'https://media.example.com/' });
    const name = 'größe/a+b/日本語 1.pdf';
    const encoded = 'gr%C3%B6%C3%9Fe/a%2Bb/%E6%97%A5%E6%9C%AC%E8%AA%9E%201.pdf';
    const own = mediaStorage(files, { over: store(), baseUrl: '/own/' });
    expect(own.url(name)).toBe(`/own/${encoded}`);
    const set = mediaStorage(files, { over: store() });
    expect(set.url(name)).toBe(`https://media.example.com/${encoded}`);
    expect(set.url(name)).toBe(files.mediaUrl(name));
    const none = mediaStorage(createStaticFiles({ staticUrl: '/s/' }), { over: store() });
    expect(none.url('a b')).toBe('https://store.example.com/a%20b');
    expect(over(store()).url('a b')).toBe('https://store.example.com/a%20b');
  });
});

test('a folder is used where there is no store, as the environment may have it', () => {
  const files = createStaticFiles({ mediaRoot: '/tmp/media', mediaUrl: '/media/' });
  expect(mediaStorage(files, { over: undefined }).path?.('a')).toBe(join('/tmp/media/a'));
  expect(mediaStorage(files, { over: memoryStorage() }).path).toBeUndefined();
});

test.each([
  [{ over: memoryStorage(), root: 'x' }, 'mediaStorage() takes root for a folder of this machine'],
  [{ over: memoryStorage(), fileMode: 0o600 }, 'mediaStorage() takes fileMode for a folder'],
  [{ over: memoryStorage(), directoryMode: 0o700 }, 'mediaStorage() takes directoryMode for'],
  [{ over: 's3://bucket' }, "must be a storage such as s3Storage({ … }), not 's3://bucket'."],
  [{ over: null }, 'must be a storage such as s3Storage({ … }), not null.'],
  [{ over: memoryStorage }, 'must be a storage such as s3Storage({ … }), not a function.'],
  [{ over: hashedStorage() }, 'not hashedStorage(), whose names are known by a manifest.'],
  [{ over: memoryStorage(), maxBytes: -1 }, "mediaStorage()'s maxBytes must be a number"],
  [{ over: memoryStorage(), baseUrl: '/m' }, "mediaStorage()'s baseUrl must end in a slash: '/m'."],
  [{ ofer: memoryStorage() }, "'ofer' is no option of mediaStorage(). Did you mean 'over'?"],
])('it is not to be had from %o', (options, message) => {
  const error = thrownBy(() => mediaStorage(options as MediaStorageOptions));
  expect(error).toBeInstanceOf(SetupError);
  expect(String(error)).toContain(message);
});

describe('what the store is told of an upload', () => {
  test('is its MD5', async () => {
    const shelf = new Shelf();
    await over(shelf).save('a.txt', pieces('a', 'bc'));
    const body = randomBytes(9_000_000);
    await over(shelf).save('b.bin', inPieces(body, 1_000_000));
    expect([...shelf.told.values()].map((options) => options?.md5)).toEqual([
      '900150983cd24fb0d6963f7d28e17f72',
      createHash('md5').update(body).digest('hex'),
    ]);
  });

  test('are header fields that disarm it, as far as it keeps them', async () => {
    const shelf = new Shelf();
    for (const name of ['a.svg', 'ü.html', 'b.jpg']) await over(shelf).save(name, 'a');
    expect([...shelf.told.values()].map((options) => options?.headers)).toEqual([
      { 'Content-Disposition': 'attachment; filename="a.svg"' },
      { 'Content-Disposition': `attachment; filename="_.html"; filename*=UTF-8''%C3%BC.html` },
      {},
    ]);
  });
});

describe('a store is asked', () => {
  test('once for an upload whose name is free', async () => {
    const shelf = new Shelf();
    expect(await over(shelf).save('a.txt', 'a')).toBe('a.txt');
    expect(shelf.calls).toEqual(['writeIf']);
  });

  test('but once whether it knows conditions', async () => {
    const shelf = new Shelf();
    shelf.conditions = 'unsupported';
    const uploads = over(shelf);
    await uploads.save('a.txt', 'a');
    await uploads.save('a.txt', 'a');
    expect(shelf.calls).toEqual(['writeIf', 'exists', 'write', 'exists', 'write']);
  });

  test('whether a random name is free, where it cannot write on a condition', async () => {
    const { writeIf, ...shelf } = memoryStorage();
    const asked: string[] = [];
    const uploads = over({
      ...shelf,
      exists: async (name) => asked.push(name) < 3,
    });
    expect(await uploads.save('a.txt', 'a')).toBe(asked[2]);
    expect(new Set(asked).size).toBe(3);
    expect(asked).toEqual(asked.map(() => alternativeOf('a.txt')));
  });
});

describe('a body of more than 8 MiB waits in a temporary file', () => {
  const LARGE = 8 * 2 ** 20 + 1;
  const large = () => inPieces(Buffer.alloc(LARGE, 'x'), 1_000_003);

  /** The folder of temporary files, until the test ends. */
  function temporary(): () => string[] {
    const folder = project({});
    const before = process.env.TMPDIR;
    process.env.TMPDIR = folder;
    onTestFinished(() => {
      if (before === undefined) delete process.env.TMPDIR;
      else process.env.TMPDIR = before;
    });
    return () => readdirSync(folder).map((name) => join(folder, name));
  }

  test('which nobody else may read, and which is gone when it was sent', async () => {
    const here = temporary();
    const shelf = new Shelf();
    const seen: unknown[] = [];
    shelf.look = (path) => {
      const { size, mode } = statSync(path);
      seen.push(here().indexOf(path), size, mode & 0o777);
    };
    expect(await over(shelf).save('a.bin', large())).toEqual(alternativeOf('a.bin'));
    expect(seen).toEqual([0, LARGE, process.platform === 'win32' ? 0o666 : 0o600]);
    expect(here()).toEqual([]);
    expect(shelf.calls).toEqual(['exists', 'writeFile']);
  });

  test('and no smaller one does', async () => {
    const here = temporary();
    const shelf = new Shelf();
    const { writeIf } = shelf.files;
    shelf.files.writeIf = (...args) => {
      expect(here()).toEqual([]);
      return writeIf?.(...args) ?? Promise.reject();
    };
    expect(await over(shelf).save('a.bin', Buffer.alloc(LARGE - 1))).toBe('a.bin');
    expect(shelf.calls).toEqual(['writeIf']);
  });

  test('which is gone where the store fails, the body breaks off, or it is too large', async () => {
    const here = temporary();
    const shelf = new Shelf();
    const fault = new Error('away');
    shelf.look = () => {
      expect(here()).toHaveLength(1);
      throw fault;
    };
    await expect(over(shelf).save('a.bin', large())).rejects.toBe(fault);
    expect(here()).toEqual([]);
    async function* broken() {
      yield* large();
      expect(here()).toHaveLength(1);
      throw fault;
    }
    await expect(over(shelf).save('a.bin', broken())).rejects.toBe(fault);
    expect(here()).toEqual([]);
    async function* endless() {
      for (;;) yield Buffer.alloc(1_000_000);
    }
    const saving = over(shelf, { maxBytes: 20_000_000 }).save('a.bin', endless());
    await expect(saving).rejects.toThrow('is larger than 20000000 bytes');
    expect(here()).toEqual([]);
    expect(shelf.calls).toEqual(['exists', 'writeFile']);
  });

  test('also for a store that takes no files', async () => {
    const here = temporary();
    const uploads = over();
    const name = await uploads.save('a.bin', large());
    expect(name).toEqual(alternativeOf('a.bin'));
    expect((await uploads.stat(name))?.size).toBe(LARGE);
    expect(await namesIn(uploads)).toEqual([name]);
    expect(here()).toEqual([]);
  });
});
