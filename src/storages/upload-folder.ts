import { chmod, link, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { systemCode } from '../errors.js';
import { PARTIAL } from '../names.js';
import { alternativeName, uploadName } from '../upload-names.js';
import { DEFAULT_FILE_MODE, makeFolder } from './filesystem.js';
import { bytesOf, type UploadBody } from './upload-body.js';

/** Where it is saved, and how. */
export interface Destination {
  path(name: string): string;
  /** @throws {NameError} for a name that symbolic links lead outside. */
  inside(name: string): Promise<void>;
  readonly fileMode: number | undefined;
  readonly directoryMode: number | undefined;
  readonly maxBytes: number;
}

/** Writes the body beside its place, and puts it there by a step that fails where a file stands. */
export async function saveToFolder(
  destination: Destination,
  given: string,
  body: UploadBody,
): Promise<string> {
  const wanted = uploadName(given);
  const folder = dirname(destination.path(wanted));
  await destination.inside(dirname(wanted));
  await makeFolder(folder, destination.directoryMode);
  const partial = join(folder, PARTIAL + crypto.randomUUID());
  try {
    await fill(partial, bytesOf(body, given, destination.maxBytes));
    await chmod(partial, destination.fileMode ?? DEFAULT_FILE_MODE);
    return await takeFreeName(destination, partial, wanted);
  } finally {
    await rm(partial, { force: true });
  }
}

async function takeFreeName(
  { path }: Destination,
  partial: string,
  wanted: string,
): Promise<string> {
  for (let name = wanted; ; name = alternativeName(wanted)) {
    try {
      await putNew(partial, path(name));
      return name;
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }
}

/** Throws EEXIST where something stands at the target, be it a link to nowhere. */
async function putNew(partial: string, target: string): Promise<void> {
  try {
    await link(partial, target);
  } catch (error) {
    if (systemCode(error) === 'EEXIST') throw error;
    // FAT and some shared folders have no hard links. There an empty file holds the name; what else
    // was wrong with the link is so with the file as well.
    await (await open(target, 'wx')).close();
    await rename(partial, target);
  }
}

async function fill(partial: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const file = await open(partial, 'wx');
  try {
    for await (const bytes of chunks) await file.writeFile(bytes);
  } finally {
    await file.close();
  }
}
