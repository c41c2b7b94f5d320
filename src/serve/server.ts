import { readdir } from 'node:fs/promises';
import { relative, sep } from 'node:path';
import { keptFor, REVALIDATE } from '../cache-control.js';
import { disarmingHeaders } from '../disarm.js';
import { systemCode } from '../errors.js';
import { contentType } from '../media-types.js';
import type { NodeHandler } from '../next.js';
import type { ResolvedSettings } from '../settings.js';
import type { Sources } from '../sources.js';
import type { Storage } from '../storage.js';
import { basePath, isLocal } from '../urls.js';
import { bodiesOf, NO_BODIES } from './bodies.js';
import { hashedSource } from './collected-hashed.js';
import { plainSource } from './collected-plain.js';
import { statOf } from './disk.js';
import { folderSource } from './folder.js';
import { liveSource } from './live.js';
import { nodeHandler } from './node.js';
import { rulesOf } from './rules.js';
import type { Source } from './source.js';
import { type FetchHandler, fetchHandler } from './web.js';

/** What answers a project's requests. */
export interface Server {
  readonly handler: NodeHandler;
  readonly fetch: FetchHandler;
}

/** Puts it together by the settings: the one place that asks whether this is development. */
export async function serverOf(
  settings: ResolvedSettings,
  sources: Sources,
  storage: Storage,
): Promise<Server> {
  const found = settings.debug
    ? liveSources(settings, sources, storage)
    : await collectedSources(settings, sources, storage);
  const longestFirst = found.sort((a, b) => b.prefix.length - a.prefix.length);
  return { handler: nodeHandler(longestFirst), fetch: fetchHandler(longestFirst) };
}

/** For development: a folder as it is, past all finders. */
export function directoryServer(baseUrl: string, root: string, showIndexes: boolean): Server {
  const rules = rulesOf({
    bodies: NO_BODIES,
    cacheControl: REVALIDATE,
    prefix: basePath(baseUrl),
    passes: false,
  });
  const sources = [folderSource(root, rules, showIndexes)];
  return { handler: nodeHandler(sources), fetch: fetchHandler(sources) };
}

function liveSources(settings: ResolvedSettings, sources: Sources, storage: Storage): Source[] {
  const { mediaUrl, mediaRoot, rootFiles } = settings;
  const live = { bodies: NO_BODIES, cacheControl: REVALIDATE };
  const found = [
    liveSource(sources, storage.hashing, rulesOf({ ...live, ...staticPlace(settings) })),
  ];
  if (mediaRoot !== undefined && isLocal(mediaUrl)) {
    const headers = (name: string) => disarmingHeaders(name, contentType(name));
    const prefix = basePath(mediaUrl);
    const passes = passesAt(prefix, settings);
    found.push(folderSource(mediaRoot, rulesOf({ ...live, prefix, passes, headers })));
  }
  if (rootFiles !== undefined) {
    found.push(folderSource(rootFiles, rulesOf({ ...live, ...rootPlace(settings) })));
  }
  return found;
}

async function collectedSources(
  settings: ResolvedSettings,
  sources: Sources,
  storage: Storage,
): Promise<Source[]> {
  const { maxAge, cache, rootFiles } = settings;
  const kept = { bodies: bodiesOf(cache), cacheControl: keptFor(maxAge) };
  const found: Source[] = [];
  const rules = rulesOf({ ...kept, ...staticPlace(settings) });
  if (storage.path && storage.hashing) {
    found.push(hashedSource(storage, storage.hashing, rules));
  } else if (storage.path) {
    found.push(plainSource(storage.path(''), rules, isSourceOf(sources)));
  }
  if (rootFiles !== undefined) {
    const rules = rulesOf({ ...kept, ...rootPlace(settings) });
    const names = new Set(await filesIn(rootFiles));
    const source = plainSource(rootFiles, rules, async () => false);
    found.push({ ...source, mayHave: (path) => names.has(decoded(path.slice(1))) });
  }
  return found;
}

function staticPlace(settings: ResolvedSettings) {
  const { staticUrl, headers } = settings;
  const prefix = basePath(staticUrl);
  return { prefix, passes: passesAt(prefix, settings), headers, baseUrl: staticUrl };
}

/** At the site's root, what is no file may be a page. */
function passesAt(prefix: string, { fallthrough }: ResolvedSettings): boolean {
  return fallthrough || prefix === '/';
}

function rootPlace({ headers }: ResolvedSettings) {
  return { prefix: '/', passes: true, headers };
}

function isSourceOf(sources: Sources) {
  return async (name: string, path?: string): Promise<boolean> => {
    const found = sources.find(name);
    if (path === undefined) return found.length > 0;
    const target = await statOf(path);
    const sourceStats = await Promise.all(found.map((source) => statOf(source.path)));
    return sourceStats.some((stats) => stats?.ino === target?.ino && stats?.dev === target?.dev);
  };
}

/** Browsers spell a path in more than one way; what is none is no file's. */
function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return ''; // and so the application's, which knows what to say
  }
}

/** The names of a folder's files; a folder that is not there has none. */
async function filesIn(root: string): Promise<string[]> {
  try {
    const entries = await readdir(root, { recursive: true, withFileTypes: true });
    return entries
      .filter((entry) => !entry.isDirectory())
      .map(({ parentPath, name }) => `${relative(root, parentPath)}/${name}`)
      .map((path) => path.replaceAll(sep, '/').replace(/^\//, ''));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []; // and not ENOTDIR: a file is a mistake
    throw error;
  }
}
