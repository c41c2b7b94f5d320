import { describe, expect, it } from 'vitest';
import type { Content } from '../../../src/collect/elsewhere/content.js';
import { lookInto, type ShelfOptions } from '../../../src/collect/elsewhere/shelf.js';
import type { ListedFile, Storage } from '../../../src/storage.js';
import { memoryStorage } from '../../../src/storages/memory.js';
import { md5 } from './stores.js';

/** A content of these bytes; under a hashed name where it has one. */
function content(name: string, body: string, isNamedByContent = /\.[\da-f]{12}\./.test(name)) {
  const source = { name: name.replace(/\.[\da-f]{12}\./, '.'), path: `/${name}` };
  return {
    ...{ name, source, from: `/${name}`, size: body.length, md5: md5(body) },
    ...{ isImmutable: isNamedByContent, isNamedByContent },
  } satisfies Content;
}

const CSS = content('a.0123456789ab.css', 'hashed');
const PLAIN = content('a.css', 'plain');

/** A storage that lists these, as a store without a word too much. */
function listing(files: readonly Partial<ListedFile>[]) {
  const asked: string[] = [];
  const { attach, ...memory } = memoryStorage();
  const storage: Storage = {
    ...memory,
    async *entries(prefix = '') {
      asked.push(prefix);
      for (const file of files) {
        const entry = { name: '', size: 0, mtimeMs: 0, ...file };
        if (entry.name.startsWith(prefix)) yield entry;
      }
    },
  };
  return { storage, asked };
}

const listed = ({ name, size, md5 }: Content, more: Partial<ListedFile> = {}): ListedFile => ({
  ...{ name, size, md5, mtimeMs: 1000 },
  ...more,
});

async function look(
  files: readonly Partial<ListedFile>[],
  contents: readonly Content[],
  options: Partial<ShelfOptions> = {},
) {
  return lookInto(listing(files).storage, contents, {
    manifestName: undefined,
    isVouchedFor: () => false,
    witness: async () => () => false,
    isEncoded: () => false,
    verify: false,
    ...options,
  });
}

describe('what a storage has', () => {
  it('is told of a name that changes with the content by its size', async () => {
    expect((await look([listed(CSS)], [CSS])).has(CSS)).toBe(true);
    expect((await look([listed(CSS, { md5: undefined })], [CSS])).has(CSS)).toBe(true);
    expect((await look([listed(CSS, { size: 5 })], [CSS])).has(CSS)).toBe(false);
    expect((await look([], [CSS])).has(CSS)).toBe(false);
  });

  it('is told of a plain name by its digest', async () => {
    expect((await look([listed(PLAIN)], [PLAIN])).has(PLAIN)).toBe(true);
    const other = listed(PLAIN, { md5: md5('other') });
    expect((await look([other], [PLAIN])).has(PLAIN)).toBe(false);
    expect((await look([other], [PLAIN], { isVouchedFor: () => true })).has(PLAIN)).toBe(false);
  });

  it('is told of one without a digest by whoever has seen who wrote it', async () => {
    const asked: unknown[] = [];
    const options = (isSure: boolean): Partial<ShelfOptions> => ({
      manifestName: 'staticfiles.json',
      isVouchedFor: () => true,
      witness: async (files, published) => {
        asked.push(
          files.map(({ name }) => name),
          published,
        );
        return ({ md5 }, { size }) => isSure && md5 === PLAIN.md5 && size === PLAIN.size;
      },
    });
    const manifest = { name: 'staticfiles.json', size: 1, mtimeMs: 1000 };
    const told = content('b.css', 'told');
    const files = [listed(CSS), listed(PLAIN, { md5: undefined }), listed(told), manifest];
    const contents = [CSS, PLAIN, told];
    expect((await look(files, contents, options(true))).has(PLAIN)).toBe(true);
    expect((await look(files, contents, options(false))).has(PLAIN)).toBe(false);
    expect(asked).toEqual([['a.css'], 1000, ['a.css'], 1000]);
    const smaller = [listed(PLAIN, { md5: undefined, size: 1 })];
    expect((await look(smaller, [PLAIN], options(true))).has(PLAIN)).toBe(false);
  });

  it('is told by size and time where nothing else is known', async () => {
    const copy = { ...PLAIN, times: { mtimeMs: 2000, ctimeMs: 3000 } };
    const found = (mtimeMs: number) => listed(PLAIN, { md5: undefined, mtimeMs });
    expect((await look([found(2000)], [copy])).has(copy)).toBe(true); // recorded
    expect((await look([found(3001)], [copy])).has(copy)).toBe(true); // written after it
    expect((await look([found(2500)], [copy])).has(copy)).toBe(false);
    expect((await look([found(1000)], [copy])).has(copy)).toBe(false);
  });

  it('is not told by digests that a hashed name refutes, unless another bears them out', async () => {
    const lie = { md5: md5('a lie') };
    const options = { isVouchedFor: () => true, witness: async () => () => true };
    const refuted = await look([listed(CSS, lie), listed(PLAIN, lie)], [CSS, PLAIN], options);
    expect([refuted.has(CSS), refuted.has(PLAIN)]).toEqual([true, true]);
    const second = content('b.0123456789ab.css', 'second');
    const files = [listed(CSS, lie), listed(second), listed(PLAIN, lie)];
    expect((await look(files, [CSS, second, PLAIN], options)).has(PLAIN)).toBe(false);
  });

  it('is told of what is encoded by the manifest alone', async () => {
    const isEncoded = () => true;
    const found = [listed(CSS, { size: 3, md5: md5('...') })];
    const vouched = { isEncoded, isVouchedFor: () => true };
    expect((await look(found, [CSS], vouched)).has(CSS)).toBe(true);
    expect((await look(found, [CSS], { isEncoded })).has(CSS)).toBe(false);
    const encoded = content(CSS.name, '...');
    expect((await look(found, [CSS], { isEncoded })).holds(encoded)).toBe(true);
    expect((await look(found, [CSS], { isEncoded })).holds(content(CSS.name, '??.'))).toBe(false);
    const untold = [listed(encoded, { md5: undefined })];
    expect((await look(untold, [CSS], { isEncoded })).holds(encoded)).toBe(true);
    expect((await look(untold, [CSS], { isEncoded })).holds(content('a.css', '...'))).toBe(false);
  });

  it('is counted on where no manifest vouches for it', async () => {
    const counts = async (files: ListedFile[], vouched: boolean) =>
      (await look(files, [CSS], { isVouchedFor: () => vouched })).isCountedOn;
    expect(await counts([listed(CSS)], false)).toBe(true);
    expect(await counts([listed(CSS)], true)).toBe(false);
    expect(await counts([], false)).toBe(false);
  });
});

