import type { RequestListener } from 'node:http';
import { dirname } from 'node:path';
import { configFile } from '../load-config.js';
import { isInside } from '../names.js';
import { createStaticFiles, type StaticFiles } from '../static-files.js';
import { type Address, looksLikeAddress, parseAddress } from './address.js';
import { type Call, type Command, UsageError } from './command.js';
import type { LiveReload } from './live-reload/live-reload.js';
import { RESTARTS } from './restarts.js';
import type { SourceTree } from './source-tree.js';

export const runserver: Command = {
  name: 'runserver',
  summary: 'Serve an application, with static and media files live in front of it.',
  operands: '[addrport] [app]',
  about: `Serves the application module app, which exports as its default a function (request, response), an
Express or Koa application, an object with fetch(request), a Fastify instance, or an http.Server. In
front of it, static files come straight from the finders, and uploads from mediaRoot, while debug is
true. Without app, only those are served. The server starts again when a source file changes, and
pages in the browser follow: they reload, and a changed stylesheet takes the place of the old one.

addrport is a port or address:port; 127.0.0.1:8000 where there is none, and 0:8000 is every address.
This server is for development.`,
  options: {
    nostatic: { type: 'boolean', help: 'Serve no static and media files.' },
    insecure: { type: 'boolean', help: 'Serve them also when debug is false.' },
    noreload: {
      type: 'boolean',
      help: 'Neither start again nor reload pages when a file changes.',
    },
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
  if (isChild || call.has('noreload')) return serveSite(call, address, app, files);
  const { runReloading } = await import('./reloader.js');
  return runReloading({
    command: process.argv.slice(1),
    cwd: call.io.cwd,
    env: call.io.env,
    source: await sourceTree(call, app, files),
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

async function serveSite(
  call: Call,
  address: Address,
  app: string | undefined,
  files: StaticFiles,
): Promise<number> {
  const [application, { serve }] = await Promise.all([
    app === undefined ? undefined : load(app, call.io.cwd),
    import('./development-server.js'),
  ]);
  const reload = await reloading(call, app, files);
  return serve(call, address, { files, application, reload });
}

async function load(app: string, cwd: string): Promise<RequestListener> {
  const { loadApplication } = await import('./application.js');
  return loadApplication(app, cwd);
}

/** In development only; and where nothing starts the server again, nothing reloads the browser. */
async function reloading(
  call: Call,
  app: string | undefined,
  files: StaticFiles,
): Promise<LiveReload | undefined> {
  if (!files.settings.debug || call.has('noreload')) return undefined;
  const { liveReload } = await import('./live-reload/live-reload.js');
  return liveReload(files, await sourceTree(call, app, files));
}

async function sourceTree(
  { io, value }: Call,
  app: string | undefined,
  files: StaticFiles,
): Promise<SourceTree> {
  const { applicationFile } = await import('./application.js');
  const { baseDir, staticRoot, mediaRoot } = files.settings;
  const modules = [configFile({ file: value('config'), cwd: io.cwd })];
  if (app !== undefined) modules.push(applicationFile(app, io.cwd));
  const folders = [baseDir, ...modules.map((file) => dirname(file))];
  return {
    folders,
    // A folder of static files may be the whole project, as for `dirs: ['.']`.
    ignored: [...files.locations(), staticRoot ?? [], mediaRoot ?? []]
      .flat()
      .filter((ignored) => !folders.some((folder) => isInside(folder, ignored))),
  };
}
