import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  beginPruning,
  hasBeenPruned,
  readArchive,
} from '../../../src/collect/elsewhere/generations.js';
import { MANIFEST_NAME } from '../../../src/manifest.js';
import type { Storage } from '../../../src/storage.js';
import { memoryStorage } from '../../../src/storages/memory.js';
import { site } from './site.js';
import { fileNames } from './stores.js';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ['Date', 'setInterval'] }));
afterEach(() => void vi.useRealTimers());

function inMinutes(minutes: number): void {
  vi.setSystemTime(START + minutes * MINUTE);
}

/** Somebody deploys, has read the archive, and has announced it just now; whether it is to begin anew. */
async function isToBeginAnew(
  storage: Storage,
  before = readArchive(storage, MANIFEST_NAME),
): Promise<boolean> {
  const archive = await before;
  await storage.write('.staticfiles/manifests/20260101T000000.000Z-abc.json', Buffer.from('{}'));
  return hasBeenPruned(storage, archive, () => {
    throw new Error('It waits.');
  });
}

describe('who deploys', () => {
  it('does not begin anew where nobody prunes, or has done so before', async () => {
    const storage = memoryStorage();
    expect(await isToBeginAnew(storage)).toBe(false);
    await (await beginPruning(storage)).end();
    expect(await isToBeginAnew(storage)).toBe(false);
  });

  it('begins anew where somebody has pruned meanwhile', async () => {
    const storage = memoryStorage();
    for (let time = 0; time < 2; time++) {
      const before = await readArchive(storage, MANIFEST_NAME);
      await (await beginPruning(storage)).end();
      expect(await isToBeginAnew(storage, Promise.resolve(before))).toBe(true);
    }
  });

  it('waits for whoever prunes for long, as long as there are signs of it', async () => {
    const storage = memoryStorage();
    const mark = await beginPruning(storage);
    for (let minute = 0; minute < 10; minute++) await vi.advanceTimersByTimeAsync(MINUTE);
    mark.check();
    await expect(isToBeginAnew(storage)).rejects.toThrow('It waits.');
    await mark.end();
    expect((await readArchive(storage, MANIFEST_NAME)).pruning).toEqual([]);
  });

  it('does not wait for one that was killed', async () => {
    const storage = memoryStorage();
    await beginPruning(storage);
    inMinutes(1.9);
    await expect(isToBeginAnew(storage)).rejects.toThrow('It waits.');
    inMinutes(2.1);
    expect(await isToBeginAnew(storage)).toBe(false);
  });
});

describe('who prunes', () => {
  it('deletes nothing any more when it was held up, and does not come back', async () => {
    const storage = memoryStorage();
    const mark = await beginPruning(storage);
    inMinutes(0.4);
    mark.check();
    inMinutes(0.6);
    const message =
      'Not all was pruned: this was held up for so long, and could not tell others in the storage that it goes on, that they may count on files again. Run prune again.';
    expect(() => mark.check()).toThrow(message);
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(() => mark.check()).toThrow(message);
    const { pruning } = await readArchive(storage, MANIFEST_NAME);
    expect(pruning.map(({ mtimeMs }) => mtimeMs)).toEqual([START]);
  });

  it('says what kept it from telling; one fault does not', async () => {
    const storage: Storage = { ...memoryStorage() };
    const { write } = storage;
    const mark = await beginPruning(storage);
    storage.write = async () => {
      storage.write = write;
      throw new Error('The store is busy.');
    };
    await vi.advanceTimersByTimeAsync(MINUTE);
    mark.check();
    storage.write = async () => {
      throw new Error('The store is full.');
    };
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(() => mark.check()).toThrow('(The store is full.)');
  });

  it('ends where it is, and goes on the next time', async () => {
    const { attach: _, ...storage } = memoryStorage();
    const own = site();
    const hashed = { keepOriginals: false };
    for (const release of ['1', '2']) {
      inMinutes(Number(release));
      own.change({ 'a.txt': release, 'b.txt': release, 'c.txt': release });
      await own.files(storage, { hashed }).collect();
    }
    const before = await fileNames(storage);
    let deleted = 0;
    const sleepy: Storage = {
      ...storage,
      concurrency: 1,
      async delete(name) {
        await storage.delete(name);
        if (++deleted === 2) inMinutes(10);
      },
    };
    await expect(own.files(sleepy, { hashed }).prune({ keep: 1 })).rejects.toThrow('held up');
    expect(deleted).toBe(3); // two files, and its mark
    expect(await own.files(storage, { hashed }).prune({ keep: 1 })).toMatchObject({
      deleted: [expect.stringMatching(/^[abc]\.\w+\.txt$/), expect.stringContaining('manifests/')],
    });
    expect(await fileNames(storage)).toHaveLength(before.length - 3);
  });
});
