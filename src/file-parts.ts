import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';

/** Local files on their way to a store: in parts, of which few are in memory. */

/** Of local files in memory at once, in bytes, of one storage. */
export const BYTES_IN_FLIGHT = 64 * 1024 * 1024;

/** So many bytes from there; fewer where the file has become shorter, which its time tells as well. */
export async function readPart(file: FileHandle, at: number, length: number): Promise<Buffer> {
  const body = Buffer.allocUnsafeSlow(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await file.read(body, filled, length - filled, at + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return body.subarray(0, filled);
}

export function md5Of(body: Uint8Array): Buffer {
  return createHash('md5').update(body).digest();
}

/** Waits until so many bytes may be in memory, and answers what gives them back. */
export type Take = (bytes: number) => Promise<() => void>;

/** Lets so many bytes be in memory at once, and whatever is larger alone; first come, first served. */
export function byteBudget(most: number = BYTES_IN_FLIGHT): Take {
  let taken = 0;
  const waiting: { readonly bytes: number; readonly start: () => void }[] = [];

  function next(): void {
    for (;;) {
      const [first] = waiting;
      if (first === undefined || (taken > 0 && taken + first.bytes > most)) return;
      waiting.shift();
      taken += first.bytes;
      first.start();
    }
  }

  return async (bytes) => {
    await new Promise<void>((start) => {
      waiting.push({ bytes, start });
      next();
    });
    return () => {
      taken -= bytes;
      next();
    };
  };
}
