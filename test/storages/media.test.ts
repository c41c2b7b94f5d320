import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NameError, SetupError } from '../../src/errors.js';
import { createStaticFiles } from '../../src/static-files.js';
import { mediaStorage } from '../../src/storages/media.js';
import { storageContract } from '../contracts/storage.js';
import { project } from '../project.js';
import { thrownBy } from '../thrown.js';

storageContract('mediaStorage', () => mediaStorage({ root: project({}), baseUrl: '/media/' }));

const posix = process.platform !== 'win32';
const why = posix ? '' : ' (skipped: Windows makes no such links without rights)';
const body = Buffer.from('mine');

describe('its folder and base URL are', () => {
  test('those of the settings', async () => {
    const baseDir = project({});
    const files = createStaticFiles({ baseDir, mediaRoot: 'uploads', mediaUrl: 'media/' });
    const uploads = mediaStorage(files);
    expect(await uploads.save('me.jpg', body)).toBe('me.jpg');
    expect(readFileSync(join(baseDir, 'uploads/me.jpg'), 'utf8')).toBe('mine');
    expect(uploads.path?.('a/b.jpg')).toBe(join(baseDir, 'uploads/a/b.jpg'));
    expect(uploads.url('a b#c?d.jpg')).toBe('/media/a%20b%23c%3Fd.jpg');
  });

  test('its options, before the settings, and alone', () => {
    const files = createStaticFiles({ mediaRoot: 'uploads', mediaUrl: '/media/' });
    const both = mediaStorage(files, { root: 'own', baseUrl: 'https://cdn.example.com/u/' });
    expect(both.path?.('x')).toBe(resolve('own/x'));
    expect(both.url('ü.jpg')).toBe('https://cdn.example.com/u/%C3%BC.jpg');
    expect(mediaStorage(files, { fileMode: 0o600 }).url('x')).toBe('/media/x');
    expect(mediaStorage({ root: 'own', baseUrl: '/u/' }).path?.('x')).toBe(resolve('own/x'));
  });

  test('for each name the same URL as mediaUrl()', async () => {
    for (const mediaUrl of [undefined, '/media/', '//host/ü/']) {
      const files = createStaticFiles({ mediaRoot: project({}), mediaUrl });
      const uploads = mediaStorage(files);
      for (const given of [
        'me too.jpg',
        'größe/日本語.pdf',
        "a'b(c)@d,e;f=g&h+i.txt",
        '100%.css',
      ]) {
        const name = await uploads.save(given, body);
        expect(uploads.url(name)).toBe(files.mediaUrl(name));
      }
    }
  });

  test('missed where neither says them', () => {
    expect(() => mediaStorage(createStaticFiles())).toThrow(
      new SetupError(
        'mediaStorage() has no folder: set mediaRoot in the settings, or give it a root, the path of a folder.',
      ),
    );
    const storage = mediaStorage({ root: 'x' });
    expect(thrownBy(() => storage.url('a'))).toBeInstanceOf(SetupError);
    expect(() => storage.url('a')).toThrow(
      'give it a baseUrl, or what createStaticFiles() answers',
    );
  });

  test.each([
    [{ rot: 'x' }, "'rot' is no option of mediaStorage(). Did you mean 'root'?"],
    [{ root: '' }, 'mediaStorage() has no folder'],
    [{ root: 7 }, 'mediaStorage() has no folder'],
    [{ root: 'x', baseUrl: '/m' }, "mediaStorage()'s baseUrl must end in a slash: '/m'."],
    [{ root: 'x', fileMode: '644' }, "mediaStorage()'s fileMode must be a mode such as 0o644."],
    [{ root: 'x', directoryMode: -1 }, "mediaStorage()'s directoryMode must be a mode such as"],
    [
      { root: 'x', maxBytes: '5MB' },
      "mediaStorage()'s maxBytes must be a number of bytes, not 5MB.",
    ],
    [{ root: 'x', maxBytes: -1 }, "mediaStorage()'s maxBytes must be a number of bytes, not -1."],
    [undefined, 'mediaStorage() takes an object of options'],
    [null, 'mediaStorage() takes an object of options'],
  ])('not to be had from %j', (options, message) => {
    const error = thrownBy(() => mediaStorage(options as object));
    expect(error).toBeInstanceOf(SetupError);
    expect(String(error)).toContain(message);
  });
});

