import type { Manifest } from './manifest.js';

/** What a storage knows of a file without reading it. */
export interface FileStat {
  /** In bytes. */
  readonly size: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
}

export interface WriteOptions {
  /** The time of change to record, in milliseconds since 1970; storages that cannot, ignore it. */
  readonly mtimeMs?: number;
}

/** Of files and folders, such as 0o644. */
export interface Permissions {
  readonly fileMode: number;
  /** `undefined`: what the umask leaves. */
  readonly directoryMode: number | undefined;
}

/**
 * Where files are written and read by name, and what URL a name has. Names are safe already: see
 * `names.ts`. Faults of the medium (no permission, no network) are thrown as they come; a file that
 * is not there is no fault.
 */
export interface Storage {
  /** The bytes of `name`; `undefined` where there is no such file. */
  read(name: string): Promise<Uint8Array | undefined>;
  /** Puts `body` at `name`, whole or not at all, over what stood there. */
  write(name: string, body: Uint8Array, options?: WriteOptions): Promise<void>;
  /** Removes `name`; done as well where there is no such file. */
  delete(name: string): Promise<void>;
  /** Whether there is a file of that name. */
  exists(name: string): Promise<boolean>;
  /** Size and time of `name`; `undefined` where there is no such file. */
  stat(name: string): Promise<FileStat | undefined>;
  /** Every name, in any order. */
  list(): AsyncIterable<string>;
  /**
   * The public URL of `name`, which has no suffix (`?v=1`, `#icon`): the core has split it off.
   *
   * @throws {UnknownNameError} where this storage knows its names and `name` is none of them.
   */
  url(name: string): string;

  /** The path of `name` on this machine. Absent: the files are elsewhere. */
  path?(name: string): string;
  /** Puts the local file `path` at `name`, as `write` does. Absent: it is read and written. */
  writeFile?(name: string, path: string, options?: WriteOptions): Promise<void>;
  /**
   * The permissions of what it writes, if files may be put at `path(name)` past it, which is faster
   * by far for very many. Absent: they may not.
   */
  readonly direct?: Permissions;
  /** Whether `url()` answers the same for a name as long as the process lives. Absent: it may not. */
  readonly stable?: boolean;
  /** How names are hashed; what collects and serves must know of it. Absent: they are not. */
  readonly hashing?: Hashing;
  /** Fetches what `url()` needs. Absent: it needs nothing. */
  ready?(): Promise<void>;
  /** Fetches it again, and throws where that fails; then the last good state stays. */
  refresh?(): Promise<void>;
  /** This storage, completed by the settings where its own options left something open. */
  attach?(context: StorageContext): Storage;
}

/** The policy of a storage whose names carry a hash of the content. */
export interface Hashing {
  /** The name of the manifest in `manifestStorage`. */
  readonly manifestName: string;
  readonly manifestStorage: Storage;
  /**
   * Which files are kept under their plain names besides: all, none, or those that one of the globs
   * matches.
   */
  readonly keepOriginals: boolean | readonly string[];
  /**
   * The hashed name of a name that stands in the manifest; `undefined` for every other. In
   * development the name itself, and only where a file's name holds what else begins a suffix.
   */
  hashedName(name: string): string | undefined;
  /**
   * The manifest as it was read last, and another object when it was read anew; `undefined` in
   * development, where there is none.
   *
   * @throws {ManifestError} where there should be one and is none, or it is broken.
   * @throws {NotReadyError} where it is elsewhere, and has not been read yet.
   */
  manifest(): Manifest | undefined;
}

/** What a storage takes from the settings where its own options leave it open. */
export interface StorageDefaults {
  readonly staticUrl: string;
  readonly staticRoot: string | undefined;
  readonly baseDir: string;
  readonly debug: boolean;
}

/** What the composition root hands a storage that is put to use. */
export interface StorageContext {
  readonly settings: StorageDefaults;
  /** Whether collecting would find a file of that name. */
  hasSource(name: string): boolean;
  /** @throws {UnknownNameError} where it would find none, with the nearest names. */
  requireSource(name: string): void;
  /** Completes a storage that stands under another; where none is given, the file system's. */
  under(storage?: Storage | ((settings: never) => Storage)): Storage;
}
