import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { relative, sep } from 'node:path';
import { contentType } from '../../media-types.js';
import { isInside } from '../../names.js';
import { ignorePatterns } from '../../patterns.js';
import type { StaticFiles } from '../../static-files.js';
import { joinUrl } from '../../urls.js';
import { isSource, type SourceTree } from '../source-tree.js';
import { EVENTS_URL, reloadScript, SCRIPT_URL } from './browser-script.js';
import { type Change, changeStream } from './change-stream.js';
import { addScript } from './page-script.js';
import { watchStatic } from './static-watcher.js';

/** Keeps pages in the browser as the files are. */
export interface LiveReload {
  /** Answers the requests of its script; `undefined` for all others. */
  answerTo(request: IncomingMessage): RequestListener | undefined;
  /** The application, with the script in its pages. */
  around(application: RequestListener): RequestListener;
  close(): void;
}

/** A change of the source starts the server again, and is left to that. */
export function liveReload(files: StaticFiles, source: SourceTree): LiveReload {
  const stream = changeStream();
  const folders = [...new Set(files.locations())];
  const stop = watchStatic({
    folders,
    ignores: ignoring(files),
    heard(paths) {
      const shown = paths.filter((path) => isShown(path, folders, source));
      if (shown.length > 0) stream.tell(changeOf(shown, files, folders));
    },
  });
  const answers: Readonly<Record<string, RequestListener>> = {
    [SCRIPT_URL]: (_request, response) => sendScript(response, reloadScript(stream.state())),
    [EVENTS_URL]: (request, response) => {
      const { searchParams } = new URL(request.url ?? '', 'http://localhost');
      stream.connect(searchParams.get('since'), request, response);
    },
  };
  return {
    answerTo({ method, url = '' }) {
      const [path = ''] = url.split('?', 1);
      if (method !== 'GET' && method !== 'HEAD') return undefined;
      return Object.hasOwn(answers, path) ? answers[path] : undefined;
    },
    around: (application) => (request, response) => {
      addScript(SCRIPT_URL, request, response);
      return application(request, response);
    },
    close() {
      stop();
      stream.close();
    },
  };
}

function sendScript(response: ServerResponse, script: string): void {
  response.writeHead(200, {
    'Content-Type': 'text/javascript; charset=utf-8',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(script);
}

/** What collecting leaves out, and what is written into a source folder and is none. */
function ignoring({ settings }: StaticFiles) {
  const { staticRoot, mediaRoot, ignore } = settings;
  const matches = ignorePatterns(ignore);
  const written = [staticRoot ?? [], mediaRoot ?? []].flat();
  return (path: string, folder: string): boolean => {
    const inner = relative(folder, path).replaceAll(sep, '/');
    if (matches(inner) || inner.split('/').includes('node_modules')) return true;
    return written.some((root) => isInside(path, root) && !isInside(folder, root));
  };
}

/** What browsers do not fetch: source maps, and what stylesheets are made from. */
const NO_ASSET = /\.(?:map|s[ac]ss|less|styl)$/i;

/** Whether a page may show it. */
function isShown(path: string, folders: readonly string[], source: SourceTree): boolean {
  if (NO_ASSET.test(path) || isSource(path, source)) return false;
  // In a folder that is the whole project, logs and databases change with each request.
  const isProject = (folder: string) => source.folders.some((other) => isInside(other, folder));
  const holders = folders.filter((folder) => isInside(path, folder));
  return !holders.every(isProject) || !UNSHOWN.test(contentType(path));
}

const UNSHOWN = /^(?:application\/octet-stream|text\/plain)/;

/** More changes of stylesheets at once are no work on them. */
const MOST_SWAPS = 50;

/** What pages are to be told: the URLs of stylesheets, where nothing else has changed. */
function changeOf(
  paths: readonly string[],
  files: StaticFiles,
  folders: readonly string[],
): Change {
  if (paths.length > MOST_SWAPS || !paths.every((path) => /\.css$/i.test(path))) return undefined;
  const prefixes = prefixesOf(files, folders);
  try {
    const urls = paths.map((path) => urlsOf(path, files, folders, prefixes));
    // Of a file that is gone, or that a finder of the project's own names, the URL is not known.
    return urls.every((some) => some.length > 0) ? [...new Set(urls.flat())] : undefined;
  } catch {
    return undefined; // what a finder cannot do, it says when the page asks for its files
  }
}

function urlsOf(
  path: string,
  files: StaticFiles,
  folders: readonly string[],
  prefixes: readonly string[],
): string[] {
  return folders
    .filter((folder) => isInside(path, folder))
    .map((folder) => relative(folder, path).replaceAll(sep, '/'))
    .flatMap((inner) => prefixes.map((prefix) => (prefix === '' ? inner : `${prefix}/${inner}`)))
    .filter((name) => files.find(name, { all: true }).includes(path))
    .map((name) => joinUrl(files.settings.staticUrl, name));
}

/** What may stand before a path in its folder to make it a name: the finders say what does. */
function prefixesOf({ settings }: StaticFiles, folders: readonly string[]): string[] {
  const packages = folders.map(
    (folder) => /.*[\\/]node_modules[\\/](@[^\\/]+[\\/][^\\/]+|[^\\/]+)/.exec(folder)?.[1] ?? '',
  );
  const prefixes = settings.dirs.map(({ prefix }) => prefix);
  return [...new Set(['', ...prefixes, ...packages.map((name) => name.replaceAll(sep, '/'))])];
}
