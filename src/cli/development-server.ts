import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { reason, SetupError, systemCode } from '../errors.js';
import { createStaticFiles, type StaticFiles } from '../static-files.js';
import { basePath } from '../urls.js';
import { type Address, urlOf } from './address.js';
import type { Call } from './command.js';
import type { LiveReload } from './live-reload/live-reload.js';
import { logRequest } from './request-log.js';
import { ENDING, HOPELESS, PORT, RESTARTS } from './restarts.js';

export interface Site {
  /** The files of the settings; they are served where `debug` is true, or `--insecure` says so. */
  readonly files: StaticFiles;
  /** Absent: there is none, and what is no file is not found. */
  readonly application: RequestListener | undefined;
  /** Absent: browsers do not reload. */
  readonly reload: LiveReload | undefined;
}

/** Serves until it is told to end. Answers the exit status. */
export async function serve(call: Call, address: Address, site: Site): Promise<number> {
  const { io } = call;
  const inFront = staticHandler(call, site.files);
  const server = createServer(listenerOf(call, site, inFront));
  const listening = await listen(server, portOf(address, io.env)).catch((error: unknown) => {
    if (io.env[RESTARTS] === undefined) throw error;
    return error as Error;
  });
  if (listening instanceof Error) {
    site.reload?.close();
    if (call.json) io.out(`${JSON.stringify({ error: { message: listening.message } })}\n`);
    io.err(`Error: ${listening.message}\n`);
    return HOPELESS;
  }
  if (io.env[RESTARTS] !== undefined) process.send?.({ [PORT]: listening.port });
  announce(call, listening, inFront !== undefined, site);
  await untilTold();
  site.reload?.close(); // in good order, for browsers tell of the other on their consoles
  server.close();
  server.closeAllConnections();
  // The channel to the process that started this one would keep it alive.
  if (process.connected) process.disconnect();
  return 0;
}

function listenerOf(
  { io, verbosity }: Call,
  { application = notFound, reload }: Site,
  inFront: StaticFiles['handler'] | undefined,
): RequestListener {
  const behind = reload?.around(application) ?? application;
  return (request, response) => {
    const own = reload?.answerTo(request);
    let isFile = inFront !== undefined;
    if (verbosity >= (own ? 2 : 1)) {
      const { err: write, colors } = io;
      logRequest(request, response, { write, colors, isFile: () => isFile });
    }
    if (own) return own(request, response);
    if (inFront === undefined) return behind(request, response);
    inFront(request, response, (error) => {
      isFile = false;
      if (error === undefined) return behind(request, response);
      io.err(`${error instanceof Error ? error.stack : error}\n`);
      response.writeHead(500).end();
    });
  };
}

const notFound: RequestListener = (_request, response) => {
  response.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' });
  response.end(
    'Not found. Only static and media files are served: runserver was given no application.\n',
  );
};

/** Static files come from the sources also where debug is false: that is what --insecure asks for. */
function staticHandler(call: Call, files: StaticFiles): StaticFiles['handler'] | undefined {
  if (call.has('nostatic')) return undefined;
  if (files.settings.debug) return files.handler;
  if (!call.has('insecure')) return undefined;
  return createStaticFiles({
    ...files.settings,
    mediaUrl: files.settings.mediaUrl || undefined,
    debug: true,
  }).handler;
}

/** Port 0 is any that is free, and the same one after a restart: the browser is there. */
function portOf({ host, port }: Address, env: Call['io']['env']): Address {
  return { host, port: port === 0 ? Number(env[PORT] ?? 0) : port };
}

/** Where it listens. @throws {SetupError} where it cannot. */
async function listen(server: Server, { host, port }: Address): Promise<Address> {
  try {
    await once(server.listen(port, host), 'listening');
  } catch (cause) {
    const why =
      systemCode(cause) === 'EADDRINUSE'
        ? `is in use. Name another port: staticfiles runserver ${port + 1}`
        : `cannot be listened on: ${reason(cause)}`;
    throw new SetupError(`${host}:${port} ${why}`, { cause });
  }
  return { host, port: (server.address() as AddressInfo).port };
}

function announce(call: Call, address: Address, servesStatic: boolean, site: Site): void {
  const { io, json, verbosity } = call;
  const first = (io.env[RESTARTS] ?? '0') === '0';
  if (json) {
    if (first) io.out(`${JSON.stringify({ url: urlOf(address), pid: process.pid })}\n`);
    return;
  }
  if (verbosity === 0) return;
  const { staticUrl, debug } = site.files.settings;
  const statics = servesStatic
    ? `Static files: live, under ${basePath(staticUrl)}`
    : debug || call.has('nostatic')
      ? 'Static files: not served (--nostatic).'
      : 'Static files: not served, for debug is false; --insecure serves them all the same.';
  const reloads = site.reload ? 'Pages reload in the browser when a file changes.\n' : '';
  const notes = first ? `${statics}\n${reloads}Stop it with Control-C.\n` : '';
  io.out(`Development server at ${urlOf(address)}\n${notes}`);
}

/** A signal ends the server; so does the end of the process that started it. */
function untilTold(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ENDING) process.once(signal, done);
    process.once('disconnect', done);
  });
}
