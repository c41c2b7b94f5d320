import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { SetupError } from '../../src/errors.js';
import type { ListedFile, Storage, StorageContext, Version } from '../../src/storage.js';
import { project } from '../project.js';

export interface StorageTraits {
  /** What cannot record a file's time of change gives it the time of writing. @default true */
  readonly recordsTimes?: boolean;
  /** Whether it refuses what does not have the MD5 that it is told. @default false */
  readonly checksMd5?: boolean;
  /** Whether it has `entries()`. @default false */
  readonly hasEntries?: boolean;
  /** Whether it has `readVersion()`. @default false */
  readonly hasVersions?: boolean;
  /** What becomes of `writeIf()`; it needs `hasVersions`. @default 'absent' */
  readonly writeIf?: 'absent' | 'works' | 'unsupported';
}

/** What every storage must do; `make` answers an empty one, ready for use. */
export function storageContract(
  title: string,
  make: () => Storage | Promise<Storage>,
  traits: StorageTraits = {},
): void {
  const { recordsTimes = true, checksMd5 = false } = traits;
  const { hasEntries = false, hasVersions = false, writeIf = 'absent' } = traits;

  describe(`${title} is a storage:`, () => {
    test('it has those further members that are tested', async () => {
      const storage = await make();
      expect({
        hasEntries: storage.entries !== undefined,
        hasVersions: storage.readVersion !== undefined,
        hasWriteIf: storage.writeIf !== undefined,
      }).toEqual({ hasEntries, hasVersions, hasWriteIf: writeIf !== 'absent' });
    });

    test('what was written is read, byte by byte', async () => {
      const storage = await make();
      const body = Uint8Array.from({ length: 256 }, (_, byte) => byte);
      await storage.write('a/bytes.bin', body);
      expect(bytes(await storage.read('a/bytes.bin'))).toEqual([...body]);
    });

    test('an empty file is a file', async () => {
      const storage = await make();
      await storage.write('empty.txt', new Uint8Array());
      expect(bytes(await storage.read('empty.txt'))).toEqual([]);
      expect(await storage.exists('empty.txt')).toBe(true);
      expect(await storage.stat('empty.txt')).toMatchObject({ size: 0 });
    });

    test('a file of some megabytes is kept whole', async () => {
      const storage = await make();
      const body = new Uint8Array(5_000_000).map((_, i) => i % 251);
      await storage.write('large.bin', body);
      expect(Buffer.compare((await storage.read('large.bin')) ?? Buffer.of(), body)).toBe(0);
    });

    test('a file that is not there is no fault', async () => {
      const storage = await make();
      await storage.write('folder/a.css', text('a'));
      await storage.write('file', text('a'));
      for (const name of ['b.css', 'folder/b.css', 'no/such/folder.css', 'folder', 'file/below']) {
        expect(await storage.read(name), name).toBeUndefined();
        expect(await storage.exists(name), name).toBe(false);
        expect(await storage.stat(name), name).toBeUndefined();
      }
    });

    test('a name that is longer than any file system takes is none that is there', async () => {
      const storage = await make();
      const name = `${'long'.repeat(100)}.css`;
      expect(await storage.read(name)).toBeUndefined();
      expect(await storage.exists(name)).toBe(false);
      expect(await storage.stat(name)).toBeUndefined();
      await storage.delete(name);
    });

    test('writing replaces what was there, by something shorter too', async () => {
      const storage = await make();
      await storage.write('a.css', text('the first and longer one'));
      await storage.write('a.css', text('second'));
      expect(await read(storage, 'a.css')).toBe('second');
      expect(await storage.stat('a.css')).toMatchObject({ size: 6 });
    });

    test('of several writers of one name, one wins, with all it wrote', async () => {
      const storage = await make();
      const bodies = Array.from({ length: 8 }, (_, i) => String(i).repeat(100_000 + i));
      await Promise.all(bodies.map((body) => storage.write('a/contested.txt', text(body))));
      expect(bodies).toContain(await read(storage, 'a/contested.txt'));
      expect(await names(storage)).toEqual(['a/contested.txt']);
    });

    test('a reader sees the old file or the new one, never a part', async () => {
      const storage = await make();
      const [old, young] = ['o'.repeat(1_000_000), 'y'.repeat(1_000_001)];
      await storage.write('a.txt', text(old));
      const writing = storage.write('a.txt', text(young));
      const seen = await Promise.all(Array.from({ length: 5 }, () => read(storage, 'a.txt')));
      await writing;
      for (const body of seen) expect([old, young].includes(body)).toBe(true);
      expect((await read(storage, 'a.txt')) === young).toBe(true);
    });

    test('what it keeps is its own', async () => {
      const storage = await make();
      for (const body of [text('mine'), Buffer.from('mine')]) {
        await storage.write('a.css', body);
        body.fill(0);
        const first = await storage.read('a.css');
        expect(Buffer.from(first ?? []).toString()).toBe('mine');
        first?.fill(0);
        expect(await read(storage, 'a.css')).toBe('mine');
      }
    });

    test('what is no bytes is refused, and what was there stays', async () => {
      const storage = await make();
      await storage.write('a.css', text('first'));
      for (const [what, given] of NO_BODIES) {
        const body = given as Uint8Array;
        const fault = new SetupError(
          `'a.css' cannot be written: a body must be a Uint8Array, such as a Buffer, not ${what}.`,
        );
        await expect(storage.write('a.css', body)).rejects.toThrow(fault);
        const onCondition = storage.writeIf?.('a.css', body, undefined) ?? Promise.reject(fault);
        await expect(onCondition).rejects.toThrow(fault);
      }
      expect(await names(storage)).toEqual(['a.css']);
      expect(await read(storage, 'a.css')).toBe('first');
    });

    test('stat answers size and time', async () => {
      const storage = await make();
      const before = Date.now();
      await storage.write('now.css', text('12345'));
      const stat = await storage.stat('now.css');
      expect(stat?.size).toBe(5);
      expect(Math.abs((stat?.mtimeMs ?? 0) - before)).toBeLessThan(60_000);
      const mtimeMs = Date.UTC(2001, 1, 3, 4, 5, 6);
      await storage.write('then.css', text('x'), { mtimeMs });
      const then = await storage.stat('then.css');
      expect(Math.abs((then?.mtimeMs ?? 0) - (recordsTimes ? mtimeMs : before))).toBeLessThan(
        60_000,
      );
    });

    test('what was deleted is gone, and deleting it again is done as well', async () => {
      const storage = await make();
      await storage.write('a/b.css', text('b'));
      await storage.write('a/c.css', text('c'));
      await storage.delete('a/b.css');
      await storage.delete('a/b.css');
      await storage.delete('never/was.css');
      expect(await storage.read('a/b.css')).toBeUndefined();
      expect(await names(storage)).toEqual(['a/c.css']);
    });

    test('list names every file and nothing else', async () => {
      const storage = await make();
      expect(await names(storage)).toEqual([]);
      for (const name of NAMES) await storage.write(name, text(name));
      expect(await names(storage)).toEqual(NAMES.toSorted());
    });

    test('list may be left early, and files may go meanwhile', async () => {
      const storage = await make();
      for (const name of ['a', 'b', 'c/d']) await storage.write(name, text(name));
      for await (const name of storage.list()) {
        await storage.delete(name);
        break;
      }
      for await (const name of storage.list()) await storage.delete(name);
      expect(await names(storage)).toEqual([]);
    });

    test.each(NAMES)('the name %j is literal', async (name) => {
      const storage = await make();
      await storage.write(name, text(name));
      expect(await read(storage, name)).toBe(name);
      expect(await storage.exists(name)).toBe(true);
      const url = storage.url(name);
      expect(url).toMatch(/^[\x21-\x7e]+$/);
      const { pathname, search, hash } = new URL(url, 'http://localhost/');
      expect(search + hash).toBe('');
      expect(decodeURIComponent(pathname).endsWith(`/${name}`)).toBe(true);
    });

    test('url answers for any plain name, for folders, and for the base', async () => {
      const storage = await make();
      const base = storage.url('');
      expect(base).toMatch(/\/$/);
      expect(storage.url('not/there.css')).toBe(`${base}not/there.css`);
      expect(storage.url('folder/')).toBe(`${base}folder/`);
    });

    test('whoever spreads it into a storage of their own, keeps what is replaced', async () => {
      const storage = await make();
      const own: Storage = {
        ...storage,
        url: (name) => `own:${name}`,
        write: (name, body) => storage.write(`own/${name}`, body),
        stat: undefined as never,
      };
      const attached = own.attach?.(contextOf(storage)) ?? own;
      expect(attached.url('a.css')).toBe('own:a.css');
      await attached.write('a.css', text('a'));
      expect(await read(attached, 'own/a.css')).toBe('a');
      expect(await names(attached)).toEqual(['own/a.css']);
      expect(attached.stat).toBeUndefined();
      // Nothing of a file that is written goes past the one that is to write it.
      const past = own.attach ? undefined : own.writeFile;
      expect([attached.writeFile, attached.direct]).toEqual([past, past && own.direct]);
    });

    test('where it has paths, files are there', async () => {
      const storage = await make();
      await storage.write('a/ü b.css', text('a'));
      const path = storage.path?.('a/ü b.css');
      const found = path === undefined ? 'a' : await readFile(path, 'utf8');
      expect(found).toBe('a');
      expect(path === undefined || isAbsolute(path)).toBe(true);
    });

    test('a local file goes in as its bytes do', async () => {
      const storage = await make();
      const source = join(project({}), 'source.css');
      await writeFile(source, 'from a file');
      const mtimeMs = Date.UTC(2001, 1, 3, 4, 5, 6);
      await storage.write('a/copy.css', text('something longer than that'));
      await put(storage, 'a/copy.css', source, mtimeMs);
      await writeFile(source, 'changed');
      expect(await read(storage, 'a/copy.css')).toBe('from a file');
      expect((await storage.stat('a/copy.css'))?.size).toBe(11);
      expect(await names(storage)).toEqual(['a/copy.css']);
    });

    test('a local file that is not there is a fault, and leaves nothing', async () => {
      const storage = await make();
      const source = join(project({}), 'gone.css');
      await expect(put(storage, 'a.css', source, 0)).rejects.toThrow(/ENOENT/);
      expect(await names(storage)).toEqual([]);
    });
  });

  if (checksMd5) checkedContract(title, make);
  if (hasEntries) entriesContract(title, make);
  if (hasVersions) versionsContract(title, make);
  if (writeIf === 'works') writeIfContract(title, make);
  if (writeIf === 'unsupported') {
    test(`${title} says that it cannot write on a condition, and does not`, async () => {
      const storage = await make();
      expect(await storage.writeIf?.('new.css', text('new'), undefined)).toBe('unsupported');
      expect(await storage.exists('new.css')).toBe(false);
      await storage.write('a.css', text('first'));
      const { tag } = await versionOf(storage, 'a.css');
      expect(await storage.writeIf?.('a.css', text('second'), tag)).toBe('unsupported');
      expect(await storage.writeIf?.('a.css', text('second'), `"${'0'.repeat(32)}"`)).toBe(
        'unsupported',
      );
      expect(await read(storage, 'a.css')).toBe('first');
    });
  }
}

