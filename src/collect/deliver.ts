import { readFile } from 'node:fs/promises';
import type { Storage } from '../storage.js';
import { collectFault } from './fault.js';
import type { Item } from './file.js';
import { eachOf } from './flight.js';
import type { CollectOptions } from './run.js';
import { copy, isUnmodified } from './write.js';

/**
 * Sends hashed files to a storage that is elsewhere, several at once. What is there under a hashed
 * name with the right size, is right; plain names are told by size and time.
 */
export async function deliver(
  storage: Storage,
  files: readonly Item[],
  keeps: (name: string) => boolean,
  { dryRun = false }: CollectOptions,
): Promise<void> {
  await eachOf(files, async (file) => {
    try {
      const { name, hashedName, size } = file;
      // The name of a file that was hashed already is its hashed one, and is wanted in any case.
      const isOne = hashedName === name;
      const plain = (isOne || keeps(name)) && !(await isUnmodified(storage, file));
      const hashed = !isOne && (await storage.stat(hashedName))?.size !== size;
      file.written = plain || hashed;
      if (dryRun) return;
      if (hashed) await send(storage, file);
      if (plain) await copy(storage, file);
      file.body = undefined;
    } catch (cause) {
      throw collectFault(file, cause);
    }
  });
}

async function send(storage: Storage, { hashedName, path, body }: Item): Promise<void> {
  if (body !== undefined) await storage.write(hashedName, body);
  else if (storage.writeFile !== undefined) await storage.writeFile(hashedName, path);
  else await storage.write(hashedName, await readFile(path));
}
