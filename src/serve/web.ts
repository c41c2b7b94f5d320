import type { FileHandle } from 'node:fs/promises';
import { type Answer, answer, answerNow, concerns, piecesOf } from './answer.js';
import type { RequestHeaders } from './conditional.js';
import type { Piece } from './respond.js';
import type { Source } from './source.js';
import { CHUNK, truncated } from './transfer.js';

/**
 * Answers a request of the Web's standards (https://fetch.spec.whatwg.org); `undefined` where it is
 * the application's.
 */
export type FetchHandler = (request: Request) => Promise<Response | undefined>;

/** The header fields that an answer may depend on. */
const FIELDS = [
  'accept-encoding',
  'if-match',
  'if-modified-since',
  'if-none-match',
  'if-range',
  'if-unmodified-since',
  'range',
];

export function fetchHandler(sources: readonly Source[]): FetchHandler {
  return async ({ method, url, headers }) => {
    const { pathname } = new URL(url);
    if (!concerns(sources, pathname)) return undefined;
    const request = { method, path: pathname, headers: fieldsOf(headers) };
    const found = answerNow(sources, request) ?? (await answer(sources, request));
    return found && responseOf(found, method === 'HEAD');
  };
}

function fieldsOf(headers: Headers): RequestHeaders {
  const fields: Record<string, string> = {};
  for (const name of FIELDS) {
    const value = headers.get(name);
    if (value !== null) fields[name] = value;
  }
  return fields;
}

function responseOf(found: Answer, isHead: boolean): Response {
  const headers = new Headers();
  for (let at = 0; at < found.headers.length; at += 2) {
    headers.append(found.headers[at] ?? '', found.headers[at + 1] ?? '');
  }
  return new Response(isHead ? null : bodyOf(found), { status: found.status, headers });
}

function bodyOf(found: Answer): Body {
  const { body, bytes, file } = found;
  if (body === 'none') return null;
  if (file !== undefined) return streamOf(piecesOf(found), file);
  if (body === 'whole') return bytes as Body;
  const parts = body.map((piece) =>
    typeof piece === 'string'
      ? Buffer.from(piece, 'latin1')
      : (bytes ?? NOTHING).subarray(piece.start, piece.end + 1),
  );
  return Buffer.concat(parts);
}

type Body = ConstructorParameters<typeof Response>[0];

const NOTHING = new Uint8Array();

/** Reads when the reader wants more, and closes the file when it has all of it, or no more wishes. */
function streamOf(pieces: readonly Piece[], file: FileHandle): ReadableStream<Uint8Array> {
  const rest = [...pieces];
  let at = 0;
  async function next(): Promise<Uint8Array | undefined> {
    const piece = rest[0];
    if (piece === undefined) return undefined;
    if (typeof piece !== 'string') {
      const start = piece.start + at;
      const length = Math.min(CHUNK, piece.end - start + 1);
      if (length > 0) {
        const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, start);
        if (bytesRead === 0) throw truncated(start, piece.end);
        at += bytesRead;
        return buffer.subarray(0, bytesRead);
      }
    }
    rest.shift();
    at = 0;
    return typeof piece === 'string' ? Buffer.from(piece, 'latin1') : next();
  }
  async function close(): Promise<void> {
    unread.unregister(file);
    await file.close();
  }
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let chunk: Uint8Array | undefined;
        try {
          chunk = await next();
        } catch (error) {
          await close();
          throw error;
        }
        if (chunk !== undefined) return controller.enqueue(chunk);
        await close();
        controller.close();
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
  unread.register(stream, file, file);
  return stream;
}

/** Bodies that nobody has read to their end, nor cancelled: their files close when they are forgotten. */
const unread = new FinalizationRegistry<FileHandle>((file) => void file.close());
