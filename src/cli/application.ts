import { statSync } from 'node:fs';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { Server } from 'node:http';
import { resolve } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { ReadableStream } from 'node:stream/web';
import { StaticFilesError } from '../errors.js';
import { importFault } from '../import-fault.js';
import { defaultExport, importModule } from '../import-module.js';

/** An application that cannot be served. */
export class ApplicationError extends StaticFilesError {
  readonly code = 'ERR_STATICFILES_APPLICATION';
}

const ACCEPTED =
  'It must export as its default a function (request, response), an Express or Koa application, an object with fetch(request), a Fastify instance, or an http.Server.';

/**
 * Imports an application's module, TypeScript too, and answers what handles its requests.
 *
 * @throws {ApplicationError} where the module does not load or exports no application.
 */
export async function loadApplication(path: string, cwd: string): Promise<RequestListener> {
  const file = applicationFile(path, cwd);
  let application: unknown;
  try {
    application = await defaultExport(await importModule(file));
  } catch (cause) {
    throw new ApplicationError(`The application ${await importFault(cause, file)}`, { cause });
  }
  const listener = await listenerOf(application);
  if (listener === undefined) {
    const what =
      application === undefined ? 'has no default export' : `exports ${kindOf(application)}`;
    throw new ApplicationError(`The application ${file} ${what}. ${ACCEPTED}`);
  }
  return listener;
}

/** The file of an application's module. @throws {ApplicationError} where there is none. */
export function applicationFile(path: string, cwd: string): string {
  const file = resolve(cwd, path);
  if (statSync(file, { throwIfNoEntry: false })?.isFile()) return file;
  throw new ApplicationError(`There is no application ${file}. Name the file of its module.`);
}

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown;

async function listenerOf(application: unknown): Promise<RequestListener | undefined> {
  if (typeof application === 'function') return guarded(application as Listener);
  if (typeof application !== 'object' || application === null) return undefined;
  if (application instanceof Server) {
    return (request, response) => void application.emit('request', request, response);
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
function guarded(listener: Listener): RequestListener {
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
  if (answer.body === null) response.end();
  else await pipeline(Readable.fromWeb(answer.body as ReadableStream), response);
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

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? 'an array' : `a value of type ${typeof value}`;
}