type Make = () => Storage | Promise<Storage>;

function checkedContract(title: string, make: Make): void {
  describe(`${title} keeps nothing that is not what was announced:`, () => {
    test('bytes', async () => {
      const storage = await make();
      await storage.write('a.css', text('right'), { md5: md5('right') });
      await expect(storage.write('a.css', text('wrong'), { md5: md5('right') })).rejects.toThrow();
      await expect(storage.write('b.css', text('wrong'), { md5: md5('right') })).rejects.toThrow();
      expect(await read(storage, 'a.css')).toBe('right');
      expect(await names(storage)).toEqual(['a.css']);
    });

    test('a local file', async () => {
      const storage = await make();
      const source = join(project({ 'source.css': 'right' }), 'source.css');
      await storage.writeFile?.('a.css', source, { md5: md5('right') });
      await writeFile(source, 'wrong');
      await expect(
        storage.writeFile?.('b.css', source, { md5: md5('right') }) ?? Promise.reject(),
      ).rejects.toThrow();
      expect(await names(storage)).toEqual(['a.css']);
      expect(await read(storage, 'a.css')).toBe('right');
    });
  });
}

function entriesContract(title: string, make: Make): void {
  describe(`${title} tells of many files at once:`, () => {
    test('their sizes and times, and the MD5 where it has that', async () => {
      const storage = await make();
      expect(await entries(storage)).toEqual([]);
      const before = Date.now();
      const files = { 'a.css': 'a', 'b/c.css': 'longer', 'empty.txt': '', '.hidden/é.css': 'é' };
      for (const [name, body] of Object.entries(files)) await storage.write(name, text(body));
      const found = await entries(storage);
      expect(found.map(({ name }) => name)).toEqual(Object.keys(files).toSorted());
      for (const { name, size, mtimeMs, md5: sum = md5(files[name as 'a.css']) } of found) {
        expect(size, name).toBe(text(files[name as 'a.css']).length);
        expect(Math.abs(mtimeMs - before), name).toBeLessThan(60_000);
        expect(sum, name).toBe(md5(files[name as 'a.css']));
      }
    });

    test('what was written anew is told anew, and what was deleted is not', async () => {
      const storage = await make();
      await storage.write('a.css', text('first'));
      await storage.write('b.css', text('b'));
      await storage.write('a.css', text('second one'));
      await storage.delete('b.css');
      expect(await entries(storage)).toMatchObject([{ name: 'a.css', size: 10 }]);
    });

    test.each([
      ['', PREFIXED],
      ['a', ['a', 'a b', 'a%', 'a+', 'a/b', 'a/b/c', 'ab']],
      ['a/', ['a/b', 'a/b/c']],
      ['a/b', ['a/b', 'a/b/c']],
      ['a%', ['a%']],
      ['a+', ['a+']],
      ['a ', ['a b']],
      ['é', ['é/x']],
      ['z', []],
      ['/', []],
      ['A', []],
    ])('those whose names begin with %j', async (prefix, expected) => {
      const storage = await make();
      await Promise.all(PREFIXED.map((name) => storage.write(name, text(name))));
      expect((await entries(storage, prefix)).map(({ name }) => name)).toEqual(expected);
    });

    test('none whose names would have to be longer than names can be', async () => {
      const storage = await make();
      await storage.write('a', text('a'));
      expect(await entries(storage, 'a'.repeat(2000))).toEqual([]);
    });

    test('every name as it is', async () => {
      const storage = await make();
      for (const name of NAMES) await storage.write(name, text(name));
      const found = await entries(storage);
      expect(found.map(({ name }) => name)).toEqual(NAMES.toSorted());
    });
  });
}

