import { createHash } from 'node:crypto';
import { type FileHandle, open, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { disarmingHeaders } from '../disarm.js';
import { contentType } from '../media-types.js';
import type { Storage, WriteOptions } from '../storage.js';
import { alternativeName, uploadName } from '../upload-names.js';
import { bytesOf, type UploadBody } from './upload-body.js';

/** In bytes; what is larger waits in a temporary file until all of it is there. */
const MOST_IN_MEMORY = 8 * 1024 * 1024;

/** An upload of which all is there: its bytes, or where they are. */
interface Whole {
  readonly md5: string;
  readonly content: Uint8Array | string;
}

/**
 * Saves uploads in a storage elsewhere, none over another. Bytes in memory are put under the name that
 * was wanted on the condition that there is no such file, and else under an alternative. No store puts
 * a large file on a condition, and some none at all: what goes there so always has an alternative,
 * which nobody else comes upon.
 */
export function storeSaver(
  over: Storage,
  maxBytes: number,
): (given: string, body: UploadBody) => Promise<string> {
  /** Until the store says otherwise: it is asked once. */
  let hasConditions = over.writeIf !== undefined;

  /** Answers the name; `undefined` where the store knows no conditions. */
  async function putNew(wanted: string, body: Uint8Array, md5: string) {
    for (let name = wanted; hasConditions; name = alternativeName(wanted)) {
      const outcome = await over.writeIf?.(name, body, undefined, writing(name, md5));
      if (outcome === 'written') return name;
      if (outcome !== 'changed') hasConditions = false;
    }
    return undefined;
  }

  async function freeName(wanted: string): Promise<string> {
    for (;;) {
      const name = alternativeName(wanted);
      if (!(await over.exists(name))) return name;
    }
  }

  async function put(wanted: string, { content, md5 }: Whole): Promise<string> {
    const isFile = typeof content === 'string';
    const saved = isFile ? undefined : await putNew(wanted, content, md5);
    if (saved !== undefined) return saved;
    const name = await freeName(wanted);
    if (isFile && over.writeFile) await over.writeFile(name, content, writing(name, md5));
    else await over.write(name, isFile ? await readFile(content) : content, writing(name, md5));
    return name;
  }

  /** A store that keeps header fields answers by them what our handler would: nothing that runs. */
  function writing(name: string, md5: string): WriteOptions {
    const fields = Object.entries(disarmingHeaders(name, contentType(name)));
    const kept = fields.filter(([field]) => over.keptHeaders?.has(field.toLowerCase()));
    return { md5, headers: Object.fromEntries(kept) };
  }

  return async (given, body) => {
    const wanted = uploadName(given);
    return whenWhole(bytesOf(body, given, maxBytes), (whole) => put(wanted, whole));
  };
}

/** Reads all of a body before anything is sent; a temporary file is there no longer than it is used. */
async function whenWhole<T>(
  chunks: AsyncIterable<Uint8Array>,
  use: (whole: Whole) => Promise<T>,
): Promise<T> {
  const hash = createHash('md5');
  const path = join(tmpdir(), `staticfiles-upload-${crypto.randomUUID()}`);
  const held: Buffer[] = [];
  let size = 0;
  let file: FileHandle | undefined;
  try {
    for await (const chunk of chunks) {
      hash.update(chunk);
      size += chunk.length;
      if (size <= MOST_IN_MEMORY) {
        held.push(Buffer.from(chunk)); // whoever gives it may use its memory again
        continue;
      }
      file ??= await open(path, 'wx', 0o600);
      for (const bytes of [...held.splice(0), chunk]) await file.writeFile(bytes);
    }
    const md5 = hash.digest('hex');
    if (file === undefined) return await use({ md5, content: Buffer.concat(held) });
    await file.close();
    return await use({ md5, content: path });
  } finally {
    // To close it again does no harm.
    await file?.close().finally(() => rm(path, { force: true }));
  }
}
