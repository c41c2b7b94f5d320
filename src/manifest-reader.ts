import { readFileSync } from 'node:fs';
import { ManifestError, NotReadyError, reason, StaticFilesError, systemCode } from './errors.js';
import { type Manifest, NO_MANIFEST, parseManifest } from './manifest.js';
import type { Storage } from './storage.js';

export interface ReaderOptions {
  /** The manifest's name in the storage. */
  readonly manifestName: string;
  /** After how many milliseconds it is looked at again; 0: never. */
  readonly refreshMs: number;
  /** Whether there must be one; otherwise none is an empty one. */
  readonly strict: boolean;
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
  /** Reads it, unless it has been read. */
  ready(): Promise<void>;
  /** Reads it again; where that fails, or it is as it was, the one that was read stays. */
  load(): Promise<void>;
}

/** Holds the manifest: read at once from this machine, beforehand from elsewhere, again if wanted. */
export function manifestReader(
  storage: Storage,
  { manifestName, refreshMs, strict }: ReaderOptions,
): ManifestReader {
  let manifest: Manifest | undefined;
  let digest: string | undefined;
  let lookedAt = 0;
  let looking = false;
  const location = () => storage.path?.(manifestName) ?? `'${manifestName}'`;

  function accept(bytes: Uint8Array | undefined): Manifest {
    lookedAt = Date.now();
    if (bytes !== undefined) {
      // Who has made something of it, such as answers, need not make it anew.
      const found = manifest && digestOf(bytes);
      if (manifest !== undefined && found === digest) return manifest;
      manifest = parseManifest(bytes, location());
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
    if (cause instanceof StaticFilesError) return cause;
    const why = `The manifest ${location()} cannot be read: ${reason(cause)}`;
    return new ManifestError(why, location(), { cause });
  }

  async function load(): Promise<void> {
    let bytes: Uint8Array | undefined;
    try {
      bytes = await storage.read(manifestName);
    } catch (cause) {
      throw unreadable(cause);
    }
    accept(bytes);
  }

  function readNow(): Manifest {
    if (storage.path === undefined) {
      throw new NotReadyError(
        `The manifest '${manifestName}' is not on this machine and has not been read yet: await files.ready() before the first URL.`,
      );
    }
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

  function lookAgain(): void {
    lookedAt = Date.now();
    looking = true;
    load()
      .catch((error: unknown) => {
        process.emitWarning(
          `The manifest ${location()} could not be read again, and the last good one stays: ${error}`,
        );
      })
      .finally(() => {
        looking = false;
      });
  }

  return {
    get location() {
      return location();
    },
    load,
    current(): Manifest {
      if (manifest === undefined) return readNow();
      if (refreshMs > 0 && !looking && Date.now() - lookedAt >= refreshMs) lookAgain();
      return manifest;
    },
    async ready() {
      if (manifest === undefined) await load();
    },
  };
}

/** Loaded when a manifest is read again: no start needs it. */
function digestOf(bytes: Uint8Array): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('sha1').update(bytes).digest('base64');
}
