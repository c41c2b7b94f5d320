import { Readable } from 'node:stream';
import type { BlobDownloadResponseParsed } from '@azure/storage-blob';
import { reason } from '../../src/errors.js';
import { BrokenBodyError, type Try } from './tries.js';

/** @throws {BrokenBodyError} where less arrives than was announced. */
export async function received(
  answer: BlobDownloadResponseParsed,
  alive: () => void,
): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of (answer.readableStreamBody ?? []) as AsyncIterable<Buffer>) {
      alive();
      chunks.push(chunk);
      size += chunk.length;
    }
  } catch (cause) {
    throw new BrokenBodyError(reason(cause), { cause });
  }
  const { contentLength = size } = answer;
  if (size === contentLength) return Buffer.concat(chunks);
  throw new BrokenBodyError(`${size} of ${contentLength} bytes`);
}

/** In bytes; what is handed on at once, so that it is seen whether it goes on. */
const PIECE = 64 * 1024;

/** A body that says whenever a part of it goes on its way. */
export function streamOf(body: Uint8Array, { alive }: Try, begins?: () => void): () => Readable {
  function* pieces() {
    for (let at = 0; at < body.length; at += PIECE) {
      alive();
      yield body.subarray(at, at + PIECE);
    }
  }
  return () => {
    begins?.();
    return Readable.from(pieces(), { objectMode: false, highWaterMark: PIECE });
  };
}
