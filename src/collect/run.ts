import type { FoundFile } from '../finder.js';
import type { ResolvedSettings } from '../settings.js';
import type { Storage } from '../storage.js';
import type { MissingReference } from './missing.js';
import type { ShadowedFile } from './plan.js';
import type { Threads } from './threads.js';

export interface CollectOptions {
  /** Shell patterns of files to leave out, besides the setting `ignore`. @default [] */
  readonly ignore?: readonly string[] | undefined;
  /** Whether the setting `ignore` counts. @default true */
  readonly defaultIgnore?: boolean | undefined;
  /** Whether to tell what would be done, and do nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** Whether to remove every file that was not collected now. @default false */
  readonly clear?: boolean | undefined;
  /** Whether to put symbolic links to the sources instead of copies. @default false */
  readonly link?: boolean | undefined;
  /** Whether to do what the storage does beyond copying, such as hashing names. @default true */
  readonly postProcess?: boolean | undefined;
  /**
   * Whether references that lead to no file are an error.
   * @default what the setting `references.missing` says
   */
  readonly strict?: boolean | undefined;
  /**
   * Whether to look into a storage elsewhere for every file. Otherwise, of more than 8,000 it looks
   * for those that the manifest of the last deploy does not name already.
   * @default false
   */
  readonly verify?: boolean | undefined;
  /** Hears of each step as it is taken, or would be in a dry run. */
  readonly onEvent?: ((event: CollectEvent) => void) | undefined;
}

/** One step of collecting. */
export type CollectEvent =
  | { readonly type: 'copy' | 'link' | 'skip'; readonly name: string; readonly path: string }
  | { readonly type: 'hash'; readonly name: string; readonly hashedName: string }
  /** A file goes to a storage elsewhere: of so many bytes, where they are known beforehand. */
  | { readonly type: 'send'; readonly name: string; readonly bytes: number | undefined }
  | { readonly type: 'delete'; readonly name: string }
  /** The manifest is about to be replaced: which one stands, nobody knows until `published`. */
  | { readonly type: 'publish' }
  /** The new one stands. */
  | { readonly type: 'published' }
  | ({ readonly type: 'shadowed' } & ShadowedFile)
  | { readonly type: 'warning'; readonly message: string }
  | { readonly type: 'wait'; readonly message: string }
  | ({ readonly type: 'progress' } & Progress);

/** How far a stage of collecting has come. */
export interface Progress {
  readonly stage: 'reading' | 'rewriting' | 'compressing' | 'copying' | 'sending';
  /** In files. */
  readonly done: number;
  readonly total: number;
  /** Of this stage, so far. */
  readonly bytes: number;
  /** Of this stage in all, where that is known: when files are sent. */
  readonly totalBytes?: number | undefined;
}

/** What went to a storage elsewhere; the manifest is not counted. */
export interface SendingReport {
  readonly files: number;
  readonly bytes: number;
  /**
   * Their names there, in the order of sending. In a dry run, last and not counted, also those of
   * compressed forms that nobody knows yet to be smaller.
   */
  readonly names: readonly string[];
}

/** What compressing did. */
export interface CompressionReport {
  /** How many contents have compressed forms. */
  readonly files: number;
  /** How many were compressed now; the others were so already, and were not touched. */
  readonly made: number;
  /** How many bytes are less to send, of each file its smallest form. */
  readonly saved: number;
}

/** What collecting did, or would have done in a dry run; names in the order of the finders. */
export interface CollectReport {
  /** The folder of the collected files, or where else they are; `undefined` for one that has no name. */
  readonly destination: string | undefined;
  readonly dryRun: boolean;
  readonly copied: readonly string[];
  readonly linked: readonly string[];
  readonly unmodified: readonly string[];
  /** Every file's hashed name, where the storage hashes names. */
  readonly hashed: readonly { readonly name: string; readonly hashedName: string }[];
  /** What `clear` removed, and compressed forms of a content that is no more. */
  readonly deleted: readonly string[];
  readonly shadowed: readonly ShadowedFile[];
  /** The references that lead to no file. */
  readonly missing: readonly MissingReference[];
  /** All that a person should know of, the references too. */
  readonly warnings: readonly string[];
  /** The sources' size, in bytes; of a storage that hashes names, what is under the hashed names. */
  readonly bytes: number;
  readonly compressed: CompressionReport;
  /** For a storage elsewhere. */
  readonly sent?: SendingReport | undefined;
  /** Whether another manifest is published now. */
  readonly published: boolean;
  readonly milliseconds: number;
}

/** What one run of collecting works with. */
export interface Run {
  readonly storage: Storage;
  readonly settings: ResolvedSettings;
  readonly options: CollectOptions;
  readonly files: ReadonlyMap<string, FoundFile>;
  readonly threads: Threads;
  readonly tell: (event: CollectEvent) => void;
}

/** What became of the files. */
export interface Outcome {
  stepOf(name: string): 'copy' | 'link' | 'skip';
  readonly hashed: readonly { readonly name: string; readonly hashedName: string }[];
  readonly missing: readonly MissingReference[];
  readonly warnings: readonly string[];
  readonly bytes: number;
  readonly compressed: CompressionReport;
  readonly sent?: SendingReport | undefined;
  /** Compressed forms that are there no more. */
  readonly deleted?: readonly string[];
  readonly published: boolean;
  /** Whether a name in the storage is one of those that are collected now. */
  isCollected(name: string): boolean;
}
