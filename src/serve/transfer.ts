import { read } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import type { Piece } from './respond.js';

/** What is read from a file and sent at a time, in bytes; larger ones are not faster. */
export const CHUNK = 65_536;

/** Chunks of memory that have been used, for the next transfer: new ones cost a third of its time. */
const unused: Uint8Array[] = [];
const MOST_UNUSED = 64;

/**
 * Sends pieces of a file, reading the next chunk when the one before has left the memory. Ends early
 * where nobody is left to send it to. The calls are the plain ones, with callbacks: by promises a
 * transfer takes a tenth more.
 *
 * A `write()` that others have put in its place may keep what it gets, and call nobody back, as those
 * of middlewares that compress: it gets memory of its own, and is waited for by `drain`. So does a
 * response without a connection, as adapters for functions in a cloud make them.
 *
 * @throws where the file cannot be read, or has become shorter than was announced.
 */
export function transfer(
  response: ServerResponse,
  pieces: readonly Piece[],
  file: FileHandle,
): Promise<void> {
  return new Promise((done, fail) => {
    const socket: unknown = response.req?.socket;
    const isReal = socket instanceof Socket;
    const isPlain = isReal && response.write === ServerResponse.prototype.write;
    const isGone = () => response.destroyed || (isReal && socket.destroyed);
    const shared = isPlain ? (unused.pop() ?? Buffer.allocUnsafeSlow(CHUNK)) : undefined;
    let isWriting = false;
    let isOver = false;
    let index = 0;
    let sent = 0;

    const endWaiting = () => {
      if (isWriting) end(); // whether a write that waits for its turn is told, nobody promises
    };
    const forget = isReal ? whenClosed(socket, endWaiting) : () => {};
    if (!isPlain) response.on('drain', goOn).on('close', endWaiting);

    function end(error?: Error): void {
      if (isOver) return;
      isOver = true;
      forget();
      if (!isPlain) response.off('drain', goOn).off('close', endWaiting);
      if (shared && !isWriting && unused.length < MOST_UNUSED) unused.push(shared);
      if (error) fail(error);
      else done();
    }

    function step(): void {
      isWriting = false;
      if (isOver) return;
      const piece = pieces[index];
      if (piece === undefined || isGone()) end();
      else if (typeof piece === 'string') write(Buffer.from(piece, 'latin1'));
      else if (piece.start + sent > piece.end) nextPiece();
      else readOn(piece.start + sent, piece.end);
    }

    function readOn(at: number, last: number): void {
      const length = Math.min(CHUNK, last - at + 1);
      const buffer = shared ?? Buffer.allocUnsafeSlow(length);
      read(file.fd, buffer, 0, length, at, (error, bytesRead) => {
        if (error) end(error);
        else if (bytesRead === 0) end(truncated(at, last));
        else if (isGone()) end();
        else write(bytesRead === buffer.length ? buffer : buffer.subarray(0, bytesRead));
      });
    }

    function nextPiece(): void {
      index++;
      sent = 0;
      step();
    }

    function write(chunk: Uint8Array): void {
      isWriting = true;
      sent += chunk.length;
      if (isPlain) response.write(chunk, goOn);
      else if (response.write(chunk) !== false) goOn();
    }

    function goOn(): void {
      if (!isWriting) return; // a `drain` of others
      if (typeof pieces[index] === 'string') nextPiece();
      else step();
    }

    step();
  });
}

export function truncated(at: number, end: number): Error {
  return new Error(
    `A file became shorter while it was sent: it ends before byte ${at} of ${end + 1}.`,
  );
}

const watched = new WeakMap<Socket, Set<() => void>>();

/** Calls when a connection has closed, by one listener for all that wait for it. */
function whenClosed(socket: Socket, call: () => void): () => void {
  let calls = watched.get(socket);
  if (calls === undefined) {
    const added = new Set<() => void>();
    calls = added;
    watched.set(socket, added);
    socket.once('close', () => {
      for (const each of [...added]) each();
    });
  }
  const all = calls;
  all.add(call);
  return () => all.delete(call);
}
