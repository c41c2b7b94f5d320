import { attachable } from '../attachable.js';
import { milliseconds } from '../durations.js';
import { SetupError, UnknownNameError } from '../errors.js';
import { isGlob } from '../globs.js';
import { isFileName, MANIFEST_NAME } from '../manifest.js';
import { manifestReader, type ReaderOptions } from '../manifest-reader.js';
import { didYouMean, nearNames } from '../near.js';
import { checkOptions } from '../options.js';
import { passedOn } from '../passed-on.js';
import type { StorageSetting } from '../settings.js';
import { isStorage, kindOf } from '../settings-checks.js';
import type { Hashing, Storage, StorageContext } from '../storage.js';
import { joinUrl } from '../urls.js';

export interface HashedStorageOptions {
  /** The storage of the files themselves. @default fileSystemStorage() */
  readonly over?: StorageSetting | undefined;
  /**
   * Whether an unknown name is an error; otherwise it gets the URL without a hash. Django's
   * `manifest_strict`.
   * @default true
   */
  readonly strict?: boolean | undefined;
  /**
   * The manifest's name; Django's `manifest_name`. Projects that collect into one place need one each.
   * @default 'staticfiles.json'
   */
  readonly manifestName?: string | undefined;
  /** The storage of the manifest; Django's `manifest_storage`. @default over */
  readonly manifestStorage?: StorageSetting | undefined;
  /**
   * After how long the manifest is looked at again: seconds, or a text such as `'30s'` or `'5m'`; a
   * tenth more or less, so that servers which were started together do not ask together. It is read
   * in the background, whether or not a URL is wanted; where that fails, the last good one stays, with
   * one warning of the process. `false`: only when `files.refresh()` says so.
   * @default false
   */
  readonly refresh?: number | string | false | undefined;
  /**
   * Which files are kept under their plain names besides: `true` is all, `false` none, and a list of
   * globs such as `['favicon.ico', 'robots.txt']` those. WhiteNoise's
   * WHITENOISE_KEEP_ONLY_HASHED_FILES, the other way round.
   * @default true
   */
  readonly keepOriginals?: boolean | readonly string[] | undefined;
}

const OPTIONS = [
  'over',
  'strict',
  'manifestName',
  'manifestStorage',
  'refresh',
  'keepOriginals',
] as const;

interface Policy extends ReaderOptions, Pick<Hashing, 'keepOriginals'> {}

/**
 * Names with their content's hash, read from the manifest that collecting publishes; Django's
 * ManifestStaticFilesStorage. In development (`debug`) it answers URLs without a hash, of files
 * elsewhere too under the setting `staticUrl`, and still fails on names that collecting would not find.
 */
export function hashedStorage(options: HashedStorageOptions = {}): Storage {
  checkOptions('hashedStorage()', options, OPTIONS);
  checkValues(options);
  const refreshMs = refreshMsOf(options.refresh);
  const { over, manifestStorage, strict = true, manifestName = MANIFEST_NAME } = options;
  const { keepOriginals: kept = true } = options;
  const keepOriginals = typeof kept === 'boolean' ? kept : Object.freeze([...kept]);
  const policy: Policy = { strict, manifestName, refreshMs, keepOriginals };
  const alone = typeof over === 'object' ? over : UNATTACHED;
  const place = typeof manifestStorage === 'object' ? manifestStorage : alone;
  return attachable(fromManifest(alone, place, policy), (context) => {
    const { settings, under } = context;
    const files = under(over);
    assertUnhashed(files);
    const manifests = manifestStorage === undefined ? files : under(manifestStorage);
    return settings.debug
      ? live(files, manifests, policy, context)
      : fromManifest(files, manifests, policy);
  });
}

