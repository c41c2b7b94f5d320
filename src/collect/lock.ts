import {
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CollectError, systemCode } from '../errors.js';
import { linked } from './place.js';

/** The right to write, which one run has at a time. */
export interface Lock {
  /** Whether it was taken over from a run that was killed, and so may have left something. */
  readonly inherited: boolean;
  /** @throws {CollectError} where another run has taken it over meanwhile. */
  assertHeld(): void;
  release(): void;
}

interface Holder {
  readonly token: string;
  readonly pid: number;
  readonly host: string;
}

/** How often the holder shows that it lives, and after how long without that it counts as dead. */
const HEARTBEAT_MS = 5_000;
const DEAD_ELSEWHERE_MS = 60_000;
/** A process of that number lives here: it may be busy, or another one by now. */
const DEAD_HERE_MS = 600_000;
const POLL_MS = 100;
/** How often the lock may vanish before it can be read, as it does where runs end. */
const PATIENCE = 50;

/** The tokens of this process. */
const ours = new Set<string>();

/**
 * Takes the lock, a file; waits for a run that holds it, and takes over from one that was killed.
 *
 * @param onWait hears of the holder, once, if there is need to wait
 */
export async function takeLock(path: string, onWait: (holder: string) => void): Promise<Lock> {
  const own: Holder = { token: crypto.randomUUID(), pid: process.pid, host: hostname() };
  ours.add(own.token);
  let inherited = false;
  let failures = 0;
  for (let told = false; ; ) {
    const text = textOf(path);
    const silence = silenceOf(path);
    if (text === undefined || silence === undefined) {
      if (created(path, own)) break;
      failures++;
      if (failures > PATIENCE) {
        throw new CollectError(`The lock ${path} can be neither made nor read.`);
      }
      await pause(failures > 3 ? POLL_MS : 0);
    } else if (isDead(text, silence)) {
      takeAway(path, text, own.token);
      inherited = true;
    } else {
      if (!told) onWait(describe(text));
      told = true;
      await pause(POLL_MS);
    }
  }
  const isHeld = () => holderIn(textOf(path) ?? '')?.token === own.token;
  const heart = setInterval(() => {
    if (isHeld()) beat(path);
  }, HEARTBEAT_MS);
  heart.unref();
  return {
    inherited,
    assertHeld() {
      if (isHeld()) return;
      throw new CollectError(
        'Another run of collectstatic has taken over, for this one gave no sign of life; nothing was published. Run it again.',
      );
    },
    release() {
      clearInterval(heart);
      ours.delete(own.token);
      if (isHeld()) rmSync(path, { force: true });
    },
  };
}

/** Puts the lock where none is, in one step with what it says: a run may be killed at any moment. */
function created(path: string, holder: Holder): boolean {
  const draft = `${path}-${holder.token}`;
  mkdirSync(dirname(path), { recursive: true });
  try {
    writeFileSync(draft, JSON.stringify(holder));
    if (linked(draft, path)) return true;
    // It is taken by now, or there can be no hard links here.
    writeFileSync(path, JSON.stringify(holder), { flag: 'wx' });
    return true;
  } catch (error) {
    const code = systemCode(error);
    // ENOENT: a run that ends takes the empty folder along, one that begins sweeps it.
    if (code === 'EEXIST' || code === 'ENOENT') return false;
    throw error;
  } finally {
    rmSync(draft, { force: true });
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** `undefined`: it is being written at this moment, or was damaged. */
function holderIn(text: string): Holder | undefined {
  try {
    const { token, pid, host } = JSON.parse(text) as Holder;
    return Number.isSafeInteger(pid) && host ? { token, pid, host } : undefined;
  } catch {
    return undefined; // its age decides
  }
}

/** For how many milliseconds the holder has shown no life; `undefined` where the lock has gone. */
function silenceOf(path: string): number | undefined {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats && Date.now() - stats.mtimeMs;
}

function isDead(text: string, silence: number): boolean {
  const holder = holderIn(text);
  if (holder?.host !== hostname()) return silence > DEAD_ELSEWHERE_MS;
  // In a container that was started again, the number may be our own.
  if (holder.pid === process.pid && !ours.has(holder.token)) return true;
  return !lives(holder.pid) || silence > DEAD_HERE_MS;
}

function lives(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCode(error) !== 'ESRCH'; // such as a process of another user
  }
}

/** Removes the lock of a dead run, and only that: in the meantime another may have taken it. */
function takeAway(path: string, text: string, token: string): void {
  const aside = `${path}-${token}`;
  try {
    renameSync(path, aside);
    if (textOf(aside) !== text) linkSync(aside, path);
  } catch (error) {
    const code = systemCode(error);
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function beat(path: string): void {
  const now = new Date();
  try {
    utimesSync(path, now, now);
  } catch {
    // It was taken away; assertHeld() tells.
  }
}

function describe(text: string): string {
  const holder = holderIn(text);
  return holder ? `process ${holder.pid} on ${holder.host}` : 'another process';
}
