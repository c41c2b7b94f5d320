import { globMatcher } from '../globs.js';
import type { ResolvedSettings } from '../settings.js';
import type { Hashing } from '../storage.js';
import type { CollectOptions } from './run.js';
import { digestOf } from './state.js';

/** What hashing names and rewriting references must know of the project. */
export interface HashingRules {
  /** Changes with what they say of references, and with how files are compressed. */
  readonly digest: string;
  readonly staticUrl: string;
  /** Whether a reference to a file that is not there stops collecting. */
  readonly missingIsError: boolean;
  /** Whether references from a file of that name to a name, or as they are written, are left alone. */
  isIgnored(from: string, target: string): boolean;
  /** Whether a name has a hash already, and stays. */
  isPrehashed(name: string): boolean;
  /** Whether a file is wanted under its plain name besides. */
  keeps(name: string): boolean;
  /** Whether plain names are symbolic links to the sources. */
  readonly link: boolean;
}

/**
 * What the settings, the storage and the call say of it.
 *
 * @param staticUrl the base URL that browsers get the files from
 */
export function rulesOf(
  { references, prehashed, compress }: ResolvedSettings,
  { keepOriginals }: Hashing,
  { strict, link = false }: CollectOptions,
  staticUrl: string,
): HashingRules {
  const ignored = references.ignore.map((entry) => {
    const colon = entry.indexOf(':');
    return [globMatcher([entry.slice(0, colon)]), globMatcher([entry.slice(colon + 1)])] as const;
  });
  return {
    digest: digestOf(JSON.stringify([staticUrl, references.ignore, compress])),
    staticUrl,
    missingIsError: strict ?? references.missing === 'error',
    isIgnored: (from, target) => ignored.some(([file, to]) => file(from) && to(target)),
    isPrehashed:
      typeof prehashed === 'function'
        ? (name) => Boolean(prehashed(name)) // a predicate in JavaScript may answer a match
        : prehashed
          ? globMatcher(prehashed)
          : () => false,
    keeps: typeof keepOriginals === 'boolean' ? () => keepOriginals : globMatcher(keepOriginals),
    link,
  };
}
