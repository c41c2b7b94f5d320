import { constants, type Stats } from 'node:fs';
import { type FileHandle, open, realpath, stat } from 'node:fs/promises';
import { NameError, orUndefined } from '../errors.js';
import { isInside, pathUnder } from '../names.js';

export interface OpenFile {
  readonly handle: FileHandle;
  readonly stats: Stats;
}

/** A pipe in the place of a file would keep the opening waiting for its other end. */
const { O_RDONLY, O_NONBLOCK = 0 } = constants;

/** Opens a file to be read; `undefined` where there is none. Folders and devices are none. */
export async function openFile(path: string): Promise<OpenFile | undefined> {
  const handle = await orUndefined(open(path, O_RDONLY | O_NONBLOCK));
  if (handle === undefined) return undefined;
  try {
    const stats = await handle.stat();
    if (stats.isFile()) return { handle, stats };
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return undefined;
}

/** What there is at a path, links followed; `undefined` where there is nothing. */
export function statOf(path: string): Promise<Stats | undefined> {
  return orUndefined(stat(path));
}

/** Whether a path, its links followed, lies in the folder `root`; where one is not there, no. */
export async function liesIn(path: string, root: string): Promise<boolean> {
  const [real, realRoot] = await Promise.all([
    orUndefined(realpath(path)),
    orUndefined(realpath(root)),
  ]);
  return real !== undefined && realRoot !== undefined && isInside(real, realRoot);
}

/** The same, and tells of a link that leads out of it. */
export async function staysIn(
  path: string,
  root: string,
  warn: (message: string) => void,
): Promise<boolean> {
  if (await liesIn(path, root)) return true;
  warn(`${path} is not served: it is a link out of ${root}.`);
  return false;
}

/** What tells one state of a file from another. */
export function stateOf({ size, mtimeMs, ctimeMs, ino }: Stats): string {
  return `${size} ${mtimeMs} ${ctimeMs} ${ino}`;
}

/** Reads a file from its beginning, as far as it goes. */
export async function readFrom(handle: FileHandle, size: number): Promise<Uint8Array> {
  // Not from Node's pool, of which a small part would keep the whole in memory.
  const buffer = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  while (filled < size) {
    const { bytesRead } = await handle.read(buffer, filled, size - filled, filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return filled === size ? buffer : buffer.subarray(0, filled);
}

/** A name that can be no file on this system names none. */
export function pathIn(root: string, name: string): string | undefined {
  try {
    return pathUnder(root, name);
  } catch (error) {
    if (error instanceof NameError) return undefined;
    throw error;
  }
}
