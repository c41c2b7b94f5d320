import type { PruneReport } from './collect/deploys.js';
import type { PruneOptions } from './collect/prune.js';
import type { CollectOptions, CollectReport } from './collect/run.js';
import { type Problem, SettingsError, SetupError } from './errors.js';
import type { Finder } from './finder.js';
import { appDirsFinder } from './finders/app-dirs.js';
import { dirsFinder } from './finders/dirs.js';
import { lazy, lazyAsync, loadedOnce } from './lazy.js';
import type { NodeHandler } from './next.js';
import { type ReadyOptions, readiness } from './ready.js';
import { resolveSettings } from './resolve-settings.js';
import type { Server } from './serve/server.js';
import type { FetchHandler } from './serve/web.js';
import type { ResolvedSettings, Settings } from './settings.js';
import { isFinder, isStorage, kindOf } from './settings-checks.js';
import { type Sources, sourcesOf } from './sources.js';
import type { Storage } from './storage.js';
import { fileSystemStorage } from './storages/filesystem.js';
import { type UrlResolver, urlResolver } from './url-resolver.js';
import { joinStoreUrl } from './urls.js';

/** A project's static files. Its functions need no `this`. */
export interface StaticFiles {
  /** The settings, complete. */
  readonly settings: ResolvedSettings;
  /** Where collected files go; complete by the settings. */
  readonly storage: Storage;
  /**
   * The URL of a static file; the base URL for the empty name. From the first `?` or `#` on, the
   * name is a suffix that the URL keeps.
   *
   * @throws {NameError} for a name that can be none.
   * @throws {UnknownNameError} from a hashed storage, for a name that it does not know.
   * @throws {ManifestError} from a hashed storage whose manifest is missing or broken.
   * @throws {NotReadyError} where the manifest is elsewhere, and `ready()` was not awaited.
   */
  staticUrl(name: string): string;
  /** The URL of an uploaded file; the media prefix for the empty name. @throws {NameError} */
  mediaUrl(name: string): string;
  /**
   * What `staticUrl()` answers, if that stays the same while the process lives: what compilers of
   * templates may write down. `undefined` where it may change, or cannot be had (yet).
   */
  constantUrl(name: string): string | undefined;
  /** The path of the source file of that name; with `all`, the paths of all, the winner first. */
  find(name: string, options?: { readonly all?: false }): string | undefined;
  find(name: string, options: { readonly all: true }): string[];
  /** The folders that finders look in. */
  locations(): string[];
  /**
   * Fetches what `staticUrl()` needs, where that is not on this machine; in development, that is
   * nothing. Where it failed, the next call tries again.
   *
   * @throws {ManifestError} where the manifest is missing or broken, or its storage refuses; where it is
   *   away, when the time-out is over.
   * @throws {NotReadyError} where its storage does not answer within the time-out.
   */
  ready(options?: ReadyOptions): Promise<void>;
  /**
   * Reads the manifest again, now, and forgets URLs. Compiled templates keep theirs, unless
   * `hashedStorage()` has `refresh`.
   *
   * @throws {ManifestError} where that fails; the last good one stays.
   */
  refresh(): Promise<void>;
  /** What is wrong or doubtful with the folders and files that the settings point to. */
  check(): Promise<Problem[]>;
  /**
   * Gathers all source files into the storage; Django's `collectstatic`.
   *
   * @throws {SettingsError} where a check finds an error.
   * @throws {CollectError} where it cannot be done.
   */
  collect(options?: CollectOptions): Promise<CollectReport>;
  /**
   * Removes the files of earlier deploys that no manifest names which stays; for `hashedStorage()`.
   *
   * @throws {SetupError} for another storage.
   * @throws {CollectError} where it cannot be done.
   */
  prune(options?: PruneOptions): Promise<PruneReport>;
  /**
   * A request listener of `node:http`, and a middleware of Connect and Express. With `debug` it
   * answers from the sources, and from `mediaRoot` where `mediaUrl` is a path; otherwise from what
   * was collected on this machine.
   */
  readonly handler: NodeHandler;
  /**
   * The same for a `Request` of the Web's standards. It answers `undefined` where the request is the
   * application's, and rejects where a file cannot be read.
   */
  readonly fetch: FetchHandler;
}

/**
 * The composition root: from settings to working parts, each built on its first use.
 *
 * @throws {SettingsError} with everything that is wrong with the settings.
 */
