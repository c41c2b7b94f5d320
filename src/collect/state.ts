import { hash } from 'node:crypto';
import { type BigIntStats, lstatSync, readlinkSync } from 'node:fs';
import { systemCode } from '../errors.js';
import type { MissingReference } from './missing.js';
import type { FoundReference } from './scan.js';

/**
 * What is remembered of a file by which a change is seen: its size, time of change in nanoseconds,
 * and inode. Empty: it must be looked at again.
 */
export type Print = string;

export function printOf({ size, mtimeNs, ino }: BigIntStats): Print {
  return `${size}.${mtimeNs}.${ino}`;
}

/**
 * The print of a source: with the time at which the file system saw it change, which no program can
 * set. Packages are unpacked with the same fixed time in every version, and inodes are used again.
 */
export function sourcePrintOf(stats: BigIntStats): Print {
  return `${printOf(stats)}.${stats.ctimeNs}`;
}

/** The print of what a storage elsewhere has, or is to have: its content. */
export function contentPrint(size: number, md5: string): Print {
  return `${size}.${md5}`;
}

/** What such a print says. */
export function contentOfPrint(print: Print): { readonly size: number; readonly md5: string } {
  const [size, md5 = ''] = print.split('.');
  return { size: Number(size), md5 };
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
  const [, mtimeNs = '', , ctimeNs = mtimeNs] = print.split('.');
  const tick = mtimeNs.endsWith('000000000') && ctimeNs.endsWith('000000000') ? 2000 : 50;
  return Math.max(Number(mtimeNs), Number(ctimeNs)) / 1e6 < readAt - tick;
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

/** The last run's knowledge, to be asked file by file, in the order of the plan if it can be. */
export interface State {
  /** The digest of the manifest that was published with it. */
  readonly manifest: string;
  /** The digest of the rules by which references were followed. */
  readonly rules: string;
  /** The references that led to no file. */
  readonly missing: readonly MissingReference[];
  get(name: string): Known | undefined;
  /** Whether every file was asked for that it knows. */
  isExhausted(): boolean;
}

/** Changes with every change of what the scanners find, of how cycles are hashed, and of this form. */
const VERSION = 2;

/** A line a file, and what is mostly so left out: half the bytes of objects, and read one by one. */
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

/** About how many characters are handed on at once. */
const PART = 1 << 16;

/**
 * The state's text, in parts.
 *
 * @param isSettled whether a source's print can be trusted; otherwise the file is read again next time
 */
export function* serialiseState(
  files: Iterable<Known & { readonly name: string }>,
  { manifest, rules, missing }: Pick<State, 'manifest' | 'rules' | 'missing'>,
  isSettled: (source: Print) => boolean,
): Generator<string> {
  let part = `${JSON.stringify([VERSION, manifest, rules, missing])}\n`;
  for (const known of files) {
    const source = isSettled(known.source) ? known.source : '';
    part += `${JSON.stringify(rowOf(known.name, known, source))}\n`;
    if (part.length < PART) continue;
    yield part;
    part = '';
  }
  yield part;
}

/** Reads a state; what is damaged, or of another version, is as good as not there. */
export function readState(content = ''): State {
  let text = content;
  let next = text.indexOf('\n') + 1;
  const [version, manifest, rules, missing] = parsed(text.slice(0, next)) ?? [];
  if (version !== VERSION) next = text.length;
  /** What is left, by name, once a file is asked for that is not the next. */
  let rest: Map<string, Row> | undefined;

  function line(): Row | undefined {
    const end = text.indexOf('\n', next);
    const row = end < 0 ? undefined : parsed(text.slice(next, end));
    next = end < 0 ? text.length : end + 1;
    if (next >= text.length) {
      text = ''; // of a large tree, that is a lot
      next = 0;
    }
    return row !== undefined && isRow(row) ? row : undefined;
  }
  function readRest(): Map<string, Row> {
    const rows = new Map<string, Row>();
    while (next < text.length) {
      const row = line();
      if (row !== undefined) rows.set(row[0], row);
    }
    return rows;
  }

  return {
    manifest: String(manifest ?? ''),
    rules: String(rules ?? ''),
    missing: Array.isArray(missing) ? missing : [],
    get(name) {
      if (rest === undefined && text.startsWith(`[${JSON.stringify(name)},`, next)) {
        const row = line();
        return row && knownOf(row);
      }
      rest ??= readRest();
      const row = rest.get(name);
      rest.delete(name);
      return row && knownOf(row);
    },
    isExhausted: () => next >= text.length && (rest === undefined || rest.size === 0),
  };
}

function parsed(line: string): readonly unknown[] | undefined {
  try {
    const content: unknown = JSON.parse(line);
    return Array.isArray(content) ? content : undefined;
  } catch {
    return undefined; // the file is read anew then, and nothing is lost
  }
}

function isRow(row: readonly unknown[]): row is Row {
  return (
    typeof row[0] === 'string' &&
    typeof row[1] === 'string' &&
    typeof row[2] === 'string' &&
    typeof row[3] === 'string' &&
    typeof row[4] === 'number' &&
    (row[5] === 0 || typeof row[5] === 'string') &&
    (row[7] === undefined || Array.isArray(row[7]))
  );
}

function rowOf(name: string, known: Known, source: Print): Row {
  const { hashedName, hashed, size, plain, scanned, references, basis, fault } = known;
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

/** A short digest by which contents are compared. */
export function digestOf(content: string | Uint8Array): string {
  return hash('md5', content).slice(0, 12);
}
