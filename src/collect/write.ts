import { lstat, mkdir, readFile, readlink, rm, stat, symlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import { CollectError, reason, sentence, systemCode } from '../errors.js';
import type { FoundFile } from '../finder.js';
import type { Storage } from '../storage.js';
import { eachOf } from './flight.js';
import type { Run } from './run.js';

/** Recorded times may be rounded by a file system; by more than this, they differ. */
const TIME_TOLERANCE_MS = 1;

/**
 * Whether the storage has a copy of the source's size and time. Copies get their source's time, so
 * that a source which is older than before counts as changed too.
 */
export async function isUnmodified(storage: Storage, file: FoundFile): Promise<boolean> {
  const path = storage.path?.(file.name);
  const copied = path === undefined ? undefined : await at(path);
  if (copied?.isSymbolicLink()) return false;
  const [target, source] = await Promise.all([storage.stat(file.name), stat(file.path)]);
  if (target === undefined || target.size !== source.size) return false;
  if (Math.abs(target.mtimeMs - source.mtimeMs) > TIME_TOLERANCE_MS) return false;
  // Packages are unpacked with one fixed time: what has come since the copy was made, is looked into.
  if (path === undefined || copied === undefined || source.ctimeMs <= copied.ctimeMs) return true;
  return (await readFile(file.path)).equals(await readFile(path));
}

/** Copies the source into the storage. */
export async function copy(storage: Storage, { name, path }: FoundFile): Promise<void> {
  const { mtimeMs } = await stat(path);
  if (storage.writeFile) await storage.writeFile(name, path, { mtimeMs });
  else await storage.write(name, await readFile(path), { mtimeMs });
}

/** Puts a symbolic link to the source in the copy's place. */
export async function link(target: string, source: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true });
  await rm(target, { force: true });
  await symlink(source, target);
}

/** Whether `target` is a symbolic link to just that source. */
export async function linksTo(target: string, source: string): Promise<boolean> {
  return (await at(target))?.isSymbolicLink() === true && (await readlink(target)) === source;
}

/** Removes a file from the storage. @throws {CollectError} where that fails. */
export async function remove(storage: Storage, name: string): Promise<void> {
  try {
    await storage.delete(name);
  } catch (cause) {
    throw new CollectError(sentence(`'${name}' could not be deleted: ${reason(cause)}`), { cause });
  }
}

/**
 * Removes files that a run leaves behind, and tells of each before; a dry run only tells.
 *
 * @param check is asked before each, and may throw
 */
export async function removeAll(
  { storage, options, tell }: Run,
  names: readonly string[],
  check: () => void = () => {},
): Promise<void> {
  await eachOf(
    names,
    async (name) => {
      check();
      tell({ type: 'delete', name });
      if (!options.dryRun) await remove(storage, name);
    },
    storage.concurrency,
  );
}

/** Removes a folder that stands in the file's place, and files that stand in its folders'. */
export async function removeObstacles(storage: Storage, name: string): Promise<void> {
  const path = storage.path;
  if (path === undefined) return;
  if ((await at(path(name)))?.isDirectory()) await rm(path(name), { recursive: true });
  for (let slash = name.indexOf('/'); slash > 0; slash = name.indexOf('/', slash + 1)) {
    const folder = path(name.slice(0, slash));
    const found = await at(folder);
    if (found !== undefined && !found.isDirectory()) await rm(folder, { force: true });
  }
}

/** What stands at a path itself, links not followed; `undefined`: nothing. */
async function at(path: string) {
  try {
    return await lstat(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}
