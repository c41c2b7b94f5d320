import type { Known } from './state.js';

/** A collected file: what is known of it, and what was done to it now. */
export interface HashedFile extends Known {
  readonly name: string;
  readonly path: string;
  /** Whether anything was written, or would be in a dry run. */
  readonly written: boolean;
  /** The path of the rewritten text, for a storage that is elsewhere. */
  readonly staged: string | undefined;
}

/** The same while it is worked on. */
export type Item = { -readonly [Key in keyof HashedFile]: HashedFile[Key] };
