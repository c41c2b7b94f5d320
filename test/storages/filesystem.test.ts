import { chmodSync, lstatSync, mkdirSync, readdirSync, statSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NameError, SetupError } from '../../src/errors.js';
import { createStaticFiles } from '../../src/static-files.js';
import { fileSystemStorage } from '../../src/storages/filesystem.js';
import { storageContract } from '../contracts/storage.js';
import { project } from '../project.js';
import { thrownBy } from '../thrown.js';

storageContract('fileSystemStorage', () =>
  fileSystemStorage({ root: project({}), baseUrl: '/static/' }),
);

const body = Buffer.from('a');
const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);
const posix = process.platform !== 'win32';
const why = posix ? '' : ' (skipped: Windows has no such links, modes and names)';

describe('where its files are', () => {
  test('under its root, which is relative to the working directory', () => {
    expect(fileSystemStorage({ root: 'x' }).path?.('a/b.css')).toBe(resolve('x/a/b.css'));
  });

  test('in a project under staticRoot, or its own root relative to baseDir', async () => {
    const baseDir = project({});
    const settings = { baseDir, staticRoot: 'collected', debug: false };
    const own = fileSystemStorage({ root: 'own' });
    const dirs = [project({ 'a.css': 'a' })];
    await createStaticFiles({ ...settings, dirs }).collect();
    await createStaticFiles({ ...settings, dirs, storage: own }).collect();
    expect(statSync(join(baseDir, 'collected/a.css')).isFile()).toBe(true);
    expect(statSync(join(baseDir, 'own/a.css')).isFile()).toBe(true);
  });

  test('never outside', async () => {
    const root = project({ 'secret.txt': 'secret' });
    const storage = fileSystemStorage({ root: join(root, 'inside'), baseUrl: '/' });
    await expect(storage.read('../secret.txt')).rejects.toThrow(NameError);
    await expect(storage.write('a/../../secret.txt', body)).rejects.toThrow(NameError);
    await expect(storage.delete('..\\secret.txt')).rejects.toThrow(NameError);
    expect(() => storage.path?.('nul\0')).toThrow(NameError);
    expect(readdirSync(root)).toEqual(['secret.txt']);
  });

  test('without a folder or a base URL it says what to set', async () => {
    const storage = fileSystemStorage();
    await expect(storage.read('a.css')).rejects.toThrow(/set staticRoot in the settings/);
    expect(thrownBy(() => storage.url('a.css'))).toBeInstanceOf(SetupError);
    expect(thrownBy(() => storage.url('a.css'))).toMatchObject({
      message: expect.stringContaining('give fileSystemStorage() a baseUrl'),
    });
  });

  test('its base URL is its option, or staticUrl', () => {
    const urlOf = (options: object) =>
      createStaticFiles({ storage: fileSystemStorage(options) }).staticUrl('a.css');
    expect(urlOf({})).toBe('/static/a.css');
    expect(urlOf({ baseUrl: '//cdn.example.com/' })).toBe('//cdn.example.com/a.css');
  });
});

