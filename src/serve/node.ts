import { type FileHandle, open } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { NameError, systemCode } from '../errors.js';
import { contentType } from '../media-types.js';
import { normaliseName } from '../names.js';
import { respond } from './respond.js';
import type { Located, Route } from './route.js';

/** Passes a request on, or reports an error; Connect's. */
export type Next = (error?: unknown) => void;

/** A request listener of `node:http` that also is a middleware of Connect and Express. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse, next?: Next) => void;

/** Answers requests below the routes' prefixes; all others, and misses if so wished, are `next()`'s. */
export function nodeHandler(routes: readonly Route[], fallthrough: boolean): NodeHandler {
  const longestFirst = [...routes].sort((a, b) => b.prefix.length - a.prefix.length);
  return (request, response, next) => {
    const pass: Next = next ?? ((error) => end(response, error === undefined ? 404 : 500));
    const path = pathOf(request);
    const route = longestFirst.find(({ prefix }) => path.startsWith(prefix));
    if (route === undefined) return pass();
    // At the site's root, what is no file may be a page.
    const passes = fallthrough || route.prefix === '/';
    const name = path.slice(route.prefix.length);
    answer(route, name, request, response).then(
      (status) => {
        if (status === 200) return;
        if (passes) pass();
        else end(response, status);
      },
      (error: unknown) => {
        if (response.headersSent) response.destroy();
        else pass(error);
      },
    );
  };
}

/** Answers with the file, or says why there is none to answer with. */
async function answer(
  route: Route,
  encodedName: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<200 | 404 | 405> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return 405;
  const located = locate(route, encodedName);
  const file = located && (await openFile(located.path));
  if (located === undefined || file === undefined) return 404;
  try {
    return await send(file, located, request, response);
  } finally {
    await file.close();
  }
}

/** The path as the client sent it; frameworks that mount a middleware shorten `url`. */
function pathOf(request: IncomingMessage): string {
  const original = 'originalUrl' in request ? request.originalUrl : undefined;
  const target = typeof original === 'string' ? original : (request.url ?? '/');
  return target.split(/[?#]/, 1)[0] ?? '/';
}

/** A path that cannot be decoded, or leaves its base, names no file. */
function locate(route: Route, encoded: string): Located | undefined {
  try {
    const name = normaliseName(decodeURIComponent(encoded));
    return name === '' || name.endsWith('/') ? undefined : route.locate(name);
  } catch (error) {
    if (error instanceof URIError || error instanceof NameError) return undefined;
    throw error;
  }
}

async function openFile(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined;
    throw error;
  }
}

async function send(
  file: FileHandle,
  { path, cacheControl }: Located,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<200 | 404> {
  const stats = await file.stat();
  if (!stats.isFile()) return 404;
  const { size, mtimeMs } = stats;
  const head = respond(
    { method: request.method ?? 'GET', headers: request.headers },
    { size, mtimeMs, contentType: contentType(path), cacheControl },
  );
  response.writeHead(head.status, head.headers);
  if (head.status === 304 || request.method === 'HEAD' || size === 0) {
    response.end();
    return 200;
  }
  // A file that grows meanwhile is sent as long as was announced.
  const body = file.createReadStream({ start: 0, end: size - 1, autoClose: false });
  await pipeline(body, response).catch((error: unknown) => {
    if (!isAbort(error)) throw error;
  });
  return 200;
}

/** The client went away in the middle; nobody is left to tell. */
function isAbort(error: unknown): boolean {
  const code = systemCode(error);
  return code === 'ERR_STREAM_PREMATURE_CLOSE' || code === 'EPIPE' || code === 'ECONNRESET';
}

/** A miss must not stay in a cache in front of us: the file may come with the next deploy. */
function end(response: ServerResponse, status: 404 | 405 | 500): void {
  const text = { 404: 'Not found', 405: 'Method not allowed', 500: 'Internal server error' }[
    status
  ];
  if (status === 405) response.setHeader('Allow', 'GET, HEAD');
  response.writeHead(status, {
    'Content-Type': 'text/plain; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(`${text}\n`);
}
