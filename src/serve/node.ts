import { type IncomingMessage, ServerResponse } from 'node:http';
import { reason } from '../errors.js';
import { type Next, type NodeHandler, takesFaults } from '../next.js';
import { type Answer, type Asked, answer, answerNow, concerns, piecesOf } from './answer.js';
import type { HeaderList } from './form.js';
import { type Piece, refusal } from './respond.js';
import type { Source } from './source.js';
import { transfer } from './transfer.js';

/** Answers requests below the sources' prefixes; all others, and misses if so wished, are `next()`'s. */
export function nodeHandler(sources: readonly Source[]): NodeHandler {
  return (request, response, next) => {
    const asked: Asked = {
      method: request.method ?? 'GET',
      path: pathOf(request),
      headers: request.headers,
    };
    const pass: Next = (error) => {
      if (next && (error === undefined || takesFaults(next))) return next(error);
      refuse(response, error);
    };
    let known: Answer | undefined;
    try {
      known = answerNow(sources, asked);
    } catch (error) {
      return pass(error);
    }
    if (known !== undefined) return sendBytes(response, known);
    if (!concerns(sources, asked.path)) return pass();
    whenItsTurn(request, response, () => {
      answer(sources, asked).then(
        (found) => {
          // Out of the promise, which would take what next() throws for its own.
          if (found === undefined) queueMicrotask(pass);
          else send(response, found).catch((error: unknown) => fail(response, error, pass));
        },
        (error: unknown) => queueMicrotask(() => pass(error)),
      );
    });
  };
}

/**
 * Requests that are sent in a row, before their answers (RFC 9112, 9.3.2), wait for those before them:
 * otherwise one connection could have a thousand files open.
 */
function whenItsTurn(request: IncomingMessage, response: ServerResponse, call: () => void): void {
  if (response.socket === null && !request.socket.destroyed) response.once('socket', call);
  else call();
}

/** The path as the client sent it; frameworks that mount a middleware shorten `url`. */
function pathOf(request: IncomingMessage): string {
  const { originalUrl } = request as { originalUrl?: unknown };
  const target = typeof originalUrl === 'string' ? originalUrl : (request.url ?? '/');
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  // RFC 9112, 3.2.2: a proxy sends the whole URL.
  return path.startsWith('/') ? path : path.replace(/^https?:\/\/[^/]*/i, '');
}

async function send(response: ServerResponse, found: Answer): Promise<void> {
  const { file } = found;
  if (file === undefined) return sendBytes(response, found);
  try {
    if (response.destroyed || response.headersSent) return;
    writeHead(response, found.status, found.headers);
    await transfer(response, piecesOf(found), file);
    // What was cut off must not count as finished.
    if (!response.req?.socket.destroyed) response.end();
  } finally {
    await file.close();
  }
}

/** Others may have answered meanwhile, as those do who watch how long it takes: then that stays. */
function sendBytes(response: ServerResponse, { status, headers, body, bytes }: Answer): void {
  if (response.headersSent) return;
  writeHead(response, status, headers);
  if (body === 'none') response.end();
  else if (body === 'whole') response.end(bytes);
  else {
    for (const piece of body) writePiece(response, piece, bytes);
    response.end();
  }
}

/**
 * Where others have put a function of theirs in its place, the headers are set one by one: on-headers
 * before 1.1, by which morgan, compression and express-session do it, takes a list for a list of pairs.
 */
function writeHead(response: ServerResponse, status: number, headers: HeaderList): void {
  if (response.writeHead === ServerResponse.prototype.writeHead) {
    response.writeHead(status, headers as string[]);
    return;
  }
  for (let at = 0; at < headers.length; at += 2) {
    response.setHeader(headers[at] ?? '', headers[at + 1] ?? '');
  }
  response.writeHead(status);
}

function writePiece(response: ServerResponse, piece: Piece, bytes: Uint8Array | undefined): void {
  if (typeof piece === 'string') response.write(piece, 'latin1');
  else if (bytes !== undefined) response.write(bytes.subarray(piece.start, piece.end + 1));
}

/** A disk that fails is told once a second, not at every request. */
const WARN_MS = 1000;
let warnedAt = 0;

function fail(response: ServerResponse, error: unknown, pass: Next): void {
  if (response.headersSent) {
    response.destroy();
    if (Date.now() - warnedAt < WARN_MS) return;
    warnedAt = Date.now();
    process.emitWarning(`An answer was cut off: ${reason(error)}`, 'StaticFilesWarning');
  } else {
    pass(error);
  }
}

/** Where there is nobody to hand the request to. */
function refuse(response: ServerResponse, error: unknown): void {
  if (error !== undefined) console.error(error);
  sendBytes(response, refusal(error === undefined ? 404 : 500));
}
