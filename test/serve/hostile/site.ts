import { readFileSync } from 'node:fs';
import type { ServerOptions } from 'node:http';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import type { CollectOptions } from '../../../src/collect/run.js';
import type { Settings } from '../../../src/settings.js';
import { createStaticFiles, type StaticFiles } from '../../../src/static-files.js';
import { hashedStorage } from '../../../src/storages/hashed.js';
import { listen } from '../../listen.js';
import { openFiles } from '../../open-files.js';
import { add, project } from '../../project.js';
import { APPLICATION } from '../http/answers.js';
import { listenFetch } from '../http/bridge.js';
import { askOnce, Connection, type RawAnswer, type RawRequest } from '../http/connection.js';
import { type Mode, SECRET } from '../http/site.js';

/** What no answer may hold: it lies beside what is served. */
export { SECRET };

/** Where it lies, as seen from the project's folder. */
export const SECRETS: readonly string[] = ['', 'static', 'collected', 'uploads', 'public'].map(
  (folder) => (folder === '' ? 'secret.txt' : `${folder}-other/secret.txt`),
);

const FILES: Readonly<Record<string, string>> = {
  'uploads/me.txt': 'me',
  'public/robots.txt': 'robots',
  'static/app/small.css': 'a{}',
  'static/app/site.css': '.rule { color: red }\n'.repeat(500),
  ...Object.fromEntries(SECRETS.map((place) => [place, SECRET])),
};

export interface HostileSite {
  readonly root: string;
  readonly url: string;
  readonly files: StaticFiles;
  /** The URL's path of a name, with its hash where it has one. */
  pathOf(name: string): string;
  /** The path on the disk of what is answered for a name. */
  diskPathOf(name: string): string;
  /** The answer to a request on a connection of its own; `undefined` where it was hung up on. */
  ask(request: RawRequest): Promise<RawAnswer | undefined>;
  /** Fails where something was thrown out of the handler, a file is still open, or nothing is served any more. */
  expectCalm(): Promise<void>;
}

/** By `files.handler` of bare `node:http`, or by `files.fetch` behind a bridge to it. */
export type By = 'handler' | 'fetch';

export interface HostileOptions {
  /** Besides those that are there always: path in the project, content. */
  readonly files?: Readonly<Record<string, string | Uint8Array>>;
  readonly settings?: Settings;
  readonly collect?: CollectOptions;
  readonly server?: ServerOptions;
  /** @default 'handler' */
  readonly by?: By;
  /** What is done to the project before it is collected, and before it is served. */
  readonly before?: (root: string) => void;
  readonly damage?: (root: string, diskPathOf: HostileSite['diskPathOf']) => void;
}

/** A site that is served on a free port, for one test. */
export async function hostileSite(mode: Mode, options: HostileOptions = {}): Promise<HostileSite> {
  const root = project(FILES);
  add(root, options.files ?? {});
  options.before?.(root);
  const settings: Settings = {
    baseDir: root,
    dirs: ['static'],
    staticRoot: 'collected',
    mediaUrl: '/media/',
    mediaRoot: 'uploads',
    rootFiles: 'public',
    debug: mode === 'live',
    ...(mode === 'hashed' ? { storage: hashedStorage(), compress: ['br', 'gzip'] } : {}),
    ...options.settings,
  };
  if (mode !== 'live') await createStaticFiles(settings).collect(options.collect);
  const hashedName = mode === 'hashed' ? hashedNames(root) : (name: string) => name;
  const diskPathOf = (name: string) =>
    join(root, mode === 'live' ? 'static' : 'collected', hashedName(name));
  options.damage?.(root, diskPathOf);

  const files = createStaticFiles(settings);
  const faults = watchFaults();
  const server = await (options.by === 'fetch'
    ? listenFetch(files.fetch, options.server)
    : listenHandler(files, faults, options.server));
  onTestFinished(() => server.close());
  return {
    root,
    url: server.url,
    files,
    pathOf: (name) => `/static/${hashedName(name)}`,
    diskPathOf,
    ask: (request) => answerOf(server.url, request),
    async expectCalm() {
      const { status, body } = await askOnce(server.url, { target: '/static/app/small.css' });
      expect({ status, body: body.toString() }).toEqual({ status: 200, body: 'a{}' });
      await expect.poll(() => openFiles(root)).toEqual([]);
      expect(faults).toEqual([]);
    },
  };
}

function listenHandler(files: StaticFiles, faults: unknown[], options: ServerOptions = {}) {
  return listen((request, response) => {
    try {
      files.handler(request, response, (error) => {
        response.statusCode = error === undefined ? 200 : 500;
        response.end(error === undefined ? APPLICATION : 'the application failed');
      });
    } catch (error) {
      faults.push(error);
      response.destroy();
    }
  }, options);
}

function hashedNames(root: string): (name: string) => string {
  const manifest = JSON.parse(readFileSync(join(root, 'collected/staticfiles.json'), 'utf8'));
  return (name) => (Object.hasOwn(manifest.paths, name) ? manifest.paths[name] : name);
}

/** What nobody caught, or closed, from now on until the test ends. */
function watchFaults(): unknown[] {
  const faults: unknown[] = [];
  const tell = (error: unknown) => faults.push(error);
  const warn = (warning: Error) => {
    // Node's way to say that a file was left open, and has been found by chance.
    if (warning.message.includes('garbage collection')) faults.push(warning);
  };
  process.on('uncaughtException', tell).on('unhandledRejection', tell).on('warning', warn);
  onTestFinished(() => {
    process.off('uncaughtException', tell).off('unhandledRejection', tell).off('warning', warn);
  });
  return faults;
}

async function answerOf(url: string, request: RawRequest): Promise<RawAnswer | undefined> {
  const connection = await Connection.open(url);
  try {
    return await connection.ask(request);
  } catch (error) {
    if (error instanceof Error && /ended|reset|closed/i.test(error.message)) return undefined;
    throw error;
  } finally {
    connection.close();
  }
}
