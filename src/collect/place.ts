import {
  chmodSync,
  constants,
  copyFileSync,
  linkSync,
  lstatSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '../errors.js';
import { PARTIAL } from '../names.js';
import type { Permissions } from '../storage.js';

/** Puts files that are whole into their places on this machine, each in one step. */
export interface Placer {
  /** A path, new at each call, for a file that is being written. */
  scratch(): string;
  /**
   * Moves the file `scratch` to the target. Answers whether it is the same file there; on another
   * file system it is a copy.
   */
  move(scratch: string, target: string): boolean;
  /**
   * Puts the file at `from` at the target too. Answers whether that is one file now, by a hard link;
   * where there can be none, it is a copy.
   */
  twin(from: string, target: string): boolean;
  /** Puts a symbolic link to `source` at the target. */
  symlink(source: string, target: string): void;
  /** Removes the scratch folder with what was left in it. */
  close(): void;
}

export interface PlacerOptions extends Permissions {
  /** The folder for files that are being written; on the file system of the targets, and its own. */
  readonly scratchFolder: string;
  /** Whether what stands in the way goes: a folder in a file's place, and the reverse. */
  readonly clear: boolean;
}

/** Synchronous: where a file system is fast, waiting for a thread takes longer than the call. */
export function placer({ scratchFolder, clear, fileMode, directoryMode }: PlacerOptions): Placer {
  const known = new Set<string>();
  let count = 0;

  function makeFolder(folder: string): void {
    if (known.has(folder)) return;
    const first = mkdirSync(folder, { recursive: true });
    if (first !== undefined && directoryMode !== undefined) {
      for (let made = folder; made.length >= first.length; made = dirname(made)) {
        chmodSync(made, directoryMode);
      }
    }
    known.add(folder);
  }

  /** Does it; where something stands in the way and may go, removes that and does it again. */
  function into(target: string, put: () => void): void {
    try {
      makeFolder(dirname(target));
      put();
    } catch (error) {
      if (!clear || !IN_THE_WAY.has(systemCode(error)) || !removeObstacle(target)) throw error;
      makeFolder(dirname(target));
      put();
    }
  }

  function scratch(): string {
    if (count === 0) mkdirSync(scratchFolder, { recursive: true });
    count++;
    return join(scratchFolder, String(count));
  }

  function move(from: string, target: string): boolean {
    let same = true;
    into(target, () => {
      try {
        renameSync(from, target);
      } catch (error) {
        if (systemCode(error) !== 'EXDEV') throw error;
        moveAcross(from, target);
        same = false;
      }
    });
    return same;
  }

  return {
    scratch,
    move,
    twin(from, target) {
      let one = true;
      into(target, () => {
        if (linked(from, target)) return;
        const between = scratch();
        one = linked(from, between);
        if (!one) {
          copyFileSync(from, between, COPY);
          chmodSync(between, fileMode);
        }
        one = move(between, target) && one;
      });
      return one;
    },
    symlink(source, target) {
      into(target, () => {
        const between = scratch();
        symlinkSync(source, between);
        move(between, target);
      });
    },
    close: () => rmSync(scratchFolder, { recursive: true, force: true }),
  };
}

/** Removes what stands in the place of a folder that the names need, links to folders too. */
export function removeFalseFolders(root: string, names: Iterable<string>): void {
  const seen = new Set<string>();
  for (const name of names) {
    for (let slash = name.indexOf('/'); slash > 0; slash = name.indexOf('/', slash + 1)) {
      const folder = name.slice(0, slash);
      if (seen.has(folder)) continue;
      seen.add(folder);
      const found = lstatOf(join(root, folder));
      if (found !== undefined && !found.isDirectory()) rmSync(join(root, folder));
    }
  }
}

/** Never over another file, and by reference where the file system can (Btrfs, XFS, APFS). */
const COPY = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;

/** What systems say where a folder stands in a file's place, or a file in a folder's. */
const IN_THE_WAY: ReadonlySet<unknown> = new Set([
  'EEXIST',
  'EISDIR',
  'ENOTDIR',
  'ENOTEMPTY',
  'EPERM', // Windows, for a folder
]);

/** What they say where there can be no hard link: other devices, FAT, too many links, no right. */
const NO_LINK: ReadonlySet<unknown> = new Set([
  'EXDEV',
  'EPERM',
  'EACCES',
  'EMLINK',
  'ENOTSUP',
  'EOPNOTSUPP',
  'ENOSYS',
  'EINVAL',
]);

/** Whether there is a hard link now; not where the target is taken, or links cannot be had. */
export function linked(from: string, target: string): boolean {
  try {
    linkSync(from, target);
    return true;
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST' || NO_LINK.has(code)) return false;
    throw error;
  }
}

/** A folder below the root may lie on another file system: then beside the target, and from there. */
function moveAcross(from: string, target: string): void {
  const beside = join(dirname(target), PARTIAL + crypto.randomUUID());
  try {
    copyFileSync(from, beside, COPY);
    renameSync(beside, target);
  } finally {
    rmSync(beside, { force: true });
  }
  rmSync(from, { force: true });
}

/** Removes a folder at the path, or the file that stands in the place of a folder above it. */
function removeObstacle(path: string): boolean {
  for (let at = path, last = ''; at !== last; last = at, at = dirname(at)) {
    const found = lstatOf(at);
    if (found === undefined) continue;
    const inTheWay = at === path ? found.isDirectory() : !found.isDirectory();
    if (inTheWay) rmSync(at, { recursive: true });
    return inTheWay;
  }
  return false;
}

function lstatOf(path: string) {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemCode(error) === 'ENOTDIR') return undefined; // what is a file is further up
    throw error;
  }
}
