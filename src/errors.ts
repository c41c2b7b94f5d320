/**
 * Every error that this package throws on purpose: one base, one class a cause.
 *
 * `code` stays the same from version to version, for programs; the message says what is wrong,
 * where, and what to do next, for people.
 *
 * `instanceof` knows errors of another copy of this package too: a program that is installed globally
 * uses storages of the project's own copy.
 */
export abstract class StaticFilesError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }

  static override [Symbol.hasInstance](value: unknown): boolean {
    // biome-ignore lint/complexity/noThisInStatic: the class that is asked for, mostly one below
    return isInstance(value, this);
  }
}

function isInstance(value: unknown, asked: { readonly name: string }): boolean {
  if (Function.prototype[Symbol.hasInstance].call(asked, value)) return true;
  if (!systemCode(value)?.startsWith('ERR_STATICFILES_')) return false;
  return asked === StaticFilesError || (value as Error).name === asked.name;
}

/** One thing that is wrong with the settings or with what they point to. */
export interface Problem {
  /** Django's identifier where Django checks the same, such as `staticfiles.E002`. */
  readonly id: string;
  readonly level: 'error' | 'warning';
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
}

/** Settings that cannot be used. `problems` holds each fault, the message all of them. */
export class SettingsError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_SETTINGS';

  constructor(readonly problems: readonly Problem[]) {
    super(problems.map(({ message, hint }) => (hint ? `${message} ${hint}` : message)).join('\n'));
  }
}

/** A configuration file that is missing, does not load, or exports no settings. */
export class ConfigError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_CONFIG';

  constructor(
    message: string,
    /** The configuration file; `undefined` where none was found. */
    readonly file: string | undefined,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A name that cannot be one: no string, above the base, with NUL or half a character in it. */
export class NameError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_NAME';

  constructor(
    message: string,
    /** What was given as a name. */
    readonly given: unknown,
  ) {
    super(message);
  }
}

/** A name that no finder finds (in development), or that the manifest lacks (in production). */
export class UnknownNameError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_UNKNOWN_NAME';

  constructor(
    message: string,
    readonly given: string,
    /** Known names that look alike, the nearest first. */
    readonly near: readonly string[],
  ) {
    super(message);
  }
}

/** A manifest that is not there, cannot be read, or is not one. */
export class ManifestError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_MANIFEST';

  constructor(
    message: string,
    /** Where the manifest was looked for. */
    readonly location: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** A URL was asked for before `await files.ready()`, which this storage needs. */
export class NotReadyError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_NOT_READY';
}

/** A storage, finder or part that was set up wrongly. */
export class SetupError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_SETUP';
}

/** A package that an adapter or a command needs and that is not installed. */
export class PeerError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_PEER';

  constructor(
    /** The package's name. */
    readonly peer: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(`${message} Install it: npm install ${peer}`, options);
  }
}

/** A store elsewhere that is away, or refuses: the message says what to do, `cause` what it said. */
export class StorageError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_STORAGE';
  /**
   * Whether the same may succeed later, without anybody's doing: a store is away, or too busy.
   * @default what `cause` tells
   */
  readonly isPassing: boolean;

  constructor(message: string, options: ErrorOptions & { readonly isPassing?: boolean } = {}) {
    super(message, options);
    this.isPassing = options.isPassing ?? isPassing(options.cause);
  }
}

/** Collecting stopped; what was published before stands. */
export class CollectError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_COLLECT';
}

/** An upload that is larger than its storage takes; HTTP's 413. */
export class TooLargeError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_TOO_LARGE';

  constructor(
    /** The name that it came with. */
    readonly given: string,
    /** How many bytes are taken. */
    readonly maxBytes: number,
  ) {
    super(
      `The upload ${JSON.stringify(given)} is larger than ${maxBytes} bytes, and was not saved.`,
    );
  }
}

/** The reason that an unknown thrown value gives. */
export function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** With a full stop, unless the text ends as a sentence does. */
export function sentence(text: string): string {
  return /[.!?]\)?$/.test(text) ? text : `${text}.`;
}

/** The `code` of a Node system error, such as `ENOENT`; `undefined` for anything else. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}

/** What systems say where nobody answers, or no longer. */
const AWAY: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'EPIPE',
  'ETIMEDOUT',
  'EAI_AGAIN',
  'ENOTFOUND', // of a container, the name comes with it
  'ERR_STREAM_PREMATURE_CLOSE',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** Whether a fault may be gone later, without anybody's doing, for as much as it tells. */
export function isPassing(error: unknown): boolean {
  if (error instanceof StorageError) return error.isPassing;
  if (AWAY.has(systemCode(error))) return true;
  return error instanceof Error && error.cause !== undefined && isPassing(error.cause);
}

/** What systems say where there is no such file, or can be none. */
const NO_FILE: ReadonlySet<unknown> = new Set([
  'ENOENT',
  'ENOTDIR',
  'EISDIR',
  'ELOOP',
  'ENAMETOOLONG',
  'ENXIO', // a socket
  'EINVAL', // on Windows, a name that none can have
]);

/** What a call of the file system answers; `undefined` where there is no such file. */
export async function orUndefined<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (NO_FILE.has(systemCode(error))) return undefined;
    throw error;
  }
}
