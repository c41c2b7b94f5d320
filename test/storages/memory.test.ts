import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { NameError, SetupError, StorageError } from '../../src/errors.js';
import { createStaticFiles } from '../../src/static-files.js';
import type { Storage } from '../../src/storage.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { storageContract } from '../contracts/storage.js';

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of items) found.push(item);
  return found;
}

storageContract('memoryStorage', () => memoryStorage(), {
  hasEntries: true,
  hasVersions: true,
  writeIf: 'works',
});

describe('memoryStorage', () => {
  test('takes its base URL from its option, from the settings, or /static/', () => {
    const urlOf = (storage = memoryStorage()) =>
      createStaticFiles({ staticUrl: '/s/', storage }).staticUrl('a.css');
    expect(memoryStorage().url('a.css')).toBe('/static/a.css');
    expect(memoryStorage({ baseUrl: '/x/' }).url('a.css')).toBe('/x/a.css');
    expect(urlOf()).toBe('/s/a.css');
    expect(urlOf(memoryStorage({ baseUrl: 'https://cdn.example.com/ü/' }))).toBe(
      'https://cdn.example.com/%C3%BC/a.css',
    );
  });

  test('holds the same files in every project that it is handed to', async () => {
    const storage = memoryStorage();
    const context = {
      chosenStaticUrl: '/s/',
      hasSource: () => true,
      requireSource: () => {},
      under: () => storage,
    };
    const settings = { staticUrl: '/s/', staticRoot: undefined, baseDir: '/', debug: false };
    const attached = storage.attach?.({ ...context, settings });
    await storage.write('a.css', Buffer.from('a'));
    expect(await attached?.exists('a.css')).toBe(true);
  });

  test('keeps no name that could leave a folder', async () => {
    const storage = memoryStorage();
    await expect(storage.write('../a.css', Buffer.from('a'))).rejects.toThrow(NameError);
  });

  describe('does what a storage elsewhere does:', () => {
    const md5 = (text: string) => createHash('md5').update(text).digest('hex');
    /** With all optional members that it is to have. */
    const full = () => memoryStorage() as Required<Storage>;

    test('entries tell size, time and MD5 of the files below a prefix', async () => {
      const storage = full();
      await storage.write('a/b.css', Buffer.from('1'), { mtimeMs: 7 });
      await storage.write('a/c.css', Buffer.from('22'), { mtimeMs: 8 });
      await storage.write('ab.css', Buffer.from('333'), { mtimeMs: 9 });
      const entries = (prefix?: string) => all(storage.entries(prefix));
      expect(await entries('a/')).toEqual([
        { name: 'a/b.css', size: 1, mtimeMs: 7, md5: md5('1') },
        { name: 'a/c.css', size: 2, mtimeMs: 8, md5: md5('22') },
      ]);
      expect((await entries()).map(({ name }) => name)).toEqual(['a/b.css', 'a/c.css', 'ab.css']);
      expect(await entries('b')).toEqual([]);
      await storage.write('ab.css', Buffer.from('4444'), { mtimeMs: 9 });
      expect(await entries('ab')).toEqual([
        { name: 'ab.css', size: 4, mtimeMs: 9, md5: md5('4444') },
      ]);
    });

    test('files may come and go while entries are listed', async () => {
      const storage = full();
      for (const name of ['a', 'b', 'c']) await storage.write(name, Buffer.from(name));
      const listed: string[] = [];
      for await (const { name } of storage.entries()) {
        if (listed.push(name) > 3) break;
        await storage.write(`${name}/copy`, Buffer.from(name));
        await storage.delete(name);
      }
      expect(listed).toEqual(['a', 'b', 'c']);
      const names = (await all(storage.entries())).map(({ name }) => name);
      expect(names).toEqual(['a/copy', 'b/copy', 'c/copy']);
    });

    test('a version is read again only where it has changed', async () => {
      const storage = full();
      expect(await storage.readVersion('a.css')).toBeUndefined();
      await storage.write('a.css', Buffer.from('1'));
      const first = await storage.readVersion('a.css');
      if (typeof first !== 'object') throw new Error('There is no version.');
      expect(Buffer.from(first.body).toString()).toBe('1');
      expect(await storage.readVersion('a.css', first.tag)).toBe('unchanged');
      first.body.fill(0);
      expect(Buffer.from((await storage.read('a.css')) ?? []).toString()).toBe('1');
      await storage.write('a.css', Buffer.from('2'));
      const second = await storage.readVersion('a.css', first.tag);
      if (typeof second !== 'object') throw new Error('There is no version.');
      expect(Buffer.from(second.body).toString()).toBe('2');
      expect(second.tag).not.toBe(first.tag);
      await storage.delete('a.css');
      expect(await storage.readVersion('a.css', second.tag)).toBeUndefined();
    });

    test('a tag never comes again, not even that of a file that was deleted', async () => {
      const storage = full();
      const tags = new Set<string>();
      for (let i = 0; i < 3; i++) {
        await storage.write('a.css', Buffer.from('1'));
        const version = await storage.readVersion('a.css');
        if (typeof version === 'object') tags.add(version.tag);
        await storage.delete('a.css');
      }
      expect(tags.size).toBe(3);
    });

    test('writeIf writes over the version that was read, and over no other', async () => {
      const storage = full();
      const write = (body: string, tag: string | undefined) =>
        storage.writeIf('a.css', Buffer.from(body), tag);
      const state = async () => {
        const version = await storage.readVersion('a.css');
        if (typeof version !== 'object') throw new Error('There is no version.');
        return { tag: version.tag, text: Buffer.from(version.body).toString() };
      };
      expect(await write('0', '1')).toBe('changed');
      expect(await storage.exists('a.css')).toBe(false);
      expect(await write('1', undefined)).toBe('written');
      const { tag } = await state();
      expect(await write('2', undefined)).toBe('changed');
      expect(await state()).toEqual({ tag, text: '1' });
      expect(await write('3', tag)).toBe('written');
      expect(await write('4', tag)).toBe('changed');
      expect((await state()).text).toBe('3');
    });

    test('of several writers at once, one wins', async () => {
      const storage = full();
      const bodies = ['1', '2', '3'].map((text) => Buffer.from(text));
      const first = await Promise.all(
        bodies.map((body) => storage.writeIf('a.css', body, undefined)),
      );
      expect(first.sort()).toEqual(['changed', 'changed', 'written']);
    });

    test('other bytes than their MD5 says are refused, and not kept', async () => {
      const storage = full();
      await storage.write('a.css', Buffer.from('1'), { md5: md5('1') });
      const before = await storage.readVersion('a.css');
      const wrong = { md5: md5('3') };
      const refused = storage.write('a.css', Buffer.from('2'), wrong);
      await expect(refused).rejects.toThrow(StorageError);
      await expect(storage.writeIf('b.css', Buffer.from('2'), undefined, wrong)).rejects.toThrow(
        `'b.css' was not written: its MD5 is ${md5('2')}, and should be ${md5('3')}.`,
      );
      expect(await storage.readVersion('a.css')).toEqual(before);
      expect(await all(storage.list())).toEqual(['a.css']);
    });

    test('names are made safe in all of it', async () => {
      const storage = full();
      await storage.writeIf('/a//b.css', Buffer.from('1'), undefined);
      expect(await storage.readVersion('a/./b.css')).toMatchObject({ tag: expect.any(String) });
      await expect(storage.writeIf('../a.css', Buffer.from('1'), undefined)).rejects.toThrow(
        NameError,
      );
    });

    test('every project that it is handed to has the same tags', async () => {
      const storage = full();
      const attached = createStaticFiles({ storage }).storage as Required<Storage>;
      await storage.write('a.css', Buffer.from('1'));
      const version = await attached.readVersion('a.css');
      if (typeof version !== 'object') throw new Error('There is no version.');
      await attached.write('a.css', Buffer.from('2'));
      expect(await storage.writeIf('a.css', Buffer.from('3'), version.tag)).toBe('changed');
    });
  });

  test.each([
    [{ baseURL: '/s/' }, "'baseURL' is no option of memoryStorage(). Did you mean 'baseUrl'?"],
    [{ baseUrl: '/s' }, "memoryStorage()'s baseUrl must end in a slash: '/s'."],
    [{ baseUrl: 7 }, "memoryStorage()'s baseUrl must be a string such as '/static/', not 7."],
  ])('refuses %j', (options, message) => {
    expect(() => memoryStorage(options as object)).toThrow(new SetupError(message));
  });
});
