import { isAbsolute, join, relative, sep } from 'node:path';
import { NameError } from './errors.js';

/**
 * The safe form of a name: no leading slashes, `/` for `\`, no `.`, `..` or empty parts. A trailing
 * slash stays: such a name is a folder. The empty name is the base itself.
 *
 * @throws {NameError} where `..` would leave the base, and for NUL and lone surrogates, which no
 *   file name and no URL can hold.
 */
export function normaliseName(name: string): string {
  assertName(name);
  const parts: string[] = [];
  let folder = true;
  for (const part of name.replaceAll('\\', '/').split('/')) {
    folder = part === '' || part === '.' || part === '..';
    if (!folder) parts.push(part);
    else if (part === '..' && parts.pop() === undefined) {
      throw new NameError(
        `The name ${quote(name)} leaves its folder: '..' goes above the base. Use a name inside it.`,
        name,
      );
    }
  }
  return folder && parts.length > 0 ? `${parts.join('/')}/` : parts.join('/');
}

/** Throws a {@link NameError} for what can be no name, before anything else looks at it. */
export function assertName(name: unknown): asserts name is string {
  if (typeof name !== 'string') {
    const hint = name === undefined ? ' Is a variable misspelt or not set?' : '';
    throw new NameError(
      `A static file's name must be a string, not ${describe(name)}.${hint}`,
      name,
    );
  }
  if (name.includes('\0')) {
    throw new NameError(`The name ${quote(name)} contains NUL, which no file name can hold.`, name);
  }
  if (!name.isWellFormed()) {
    throw new NameError(
      `The name ${quote(name)} contains half of a surrogate pair, which no URL can hold.`,
      name,
    );
  }
}

/**
 * The path of `name` under the folder `root`; never outside it.
 *
 * @throws {NameError} as {@link normaliseName}; on Windows also for names that mean something else
 *   there: drive letters and streams (`:`), devices, and a trailing dot or space.
 */
export function pathUnder(root: string, name: string): string {
  const safe = normaliseName(name);
  if (sep === '\\' && WINDOWS_UNSAFE.test(safe)) {
    throw new NameError(`The name ${quote(name)} cannot be a file on Windows.`, name);
  }
  return join(root, safe);
}

/**
 * The names of devices on Windows, as a regular expression.
 * https://learn.microsoft.com/en-us/windows/win32/fileio/naming-a-file
 */
export const DEVICE = '(?:con|prn|aux|nul|(?:com|lpt)[\\d¹²³])';

const WINDOWS_UNSAFE = new RegExp(`:|[. ](?:/|$)|(?:^|/)${DEVICE}(?:\\.|/|$)`, 'i');

/** Whether the folder `inner` is `outer` or lies in it. */
export function isInside(inner: string, outer: string): boolean {
  const way = relative(outer, inner);
  return way === '' || (!isAbsolute(way) && way !== '..' && !/^\.\.[\\/]/.test(way));
}

/**
 * The name with a hash before its last extension, as Django writes it: `a/b.5d41402abc4b.css`. A last
 * part without a dot, or with none but at its beginning, has no extension (Python's `splitext`).
 */
export function hashedName(name: string, hash: string): string {
  const at = extensionAt(name);
  return `${name.slice(0, at)}.${hash}${name.slice(at)}`;
}

/** Where the last extension of a path begins, its dot included; its end where it has none. */
export function extensionAt(path: string): number {
  const slash = path.lastIndexOf('/');
  const dot = path.lastIndexOf('.');
  if (dot <= slash) return path.length;
  for (let at = slash + 1; at < dot; at++) if (path[at] !== '.') return dot;
  return path.length;
}

/** The folder in the static root where collecting keeps what is nobody else's business. */
export const STATE_FOLDER = '.staticfiles';

/** Begins the last part of names of files that are still being written. */
export const PARTIAL = '.staticfiles-partial-';

/** Compares names by code point: the same order on every machine, and Python's. */
export function compareNames(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** Surrogates (U+D800..DFFF) stand for code points above every other code unit. */
function rank(unit: number): number {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

function quote(name: string): string {
  return JSON.stringify(name);
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'object') return Array.isArray(value) ? 'an array' : 'an object';
  return typeof value === 'function' ? 'a function' : `the ${typeof value} ${String(value)}`;
}
