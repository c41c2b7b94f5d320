import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  beginPruning,
  hasBeenPruned,
  readArchive,
} from '../../../src/collect/elsewhere/generations.js';
import type { CollectEvent } from '../../../src/collect/run.js';
import { createStaticFiles } from '../../../src/static-files.js';
import type { Storage } from '../../../src/storage.js';
import { hashedStorage } from '../../../src/storages/hashed.js';
import { memoryStorage } from '../../../src/storages/memory.js';
import { add, project } from '../../project.js';

const START = Date.UTC(2026, 0, 1);
const MINUTE = 60_000;

beforeEach(() => void vi.useFakeTimers({ now: START, toFake: ['Date', 'setInterval'] }));
afterEach(() => void vi.useRealTimers());

function inMinutes(minutes: number): void {
  vi.setSystemTime(START + minutes * MINUTE);
}

async function names(storage: Storage): Promise<string[]> {
  const found: string[] = [];
  for await (const name of storage.list()) found.push(name);
  return found.sort();
}

/** What somebody who deploys asks, and what it is told besides. */
function asking(storage: Storage) {
  const told: string[] = [];
  const tell = (event: CollectEvent) => {
    if (event.type === 'wait') told.push(event.message);
  };
  return {
    told,
    since: (before: Awaited<ReturnType<typeof readArchive>>) =>
      hasBeenPruned(storage, before, tell),
  };
}

/** A deploy has begun just now. */
async function announced(storage: Storage): Promise<void> {
  await storage.write('.staticfiles/manifests/20260101T000000.000Z-abc.json', Buffer.from('{}'));
}

describe('who deploys', () => {
  it('waits for nobody, where nobody prunes', async () => {
    const storage = memoryStorage();
    const { since, told } = asking(storage);
    expect(await since(await readArchive(storage))).toBe(false);
    const turn = await beginPruning(storage);
    await turn.end();
    const before = await readArchive(storage);
    await announced(storage);
    expect(await since(before)).toBe(false);
    expect(told).toEqual([]);
  });

  it('hears of who began and ended meanwhile', async () => {
    const storage = memoryStorage();
    for (let time = 0; time < 2; time++) {
      const before = await readArchive(storage);
      const turn = await beginPruning(storage);
      await turn.end();
      await announced(storage);
      expect(await asking(storage).since(before)).toBe(true);
    }
  });

  it('waits for the end of it, of all who prune', async () => {
    const storage = memoryStorage();
    const [one, two] = [await beginPruning(storage), await beginPruning(storage)];
    const before = await readArchive(storage);
    await announced(storage);
    const { since, told } = asking(storage);
    let isOver = false;
    const answer = since(before).finally(() => {
      isOver = true;
    });
    await vi.waitUntil(() => told.length > 0);
    await one.end();
    const { pruning } = await readArchive(storage);
    expect(pruning).toHaveLength(1);
    expect(isOver).toBe(false);
    await two.end();
    expect(await answer).toBe(true);
    expect(told).toEqual([
      'Files of earlier deploys are being pruned in the storage; waiting for the end of that, or for 2 minutes without a sign of it.',
    ]);
  });

  it('does not wait for one that was killed some time ago', async () => {
    const storage = memoryStorage();
    await beginPruning(storage);
    const before = await readArchive(storage);
    inMinutes(3);
    await announced(storage);
    const { since, told } = asking(storage);
    expect(await since(before)).toBe(true);
    expect(await since(await readArchive(storage))).toBe(false);
    expect(told).toEqual([]);
  });

  it('waits two minutes for one that was killed just now', async () => {
    const storage = memoryStorage();
    await beginPruning(storage);
    const before = await readArchive(storage);
    await announced(storage);
    const { since, told } = asking(storage);
    const answer = since(before);
    await vi.waitUntil(() => told.length > 0);
    inMinutes(2.1);
    expect(await answer).toBe(true);
  });
});

describe('who prunes', () => {
  it('deletes nothing any more, when others may think that it is over', async () => {
    const turn = await beginPruning(memoryStorage());
    inMinutes(0.4);
    turn.check();
    inMinutes(0.6);
    expect(() => turn.check()).toThrow(
      /^Not all was pruned, .*: it was held up\. Run prune again\.$/,
    );
  });

  it('says all the time that it does', async () => {
    const storage = memoryStorage();
    const turn = await beginPruning(storage);
    for (let minute = 1; minute <= 10; minute++) await vi.advanceTimersByTimeAsync(MINUTE);
    turn.check();
    const { pruning } = await readArchive(storage);
    expect(pruning.map(({ mtimeMs }) => mtimeMs)).toEqual([START + 10 * MINUTE]);
    await turn.end();
    expect(await names(storage)).toEqual(['.staticfiles/pruned.json']);
  });

  it('gives up where somebody thinks that it is over', async () => {
    const storage = memoryStorage();
    const turn = await beginPruning(storage);
    const { pruning } = await readArchive(storage);
    for (const { name } of pruning) await storage.delete(name);
    await vi.advanceTimersByTimeAsync(MINUTE / 6);
    expect(() => turn.check()).toThrow('Not all was pruned');
    expect(await names(storage)).toEqual([]);
  });

  it('says what kept it from that', async () => {
    const storage = memoryStorage();
    const broken: Storage = { ...storage };
    const turn = await beginPruning(broken);
    broken.write = async () => {
      throw new Error('The store is full.');
    };
    await vi.advanceTimersByTimeAsync(MINUTE);
    expect(() => turn.check()).toThrow('The store is full.');
  });

  it('ends where it is, and goes on the next time', async () => {
    const root = project({});
    const { attach: _, ...storage } = memoryStorage({ baseUrl: '/' });
    let deleted = 0;
    const sleepy: Storage = {
      ...storage,
      concurrency: 1,
      async delete(name) {
        await storage.delete(name);
        if (++deleted === 2) inMinutes(10);
      },
    };
    const files = (over: Storage) =>
      createStaticFiles({
        baseDir: root,
        dirs: ['static'],
        storage: hashedStorage({ over, keepOriginals: false }),
        debug: false,
      });
    for (const release of ['1', '2']) {
      add(join(root, 'static'), { 'a.css': release, 'b.css': release, 'c.css': release });
      await files(storage).collect();
    }
    await expect(files(sleepy).prune({ keep: 1 })).rejects.toThrow('Not all was pruned');
    expect(deleted).toBe(3); // two files, and its mark
    const report = await files(storage).prune({ keep: 1 });
    expect(report.deleted).toHaveLength(2); // the third file, and the manifest
    const left = await names(storage);
    expect(left.filter((name) => /^[abc]/.test(name))).toHaveLength(3);
  });
});
