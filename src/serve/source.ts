import type { FileHandle } from 'node:fs/promises';
import type { Form } from './form.js';
import type { Choice } from './negotiate.js';

/** Where the files below one base URL come from. */
export interface Source {
  /** The path that its requests begin with; ends in `/`. */
  readonly prefix: string;
  /** Whether a request for what it does not have may be another's: the application's. */
  readonly passes: boolean;
  /** Whether it may have a file for a path below its prefix. Absent: only looking tells. */
  mayHave?(path: string): boolean;
  /** What is still known of the file of a request's path; `undefined`: it must be looked for. */
  recall(path: string): ServedFile | undefined;
  /** The file of a name; `undefined`: there is none. The name is safe. */
  find(name: string): Promise<ServedFile | undefined>;
}

/** A file as it can be answered with. */
export interface ServedFile {
  /** As it is, and compressed. */
  readonly forms: readonly ServedForm[];
  /** Where the request should have gone to instead, which is all there is to answer. */
  readonly location?: string;
}

/** One form of it. */
export interface ServedForm extends Choice {
  /** What answers say of it. Absent: nobody has asked for it yet. */
  readonly form?: Form | undefined;
  /** Its bytes, if they are in memory. */
  body(): Uint8Array | undefined;
  /** Opens it, unless its bytes can be had at once; `undefined`: it is gone. */
  open(): Promise<Opened | undefined>;
}

/** A form with its bytes: in memory, or in an open file, which whoever asked must close. */
export interface Opened {
  readonly form: Form;
  readonly body?: Uint8Array | undefined;
  readonly file?: FileHandle | undefined;
}
