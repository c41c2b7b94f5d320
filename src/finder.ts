import type { Problem } from './errors.js';
import type { Ignore } from './patterns.js';

/** A source file. */
export interface FoundFile {
  /** Its name, the prefix of its folder included. */
  readonly name: string;
  /** Its absolute path. */
  readonly path: string;
  /** Its path inside its source folder, which ignore patterns see. Absent: the name. */
  readonly inner?: string;
}

export interface ListOptions {
  /** What to leave out, by the path inside the source folder. */
  readonly ignore: Ignore;
  /** Hears of what cannot be listed and loses nobody anything, such as a link to nowhere. */
  readonly warn: (message: string) => void;
  /** The folder that is being collected into: a link to it leads to no sources. */
  readonly destination?: string | undefined;
}

/** Where source files come from. Names are safe already: see `names.ts`. */
export interface Finder {
  /** The files of that name, the one that wins first; none: `[]`. Synchronous: templates wait. */
  find(name: string): readonly FoundFile[];
  /** Every file that is not ignored; where two have one name, the one that wins first. */
  list(options: ListOptions): Iterable<FoundFile> | AsyncIterable<FoundFile>;
  /** The folders that it looks in, as `findstatic` shows them. Absent: it has none to show. */
  locations?(): readonly string[];
  /** What is wrong with its folders and options. Absent: it has nothing to say. */
  check?(): readonly Problem[];
  /** This finder, completed by the settings where its own options left something open. */
  attach?(settings: FinderDefaults): Finder;
}

/** What a finder takes from the settings where its own options leave it open. */
export interface FinderDefaults {
  readonly dirs: readonly { readonly prefix: string; readonly dir: string }[];
  readonly apps: readonly string[];
  readonly baseDir: string;
}
