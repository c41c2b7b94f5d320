import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, isIPv6 } from 'node:net';
import { reason, SetupError, sentence } from './errors.js';
import {
  ACCEPTED,
  type Application,
  ApplicationError,
  guarded,
  kindOf,
  listenerOf,
} from './listener.js';
import type { NodeHandler } from './next.js';
import { checkFiles, checkOptions } from './options.js';
import { createStaticFiles, type StaticFiles } from './static-files.js';

export { type Application, ApplicationError };

/** A server that runs while a test does. */
export interface LiveServer {
  /** Where it is, without a slash at the end: `http://127.0.0.1:41234`. */
  readonly url: string;
  /** Ends the server and every connection, event streams too; the port is free when it resolves. */
  close(): Promise<void>;
  /** `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

export interface LiveServerOptions {
  /** The address to listen on. @default '127.0.0.1' */
  readonly host?: string | undefined;
  /** The port to listen on; 0 is any that is free. @default 0 */
  readonly port?: number | undefined;
}

/**
 * Serves an application with its static files straight from the finders, as in development, whatever
 * `debug` is: nothing needs to be collected. Django's StaticLiveServerTestCase. Uploads come from
 * `mediaRoot`.
 *
 * `application` is all that `runserver` takes: a function `(request, response)`, an Express or Koa
 * application, an object with `fetch(request)`, a Fastify instance, an `http.Server`; or `undefined`,
 * for static files alone. What it throws is told by `console.error` and answered with 500.
 *
 * @throws {ApplicationError} for an application that is none of these.
 * @throws {SetupError} where there are no files, for an unknown option, and where the address cannot
 * be listened on.
 */
export async function startStaticLiveServer(
  application: Application | PromiseLike<Application> | undefined,
  files: StaticFiles,
  options: LiveServerOptions = {},
): Promise<LiveServer> {
  checkFiles('startStaticLiveServer(application, files)', files);
  return start([variant(files, true).handler], application, options);
}

/**
 * Serves an application with the static files that were collected, as in production, whatever `debug`
 * is. Django's LiveServerTestCase. Uploads come from `mediaRoot` here too.
 *
 * `application` is what `startStaticLiveServer()` takes.
 *
 * @throws {ManifestError} from a hashed storage, where nothing has been collected.
 * @throws {ApplicationError} for an application that is none.
 * @throws {SetupError} where there are no files, for an unknown option, and where the address cannot
 * be listened on.
 */
export async function startLiveServer(
  application: Application | PromiseLike<Application> | undefined,
  files: StaticFiles,
  options: LiveServerOptions = {},
): Promise<LiveServer> {
  checkFiles('startLiveServer(application, files)', files);
  const collected = variant(files, false);
  await collected.ready();
  return start([mediaOf(files).handler, collected.handler], application, options);
}

/** The same files with another `debug`. Where it is that already, they are the same: caches and all. */
function variant(files: StaticFiles, debug: boolean): StaticFiles {
  const { settings } = files;
  if (settings.debug === debug) return files;
  return createStaticFiles({ ...settings, mediaUrl: settings.mediaUrl || undefined, debug });
}

/** Uploads alone: what is served in development, without the finders. */
function mediaOf({ settings }: StaticFiles): StaticFiles {
  return createStaticFiles({
    ...settings,
    mediaUrl: settings.mediaUrl || undefined,
    debug: true,
    finders: [],
    rootFiles: undefined,
    fallthrough: true, // to what is asked next
  });
}

async function start(
  handlers: readonly NodeHandler[],
  application: unknown,
  options: LiveServerOptions,
): Promise<LiveServer> {
  checkOptions('a live server', options, ['host', 'port']);
  const { host = '127.0.0.1', port = 0 } = options;
  const given = await application;
  const listener = given === undefined ? notFound : await listenerOf(given);
  if (listener === undefined) {
    throw new ApplicationError(`The application is ${kindOf(given)}. It must be ${ACCEPTED}`);
  }
  const server = createServer(handlers.reduceRight(inFront, listener));
  const bound = await listen(server, host, port);
  let closed: Promise<void> | undefined;
  const close = () => {
    closed ??= new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
    return closed;
  };
  const url = `http://${isIPv6(host) ? `[${host}]` : host}:${bound}`;
  return { url, close, [Symbol.asyncDispose]: close };
}

const notFound: RequestListener = (_request, response) => {
  response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end('Not found. This live server has no application, only static and media files.\n');
};

/** Asks the handler first, and the listener for what it passes on. */
function inFront(listener: RequestListener, handler: NodeHandler): RequestListener {
  return guarded(
    (request, response) =>
      new Promise((resolve, reject) => {
        handler(request, response, (error) => {
          if (error === undefined) resolve(listener(request, response));
          else reject(error);
        });
      }),
  );
}

/** The port that it listens on. @throws {SetupError} where it cannot. */
async function listen(server: Server, host: string, port: number): Promise<number> {
  try {
    await once(server.listen(port, host), 'listening');
  } catch (cause) {
    const why = sentence(`A live server cannot listen on ${host}:${port}: ${reason(cause)}`);
    throw new SetupError(`${why} Without a port it takes one that is free.`, { cause });
  }
  return (server.address() as AddressInfo).port;
}
