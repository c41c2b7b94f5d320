import { LRUCache } from 'lru-cache';
import { StaticFilesError } from './errors.js';
import { assertName, normaliseName } from './names.js';
import type { Storage } from './storage.js';
import { encodeSuffix, splitSuffix } from './urls.js';

/** From a name as a template has it to the URL that a storage gives it, remembered where it may be. */
export interface UrlResolver {
  /** The URL of `name`. @throws {StaticFilesError} for bad and unknown names. */
  url(name: string): string;
  /** That URL where it stays the same and can be had now; compiled templates may hold it. */
  constantUrl(name: string): string | undefined;
  /** Forgets every URL: the storage's answers have changed. */
  clear(): void;
}

/** How many URLs of names that are in no manifest are remembered. */
const REMEMBERED = 10_000;

type UrlSource = Pick<Storage, 'url' | 'stable' | 'hashing'>;

/** Names that stand whole in the manifest are bounded by it; all others, by an LRU cache. */
export function urlResolver(storage: UrlSource): UrlResolver {
  const known = new Map<string, string>();
  // Each tag asks for a URL, and here that is one look-up: this cache is asked for none. It only says
  // which name is the oldest when there are too many.
  const others = new LRUCache<string, true>({
    max: REMEMBERED,
    dispose: (_, name) => known.delete(name),
  });

  function remember(name: string): string {
    const url = build(storage, name);
    known.set(name, url);
    if (!isListed(storage, name)) others.set(name, true);
    return url;
  }

  return {
    url:
      storage.stable === true
        ? (name) => known.get(name) ?? remember(name)
        : (name) => build(storage, name),
    constantUrl(name) {
      if (storage.stable !== true) return undefined;
      try {
        return this.url(name);
      } catch (error) {
        // A name that is wrong here fails where it is rendered, if it ever is.
        if (error instanceof StaticFilesError) return undefined;
        throw error;
      }
    },
    clear() {
      others.clear();
      known.clear();
    },
  };
}

function build(storage: UrlSource, name: string): string {
  assertName(name);
  // A file may be called `a#b.css`. The manifest knows, and then that is no suffix.
  if (isListed(storage, name)) return storage.url(name);
  const { path, suffix } = splitSuffix(name);
  return storage.url(normaliseName(path)) + encodeSuffix(suffix);
}

/** Whether the manifest holds the whole name. Folders are in none, and so need none. */
function isListed({ hashing }: UrlSource, name: string): boolean {
  if (name === '' || name.endsWith('/')) return false;
  return hashing?.hashedName(name) !== undefined;
}
