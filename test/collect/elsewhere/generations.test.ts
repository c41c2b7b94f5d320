import { describe, expect, it } from 'vitest';
import { archiveName } from '../../../src/archive.js';
import {
  beginPruning,
  hasBeenPruned,
  isSureOfPlain,
  noteSureness,
  noteWriter,
  readArchive as readArchiveOf,
} from '../../../src/collect/elsewhere/generations.js';
import { MANIFEST_NAME } from '../../../src/manifest.js';
import type { Storage } from '../../../src/storage.js';
import { memoryStorage } from '../../../src/storages/memory.js';
import { entries } from './stores.js';

const HOUR = 3_600_000;
const NOW = Date.now();

const readArchive = (storage: Storage) => readArchiveOf(storage, MANIFEST_NAME);

/** A storage with generations such as `b<a`, each so many hours ago. */
async function archive(...generations: [text: string, hours: number][]) {
  const { attach, ...storage } = memoryStorage();
  await add(storage, MANIFEST_NAME, ...generations);
  return storage;
}

async function add(
  storage: Storage,
  manifestName: string,
  ...generations: [text: string, hours: number][]
) {
  for (const [text, hours] of generations) {
    const [digest = '', after] = text.split('<');
    const mtimeMs = NOW - hours * HOUR;
    const name = archiveName(manifestName, digest, mtimeMs, after);
    await storage.write(name, Buffer.from('{}'), { mtimeMs });
  }
}

type Row = [why: string, generations: [string, number][], isSure: boolean];

describe('plain names are as the manifest says', () => {
  it.each<Row>([
    [
      'where nobody else was there',
      [
        ['a<none', 9],
        ['b<a', 8],
      ],
      true,
    ],
    [
      'not where a deploy has begun since',
      [
        ['a<none', 9],
        ['b<a', 8],
        ['c<b', 7],
      ],
      false,
    ],
    [
      'not where one had begun that lost',
      [
        ['a<none', 9],
        ['c<a', 8],
        ['b<a', 7],
      ],
      false,
    ],
    [
      'where that was a day before',
      [
        ['a<none', 40],
        ['c<a', 39],
        ['b<a', 7],
      ],
      true,
    ],
    [
      'where many deployed the same',
      [
        ['a<none', 9],
        ['b<a', 8],
        ['b<a', 7],
        ['b<a', 7],
      ],
      true,
    ],
    [
      'and the one before, too',
      [
        ['a<none', 9],
        ['a<none', 8],
        ['b<a', 7],
      ],
      true,
    ],
    [
      'not where a late one of those is',
      [
        ['a<none', 9],
        ['b<a', 7],
        ['a<none', 6],
      ],
      false,
    ],
    [
      'not where a roll-back has lost',
      [
        ['x<none', 9],
        ['a<x', 8],
        ['x<a', 7],
        ['b<a', 6],
      ],
      false,
    ],
  ])('%s', async (_, generations, isSure) => {
    const storage = await archive(...generations);
    expect(isSureOfPlain(await readArchive(storage), 'b')).toBe(isSure);
  });

  it('not where nobody knows when it came', async () => {
    const storage = await archive(['a<none', 9]);
    expect(isSureOfPlain(await readArchive(storage), 'b')).toBe(false);
  });

  it('not where others are forgotten, until their day is over', async () => {
    const storage = await archive(['a<none', 9], ['c<a', 8], ['b<a', 7]);
    const noted = async () => (await readArchive(storage)).noted;
    await noteSureness(storage, await readArchive(storage), 'b');
    const [rival] = await noted();
    expect(rival).toMatchObject({ digest: 'c', from: NOW - 8 * HOUR });
    expect(Buffer.from((await storage.read(rival?.name ?? '')) ?? []).toString()).toBe('{}');
    for (const { name } of await entries(storage, '.staticfiles/manifests/')) {
      if (!name.includes('b-after')) await storage.delete(name);
    }
    expect(isSureOfPlain(await readArchive(storage), 'b')).toBe(false);
    // It may be at work still when the next one comes.
    await add(storage, MANIFEST_NAME, ['d<b', 6]);
    expect(isSureOfPlain(await readArchive(storage), 'd')).toBe(false);
    await noteSureness(storage, await readArchive(storage), 'd');
    expect(await noted()).toMatchObject([{ digest: 'c' }]);
    await add(storage, MANIFEST_NAME, ['e<d', -30]);
    expect(isSureOfPlain(await readArchive(storage), 'e')).toBe(true);
    await noteSureness(storage, await readArchive(storage), 'e');
    expect(await noted()).toEqual([]);
  });

  it('also where it was sent once more, as others learn', async () => {
    const storage = await archive(['a<none', 9], ['b<a', 8]);
    const body = Buffer.from('{"paths":{}}');
    await noteWriter(storage, await readArchive(storage), { digest: 'b', body });
    const own = await readArchive(storage);
    expect(own.noted).toMatchObject([{ digest: 'b', from: NOW - 8 * HOUR }]);
    expect(isSureOfPlain(own, 'b')).toBe(true);
    await add(storage, MANIFEST_NAME, ['c<b', 7]);
    expect(isSureOfPlain(await readArchive(storage), 'c')).toBe(false);
  });
});

describe('where others publish under another name', () => {
  it('plain names may be theirs, and generations are not', async () => {
    const storage = await archive(['a<none', 90], ['b<a', 80]);
    await add(storage, 'other.json', ['x<none', 85], ['y<x', 79]);
    const own = await readArchive(storage);
    expect(own.generations.map(({ digest }) => digest)).toEqual(['a', 'b']);
    expect(own.others.map(({ digest }) => digest)).toEqual(['x', 'y']);
    expect(isSureOfPlain(own, 'b')).toBe(false);
    const theirs = await readArchiveOf(storage, 'other.json');
    expect(theirs.generations).toEqual(own.others);
    expect(theirs.others).toEqual(own.generations);
  });

  it('what is known of theirs is not forgotten', async () => {
    const storage = await archive(['a<none', 9], ['b<a', 8]);
    await add(storage, 'other.json', ['y<none', 7], ['x<none', 6]);
    await noteSureness(storage, await readArchiveOf(storage, 'other.json'), 'y');
    await add(storage, MANIFEST_NAME, ['c<b', -30]);
    await noteSureness(storage, await readArchive(storage), 'c');
    expect((await readArchive(storage)).noted).toMatchObject([{ digest: 'x' }]);
  });
});

describe('who prunes', () => {
  const quiet = () => expect.fail('It waits.');

  it('is seen while it goes on, and afterwards', async () => {
    const storage = await archive(['a<none', 1]);
    const before = await readArchive(storage);
    expect(before).toMatchObject({ pruned: '', pruning: [] });
    expect(await hasBeenPruned(storage, before, quiet)).toBe(false);
    const mark = await beginPruning(storage);
    const during = await readArchive(storage);
    expect(during).toMatchObject({ pruned: '', pruning: [{}] });
    await mark.end();
    const after = await readArchive(storage);
    expect(after.pruning).toEqual([]);
    expect(await hasBeenPruned(storage, before, quiet)).toBe(true);
    expect(await hasBeenPruned(storage, during, quiet)).toBe(true);
    expect(await hasBeenPruned(storage, after, quiet)).toBe(false);
    await (await beginPruning(storage)).end();
    expect(await hasBeenPruned(storage, after, quiet)).toBe(true);
  });
});
