import { setTimeout as pause } from 'node:timers/promises';
import { durationText, milliseconds } from './durations.js';
import { isPassing, NotReadyError, reason, SetupError } from './errors.js';
import { manifestPlace } from './manifest-reader.js';
import { checkOptions } from './options.js';
import type { Storage } from './storage.js';

export interface ReadyOptions {
  /**
   * For how long it is waited at most: seconds, or a text such as `'10s'` or `'1m'`. `false`: as long
   * as it takes. A store that is away, or too busy, is asked again until then; what will not pass, such
   * as wrong credentials, fails at once.
   * @default '30s'
   */
  readonly timeout?: number | string | false | undefined;
}

const DEFAULT_TIMEOUT = '30s';
/** What timers of Node can wait; beyond, they do not wait at all. */
const LONGEST_MS = 2 ** 31 - 1;
/** Before it is tried a second time; each time twice as long, by chance up to half less. */
const PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 5000;

/**
 * Waits for a storage, no longer than it is told, and tries again what may pass. All who wait at the
 * same time wait for one attempt; one that somebody gave up may never end, and so who comes after that
 * begins anew.
 */
export function readiness(storageOf: () => Storage): (options?: ReadyOptions) => Promise<void> {
  let attempt: Promise<void> | undefined;
  let successes = 0;
  let isStale = false;
  /** What the last attempt failed with. */
  let fault: unknown;

  async function fetchFrom(storage: Storage): Promise<void> {
    try {
      await (isStale && storage.refresh ? storage.refresh() : storage.ready?.());
    } catch (error) {
      fault = error;
      throw error;
    }
    successes++;
    isStale = false;
    fault = undefined;
  }

  function begin(): Promise<void> {
    const own = fetchFrom(storageOf());
    const end = () => {
      if (attempt === own) attempt = undefined;
    };
    attempt = own;
    own.then(end, end);
    return own;
  }

  return async (options = {}) => {
    const timeoutMs = timeoutOf(options);
    const end = performance.now() + timeoutMs;
    const before = successes;
    for (let tries = 1; ; tries++) {
      const own = attempt ?? begin();
      try {
        if ((await isInTime(own, end - performance.now())) || successes > before) return;
      } catch (error) {
        const pauseMs = pauseAfter(tries);
        if (!isPassing(error) || performance.now() + pauseMs >= end) throw error;
        await pause(pauseMs);
        if (successes > before) return;
        continue;
      }
      isStale = true;
      if (attempt === own) attempt = undefined;
      throw late(storageOf(), timeoutMs, fault);
    }
  };
}

/** In milliseconds. Servers that were started together do not ask together. */
function pauseAfter(tries: number): number {
  return Math.min(PAUSE_MS * 2 ** (tries - 1), LONGEST_PAUSE_MS) * (1 - Math.random() / 2);
}

function timeoutOf(options: ReadyOptions): number {
  checkOptions('ready()', options, ['timeout']);
  const { timeout = DEFAULT_TIMEOUT } = options;
  if (timeout === false) return Number.POSITIVE_INFINITY;
  const ms = milliseconds(timeout);
  if (ms !== undefined && ms > 0) return ms;
  throw new SetupError(
    `ready()'s timeout must be false, seconds, or a text such as '10s' or '1m', not '${timeout}'.`,
  );
}

/** Whether a promise is fulfilled by then. The timer is gone as soon as that is known. */
async function isInTime(promise: Promise<void>, ms: number): Promise<boolean> {
  const done = promise.then(() => true);
  if (ms > LONGEST_MS) return done;
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  try {
    return await Promise.race([done, tooLong]);
  } finally {
    clearTimeout(timer);
  }
}

function late(storage: Storage, timeoutMs: number, fault: unknown): NotReadyError {
  const { hashing, location } = storage;
  const what =
    hashing === undefined
      ? `The storage ${location ?? 'of the static files'} is not ready`
      : `The manifest ${manifestPlace(hashing.manifestStorage, hashing.manifestName)} has not been read`;
  const before = fault === undefined ? '' : ` The attempt before failed: ${reason(fault)}`;
  return new NotReadyError(
    `${what} after ${durationText(timeoutMs)}: the storage has not answered. Check that it is up and can be reached from here (network, endpoint, credentials), or wait longer: files.ready({ timeout: '2m' }).${before}`,
    fault === undefined ? undefined : { cause: fault },
  );
}