describe('nothing leaves the folder', () => {
  test('by its name', async () => {
    const root = project({ 'secret.txt': 'secret' });
    const storage = mediaStorage({ root: join(root, 'media'), baseUrl: '/' });
    for (const name of ['../secret.txt', 'a/../../secret.txt', '..\\secret.txt']) {
      await expect(storage.read(name)).rejects.toThrow(NameError);
      await expect(storage.write(name, body)).rejects.toThrow(NameError);
      await expect(storage.delete(name)).rejects.toThrow(NameError);
      await expect(storage.save(name, body)).rejects.toThrow(NameError);
      expect(() => storage.path?.(name)).toThrow(NameError);
    }
    expect(readdirSync(root)).toEqual(['secret.txt']);
  });

  test.runIf(posix)(`by symbolic links in it${why}`, async () => {
    const root = project({
      'elsewhere/secret.txt': 'secret',
      'media-2/x': '',
      'media/inner/x': '',
    });
    const at = (path: string) => join(root, path);
    symlinkSync(at('elsewhere'), at('media/out'));
    symlinkSync('../media-2', at('media/sibling'));
    symlinkSync(at('elsewhere/secret.txt'), at('media/secret.txt'));
    symlinkSync(at('elsewhere/none'), at('media/nowhere'));
    symlinkSync('inner', at('media/alias'));
    const storage = mediaStorage({ root: at('media'), baseUrl: '/' });
    for (const name of [
      'out/secret.txt',
      'out/new/x',
      'sibling/x',
      'secret.txt',
      'alias/../out/x',
    ]) {
      await expect(storage.read(name), name).rejects.toThrow(NameError);
      await expect(storage.write(name, body), name).rejects.toThrow(NameError);
      await expect(storage.delete(name), name).rejects.toThrow(NameError);
      await expect(storage.exists(name), name).rejects.toThrow(NameError);
      await expect(storage.stat(name), name).rejects.toThrow(NameError);
    }
    for (const name of ['out/y', 'out/new/y', 'sibling/y', 'secret.txt/y']) {
      await expect(storage.save(name, body), name).rejects.toThrow(NameError);
    }
    await expect(storage.save('nowhere/x', body)).rejects.toThrow(/ENOENT|EEXIST|ENOTDIR/);
    await expect(storage.save('out/me.jpg', body)).rejects.toThrow(
      /leaves '.*media': a symbolic link in it leads outside\. Make it a folder, or a mount\.$/,
    );
    expect(await storage.save('secret.txt', body)).toMatch(/^secret_\w{7}\.txt$/);
    expect(await storage.save('nowhere', body)).toMatch(/^nowhere_\w{7}$/);
    expect(await storage.save('alias/y', body)).toBe('alias/y');
    expect(readdirSync(at('elsewhere'))).toEqual(['secret.txt']);
    expect(readdirSync(at('media-2'))).toEqual(['x']);
    expect(readdirSync(at('media/inner')).sort()).toEqual(['x', 'y']);
    expect(readFileSync(at('elsewhere/secret.txt'), 'utf8')).toBe('secret');
  });

  test.runIf(posix)(`where the folder itself is a link, it is where that leads${why}`, async () => {
    const root = project({ 'disk/x': '' });
    symlinkSync('disk', join(root, 'media'));
    const storage = mediaStorage({ root: join(root, 'media'), baseUrl: '/' });
    expect(await storage.save('a/me.jpg', body)).toBe('a/me.jpg');
    expect(Buffer.from((await storage.read('a/me.jpg')) ?? [])).toEqual(body);
    expect(statSync(join(root, 'disk/a/me.jpg')).size).toBe(4);
  });

  test('a folder that is not there yet is made', async () => {
    const root = join(project({}), 'not/yet');
    const storage = mediaStorage({ root, baseUrl: '/' });
    expect(await storage.exists('a')).toBe(false);
    expect(await storage.save('b/c.txt', body)).toBe('b/c.txt');
    mkdirSync(join(root, 'd'));
    expect(await storage.exists('d')).toBe(false);
  });
});