/** In production: the manifest knows every name. */
function fromManifest(files: Storage, manifestStorage: Storage, policy: Policy): Storage {
  const { strict, manifestName, refreshMs, keepOriginals } = policy;
  const archive = files.path === undefined ? files : undefined;
  const manifest = manifestReader(manifestStorage, { ...policy, archive });

  function hashedName(name: string): string | undefined {
    return manifest.current().paths.get(name) ?? manifest.earlierName(name);
  }

  return {
    ...passedOn(files),
    url(name) {
      if (isFolder(name)) return files.url(name);
      const hashed = hashedName(name);
      if (hashed !== undefined) return files.url(hashed);
      if (!strict) return files.url(name);
      const near = nearNames(name, manifest.current().paths.keys());
      throw new UnknownNameError(
        `'${name}' is not in the manifest ${manifest.location}.${didYouMean(near)} Run collectstatic if the file is new.`,
        name,
        near,
      );
    },
    stable: (files.stable ?? false) && refreshMs === 0,
    hashing: {
      manifestName,
      manifestStorage,
      keepOriginals,
      baseUrl: () => baseUrlOf(files),
      hashedName,
      manifest: () => manifest.current(),
    },
    async ready() {
      await files.ready?.();
      await manifest.ready();
    },
    async refresh() {
      await files.refresh?.();
      await manifest.load();
    },
  };
}

/**
 * In development: there is no manifest, and the finders know every name. What is elsewhere is left
 * alone: there lie the files of the last deploy, and here the handler answers with the sources.
 */
function live(
  files: Storage,
  manifestStorage: Storage,
  { strict, manifestName, keepOriginals }: Policy,
  { settings, hasSource, requireSource }: StorageContext,
): Storage {
  const isElsewhere = files.path === undefined;
  return {
    ...passedOn(files),
    url(name) {
      if (strict && !isFolder(name)) requireSource(name);
      return isElsewhere ? joinUrl(settings.staticUrl, name) : files.url(name);
    },
    stable: false,
    hashing: {
      manifestName,
      manifestStorage,
      keepOriginals,
      baseUrl: () => baseUrlOf(files),
      hashedName: (name) => (/[?#]/.test(name) && hasSource(name) ? name : undefined),
      manifest: () => undefined,
    },
    async ready() {
      if (!isElsewhere) await files.ready?.();
    },
    async refresh() {
      if (!isElsewhere) await files.refresh?.();
    },
  };
}

/** What a store is asked for first, where nobody else knows its address. */
async function baseUrlOf(files: Storage): Promise<string> {
  await files.ready?.();
  return files.url('');
}

/** Folders have no content to hash; the empty name is the base URL. */
function isFolder(name: string): boolean {
  return name === '' || name.endsWith('/');
}

function checkValues(options: HashedStorageOptions): void {
  const { strict, manifestName, over, manifestStorage, keepOriginals = true } = options;
  const refuse = (key: string, rule: string): never => {
    throw new SetupError(`hashedStorage()'s ${key} must be ${rule}.`);
  };
  if (strict !== undefined && typeof strict !== 'boolean') refuse('strict', 'true or false');
  if (manifestName !== undefined && !isFileName(manifestName)) {
    refuse('manifestName', 'the name of a file');
  }
  if (typeof keepOriginals !== 'boolean' && !isListOfGlobs(keepOriginals)) {
    refuse(
      'keepOriginals',
      "true, false, or a list of globs such as ['favicon.ico', 'robots.txt']",
    );
  }
  for (const [key, value] of Object.entries({ over, manifestStorage })) {
    if (value === undefined || typeof value === 'function' || isStorage(value)) continue;
    refuse(key, `a storage, or a function that answers one, not ${kindOf(value)}`);
  }
  if (typeof over === 'object') assertUnhashed(over);
}

function assertUnhashed({ hashing }: Storage): void {
  if (hashing === undefined) return;
  throw new SetupError(
    "hashedStorage()'s over must be the storage of the files themselves, not another hashedStorage(): names get one hash.",
  );
}

function isListOfGlobs(value: unknown): boolean {
  return Array.isArray(value) && value.every(isGlob);
}

function refreshMsOf(refresh: number | string | false | undefined): number {
  if (refresh === undefined || refresh === false) return 0;
  const ms = milliseconds(refresh);
  if (ms !== undefined && ms > 0) return ms;
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