function versionsContract(title: string, make: Make): void {
  describe(`${title} has tags:`, () => {
    test('one that stays as long as the file', async () => {
      const storage = await make();
      await storage.write('a.css', text('first'));
      const { body, tag } = await versionOf(storage, 'a.css');
      expect(bytes(body)).toEqual(bytes(text('first')));
      expect(tag).not.toBe('');
      expect(await storage.readVersion?.('a.css', tag)).toBe('unchanged');
      expect((await versionOf(storage, 'a.css')).tag).toBe(tag);
    });

    test('another one when something else was written', async () => {
      const storage = await make();
      await storage.write('a.css', text('first'));
      const first = await versionOf(storage, 'a.css');
      await storage.write('a.css', text('other'));
      const second = await versionOf(storage, 'a.css', first.tag);
      expect(bytes(second.body)).toEqual(bytes(text('other')));
      expect(second.tag).not.toBe(first.tag);
      expect(await storage.readVersion?.('a.css', second.tag)).toBe('unchanged');
    });

    test('none for what is not there, or no more', async () => {
      const storage = await make();
      expect(await storage.readVersion?.('a.css')).toBeUndefined();
      await storage.write('a.css', text('a'));
      const { tag } = await versionOf(storage, 'a.css');
      await storage.delete('a.css');
      expect(await storage.readVersion?.('a.css', tag)).toBeUndefined();
      expect(await storage.readVersion?.(`${'long'.repeat(500)}.css`)).toBeUndefined();
    });
  });
}

