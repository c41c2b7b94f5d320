import { hash } from 'node:crypto';
import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { systemCode } from '../errors.js';
import type { FoundReference } from './scan.js';

/**
 * What is remembered of a file by which a change is seen: its size, time of change in nanoseconds,
 * and inode. Empty: it must be looked at again.
 */
export type Print = string;

export function printOf({ size, mtimeNs, ino }: BigIntStats): Print {
  return `${size}.${mtimeNs}.${ino}`;
}

/** The print of a symbolic link, by where it leads. */
export function linkPrint(target: string): Print {
  return `-> ${target}`;
}

/** The print of what stands at a path itself, links not followed; empty where no file is. */
export function printAt(path: string): Print {
  try {
    const stats = lstatSync(path, { bigint: true, throwIfNoEntry: false });
    if (stats?.isFile()) return printOf(stats);
    return stats?.isSymbolicLink() ? linkPrint(readlinkSync(path)) : '';
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG') return '';
    throw error;
  }
}

/**
 * Whether a file of that print cannot have changed since, unseen: clocks of file systems tick every
 * few milliseconds, some every second or two, and within a tick a second change has the same time.
 */
export function isSettled(print: Print, readAt: number): boolean {
  const [, mtimeNs = ''] = print.split('.');
  const tick = mtimeNs.endsWith('000000000') ? 2000 : 50;
  return Number(mtimeNs) / 1e6 < readAt - tick;
}

/** What the last run knew of a file: its source, what it refers to, and what became of it. */
export interface Known {
  /** Its source. */
  readonly source: Print;
  /** Whether it was looked into for references. */
  readonly scanned: boolean;
  readonly references: readonly FoundReference[];
  /** Why it could not be looked into. */
  readonly fault: string | undefined;
  /** Of what its references got, a digest; empty where none is followed. */
  readonly basis: string;
  /** The hashed name, and what stands there, in bytes too. */
  readonly hashedName: string;
  readonly hashed: Print;
  readonly size: number;
  /** What stands under the plain name; empty where nothing of ours does. */
  readonly plain: Print;
}

export type State = ReadonlyMap<string, Known>;

/** Changes with every change of what the scanners find, of how cycles are hashed, and of this form. */
const VERSION = 1;

/** Rows instead of objects, and what is mostly so left out: half the bytes, and twice as fast. */
type Row = [
  name: string,
  source: Print,
  hashedName: string,
  hashed: Print,
  size: number,
  plain: Print | 0,
  scanned?: 1,
  references?: readonly FoundReference[],
  basis?: string,
  fault?: string,
];

/**
 * @param isSettled whether a source's print can be trusted; otherwise the file is read again next time
 */
export function serialiseState(
  files: readonly (Known & { readonly name: string })[],
  isSettled: (source: Print) => boolean,
): string {
  const rows = files.map((known) => {
    const source = isSettled(known.source) ? known.source : '';
    return JSON.stringify(rowOf(known.name, { ...known, source }));
  });
  return `{"version":${VERSION},"files":[\n${rows.join(',\n')}\n]}\n`;
}

/** Reads the state again; one that is damaged, or of another version, is as good as none. */
export function parseState(text: string): State {
  const state = new Map<string, Known>();
  try {
    const { version, files } = JSON.parse(text) as { version: unknown; files: Row[] };
    if (version !== VERSION) return state;
    for (const row of files) state.set(row[0], knownOf(row));
    return state;
  } catch {
    return new Map(); // all is read anew then, and nothing is lost
  }
}

function rowOf(name: string, known: Known): Row {
  const { source, hashedName, hashed, size, plain, scanned, references, basis, fault } = known;
  const row: Row = [name, source, hashedName, hashed, size, plain === hashed ? 0 : plain];
  if (!scanned) return row;
  row.push(1);
  if (references.length > 0 || fault !== undefined) row.push(references, basis);
  if (fault !== undefined) row.push(fault);
  return row;
}

const NONE: readonly FoundReference[] = [];

function knownOf(row: Row): Known {
  const [, source, hashedName, hashed, size, plain, scanned, references, basis, fault] = row;
  return {
    source,
    hashedName,
    hashed,
    size,
    plain: plain === 0 ? hashed : plain,
    scanned: scanned === 1,
    references: references ?? NONE,
    basis: basis ?? '',
    fault,
  };
}

/** A short digest by which texts are compared. */
export function digestOf(text: string): string {
  return hash('md5', text).slice(0, 12);
}
