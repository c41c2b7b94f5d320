import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { archiveName } from '../../../src/archive.js';
import type { Content } from '../../../src/collect/elsewhere/content.js';
import {
  noteSureness,
  noteWriter,
  readArchive,
} from '../../../src/collect/elsewhere/generations.js';
import { witnessOf } from '../../../src/collect/elsewhere/witness.js';
import { serialiseManifest } from '../../../src/collect/publish.js';
import { MANIFEST_NAME } from '../../../src/manifest.js';
import type { Storage } from '../../../src/storage.js';
import { memoryStorage } from '../../../src/storages/memory.js';
import { pick, randomNumbers, shuffled } from '../random.js';
import { site } from './site.js';
import { lacking } from './stores.js';

const HOUR = 3_600_000;
const NAME = 'film.mp4';

/** A manifest of a release that has this film; of one without, where it is empty. */
const manifest = (film: string) =>
  serialiseManifest(film === '' ? [] : [{ name: NAME, hashedName: '-', size: 1, checksum: film }], {
    codings: [],
    encoding: undefined,
  });

const content = (md5: string): Content => ({
  ...{ name: NAME, source: { name: NAME, path: '/' }, from: '/', size: 1, md5 },
  ...{ isImmutable: false, isNamedByContent: false },
});

/** A deploy, as `b<a=film`, and when it began. */
type Row = readonly [text: string, hour: number];

async function archiveOf(rows: readonly Row[]) {
  const { attach, ...memory } = memoryStorage();
  const reads: string[] = [];
  const storage: Storage = {
    ...memory,
    async read(name) {
      reads.push(name);
      return memory.read(name);
    },
  };
  const add = async ([text, hour]: Row) => {
    const [, digest = '', after, film = ''] = /(\w+)<(\w+)=(\w*)/.exec(text) ?? [];
    const mtimeMs = hour * HOUR;
    await storage.write(archiveName(MANIFEST_NAME, digest, mtimeMs, after), manifest(film), {
      mtimeMs,
    });
  };
  for (const row of rows) await add(row);
  return { storage, reads, add };
}

/** Which film is told of a file that was written at that hour. */
async function told(
  storage: Storage,
  [digest, film, published]: readonly [string, string, number] | readonly [],
  hour: number,
): Promise<string> {
  const archive = await readArchive(storage, MANIFEST_NAME);
  const present = digest === undefined ? undefined : { digest, body: manifest(film ?? '') };
  const file = { name: NAME, size: 1, mtimeMs: hour * HOUR };
  const sure = await witnessOf(storage, archive, present)([file], published && published * HOUR);
  return ['A', 'B', 'C'].filter((one) => sure(content(one), file)).join();
}