describe('whole files', () => {
  test('a write that fails leaves what was there, and nothing besides', async () => {
    const root = project({ 'a.css': 'old', 'folder/x': 'x' });
    const storage = fileSystemStorage({ root });
    await expect(storage.write('folder', body)).rejects.toThrow(/EISDIR|EPERM|ENOTEMPTY/);
    await expect(storage.write('a.css/b.css', body)).rejects.toThrow(/ENOTDIR|EEXIST/);
    expect(readdirSync(root).sort()).toEqual(['a.css', 'folder']);
  });

  test.runIf(posix)(`a link is replaced, and not written through${why}`, async () => {
    const root = project({ 'source.css': 'source' });
    symlinkSync(join(root, 'source.css'), join(root, 'a.css'));
    const storage = fileSystemStorage({ root });
    await storage.write('a.css', body);
    expect(lstatSync(join(root, 'a.css')).isSymbolicLink()).toBe(false);
    expect(Buffer.from((await storage.read('source.css')) ?? [])).toEqual(Buffer.from('source'));
  });

  test.runIf(posix)(
    `list names links, follows none, and hides what is being written${why}`,
    async () => {
      const elsewhere = project({ 'x.css': 'x' });
      const root = project({ 'a/b.css': 'b', '.staticfiles-partial-0123456789ab': 'half' });
      symlinkSync(elsewhere, join(root, 'link'));
      symlinkSync('nowhere', join(root, 'a/dangling'));
      const names: string[] = [];
      for await (const name of fileSystemStorage({ root }).list()) names.push(name);
      expect(names.sort()).toEqual(['a/b.css', 'a/dangling', 'link']);
    },
  );

  test.runIf(posix)(`a loop of links is no file${why}`, async () => {
    const root = project({});
    symlinkSync('loop', join(root, 'loop'));
    const storage = fileSystemStorage({ root });
    expect(await storage.exists('loop')).toBe(false);
    expect(await storage.read('loop')).toBeUndefined();
    expect(await storage.stat('loop/below')).toBeUndefined();
  });

  test.runIf(posix)(
    `list leaves out what no name of ours means: 'a\\b' is not a/b${why}`,
    async () => {
      const root = project({ 'a/b.css': 'b', 'a\\b.css': 'other', 'c\\d/e.css': 'e' });
      const storage = fileSystemStorage({ root });
      const names: string[] = [];
      for await (const name of storage.list()) names.push(name);
      expect(names).toEqual(['a/b.css']);
    },
  );
});

describe.runIf(posix)(`permissions${why}`, () => {
  test('of files are 0o644 whatever the umask and the source say', async () => {
    const root = project({ 'source.css': 'a' });
    chmodSync(join(root, 'source.css'), 0o600);
    const storage = fileSystemStorage({ root: join(root, 'out') });
    await withUmask(0o077, () => storage.write('a.css', body));
    await withUmask(0o077, () => storage.writeFile?.('b.css', join(root, 'source.css')));
    expect([mode(join(root, 'out/a.css')), mode(join(root, 'out/b.css'))]).toEqual(['644', '644']);
  });

  test('of files are fileMode where it is given', async () => {
    const root = project({});
    const storage = fileSystemStorage({ root, fileMode: 0o640 });
    await storage.write('a.css', body);
    await storage.write('a.css', body);
    expect(mode(join(root, 'a.css'))).toBe('640');
  });

  test('of folders are what the umask leaves, or directoryMode, of each that it makes', async () => {
    const root = project({});
    mkdirSync(join(root, 'there'), { mode: 0o700 });
    await withUmask(0o027, async () => {
      await fileSystemStorage({ root }).write('plain/a.css', body);
      await fileSystemStorage({ root, directoryMode: 0o2775 }).write('there/a/b/c.css', body);
    });
    const modes = ['plain', 'there', 'there/a', 'there/a/b'].map((dir) => mode(join(root, dir)));
    expect(modes).toEqual(['750', '700', '2775', '2775']);
  });

  async function withUmask(umask: number, work: () => Promise<void> | undefined): Promise<void> {
    const before = process.umask(umask);
    try {
      await work();
    } finally {
      process.umask(before);
    }
  }
});

test.each([
  [{ rot: 'x' }, "'rot' is no option of fileSystemStorage(). Did you mean 'root'?"],
  [{ root: 7 }, "fileSystemStorage()'s root must be the path of a folder."],
  [{ root: '' }, "fileSystemStorage()'s root must be the path of a folder."],
  [{ baseUrl: '/s' }, "fileSystemStorage()'s baseUrl must end in a slash: '/s'."],
  [{ fileMode: '644' }, "fileSystemStorage()'s fileMode must be a mode such as 0o644."],
  [{ fileMode: 0o100644 }, "fileSystemStorage()'s fileMode must be a mode such as 0o644."],
  [{ directoryMode: -1 }, "fileSystemStorage()'s directoryMode must be a mode such as 0o644."],
])('%j is refused', (options, message) => {
  expect(() => fileSystemStorage(options as object)).toThrow(new SetupError(message));
});
