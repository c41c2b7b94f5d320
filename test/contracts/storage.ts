import { readFile, writeFile } from 'node:fs/promises';
import { isAbsolute, join, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Storage } from '../../src/storage.js';
import { project } from '../project.js';

export interface StorageTraits {
  /** What cannot record a file's time of change gives it the time of writing. @default true */
  readonly recordsTimes?: boolean;
}

/** What every storage must do; `make` answers an empty one, ready for use. */
export function storageContract(
  title: string,
  make: () => Storage | Promise<Storage>,
  { recordsTimes = true }: StorageTraits = {},
): void {
  describe(`${title} is a storage:`, () => {
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
}

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

const text = (content: string) => new TextEncoder().encode(content);

const bytes = (body: Uint8Array | undefined) => body && [...body];

async function read(storage: Storage, name: string): Promise<string> {
  return Buffer.from((await storage.read(name)) ?? text('(not there)')).toString();
}

async function names(storage: Storage): Promise<string[]> {
  const found: string[] = [];
  for await (const name of storage.list()) found.push(name);
  return found.sort();
}
