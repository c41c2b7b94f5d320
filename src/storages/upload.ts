import { chmod, type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { IncomingMessage } from 'node:http';
import { dirname, join } from 'node:path';
import { SetupError, systemCode, TooLargeError } from '../errors.js';
import { PARTIAL } from '../names.js';
import { alternativeName, uploadName } from '../upload-names.js';
import { DEFAULT_FILE_MODE, makeFolder } from './filesystem.js';

/** What an upload may come as: bytes, text (as UTF-8), a `Blob` or `File`, a stream of Node or the Web. */
export type UploadBody =
  | string
  | Uint8Array
  | ArrayBuffer
  | Blob
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array | string>;

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
export async function saveUpload(
  destination: Destination,
  given: string,
  body: UploadBody,
): Promise<string> {
  const release = holdErrors(body);
  try {
    const wanted = uploadName(given);
    const folder = dirname(destination.path(wanted));
    await destination.inside(dirname(wanted));
    await makeFolder(folder, destination.directoryMode);
    const partial = join(folder, PARTIAL + crypto.randomUUID());
    try {
      await fill(partial, body, given, destination.maxBytes);
      await chmod(partial, destination.fileMode ?? DEFAULT_FILE_MODE);
      return await takeFreeName(destination, partial, wanted);
    } finally {
      await rm(partial, { force: true });
    }
  } finally {
    release();
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

async function fill(
  partial: string,
  body: UploadBody,
  given: string,
  maxBytes: number,
): Promise<void> {
  const file = await open(partial, 'wx');
  try {
    await copy(chunksOf(body), file, given, maxBytes);
  } finally {
    await file.close();
  }
}

async function copy(
  chunks: AsyncIterable<unknown>,
  file: FileHandle,
  given: string,
  maxBytes: number,
): Promise<void> {
  let size = 0;
  for await (const chunk of chunks) {
    const bytes = bytesOf(chunk);
    if (bytes === undefined) throw noBody(`holds ${typeof chunk}s`);
    size += bytes.length;
    if (size > maxBytes) throw new TooLargeError(given, maxBytes);
    await file.writeFile(bytes);
  }
}

async function* chunksOf(body: unknown): AsyncGenerator<unknown> {
  const bytes = bytesOf(body);
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

function bytesOf(value: unknown): Uint8Array | undefined {
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

/**
 * A stream of Node that fails while nobody reads it yet ends the process, unless somebody listens.
 * Whoever reads it then learns of it all the same.
 */
function holdErrors(body: unknown): () => void {
  const { on, off } = Object(body) as Partial<NodeJS.EventEmitter>;
  if (typeof on !== 'function' || typeof off !== 'function') return () => {};
  const listener = () => {};
  on.call(body, 'error', listener);
  return () => void off.call(body, 'error', listener);
}
