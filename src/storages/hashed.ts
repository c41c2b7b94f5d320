import { readFileSync } from 'node:fs';
import {
  ManifestError,
  NotReadyError,
  reason,
  SetupError,
  StaticFilesError,
  systemCode,
  UnknownNameError,
} from '../errors.js';
import { isFileName, type Manifest, parseManifest } from '../manifest.js';
import { didYouMean, nearNames } from '../near.js';
import { checkOptions } from '../options.js';
import type { StorageSetting } from '../settings.js';
import { isStorage, kindOf } from '../settings-checks.js';
import type { Storage, StorageContext } from '../storage.js';

export interface HashedStorageOptions {
  /** The storage of the files themselves. @default fileSystemStorage() */
  readonly over?: StorageSetting | undefined;
  /**
   * Whether an unknown name is an error; otherwise it gets the URL without a hash. Django's
   * `manifest_strict`.
   * @default true
   */
  readonly strict?: boolean | undefined;
  /** The manifest's name; Django's `manifest_name`. @default 'staticfiles.json' */
  readonly manifestName?: string | undefined;
  /** The storage of the manifest; Django's `manifest_storage`. @default over */
  readonly manifestStorage?: StorageSetting | undefined;
  /**
   * After how long the manifest is looked at again, in the background: seconds, or a text such as
   * `'30s'` or `'5m'`. `false`: only when `files.refresh()` says so.
   * @default false
   */
  readonly refresh?: number | string | false | undefined;
}

const OPTIONS = ['over', 'strict', 'manifestName', 'manifestStorage', 'refresh'] as const;

/**
 * Names with their content's hash, read from the manifest that collecting publishes; Django's
 * ManifestStaticFilesStorage. In development (`debug`) it answers URLs without a hash, and still
 * fails on names that collecting would not find.
 */
export function hashedStorage(options: HashedStorageOptions = {}): Storage {
  checkOptions('hashedStorage()', options, OPTIONS);
  checkValues(options);
  const refreshMs = milliseconds(options.refresh);
  const { over, manifestStorage, strict = true, manifestName = 'staticfiles.json' } = options;
  const policy: Policy = { strict, manifestName, refreshMs };
  const alone = typeof over === 'object' ? over : UNATTACHED;
  const place = typeof manifestStorage === 'object' ? manifestStorage : alone;
  return {
    ...fromManifest(alone, place, policy),
    attach(context) {
      const { settings, under } = context;
      const files = under(over);
      const manifests = manifestStorage === undefined ? files : under(manifestStorage);
      return settings.debug
        ? live(files, manifests, policy, context)
        : fromManifest(files, manifests, policy);
    },
  };
}

interface Policy {
  readonly strict: boolean;
  readonly manifestName: string;
  /** 0: never. */
  readonly refreshMs: number;
}

/** In production: the manifest knows every name. */
function fromManifest(files: Storage, manifestStorage: Storage, policy: Policy): Storage {
  const { strict, manifestName, refreshMs } = policy;
  const reader = manifestReader(manifestStorage, policy);

  function hashedName(name: string): string | undefined {
    return reader.current().paths.get(name);
  }

  return {
    ...passedOn(files),
    url(name) {
      if (isFolder(name)) return files.url(name);
      const hashed = hashedName(name);
      if (hashed !== undefined) return files.url(hashed);
      if (!strict) return files.url(name);
      const near = nearNames(name, reader.current().paths.keys());
      throw new UnknownNameError(
        `'${name}' is not in the manifest ${reader.location}.${didYouMean(near)} Run collectstatic if the file is new.`,
        name,
        near,
      );
    },
    stable: (files.stable ?? false) && refreshMs === 0,
    hashing: { manifestName, manifestStorage, hashedName },
    async ready() {
      await files.ready?.();
      await reader.ready();
    },
    async refresh() {
      await files.refresh?.();
      await reader.load();
    },
  };
}

/** In development: there is no manifest, and the finders know every name. */
function live(
  files: Storage,
  manifestStorage: Storage,
  { strict, manifestName }: Policy,
  { hasSource, requireSource }: StorageContext,
): Storage {
  return {
    ...passedOn(files),
    url(name) {
      if (strict && !isFolder(name)) requireSource(name);
      return files.url(name);
    },
    stable: false,
    hashing: {
      manifestName,
      manifestStorage,
      hashedName: (name) => (/[?#]/.test(name) && hasSource(name) ? name : undefined),
    },
    ready: async () => files.ready?.(),
    refresh: async () => files.refresh?.(),
  };
}

/** Folders have no content to hash; the empty name is the base URL. */
function isFolder(name: string): boolean {
  return name === '' || name.endsWith('/');
}

/** What the storage underneath does as it is. */
function passedOn(files: Storage): Omit<Storage, 'url'> {
  const { path, writeFile } = files;
  return {
    read: (name) => files.read(name),
    write: (name, body, writing) => files.write(name, body, writing),
    delete: (name) => files.delete(name),
    exists: (name) => files.exists(name),
    stat: (name) => files.stat(name),
    list: () => files.list(),
    ...(path && { path: (name) => path.call(files, name) }),
    ...(writeFile && { writeFile: (...args) => writeFile.apply(files, args) }),
  };
}

/** Holds the manifest: read at once from this machine, beforehand from elsewhere, again if wanted. */
function manifestReader(storage: Storage, { manifestName, refreshMs, strict }: Policy) {
  let manifest: Manifest | undefined;
  let lookedAt = 0;
  let looking = false;
  const location = () => storage.path?.(manifestName) ?? `'${manifestName}'`;

  function accept(bytes: Uint8Array | undefined): Manifest {
    lookedAt = Date.now();
    if (bytes !== undefined) {
      manifest = parseManifest(new TextDecoder().decode(bytes), location());
    } else if (!strict && (manifest === undefined || manifest.paths.size === 0)) {
      manifest = { paths: new Map() }; // names that nobody has hashed get their plain URLs
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

function checkValues({ strict, manifestName, over, manifestStorage }: HashedStorageOptions): void {
  const refuse = (key: string, rule: string): never => {
    throw new SetupError(`hashedStorage()'s ${key} must be ${rule}.`);
  };
  if (strict !== undefined && typeof strict !== 'boolean') refuse('strict', 'true or false');
  if (manifestName !== undefined && !isFileName(manifestName)) {
    refuse('manifestName', 'the name of a file');
  }
  for (const [key, value] of Object.entries({ over, manifestStorage })) {
    if (value === undefined || typeof value === 'function' || isStorage(value)) continue;
    refuse(key, `a storage, or a function that answers one, not ${kindOf(value)}`);
  }
}

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

function milliseconds(refresh: number | string | false | undefined): number {
  if (refresh === undefined || refresh === false) return 0;
  if (typeof refresh === 'number' && refresh > 0) return refresh * 1000;
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(String(refresh)) ?? [];
  const value = Number(amount) * (UNITS[unit] ?? Number.NaN);
  if (value > 0) return value;
  throw new SetupError(
    `hashedStorage()'s refresh must be false, seconds, or a text such as '30s' or '5m', not '${refresh}'.`,
  );
}

function unattached(): never {
  throw new SetupError(
    "hashedStorage() has no storage under it yet: hand it to createStaticFiles(), or give it 'over'.",
  );
}

const UNATTACHED: Storage = {
  read: unattached,
  write: unattached,
  delete: unattached,
  exists: unattached,
  stat: unattached,
  list: unattached,
  url: unattached,
  path: unattached,
};