describe('a storage is asked', () => {
  const many = (count: number) =>
    Array.from({ length: count }, (_, at) => content(`${at}.0123456789ab.css`, `${at}`));

  async function asked(
    contents: readonly Content[],
    isVouchedFor: (content: Content) => boolean,
    verify = false,
  ) {
    const { storage, asked } = listing(contents.map((one) => listed(one)));
    const shelf = await lookInto(storage, contents, {
      ...{ manifestName: undefined, isEncoded: () => false, isVouchedFor, verify },
      witness: async () => () => false,
    });
    return { asked, isWhole: shelf.isWhole, lost: contents.filter((one) => !shelf.has(one)) };
  }

  it('for all that it has, of a few', async () => {
    const few = many(7999);
    expect(await asked(few, () => true)).toEqual({ asked: [''], isWhole: true, lost: [] });
    expect(await asked(few, () => false)).toEqual({ asked: [''], isWhole: true, lost: [] });
  });

  it('for the first of many others’ files, where nothing is unsure', async () => {
    const own = content('zz.0123456789ab.css', 'own');
    const others = Array.from({ length: 9000 }, (_, at) => ({ name: `${at}`, size: 1 }));
    const vouched = await look([...others, listed(own)], [own], { isVouchedFor: () => true });
    expect([vouched.isWhole, vouched.has(own)]).toEqual([false, true]);
    const unsure = await look([...others, listed(own)], [own]);
    expect([unsure.isWhole, unsure.has(own)]).toEqual([true, true]);
  });

  it('of many, for those that are unsure, by how their names begin', async () => {
    const all = many(8001);
    expect(await asked(all, () => true)).toEqual({ asked: [], isWhole: false, lost: [] });
    const one = await asked(all, ({ name }) => name !== '7.0123456789ab.css');
    expect(one).toEqual({ asked: ['7.'], isWhole: false, lost: [] });
    const ten = await asked(all, ({ size }) => size > 1);
    expect(ten).toEqual({ asked: [''], isWhole: true, lost: [] });
    expect(await asked(all, () => true, true)).toMatchObject({ asked: [''], isWhole: true });
  });
});
