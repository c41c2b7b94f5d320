import { resolve } from 'node:path';
import { SetupError } from './errors.js';
import { lazyAsync, loadedOnce } from './lazy.js';
import type { NodeHandler } from './next.js';
import { checkOptions } from './options.js';
import type { FetchHandler } from './serve/web.js';
import { baseUrlFault, isLocal, resolveBaseUrl } from './urls.js';

export interface ServeDirectoryOptions {
  /** The folder of the files. Relative paths are relative to the working directory. */
  readonly root: string;
  /**
   * Whether this is development; otherwise every request is `next()`'s.
   * @default process.env.NODE_ENV !== 'production'
   */
  readonly debug?: boolean | undefined;
  /** Whether folders are answered with a list of what they hold. @default false */
  readonly showIndexes?: boolean | undefined;
}

/** Serves a folder. */
export interface DirectoryServer extends NodeHandler {
  /** The same for a `Request` of the Web's standards; `undefined` where it is the application's. */
  readonly fetch: FetchHandler;
}

const OPTIONS = ['root', 'debug', 'showIndexes'] as const;

/**
 * Serves a folder's files as they are, past the finders, for development; Django's `static()` and
 * `views.static.serve`. Does nothing where `debug` is false, or the prefix is not of this site.
 * https://docs.djangoproject.com/en/stable/howto/static-files/#serving-files-uploaded-by-a-user-during-development
 *
 * @param prefix the path that requests begin with, ending in `/`, such as the setting `mediaUrl`
 * @throws {SetupError} for a prefix or options that can be none.
 */
export function serveDirectory(prefix: string, options: ServeDirectoryOptions): DirectoryServer {
  const why = typeof prefix === 'string' ? baseUrlFault(prefix) : 'must be a string';
  if (why !== undefined) {
    throw new SetupError(`serveDirectory()'s prefix ${why}, such as '/media/': '${prefix}'.`);
  }
  checkOptions('serveDirectory()', options, OPTIONS);
  const { root, debug = process.env.NODE_ENV !== 'production', showIndexes = false } = options;
  if (typeof root !== 'string' || root === '') {
    throw new SetupError("serveDirectory()'s root must be the path of a folder.");
  }
  const baseUrl = resolveBaseUrl(prefix, '/');
  const isActive = debug && isLocal(baseUrl);
  const server = lazyAsync(async () => {
    const { directoryServer } = await import('./serve/server.js');
    return directoryServer(baseUrl, resolve(root), showIndexes);
  });
  const handler: NodeHandler = isActive
    ? loadedOnce(async () => (await server()).handler)
    : (_request, response, next) => (next ? next() : response.writeHead(404).end());
  return Object.assign(handler, {
    fetch: async (request: Request) => (isActive ? (await server()).fetch(request) : undefined),
  });
}