function writeIfContract(title: string, make: Make): void {
  describe(`${title} writes on a condition:`, () => {
    test('without a tag, only what is not there', async () => {
      const storage = await make();
      expect(await storage.writeIf?.('a.css', text('first'), undefined)).toBe('written');
      expect(await storage.writeIf?.('a.css', text('second'), undefined)).toBe('changed');
      expect(await read(storage, 'a.css')).toBe('first');
    });

    test('with a tag, only over what has it', async () => {
      const storage = await make();
      await storage.write('a.css', text('first'));
      const { tag } = await versionOf(storage, 'a.css');
      expect(await storage.writeIf?.('a.css', text('second'), tag)).toBe('written');
      expect(await storage.writeIf?.('a.css', text('third'), tag)).toBe('changed');
      expect(await read(storage, 'a.css')).toBe('second');
      const again = await versionOf(storage, 'a.css');
      expect(await storage.writeIf?.('a.css', text('third'), again.tag)).toBe('written');
    });

    test('with a tag, nothing over what is gone', async () => {
      const storage = await make();
      await storage.write('a.css', text('first'));
      const { tag } = await versionOf(storage, 'a.css');
      await storage.delete('a.css');
      expect(await storage.writeIf?.('a.css', text('second'), tag)).toBe('changed');
      expect(await storage.exists('a.css')).toBe(false);
    });

    test('of several at once, one writes', async () => {
      const storage = await make();
      await storage.write('a.css', text('first'));
      const { tag } = await versionOf(storage, 'a.css');
      const bodies = Array.from({ length: 8 }, (_, i) => `writer ${i}`);
      const answers = await Promise.all(
        bodies.map((body) => storage.writeIf?.('a.css', text(body), tag)),
      );
      expect(answers.toSorted()).toEqual([...Array(7).fill('changed'), 'written']);
      expect(await read(storage, 'a.css')).toBe(bodies[answers.indexOf('written')]);
    });
  });
}

