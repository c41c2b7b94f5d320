import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { type Lock, takeLock } from '../../src/collect/lock.js';
import { project } from '../project.js';
import { fill, mount, tmpfs } from '../tmpfs.js';

// For the one moment that nothing else can bring about; all else is done by the system.
vi.mock('node:fs', { spy: true });

const MINUTE = 60_000;

/** A lock file with this content that was last touched so long ago. */
function lockFile(content: string | object, silentMs = 0): string {
  const path = join(project({}), 'deep/lock');
  mkdirSync(dirname(path));
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
  age(path, silentMs);
  return path;
}

function age(path: string, silentMs: number): void {
  const time = new Date(Date.now() - silentMs);
  utimesSync(path, time, time);
}

/** The number of a process that has ended. */
function deadPid(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

/** Takes it where that needs no waiting. */
async function atOnce(path: string): Promise<Lock> {
  return takeLock(path, (holder) => expect.fail(`It waits for ${holder}.`));
}

/** Whom it waits for; it has the lock as soon as that one's is removed. */
async function waitsFor(path: string): Promise<string> {
  const told: string[] = [];
  const waiting = takeLock(path, (holder) => told.push(holder));
  await pause(350); // several looks at it
  expect(told).toHaveLength(1);
  rmSync(path);
  (await waiting).release();
  return told[0] as string;
}

describe('the lock', () => {
  it('is a file, in a folder that is made for it, until it is released', async () => {
    const path = join(project({}), 'a/b/lock');
    const lock = await atOnce(path);
    expect(JSON.parse(readFileSync(path, 'utf8'))).toMatchObject({
      pid: process.pid,
      host: hostname(),
    });
    expect(lock.inherited).toBe(false);
    lock.assertHeld();
    lock.release();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('is held by one at a time, whoever asks', async () => {
    const path = join(project({}), 'lock');
    let inside = 0;
    let most = 0;
    await Promise.all(
      Array.from({ length: 8 }, async () => {
        const lock = await takeLock(path, () => {});
        inside++;
        most = Math.max(most, inside);
        await pause(5);
        lock.assertHeld();
        inside--;
        lock.release();
      }),
    );
    expect(most).toBe(1);
  });

  it('is waited for in a folder that goes with it', async () => {
    const path = join(project({}), 'folder/lock');
    const first = await atOnce(path);
    const second = takeLock(path, () => {});
    await pause(50);
    first.release();
    rmSync(dirname(path), { recursive: true });
    const lock = await second;
    lock.assertHeld();
    lock.release();
  });

  it('shows that its holder lives', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
    try {
      const path = join(project({}), 'lock');
      const lock = await atOnce(path);
      age(path, 10 * MINUTE);
      vi.advanceTimersByTime(10_000);
      expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(MINUTE);
      lock.release();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe('the lock of a run that is dead is taken over at once:', () => {
  it.each([
    ['its process has ended', () => ({ pid: deadPid(), host: hostname() }), 0],
    ['its number is this process’s own, by now', () => ({ pid: process.pid, host: hostname() }), 0],
    ['its number has lived on without a sign', () => ({ pid: 1, host: hostname() }), 11 * MINUTE],
    [
      'it was on another host, silent for a minute',
      () => ({ pid: 1, host: 'other' }),
      1.1 * MINUTE,
    ],
    ['it is empty, and old', () => '', 1.1 * MINUTE],
    ['it is damaged, and old', () => '{"pid": 5', 1.1 * MINUTE],
  ])('%s', async (_, holder, silentMs) => {
    const content = holder();
    const path = lockFile(
      typeof content === 'string' ? content : { token: 't', ...content },
      silentMs,
    );
    const lock = await atOnce(path);
    expect(lock.inherited).toBe(true);
    lock.assertHeld();
    lock.release();
    expect(readdirSync(dirname(path))).toEqual([]);
  });
});

describe('the lock of a run that may live is waited for:', () => {
  it.each([
    ['another process here', { pid: process.ppid, host: hostname() }, MINUTE, /^process \d+ on ./],
    ['one on another host', { pid: 4711, host: 'other' }, MINUTE / 2, /^process 4711 on other$/],
    ['one that is empty yet', '', 0, /^another process$/],
    ['one that is half written', '{"token":"1","pid":', 0, /^another process$/],
    ['one with other JSON', '[1]', 0, /^another process$/],
    ['one with null', 'null', 0, /^another process$/],
    ['one with other members', { pid: 'x', host: 5 }, 0, /^another process$/],
    ['one from the future', { pid: 4711, host: 'other' }, -MINUTE, /^process 4711 on other$/],
  ])('%s', async (_, content, silentMs, holder) => {
    expect(await waitsFor(lockFile(content, silentMs))).toMatch(holder);
  });

  it('until it has been silent for too long', async () => {
    const path = lockFile({ token: 't', pid: 4711, host: 'other' });
    const told: string[] = [];
    const waiting = takeLock(path, (holder) => told.push(holder));
    await pause(250);
    age(path, 2 * MINUTE);
    (await waiting).release();
    expect(told).toEqual(['process 4711 on other']);
  });
});

it('the lock of a run that ends while it is looked at, is not waited for', async () => {
  const path = lockFile({ token: 't', pid: process.ppid, host: hostname() });
  vi.mocked(statSync).mockImplementationOnce(() => {
    rmSync(path);
    return undefined;
  });
  const lock = await atOnce(path);
  expect(lock.inherited).toBe(false);
  lock.release();
});

describe('a lock that was taken away', () => {
  it.each([
    ['removed', (path: string) => rmSync(path)],
    ['another’s now', (path: string) => writeFileSync(path, '{"token":"x","pid":1,"host":"h"}')],
    ['damaged', (path: string) => writeFileSync(path, '')],
  ])('is told, and left to others: %s', async (_, take) => {
    const path = join(project({}), 'lock');
    const lock = await atOnce(path);
    take(path);
    expect(() => lock.assertHeld()).toThrow(/Another run .* has taken over.*nothing was published/);
    const left = existsSync(path) && readFileSync(path, 'utf8');
    lock.release();
    expect(existsSync(path) && readFileSync(path, 'utf8')).toBe(left);
  });
});

describe.skipIf(!tmpfs.allowed)(`where the disk is full${tmpfs.why}`, () => {
  it('no lock is left that nobody holds', async () => {
    const folder = join(project({}), 'full');
    mount(folder);
    fill(join(folder, 'filler'), folder, 0);
    await expect(atOnce(join(folder, 'lock'))).rejects.toThrow('ENOSPC');
    expect(readdirSync(folder)).toEqual(['filler']);
    rmSync(join(folder, 'filler'));
    (await atOnce(join(folder, 'lock'))).release();
  });
});
