import { IncomingMessage } from 'node:http';
import { SetupError, TooLargeError } from '../errors.js';

/** What an upload may come as: bytes, text (as UTF-8), a `Blob` or `File`, a stream of Node or the Web. */
export type UploadBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

/**
 * The bytes of a body as they come. A stream is closed where they are not wanted to the end.
 *
 * @param given the name that it came with
 * @throws {SetupError} for what is no body.
 * @throws {TooLargeError} for more than `maxBytes`.
 */
export async function* bytesOf(
  body: UploadBody,
  given: string,
  maxBytes: number,
): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of chunksOf(body)) {
    const bytes = asBytes(chunk);
    if (bytes === undefined) throw noBody(`holds ${typeof chunk}s`);
    size += bytes.length;
    if (size > maxBytes) throw new TooLargeError(given, maxBytes);
    yield bytes;
  }
}

async function* chunksOf(body: unknown): AsyncGenerator<unknown> {
  const bytes = asBytes(body);
  if (bytes !== undefined) return yield bytes;
  if (body instanceof Blob) return yield* chunksOf(body.stream());
  if (Object(body).readableEnded === true) throw noBody('was read to its end before');
  if (body instanceof IncomingMessage) return yield* leftToItsServer(body);
  const stream = Object(body) as Partial<AsyncIterable<unknown> & ReadableStream>;
  if (stream[Symbol.asyncIterator]) yield* stream as AsyncIterable<unknown>;
  else if (stream.getReader) yield* read(stream as ReadableStream);
  else throw noBody(`is ${body === null ? 'null' : `of the type ${typeof body}`}`);
}

/**
 * What is left of a request that is given up is read, as body-parser does: destroying it would end the
 * connection, after an answer that keeps it for the client's next request.
 */
async function* leftToItsServer(request: IncomingMessage): AsyncGenerator<unknown> {
  try {
    yield* request.iterator({ destroyOnReturn: false });
  } finally {
    request.resume();
  }
}

/** Streams of the Web are iterable in Node, and not in every other place. */
async function* read(stream: ReadableStream): AsyncGenerator<unknown> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

function asBytes(value: unknown): Uint8Array | undefined {
  if (typeof value === 'string') return new TextEncoder().encode(value);
  if (value instanceof ArrayBuffer) return new Uint8Array(value);
  if (!ArrayBuffer.isView(value)) return undefined;
  return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
}

function noBody(what: string): SetupError {
  return new SetupError(
    `save() takes bytes, a string, a Blob, or a stream of bytes that nobody has read yet; this one ${what}.`,
  );
}
