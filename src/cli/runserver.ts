import { createServer, type RequestListener, type Server } from 'node:http';
import { dirname } from 'node:path';
import { SetupError, systemCode } from '../errors.js';
import { configFile } from '../load-config.js';
import { isInside } from '../names.js';
import { createStaticFiles, type StaticFiles } from '../static-files.js';
import { basePath } from '../urls.js';
import { type Address, looksLikeAddress, parseAddress, urlOf } from './address.js';
import { type Call, type Command, UsageError } from './command.js';
import { HOPELESS, RESTARTS } from './reloader.js';
import { logRequest } from './request-log.js';

export const runserver: Command = {
  name: 'runserver',
  summary: 'Serve an application, with static and media files live in front of it.',
  operands: '[addrport] [app]',
  about: `Serves the application module app, which exports as its default a function (request, response), an
Express or Koa application, an object with fetch(request), or a Fastify instance. In front of it,
static files come straight from the finders, and uploads from mediaRoot, while debug is true.
Without app, only those are served. The server starts again when a source file changes.

addrport is a port or address:port; 127.0.0.1:8000 where there is none, and 0:8000 is every address.
This server is for development.`,
  options: {
    nostatic: { type: 'boolean', help: 'Serve no static and media files.' },
    insecure: { type: 'boolean', help: 'Serve them also when debug is false.' },
    noreload: { type: 'boolean', help: 'Do not start again when a source file changes.' },
    ipv6: { type: 'boolean', short: '6', help: 'Listen on an IPv6 address.' },
  },
  examples: [
    'staticfiles runserver app.js',
    'staticfiles runserver 3000 src/app.ts',
    'staticfiles runserver 0.0.0.0:8000 app.js --insecure',
  ],
  run,
};

async function run(call: Call): Promise<number> {
  const { address, app } = operandsOf(call);
  const files = createStaticFiles(await call.settings());
  const isChild = call.io.env[RESTARTS] !== undefined;
  if (isChild || call.has('noreload')) return serve(call, address, app, files);
  const { baseDir, staticRoot, mediaRoot } = files.settings;
  const [{ runReloading }, { applicationFile }] = await Promise.all([
    import('./reloader.js'),
    import('./application.js'),
  ]);
  const modules = [configFile({ file: call.value('config'), cwd: call.io.cwd })];
  if (app !== undefined) modules.push(applicationFile(app, call.io.cwd));
  const folders = [baseDir, ...modules.map((file) => dirname(file))];
  return runReloading({
    command: process.argv.slice(1),
    cwd: call.io.cwd,
    env: call.io.env,
    folders,
    // A source folder may be the whole project, as for `dirs: ['.']`.
    ignored: [...files.locations(), staticRoot ?? [], mediaRoot ?? []]
      .flat()
      .filter((ignored) => !folders.some((folder) => isInside(folder, ignored))),
    say: (text) => (call.verbosity >= 1 ? call.io.err(text) : undefined),
  });
}

function operandsOf(call: Call): { address: Address; app: string | undefined } {
  const addresses = call.operands.filter(looksLikeAddress);
  const apps = call.operands.filter((operand) => !looksLikeAddress(operand));
  if (addresses.length > 1 || apps.length > 1) {
    throw new UsageError('runserver takes one addrport and one application at most.');
  }
  const ipv6 = call.has('ipv6');
  return { address: parseAddress(addresses[0], ipv6), app: apps[0] };
}

async function serve(
  call: Call,
  address: Address,
  app: string | undefined,
  files: StaticFiles,
): Promise<number> {
  const { io, verbosity } = call;
  const application = app === undefined ? notFound : await load(app, io.cwd);
  const inFront = staticHandler(call, files);
  const server = createServer((request, response) => {
    if (verbosity >= 1) logRequest(request, response, { write: io.err, colors: io.colors });
    if (inFront === undefined) return application(request, response);
    inFront(request, response, (error) => {
      if (error === undefined) return application(request, response);
      io.err(`${error instanceof Error ? error.stack : error}\n`);
      response.writeHead(500).end();
    });
  });
  const listening = await listen(server, address).catch((error: unknown) => {
    if (io.env[RESTARTS] === undefined) throw error;
    return error as Error;
  });
  if (listening instanceof Error) {
    if (call.json) io.out(`${JSON.stringify({ error: { message: listening.message } })}\n`);
    io.err(`Error: ${listening.message}\n`);
    return HOPELESS;
  }
  announce(call, listening, inFront !== undefined, files);
  await untilTold();
  server.close();
  server.closeAllConnections();
  // The channel to the process that started this one would keep it alive.
  if (process.connected) process.disconnect();
  return 0;
}

async function load(app: string, cwd: string): Promise<RequestListener> {
  const { loadApplication } = await import('./application.js');
  return loadApplication(app, cwd);
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

/** Where it listens. @throws {SetupError} where it cannot. */
function listen(server: Server, { host, port }: Address): Promise<Address> {
  return new Promise((done, fail) => {
    server.once('error', (cause) => {
      const why =
        systemCode(cause) === 'EADDRINUSE'
          ? `is in use. Name another port: staticfiles runserver ${port + 1}`
          : `cannot be listened on: ${cause.message}`;
      fail(new SetupError(`${host}:${port} ${why}`, { cause }));
    });
    server.listen(port, host, () => {
      const bound = server.address();
      done({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port });
    });
  });
}

function announce(call: Call, address: Address, servesStatic: boolean, files: StaticFiles): void {
  const { io, json, verbosity } = call;
  const first = (io.env[RESTARTS] ?? '0') === '0';
  if (json) {
    if (first) io.out(`${JSON.stringify({ url: urlOf(address), pid: process.pid })}\n`);
    return;
  }
  if (verbosity === 0) return;
  const { staticUrl, debug } = files.settings;
  const note = servesStatic
    ? `Static files: live, under ${basePath(staticUrl)}`
    : debug || call.has('nostatic')
      ? 'Static files: not served (--nostatic).'
      : 'Static files: not served, for debug is false; --insecure serves them all the same.';
  io.out(
    `Development server at ${urlOf(address)}\n${first ? `${note}\nStop it with Control-C.\n` : ''}`,
  );
}

/** A signal ends the server; so does the end of the process that started it. */
function untilTold(): Promise<void> {
  return new Promise((done) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, done);
    process.once('disconnect', done);
  });
}
