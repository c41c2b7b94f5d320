import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { durationText } from './durations.js';
import { earlierManifests } from './earlier-manifests.js';
import {
  ManifestError,
  NotReadyError,
  reason,
  StaticFilesError,
  StorageError,
  sentence,
  systemCode,
} from './errors.js';
import { type Manifest, NO_MANIFEST, parseManifest } from './manifest.js';
import type { Storage } from './storage.js';

export interface ReaderOptions {
  /** The manifest's name in the storage. */
  readonly manifestName: string;
  /** After how many milliseconds it is looked at again, a tenth more or less; 0: never. */
  readonly refreshMs: number;
  /** Whether there must be one; otherwise none is an empty one. */
  readonly strict: boolean;
  /** Where manifests of earlier deploys are kept; `undefined`: nowhere that they can be read. */
  readonly archive?: Storage | undefined;
  /**
   * After how many milliseconds without an answer nobody waits for a reading any more, and another one
   * may begin.
   * @default 60_000
   */
  readonly patienceMs?: number;
}

export interface ManifestReader {
  /** Where the manifest is, for messages. */
  readonly location: string;
  /**
   * The manifest, as it was read last.
   *
   * @throws {ManifestError} where there is none, or it is broken.
   * @throws {NotReadyError} where it is elsewhere, and has not been read yet.
   */
  current(): Manifest;
  /**
   * What an earlier manifest says of a name that the present one has not; only where it is read again
   * in the background.
   */
  earlierName(name: string): string | undefined;
  /** Reads it, unless it has been read; all who wait for that, wait for one reading. */
  ready(): Promise<void>;
  /** Reads it again; where that fails, or it is as it was, the one that was read stays. */
  load(): Promise<void>;
}

/** What ends within that time may be slow; what does not, such as a dead connection, may never end. */
const PATIENCE_MS = 60_000;
/** So long it is waited for manifests of earlier deploys; what comes later is taken too. */
const EARLIER_MS = 5000;
/** Servers that were started together do not ask together: by so much of an interval they differ. */
const JITTER = 0.1;

/** A reading that is under way. */
interface Reading {
  readonly since: number;
  readonly done: Promise<void>;
}

