import { type Dirent, readdirSync, realpathSync, type Stats, statSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';
import { SetupError, systemCode } from '../errors.js';
import type { FoundFile, ListOptions } from '../finder.js';
import { compareNames, isInside, pathUnder } from '../names.js';
import type { Ignore } from '../patterns.js';

/** A folder of source files, and the prefix that their names get; often none. */
export interface SourceFolder {
  readonly prefix: string;
  readonly dir: string;
}

/** The file of that name in each of the folders, in their order. */
export function findInFolders(folders: readonly SourceFolder[], name: string): FoundFile[] {
  const found: FoundFile[] = [];
  for (const { prefix, dir } of folders) {
    const inner = withoutPrefix(name, prefix);
    if (inner === undefined || inner === '' || inner.endsWith('/')) continue;
    const path = pathUnder(dir, inner);
    if (isFile(path) && isSpelledSo(path, dir)) found.push({ name, path, inner });
  }
  return found;
}

/** Every file of the folders that is not ignored, folder by folder, each in the order of names. */
export function* listFolders(
  folders: readonly SourceFolder[],
  options: ListOptions & { readonly skip?: Ignore },
): Generator<FoundFile> {
  for (const { prefix, dir } of folders) {
    const closed = [...identitiesAbove(dir), identity(options.destination)];
    for (const inner of walk(dir, '', closed, options)) {
      yield { name: prefix === '' ? inner : flat(prefix, inner), path: pathIn(dir, inner), inner };
    }
  }
}

function withoutPrefix(name: string, prefix: string): string | undefined {
  if (prefix === '') return name;
  return name.startsWith(`${prefix}/`) ? name.slice(prefix.length + 1) : undefined;
}

/**
 * The paths inside `dir`. Links are followed, but never into the folders `closed`: those above, which
 * are being walked, and the one that is collected into.
 */
function* walk(
  dir: string,
  inner: string,
  closed: readonly (string | undefined)[],
  options: ListOptions & { readonly skip?: Ignore },
): Generator<string> {
  const { ignore, warn, skip } = options;
  const path = join(dir, inner);
  const entries = readFolder(path);
  if (entries === undefined) return;
  const self = identity(path);
  if (self === undefined) return;
  if (closed.includes(self)) {
    warn(
      `${path} is a link back into a folder above it, or to what was collected; it is left out.`,
    );
    return;
  }
  const trail = [...closed, self];
  for (const entry of entries) {
    const name = inner === '' ? entry.name : flat(inner, entry.name);
    const kind = kindOf(entry, dir, name);
    // Django's rule: a folder is ignored by its own name, its files by the whole path.
    const left = kind === 'folder' ? ignore(entry.name) || skip?.(entry.name) : ignore(name);
    if (left) continue;
    const why = kind === 'file' || kind === 'folder' ? unnameable(entry.name) : kind;
    if (why !== undefined) warn(`${join(dir, name)} is left out: ${why}.`);
    else if (kind === 'folder') yield* walk(dir, name, trail, options);
    else yield name;
  }
}

/**
 * Two parts of a name as one. `+` and templates answer a tree of parts, which takes five times the
 * memory of the text itself, and a tree of sources may have a hundred thousand of them.
 */
function flat(folder: string, rest: string): string {
  return [folder, rest].join('/');
}

function pathIn(dir: string, inner: string): string {
  return sep === '/' ? flat(dir, inner) : join(dir, inner);
}

/** The entries of a folder, sorted; `undefined` where there is no such folder. */
function readFolder(path: string): Dirent[] | undefined {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.sort((a, b) => compareNames(a.name, b.name));
  } catch (cause) {
    return undefinedOr(cause, `The folder ${path}`);
  }
}

/** `file`, `folder`, or why it is neither. */
function kindOf(entry: Dirent, dir: string, name: string): string {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'folder';
  if (!entry.isSymbolicLink()) return 'it is a device, a pipe or a socket';
  const target = statOf(join(dir, name));
  if (target === undefined) return 'it is a link to nowhere';
  if (target.isDirectory()) return 'folder';
  return target.isFile() ? 'file' : 'it is a link to no file';
}

/** Why a file or folder cannot have a name of ours, where it cannot. */
function unnameable(part: string): string | undefined {
  if (part.includes('\\')) return "'\\' in a name is taken for '/'";
  // Node gives U+FFFD for bytes that are no UTF-8, and finds no file by that.
  return part.includes('\uFFFD') ? 'its name is not valid UTF-8' : undefined;
}

function isFile(path: string): boolean {
  return statOf(path)?.isFile() ?? false;
}

export function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() ?? false;
}

/** What stands at the end of a path, links followed; `undefined`: nothing. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    return undefinedOr(cause, path);
  }
}

/** Nothing there, a file where a folder is looked for, a loop of links, a name that is too long. */
const NOT_THERE: ReadonlySet<unknown> = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

/** `undefined` where the system says that nothing is there; every other fault is thrown. */
function undefinedOr(cause: unknown, what: string): undefined {
  const code = systemCode(cause);
  if (NOT_THERE.has(code)) return undefined;
  throw new SetupError(
    `${what} cannot be read (${code ?? cause}). Give this user the right to read it, or ignore it.`,
    { cause },
  );
}

/** The folders above a folder, wherever links have led to it. */
function identitiesAbove(dir: string): (string | undefined)[] {
  if (!isFolder(dir)) return [];
  const above: (string | undefined)[] = [];
  for (let at = realpathSync(dir); at !== dirname(at); ) {
    at = dirname(at);
    above.push(identity(at));
  }
  return above;
}

/** Device and inode: the same for each way to a folder. */
function identity(path: string | undefined): string | undefined {
  if (path === undefined) return undefined;
  const stats = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stats && `${stats.dev}:${stats.ino}`;
}

/**
 * Whether a file that was found is spelled as it was asked for, also on file systems that take
 * `Logo.png` for `logo.png`: what is found here must be found in production.
 */
function isSpelledSo(path: string, dir: string): boolean {
  for (let at = path; at !== dir && isInside(at, dir); at = dirname(at)) {
    if (ignoresCase(at) && !readdirSync(dirname(at)).includes(basename(at))) return false;
  }
  return true;
}

/** Whether the last part of the path finds the same file in the other case. */
function ignoresCase(path: string): boolean {
  const last = basename(path);
  // ASCII letters only: others change their number with their case, as the German sz does.
  const upper = last.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  const swapped = upper === last ? last.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : upper;
  if (swapped === last) return process.platform === 'win32' || process.platform === 'darwin';
  const other = statOf(join(dirname(path), swapped));
  const own = statOf(path);
  return other !== undefined && own !== undefined && other.ino === own.ino && other.dev === own.dev;
}
