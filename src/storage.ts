import type { Coding } from './codings.js';
import type { Problem } from './errors.js';
import type { Manifest } from './manifest.js';

/** What a storage knows of a file without reading it. */
export interface FileStat {
  /** In bytes. */
  readonly size: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
}

/** A file as a listing tells of it. */
export interface ListedFile extends FileStat {
  readonly name: string;
  /** The MD5 of its bytes in hexadecimal digits, where the listing tells it. */
  readonly md5?: string | undefined;
}

/** A file's bytes, and a tag that changes whenever they are written; HTTP's ETag. */
export interface Version {
  readonly body: Uint8Array;
  readonly tag: string;
}

export interface WriteOptions {
  /** The time of change to record, in milliseconds since 1970; storages that cannot, ignore it. */
  readonly mtimeMs?: number | undefined;
  /**
   * The header fields that the file is to be answered with, by names such as `Cache-Control`; storages
   * that nobody asks over HTTP ignore them. Where there is no `Content-Type`, the name tells it.
   */
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /**
   * The name that the project knows the file by, where that is another: of a hashed name and of a
   * compressed form, that of their source. A storage's own header fields of a name go by it.
   * @default the name that it is written under
   */
  readonly source?: string | undefined;
  /**
   * Whether it is to be answered with these `headers` and no others, as the manifest: a storage's own
   * header fields do not count. They never do below `.staticfiles/`, where collecting keeps its notes.
   * @default false
   */
  readonly final?: boolean | undefined;
  /** The MD5 of what is written, in hexadecimal digits: anything else is a fault, and is not kept. */
  readonly md5?: string | undefined;
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
  /**
   * Puts `body` at `name`, whole or not at all, over what stood there.
   *
   * @throws {SetupError} for a body that is no `Uint8Array`: text has to be encoded, and a `Blob` read.
   */
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
  /**
   * Every file whose name begins with `prefix` (all, without one), in any order, with what is known of
   * it: many to a request. Absent: each name of `list()` is asked for by `stat()`.
   */
  entries?(prefix?: string): AsyncIterable<ListedFile>;
  /**
   * The bytes of `name` with their tag, `'unchanged'` where that is `unless` still, `undefined` where
   * there is no such file. Absent: there are no tags.
   */
  readVersion?(name: string, unless?: string): Promise<Version | 'unchanged' | undefined>;
  /**
   * Writes only while `name` has that tag, or, with none, while there is no such file (RFC 9110,
   * If-Match and If-None-Match). Absent: nobody can tell.
   *
   * @returns `'changed'` where it was otherwise and nothing was written; `'unsupported'` where whoever
   * keeps the files cannot do that, and nothing was written either
   */
  writeIf?(
    name: string,
    body: Uint8Array,
    tag: string | undefined,
    options?: WriteOptions,
  ): Promise<'written' | 'changed' | 'unsupported'>;
  /** Puts the local file `path` at `name`, as `write` does. Absent: it is read and written. */
  writeFile?(name: string, path: string, options?: WriteOptions): Promise<void>;
  /** Where the files are, for people: `s3://bucket/prefix/`. Absent: `path()` tells it, or nothing. */
  readonly location?: string;
  /** How many calls it takes at once. Absent: 16. */
  readonly concurrency?: number;
  /** The header fields that it can keep with a file, in lower case. Absent: it keeps none. */
  readonly keptHeaders?: ReadonlySet<string>;
  /**
   * The coding that files are to be written in where that makes them smaller, in place of compressed
   * files beside them. Absent: they are written as they are.
   */
  readonly encoding?: Coding | undefined;
  /**
   * The permissions of what it writes, if files may be put at `path(name)` past it, which is faster
   * by far for very many. Absent: they may not.
   */
  readonly direct?: Permissions;
  /** Whether `url()` answers the same for a name as long as the process lives. Absent: it may not. */
  readonly stable?: boolean;
  /** How names are hashed; what collects and serves must know of it. Absent: they are not. */
  readonly hashing?: Hashing;
  /**
   * Whether a file can be written under `name`, without asking anybody. Absent: under every safe one.
   *
   * @throws {NameError} where it cannot, as where the name is too long.
   */
  checkName?(name: string): Promise<void>;
  /**
   * What is wrong with how it is set up, as far as that can be told without asking whoever keeps the
   * files. Absent: it has nothing to say.
   *
   * @throws {PeerError} where a package is missing.
   */
  check?(): Promise<readonly Problem[]>;
  /** Fetches what `url()` needs. Absent: it needs nothing. */
  ready?(): Promise<void>;
  /** Fetches it again, and throws where that fails; then the last good state stays. */
  refresh?(): Promise<void>;
  /**
   * This storage, completed by the settings where its own options left something open. What was
   * replaced in it, as in `{ ...s3Storage(options), url }`, stays so.
   */
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
  /** The base URL that collected files have in production, while this may be development. */
  baseUrl(): Promise<string>;
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
  /** The base URL, where the project has set `staticUrl` itself; a storage elsewhere has one of its own. */
  readonly chosenStaticUrl: string | undefined;
  /** Whether collecting would find a file of that name. */
  hasSource(name: string): boolean;
  /** @throws {UnknownNameError} where it would find none, with the nearest names. */
  requireSource(name: string): void;
  /** Completes a storage that stands under another; where none is given, the file system's. */
  under(storage?: Storage | ((settings: never) => Storage)): Storage;
}