/** Holds the manifest: read at once from this machine, beforehand from elsewhere, again if wanted. */
export function manifestReader(
  storage: Storage,
  { manifestName, refreshMs, strict, archive, patienceMs = PATIENCE_MS }: ReaderOptions,
): ManifestReader {
  let manifest: Manifest | undefined;
  let digest: string | undefined;
  let tag: string | undefined;
  /** The reading that was begun last, until it ends. */
  let reading: Reading | undefined;
  let begun = 0;
  /** The number of the reading that was begun last, of those that succeeded. */
  let taken = 0;
  /** What the last reading that failed, failed with. */
  let fault: Error | undefined;
  /** Since when it could not be read in the background. */
  let awaySince: number | undefined;
  const earlier = refreshMs > 0 ? earlierManifests() : undefined;
  /** The reading of those before the one that this process has read first. */
  let looking: Promise<void> | undefined;
  const location = () => manifestPlace(storage, manifestName);

  /** Makes bytes the manifest; from the first on, they are looked at again if that is wanted. */
  function accept(bytes: Uint8Array | undefined): Manifest {
    const isFirst = manifest === undefined;
    const accepted = take(bytes);
    if (isFirst && refreshMs > 0) keepLooking(new WeakRef(reader), refreshMs);
    return accepted;
  }

  function take(bytes: Uint8Array | undefined): Manifest {
    if (bytes !== undefined) {
      // Who has made something of it, such as answers, need not make it anew.
      const found = manifest && digestOf(bytes);
      if (manifest !== undefined && found === digest) return manifest;
      const next = parseManifest(bytes, location());
      if (manifest === undefined) {
        if (earlier && archive) {
          looking = earlier.load(archive, manifestName, archivedAs(bytes), warn);
        }
      } else earlier?.add(manifest);
      manifest = next;
      digest = found;
    } else if (!strict && (manifest === undefined || manifest.paths.size === 0)) {
      digest = undefined;
      manifest = NO_MANIFEST; // names that nobody has hashed get their plain URLs
    } else {
      throw new ManifestError(
        `There is no manifest at ${location()}. Run collectstatic to write it; in development, set debug: true.`,
        location(),
      );
    }
    return manifest;
  }

  function unreadable(cause: unknown): Error {
    if (cause instanceof StaticFilesError && !(cause instanceof StorageError)) return cause;
    const why = `The manifest ${location()} cannot be read: ${reason(cause)}`;
    return new ManifestError(why, location(), { cause });
  }

  async function read(number: number): Promise<void> {
    try {
      const known = tag;
      const found = await versionOf(storage, manifestName, known);
      if (number < taken) return; // one that was begun later was faster, and knows better
      if (found === 'unchanged' && tag !== known) return read(number); // and this one, of what
      if (found !== 'unchanged') {
        accept(found?.body);
        tag = found?.tag;
      }
      taken = number;
      tellBack();
    } catch (cause) {
      const error = unreadable(cause);
      if (number > taken) fault = error;
      throw error;
    }
  }

  function begin(): Promise<void> {
    begun++;
    const own: Reading = { since: performance.now(), done: read(begun) };
    const end = () => {
      if (reading !== own) return;
      reading = undefined;
    };
    reading = own;
    own.done.then(end, end);
    return own.done;
  }

  /** The reading that is under way, while it is worth waiting for. */
  function promising(): Reading | undefined {
    return reading && performance.now() - reading.since < patienceMs ? reading : undefined;
  }

  function readNow(): Manifest {
    if (storage.path === undefined) throw notReady();
    const path = storage.path(manifestName);
    let bytes: Uint8Array | undefined;
    try {
      bytes = readFileSync(path);
    } catch (cause) {
      const code = systemCode(cause);
      if (code !== 'ENOENT' && code !== 'ENOTDIR') throw unreadable(cause);
    }
    return accept(bytes);
  }

  function notReady(): NotReadyError {
    if (fault !== undefined) {
      return new NotReadyError(
        `There are no URLs yet. ${sentence(fault.message)} files.ready() tries again.`,
        { cause: fault },
      );
    }
    const silence = reading ? `, and ${silenceOf(reading)}` : '';
    return new NotReadyError(
      `The manifest ${location()} is not on this machine and has not been read yet${silence}: await files.ready() before the first URL.`,
    );
  }

  function lookAgain(): void {
    if (promising()) return;
    if (reading !== undefined) {
      const why = `The manifest ${location()} cannot be read: ${silenceOf(reading)}`;
      tellAway(why, reading.since);
    }
    begin().catch((error: unknown) => {
      if (error === fault) tellAway(reason(error)); // and not one that was given up, and overtaken
    });
  }

  /** Once an outage, however often it is looked at meanwhile. */
  function tellAway(why: string, since = performance.now()): void {
    if (awaySince !== undefined) return;
    awaySince = since;
    warn(
      `${sentence(why)} The last good one stays. This is told once, and again when it can be read.`,
    );
  }

  function tellBack(): void {
    if (awaySince === undefined) return;
    const away = durationText(performance.now() - awaySince);
    awaySince = undefined;
    warn(`The manifest ${location()} can be read again, after ${away}.`);
  }

  const reader: ManifestReader & Looking = {
    get location() {
      return location();
    },
    load: begin,
    lookAgain,
    current: () => manifest ?? readNow(),
    earlierName: (name) => earlier?.hashedName(name),
    async ready() {
      if (manifest === undefined) await (promising()?.done ?? begin());
      // It is of use, and not needed: a store that answers nothing must not hold up a start.
      if (looking) await Promise.race([looking, pause(EARLIER_MS, undefined, { ref: false })]);
    },
  };
  return reader;
}

interface Looking {
  /** Reads it in the background, and tells where that fails. */
  lookAgain(): void;
}

/** What timers of Node can wait; beyond, they do not wait at all. */
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Looks again and again, also while nobody asks: after a quiet night, the files of yesterday's manifest
 * may have been pruned. It keeps neither the process alive nor a reader that nobody has any more.
 */
function keepLooking(reader: WeakRef<Looking>, refreshMs: number): void {
  const interval = refreshMs * (1 + JITTER * (2 * Math.random() - 1));
  const look = () => {
    const present = reader.deref();
    if (present === undefined) return;
    present.lookAgain();
    keepLooking(reader, refreshMs);
  };
  setTimeout(look, Math.min(interval, LONGEST_MS)).unref();
}

/** Where a manifest is, for messages. */
export function manifestPlace(storage: Storage, manifestName: string): string {
  if (storage.path !== undefined) return storage.path(manifestName);
  return storage.location === undefined ? `'${manifestName}'` : storage.location + manifestName;
}

/** What changed since `tag`, where the storage can tell; without tags, all of it. */
async function versionOf(storage: Storage, name: string, tag: string | undefined) {
  if (storage.readVersion !== undefined) return storage.readVersion(name, tag);
  const body = await storage.read(name);
  return body && { body, tag: undefined };
}

function warn(message: string): void {
  process.emitWarning(message, 'StaticFilesWarning');
}

function silenceOf({ since }: Reading): string {
  return `its storage has not answered for ${durationText(performance.now() - since)}`;
}

/** By what the archive names a manifest; see `collect/state`. */
function archivedAs(bytes: Uint8Array): string {
  return process.getBuiltinModule('node:crypto').hash('md5', bytes).slice(0, 12);
}

/** Loaded when a manifest is read again: no start needs it. */
function digestOf(bytes: Uint8Array): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha1').update(bytes).digest('base64');
}
