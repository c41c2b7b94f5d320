import { LRUCache } from 'lru-cache';
import { checkedFields } from '../header-fields.js';
import type { HeadersSetting } from '../settings.js';
import { encodePath } from '../urls.js';
import type { Bodies } from './bodies.js';

/** Of so many files it is remembered what answers say; a kilobyte or two each. */
export const MOST_FILES = 20_000;

/** What all files below one base URL have in common. */
export interface ServingRules {
  /** The path of the base URL; ends in `/`. */
  readonly prefix: string;
  /** Whether misses are the application's. */
  readonly passes: boolean;
  /** Of files whose names have no hash. */
  readonly cacheControl: string;
  readonly bodies: Bodies;
  /** The path of a name, as requests spell it. */
  pathOf(name: string): string;
  /** Headers of the user's for a file. @throws {SetupError} for what no header can be. */
  headersOf(name: string, path: string): Readonly<Record<string, string>> | undefined;
  /** Tells whoever runs the server. */
  warn(message: string): void;
}

export interface RulesOptions {
  readonly prefix: string;
  readonly passes: boolean;
  readonly cacheControl: string;
  readonly bodies: Bodies;
  readonly headers?: HeadersSetting | undefined;
  /** The base URL, where it is more than its path. */
  readonly baseUrl?: string;
}

export function rulesOf(options: RulesOptions): ServingRules {
  const { prefix, headers, baseUrl = prefix } = options;
  // A file that is asked for a thousand times a second is missed once.
  const told = new LRUCache<string, true>({ max: 1000 });
  return {
    ...options,
    pathOf: (name) => prefix + encodePath(name),
    headersOf: (name, path) =>
      headers && checkedFields(headers(name, baseUrl + path.slice(prefix.length)), name),
    warn(message) {
      if (told.has(message)) return;
      told.set(message, true);
      process.emitWarning(message, 'StaticFilesWarning');
    },
  };
}