export function createStaticFiles(settings: Settings = {}): StaticFiles {
  const resolved = resolveSettings(settings);
  const sources = lazy(() => sourcesOf(findersOf(resolved), resolved.ignore));
  const isChosen = settings.staticUrl !== undefined;
  const storage = lazy(() =>
    storageOf(resolved, isChosen ? resolved.staticUrl : undefined, sources),
  );
  let isAsked = false;
  const urls = lazy(() => {
    isAsked = true;
    return urlResolver(storage());
  });
  // From the first call on, the resolver's own: all that stands between a tag and its look-up.
  let staticUrl = (name: string): string => {
    staticUrl = urls().url;
    return staticUrl(name);
  };
  const server = lazyAsync(async (): Promise<Server> => {
    isAsked = true;
    const { serverOf } = await import('./serve/server.js');
    return serverOf(resolved, sources(), storage());
  });
  const mediaUrls = lazy(() => mediaResolver(resolved.mediaUrl));

  function find(name: string, options?: { readonly all?: false }): string | undefined;
  function find(name: string, options: { readonly all: true }): string[];
  function find(name: string, options: { readonly all?: boolean } = {}) {
    const paths = sources()
      .find(name)
      .map(({ path }) => path);
    return options.all ? paths : paths[0];
  }

  async function refresh(): Promise<void> {
    try {
      await storage().refresh?.();
    } finally {
      urls().clear(); // a storage of two parts may have had one of them changed
    }
  }

  return {
    settings: resolved,
    get storage() {
      return storage();
    },
    staticUrl: (name) => staticUrl(name),
    mediaUrl: (name) => mediaUrls().url(name),
    constantUrl: (name) => urls().constantUrl(name),
    find,
    locations: () => sources().locations(),
    ready: readiness(storage),
    refresh,
    async check() {
      const { checkStaticFiles } = await import('./checks.js');
      return checkStaticFiles(resolved, sources(), destinationOf(resolved, storage()), storage());
    },
    async collect(options) {
      const [{ checkFolders }, { collectFiles }] = await Promise.all([
        import('./checks.js'),
        import('./collect/collect.js'),
      ]);
      const destination = destinationOf(resolved, storage());
      const problems = checkFolders(resolved, sources(), destination);
      const errors = problems.filter(({ level }) => level === 'error');
      if (errors.length > 0) throw new SettingsError(errors);
      const warnings = problems.map(({ message }) => message);
      const report = await collectFiles(sources(), storage(), resolved, options, warnings);
      // Who has asked for URLs gets the new ones; of a storage elsewhere, whoever asks from now on.
      const isHashed = storage().hashing !== undefined && options?.postProcess !== false;
      const isNew = storage().path === undefined && report.published;
      if (isHashed && !report.dryRun && (isAsked || isNew)) await refresh();
      return report;
    },
    async prune(options) {
      const { pruneFiles } = await import('./collect/prune.js');
      return pruneFiles(storage(), options);
    },
    handler: loadedOnce(async () => (await server()).handler),
    fetch: async (request) => (await server()).fetch(request),
  };
}

function findersOf(settings: ResolvedSettings): Finder[] {
  return (settings.finders ?? [dirsFinder(), appDirsFinder()]).map((setting) => {
    const finder = typeof setting === 'function' ? setting(settings) : setting;
    if (!isFinder(finder)) throw noPart('finder', finder);
    return finder.attach?.(settings) ?? finder;
  });
}

function storageOf(
  settings: ResolvedSettings,
  chosenStaticUrl: string | undefined,
  sources: () => Sources,
): Storage {
  const complete = (setting: Storage | ((settings: ResolvedSettings) => Storage)): Storage => {
    const storage = typeof setting === 'function' ? setting(settings) : setting;
    if (!isStorage(storage)) throw noPart('storage', storage);
    const context = {
      settings,
      chosenStaticUrl,
      hasSource: (name: string) => sources().has(name),
      requireSource: (name: string) => sources().require(name),
      under: (over = fileSystemStorage()) => complete(over),
    };
    return storage.attach?.(context) ?? storage;
  };
  return complete(settings.storage ?? fileSystemStorage());
}

/** What is given itself has been checked with the settings; what a function answers, not before. */
function noPart(kind: string, answer: unknown): SetupError {
  return new SetupError(
    `The function that is given as a ${kind} must answer one, not ${kindOf(answer)}.`,
  );
}

/** The folder that is collected into, where there is one on this machine. */
function destinationOf({ staticRoot }: ResolvedSettings, storage: Storage): string | undefined {
  try {
    return storage.path?.('');
  } catch (error) {
    if (error instanceof SetupError) return staticRoot; // it has no root; collecting tells that
    throw error;
  }
}

function mediaResolver(mediaUrl: string): UrlResolver {
  return urlResolver({ stable: true, url: (name) => joinStoreUrl(mediaUrl, name) });
}