describe('a file of which the listing tells no digest', () => {
  it.each<
    [why: string, rows: Row[], present: [string, string, number] | [], hour: number, is: string]
  >([
    ['is the published one', [['a<none=A', 1]], ['a', 'A', 2], 2, 'A'],
    ['is nobody knows whose, after that', [['a<none=A', 1]], ['a', 'A', 2], 3, ''],
    ['is nobody knows what, of no release', [['a<none=', 1]], ['a', '', 2], 2, ''],
    [
      'is its twin’s, after that',
      [
        ['a<none=A', 1],
        ['a<none=A', 2],
      ],
      ['a', 'A', 3],
      4,
      'A',
    ],
    [
      'is the published one, before another deploy began',
      [
        ['a<none=A', 1],
        ['b<a=B', 3],
      ],
      ['a', 'A', 2],
      2,
      'A',
    ],
    [
      'is of the deploy that began then, and failed',
      [
        ['a<none=A', 1],
        ['b<a=B', 3],
      ],
      ['a', 'A', 2],
      4,
      'B',
    ],
    [
      'is the one or the other where both were at work',
      [
        ['a<none=A', 1],
        ['b<none=B', 2],
      ],
      ['a', 'A', 3],
      2,
      '',
    ],
    [
      'is the same where both have the same',
      [
        ['a<none=A', 1],
        ['b<none=A', 2],
      ],
      ['a', 'A', 3],
      4,
      'A',
    ],
    [
      'is the published one where the other has none',
      [
        ['a<none=A', 1],
        ['b<none=', 2],
      ],
      ['a', 'A', 3],
      3,
      'A',
    ],
    [
      'is the one or the other of two that failed',
      [
        ['a<none=A', 1],
        ['b<a=B', 3],
        ['c<a=C', 4],
      ],
      ['a', 'A', 2],
      5,
      '',
    ],
    [
      'is of the first of them before the second',
      [
        ['a<none=A', 1],
        ['b<a=B', 3],
        ['c<a=C', 5],
      ],
      ['a', 'A', 2],
      4,
      'B',
    ],
    [
      'is of the second where the first was given up',
      [
        ['a<none=A', 1],
        ['b<a=B', 3],
        ['c<a=C', 5],
      ],
      ['a', 'A', 2],
      28,
      'C',
    ],
    [
      'is not of a deploy that was published before',
      [
        ['a<none=A', 1],
        ['b<a=B', 3],
      ],
      ['b', 'B', 4],
      4,
      'B',
    ],
    [
      'is of a first deploy that failed',
      [
        ['a<none=A', 1],
        ['b<none=A', 2],
      ],
      [],
      3,
      'A',
    ],
    ['is nobody knows whose before', [['a<none=A', 1]], [], 1, ''],
    ['is nobody knows whose where something was published once', [['b<a=A', 1]], [], 3, ''],
  ])('%s', async (_, rows, present, hour, is) => {
    const { storage } = await archiveOf(rows);
    expect(await told(storage, present, hour)).toBe(is);
  });

  it('is asked of those alone who may have written it', async () => {
    const { storage, reads } = await archiveOf([
      ['a<none=A', 1],
      ['b<a=B', 3],
      ['c<a=C', 30],
      ['c<a=C', 31],
    ]);
    await told(storage, ['a', 'A', 2], 2);
    expect(reads).toEqual([]);
    await told(storage, ['a', 'A', 2], 40);
    expect(reads).toEqual([expect.stringContaining('-c-after-a')]);
  });

  it('is told by those too who have come since the archive was read', async () => {
    const { storage, add } = await archiveOf([
      ['a<none=A', 1],
      ['b<a=A', 3],
    ]);
    const archive = await readArchive(storage, MANIFEST_NAME);
    const file = { name: NAME, size: 1, mtimeMs: 5 * HOUR };
    const isSure = async () => {
      const present = { digest: 'a', body: manifest('A') };
      return (await witnessOf(storage, archive, present)([file], 2 * HOUR))(content('A'), file);
    };
    expect(await isSure()).toBe(true);
    await add(['c<a=C', 4]);
    expect(await isSure()).toBe(false);
  });

  it('is not told where a manifest is gone, or others deploy too', async () => {
    const rows: Row[] = [
      ['a<none=A', 1],
      ['b<a=A', 3],
    ];
    const { storage } = await archiveOf(rows);
    expect(await told(storage, ['a', 'A', 2], 4)).toBe('A');
    const gone = { ...storage, read: async () => undefined };
    expect(await told(gone, ['a', 'A', 2], 4)).toBe('');
    await storage.write(archiveName('other.json', 'x', 0, 'none'), manifest(''));
    expect(await told(storage, ['a', 'A', 2], 4)).toBe('');
  });

  it('is of one who was forgotten, or of who has sent it again', async () => {
    const { storage } = await archiveOf([
      ['a<none=A', 1],
      ['b<none=B', 2],
    ]);
    const archive = await readArchive(storage, MANIFEST_NAME);
    await noteSureness(storage, archive, 'a');
    for (const { name, digest } of archive.generations) {
      if (digest === 'b') await storage.delete(name);
    }
    expect(await told(storage, ['a', 'A', 3], 4)).toBe('B');
    await noteWriter(storage, archive, { digest: 'a', body: manifest('A') });
    expect(await told(storage, ['a', 'A', 3], 4)).toBe('');
    expect(await told(storage, ['a', 'A', 3], 1)).toBe('A');
  });
});

describe('whatever fails, and whoever comes at once', () => {
  /** A storage whose clock tells seconds, whose listings tell no digests, and that is slow and may fail. */
  function weather(seed: number) {
    const { attach, ...memory } = memoryStorage();
    const random = randomNumbers(seed);
    const clock = { now: HOUR, isFair: true };
    async function pass(isSteady: boolean): Promise<{ mtimeMs: number }> {
      for (let turns = random(5); turns > 0 && !clock.isFair; turns--) await turn();
      clock.now += random(700);
      if (!clock.isFair && !isSteady && random(12) === 0) throw new Error('The storage is away.');
      return { mtimeMs: Math.floor(clock.now / 1000) * 1000 };
    }
    const storageOf = (isSteady: boolean): Storage => ({
      ...memory,
      async write(name, body) {
        if (random(2) === 0) await pass(isSteady); // it may fail before or after
        await memory.write(name, body, { mtimeMs: Math.floor(clock.now / 1000) * 1000 });
        await pass(isSteady);
      },
      async writeIf(name, body, tag) {
        const writing = await pass(isSteady);
        return (await memory.writeIf?.(name, body, tag, writing)) ?? 'unsupported';
      },
      async *entries(prefix) {
        await turn();
        for await (const { name, size, mtimeMs } of memory.entries?.(prefix) ?? []) {
          yield { name, size, mtimeMs };
        }
      },
    });
    return { storage: storageOf(false), steady: storageOf(true), clock, random };
  }

  it.each([1, 2, 12])('the next run makes all right (%i)', async (seed) => {
    const { storage, steady, clock, random } = weather(seed);
    const own = Array.from({ length: 5 }, (_, at) =>
      site({ 'film.mp4': `${at % 3}`, 'still.mp4': `${at % 2}`, 'x.txt': `${at}` }),
    );
    for (let round = 0; round < 50; round++) {
      clock.isFair = false;
      // Each another release: of one in the same millisecond, both have one name in the archive.
      const runs = shuffled(random, own)
        .slice(random(3) + 2)
        .map(async (one) => {
          // Who prunes and cannot say when that is over, is waited for.
          const kind = random(8);
          if (kind === 0) return one.files(steady).prune({ keep: 1 });
          return one.files(storage).collect({ postProcess: kind > 1 });
        });
      await Promise.allSettled(runs);
      clock.isFair = true;
      clock.now += pick(random, [0, 500, 5000, HOUR, 20 * HOUR, 30 * HOUR]);
      if (random(3) === 0) continue;
      await pick(random, own).files(storage).collect();
      expect([round, await lacking(storage)]).toEqual([round, []]);
    }
  });
});
