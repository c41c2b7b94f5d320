import { type IncomingMessage, type RequestListener, Server, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { StaticFilesError, systemCode } from './errors.js';

/** An application that cannot be served. */
export class ApplicationError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_APPLICATION';
}

/** What an application may be, for messages. */
export const ACCEPTED =
  'a function (request, response), an Express or Koa application, an object with fetch(request), a Fastify instance, or an http.Server.';

/** All that can be served as an application. */
export type Application =
  | Listener
  | Server
  | { fetch(request: Request): Response | PromiseLike<Response> }
  | { callback(): Listener }
  | {
      ready(): PromiseLike<unknown>;
      routing(request: IncomingMessage, response: ServerResponse): void;
    };

/** A request listener of `node:http`, whatever it answers. */
type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

/**
 * What handles the requests of an application of any of these kinds; `undefined` for anything else.
 * What it throws, at once or later, is told by `console.error` and answered with 500.
 */
export async function listenerOf(application: unknown): Promise<RequestListener | undefined> {
  if (typeof application === 'function') return guarded(application as Listener);
  if (typeof application !== 'object' || application === null) return undefined;
  if (application instanceof Server) {
    return guarded((request, response) => application.emit('request', request, response));
  }
  if (hasMethods(application, ['ready', 'routing'])) {
    const { ready, routing } = application;
    await ready.call(application); // Fastify's plugins load first
    return guarded((request, response) => routing.call(application, request, response));
  }
  if (hasMethods(application, ['fetch'])) {
    const { fetch } = application;
    const handle = (request: Request) => fetch.call(application, request);
    return guarded((request, response) => answerByFetch(handle, request, response));
  }
  // Koa
  if (hasMethods(application, ['callback'])) {
    return guarded(application.callback.call(application) as Listener);
  }
  return undefined;
}

function hasMethods<Name extends string>(
  value: object,
  names: readonly Name[],
): value is Record<Name, (...args: unknown[]) => unknown> {
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');
}

/** What the application throws, at once or later, is its fault: told on the terminal, answered 500. */
export function guarded(listener: Listener): RequestListener {
  return async (request, response) => {
    try {
      await listener(request, response);
    } catch (error) {
      console.error(error);
      if (response.headersSent) response.destroy();
      else {
        response.writeHead(500, { 'Content-Type': 'text/plain; charset=utf-8' });
        response.end('Internal server error: the terminal has the details.\n');
      }
    }
  };
}

/** Hands a request of node:http to a handler of the Web's `Request` and `Response`. */
async function answerByFetch(
  handle: (request: Request) => unknown,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const asked = webRequest(request, response);
  if (asked === undefined) {
    response.writeHead(400, { 'Content-Type': 'text/plain; charset=utf-8' });
    response.end('Bad request\n');
    return;
  }
  const answer = await handle(asked);
  if (!(answer instanceof Response)) {
    throw new TypeError(`fetch() must answer a Response, not ${kindOf(answer)}.`);
  }
  response.statusCode = answer.status;
  response.statusMessage = answer.statusText;
  for (const [name, value] of answer.headers) {
    if (name !== 'set-cookie') response.setHeader(name, value);
  }
  const cookies = answer.headers.getSetCookie();
  if (cookies.length > 0) response.setHeader('set-cookie', cookies);
  if (answer.body === null) {
    response.end();
    return;
  }
  await pipeline(Readable.fromWeb(answer.body as ReadableStream), response).catch((error) => {
    // The client went away in the middle, as from an event stream: no fault of the application's.
    if (systemCode(error) !== 'ERR_STREAM_PREMATURE_CLOSE') throw error;
  });
}

/** `undefined` for what no `Request` can be, such as TRACE or a host that is none. */
function webRequest(request: IncomingMessage, response: ServerResponse): Request | undefined {
  const { method = 'GET', headers, url = '/' } = request;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  const fields = Object.entries(headers).flatMap(([name, value]): [string, string][] =>
    [value ?? []].flat().map((one) => [name, one]),
  );
  const hasBody = method !== 'GET' && method !== 'HEAD';
  // Put together by hand: `//host/path` is a path here, and to the URL's resolver a host.
  const target = `http://${headers.host ?? 'localhost'}${url.startsWith('/') ? url : '/'}`;
  if (!URL.canParse(target) || FORBIDDEN_METHODS.has(method)) return undefined;
  return new Request(target, {
    method,
    headers: fields,
    signal: gone.signal,
    ...(hasBody && {
      body: Readable.toWeb(request) as NonNullable<RequestInit['body']>,
      duplex: 'half',
    }),
  });
}

/** https://fetch.spec.whatwg.org/#forbidden-method */
const FORBIDDEN_METHODS: ReadonlySet<string> = new Set(['CONNECT', 'TRACE', 'TRACK']);

/** What a value is, for messages. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
