import { createHash, type Hash } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { StorageError } from '../../src/errors.js';
import { md5Of, readPart, type Take } from '../../src/file-parts.js';
import { faultCode } from './faults.js';

/** A part of a file on its way: its bytes, and the MD5 of them. */
export interface Block {
  readonly id: string;
  readonly body: Buffer;
  readonly md5: Buffer;
}

/** Where the parts of one file go to. */
export interface Target {
  /** Puts the whole of a file that is one part. */
  put(body: Buffer, md5: Buffer): Promise<void>;
  /** Keeps a part until all are there. */
  stage(block: Block): Promise<void>;
  /** Makes the file of its parts. */
  commit(ids: readonly string[], md5: Buffer): Promise<void>;
}

/** As many as Azure takes of one file. */
const MOST_BLOCKS = 50_000;
/** How often an upload is begun anew that another one of the same name has broken. */
const STARTS = 3;

export interface Sending {
  readonly blockSize: number;
  /** The MD5 that the whole must have, in hexadecimal digits. */
  readonly md5: string | undefined;
  readonly take: Take;
}

/**
 * Sends a local file, in one piece or in several. What is put there is what the file was from the
 * beginning of the reading to its end: one that changes meanwhile is a fault.
 *
 * @throws what the file system says of a file that cannot be read.
 */
export async function sendFile(path: string, target: Target, sending: Sending): Promise<void> {
  for (let start = 1; ; start++) {
    const file = await open(path, 'r');
    try {
      return await sendOpen(file, path, target, sending);
    } catch (error) {
      // The parts are kept by name, and whoever makes a file of his takes everybody else's away.
      if (faultCode(error) !== 'InvalidBlockList' || start === STARTS) throw error;
    } finally {
      await file.close();
    }
  }
}

async function sendOpen(file: FileHandle, path: string, target: Target, sending: Sending) {
  const before = await file.stat({ bigint: true });
  const size = Number(before.size);
  const assertSame = async (md5: string) => {
    const after = await file.stat({ bigint: true });
    const isSame = after.size === before.size && after.mtimeNs === before.mtimeNs;
    if (isSame && (sending.md5 ?? md5) === md5) return;
    throw new StorageError(
      `The file ${path} changed while it was being sent, and was not stored. Run this again when nobody writes it.`,
    );
  };
  if (size <= sending.blockSize) {
    const giveBack = await sending.take(size);
    try {
      const body = await readPart(file, 0, size);
      const md5 = md5Of(body);
      await assertSame(md5.toString('hex'));
      return await target.put(body, md5);
    } finally {
      giveBack();
    }
  }
  const whole = createHash('md5');
  const ids = await stageAll(file, size, whole, target, sending);
  const md5 = whole.digest();
  await assertSame(md5.toString('hex'));
  await target.commit(ids, md5);
}

/** Reads the file once, in order, and sends several parts at a time. */
async function stageAll(
  file: FileHandle,
  size: number,
  whole: Hash,
  target: Target,
  { blockSize, take }: Sending,
): Promise<string[]> {
  const length = Math.max(blockSize, Math.ceil(size / MOST_BLOCKS));
  const upload = crypto.randomUUID();
  const ids: string[] = [];
  const sent: Promise<void>[] = [];
  const faults: unknown[] = [];
  for (let at = 0; at < size && faults.length === 0; at += length) {
    const giveBack = await take(Math.min(length, size - at));
    try {
      const body = await readPart(file, at, Math.min(length, size - at));
      whole.update(body);
      const id = blockId(upload, ids.length);
      ids.push(id);
      const staged = target.stage({ id, body, md5: md5Of(body) });
      sent.push(staged.catch((error) => void faults.push(error)).finally(giveBack));
    } catch (error) {
      giveBack();
      faults.push(error);
    }
  }
  await Promise.all(sent);
  if (faults.length > 0) throw faults[0];
  return ids;
}

/**
 * Of this upload alone, for what two uploads keep under one name would be mixed; and as long as the
 * SDK's own, for all that are kept for a file must have one length.
 */
function blockId(upload: string, number: number): string {
  return Buffer.from(`${upload}${String(number).padStart(12, '0')}`).toString('base64');
}