const PREFIXED = ['a', 'a b', 'a%', 'a+', 'a/b', 'a/b/c', 'ab', 'b', 'é/x'];

/** As whoever collects puts a file in: by its path where the storage can, by its bytes elsewhere. */
async function put(storage: Storage, name: string, path: string, mtimeMs: number): Promise<void> {
  if (storage.writeFile) await storage.writeFile(name, path, { mtimeMs });
  else await storage.write(name, await readFile(path), { mtimeMs });
}

const NAMES = [
  'a.css',
  'a/b.css',
  'a/b/c/d/e/f.css',
  '.hidden/.file',
  'noext',
  'with space.css',
  '100%.css',
  '%2e%2e%2fa.css',
  '@scope/x+y&z=1;(2)!.js',
  "it's.css",
  'ünï/⊗.txt',
  'e\u0301.css',
  '日本語/ファイル.css',
  'emoji/😀.png',
  '__proto__',
  'constructor/toString',
  ...(sep === '/' ? ['a?b.css', 'a#b.css', 'a:b|c*d<e>"f".css', 'tab\there.css', 'con'] : []),
];

const NO_BODIES: readonly [string, unknown][] = [
  ['a string', 'text'],
  ['an ArrayBuffer', new ArrayBuffer(4)],
  ['a Blob', new Blob(['text'])],
  ['a Uint16Array', new Uint16Array(4)],
  ['an array', [1, 2]],
  ['null', null],
  ['undefined', undefined],
];

const text = (content: string) => new TextEncoder().encode(content);

/** Of a project that has set nothing, and puts a storage over the one that is tested. */
function contextOf(storage: Storage): StorageContext {
  const settings = {
    staticUrl: '/static/',
    staticRoot: storage.path?.(''),
    baseDir: '/',
    debug: false,
  };
  const context: StorageContext = {
    settings,
    chosenStaticUrl: undefined,
    hasSource: () => true,
    requireSource: () => {},
    under: (over) => (typeof over === 'object' && over.attach?.(context)) || storage,
  };
  return context;
}

const bytes = (body: Uint8Array | undefined) => body && [...body];

async function read(storage: Storage, name: string): Promise<string> {
  return Buffer.from((await storage.read(name)) ?? text('(not there)')).toString();
}

const md5 = (content: string) => createHash('md5').update(content).digest('hex');

async function entries(storage: Storage, prefix?: string): Promise<ListedFile[]> {
  const found: ListedFile[] = [];
  for await (const entry of storage.entries?.(prefix) ?? []) found.push(entry);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function versionOf(storage: Storage, name: string, unless?: string): Promise<Version> {
  const version = await storage.readVersion?.(name, unless);
  if (typeof version !== 'object') throw new Error(`${name} is ${version}.`);
  return version;
}

async function names(storage: Storage): Promise<string[]> {
  const found: string[] = [];
  for await (const name of storage.list()) found.push(name);
  return found.sort();
}
