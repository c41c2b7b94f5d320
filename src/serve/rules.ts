import { validateHeaderName, validateHeaderValue } from 'node:http';
import { LRUCache } from 'lru-cache';
import { reason, SetupError } from '../errors.js';
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
      headers && checked(headers(name, baseUrl + path.slice(prefix.length)), name),
    warn(message) {
      if (told.has(message)) return;
      told.set(message, true);
      process.emitWarning(message, 'StaticFilesWarning');
    },
  };
}

/** What the bytes are, and how they are sent. */
const OURS: ReadonlySet<string> = new Set([
  'accept-ranges',
  'connection',
  'content-encoding',
  'content-length',
  'content-range',
  'date',
  'etag',
  'keep-alive',
  'last-modified',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

function checked(given: unknown, name: string): Readonly<Record<string, string>> {
  const refuse = (why: string, options?: ErrorOptions) => {
    throw new SetupError(`The setting headers answers for '${name}' ${why}.`, options);
  };
  if (given instanceof Promise) {
    given.catch(() => {}); // what it is, is said here already
    refuse('a promise; it must answer at once');
  }
  if (given !== undefined && (typeof given !== 'object' || given === null)) {
    refuse(`${String(given)}, and must answer an object of header fields`);
  }
  const fields: Record<string, string> = {};
  for (const [field, value] of Object.entries(given ?? {})) {
    if (value === undefined) continue;
    if (OURS.has(field.toLowerCase())) refuse(`the field ${field}, which is not for it to say`);
    try {
      validateHeaderName(field);
      validateHeaderValue(field, value);
      fields[field] = String(value);
    } catch (cause) {
      refuse(`what is no header field: ${reason(cause)}`, { cause });
    }
  }
  return fields;
}
