import { type Coding, SUFFIXES } from '../../codings.js';
import { SetupError } from '../../errors.js';
import { parseManifest } from '../../manifest.js';
import { PARTIAL, STATE_FOLDER } from '../../names.js';
import type { StaticFiles } from '../../static-files.js';
import type { Hashing, Storage } from '../../storage.js';
import { basePath } from '../../urls.js';
import { type Immutable, immutableNames, NOTHING_IMMUTABLE } from './immutable.js';
import { literal, namesPatterns } from './patterns.js';

/** A folder that is served under a path. */
export interface Folder {
  /** As servers match it: decoded, with a slash at each end. */
  readonly prefix: string;
  /** The folder's path, without a slash at its end. */
  readonly root: string;
}

/** The collected files. */
export interface StaticFolder extends Folder {
  /** Compressed forms that the server is to look for, the best first. */
  readonly codings: readonly Coding[];
  /** Patterns of names that are nobody's business. */
  readonly hidden: readonly string[];
  /** Patterns of files that are no compressed form, though they look like one of their neighbour. */
  readonly downloads: readonly string[];
  readonly immutable: Immutable;
  /** Whether what is not there is the application's. */
  readonly isPassedOn: boolean;
}

/** What the command's options say. */
export interface Wishes {
  /** `host:port` of the application; `undefined`: there is none behind this server. */
  readonly application: string | undefined;
  readonly serverNames: readonly string[];
  readonly port: number | undefined;
  /** Where the collected files are on the server's machine, if that is another place. */
  readonly root: string | undefined;
  /** Whether only what belongs into a server's block is wanted. */
  readonly snippet: boolean;
  /** Whether nginx has a module for brotli, which is not part of it. */
  readonly brotli: boolean;
}

/** What a configuration says, whatever the server. */
export interface Site extends Wishes {
  readonly statics: StaticFolder;
  readonly media: Folder | undefined;
  /** A folder whose files are served at the site's root. */
  readonly rootFiles: string | undefined;
  /** For how many seconds a file is kept whose name has no hash. */
  readonly maxAge: number;
  /** What else whoever reads the configuration should know, in lines. */
  readonly notes: readonly string[];
}

/** What a compressed form's name ends with, whatever the codings of today, as a pattern. */
export const SUFFIX = `(?:${Object.values(SUFFIXES).map(literal).join('|')})`;

/** The best first: who takes several gets that. */
const CODINGS: readonly Coding[] = ['br', 'zstd', 'gzip'];

/**
 * What the configuration for a project's files has to say.
 *
 * @throws {SetupError} for files that no server of this machine can serve.
 * @throws {ManifestError} for a manifest that is none.
 */
export async function siteOf(files: StaticFiles, wishes: Wishes): Promise<Site> {
  const { settings, storage } = files;
  const names = await namesOf(storage.hashing);
  const root = wishes.root ?? rootOf(storage);
  const place = folder('staticUrl', files.staticUrl(''), root);
  const statics: StaticFolder = {
    ...place,
    codings: CODINGS.filter((coding) => settings.compress.includes(coding)),
    hidden: hiddenNames(storage.hashing),
    downloads: downloadsIn(names),
    immutable: storage.hashing ? immutableNames(names, settings.prehashed) : NOTHING_IMMUTABLE,
    // At the site's root, what is no file may be a page.
    isPassedOn: wishes.application !== undefined && (settings.fallthrough || place.prefix === '/'),
  };
  const { mediaUrl, mediaRoot, rootFiles, maxAge } = settings;
  if (statics.prefix === '/' && rootFiles !== undefined) {
    throw new SetupError(
      "staticUrl is the site's root, where the files of rootFiles would be too: name their folder in dirs instead.",
    );
  }
  const media =
    mediaUrl !== '' && mediaRoot !== undefined
      ? folder('mediaUrl', mediaUrl, mediaRoot)
      : undefined;
  const notes = settings.headers ? [HEADERS_NOTE] : [];
  return { statics, media, rootFiles, maxAge, notes, ...wishes };
}

const HEADERS_NOTE =
  'The setting headers is a function, which no server can call: write what it answers here yourself.';

function rootOf(storage: Storage): string {
  if (storage.path !== undefined) return storage.path('').replace(/(?<=.)\/$/, '');
  throw new SetupError(
    'The collected files are not on this machine but where the storage puts them: point staticUrl at that place; there is nothing for a web server to serve.',
  );
}

function folder(key: string, url: string, root: string): Folder {
  const path = basePath(url);
  try {
    const prefix = decodeURIComponent(path);
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
    if (!/%2f|%5c/i.test(path) && !/[\u0000-\u001f\u007f]|\/\//.test(prefix))
      return { prefix, root };
  } catch {
    // It is said below.
  }
  throw new SetupError(
    `${key} is '${url}', and no server can be told to serve that path: leave out encoded slashes, control characters, doubled slashes, and what is not UTF-8.`,
  );
}

/** Names and hashed names, by the manifest; `undefined` where there is none, or not yet. */
async function namesOf(
  hashing: Hashing | undefined,
): Promise<ReadonlyMap<string, string> | undefined> {
  if (hashing === undefined) return undefined;
  const { manifestName, manifestStorage } = hashing;
  const body = await manifestStorage.read(manifestName);
  if (body === undefined) return undefined;
  const place = manifestStorage.path?.(manifestName) ?? `'${manifestName}'`;
  return parseManifest(body, place).paths;
}

/** However many slashes a request has: some servers do not mind. */
function hiddenNames(hashing: Hashing | undefined): string[] {
  const own = [`/*${literal(STATE_FOLDER)}(?:/.*)?`, `(?:.*/)?${literal(PARTIAL)}[^/]*`];
  return hashing ? [...own, `/*${literal(hashing.manifestName).replaceAll('/', '/+')}`] : own;
}

/** Collected names that end like a compressed form of another, and are files of their own. */
function downloadsIn(names: ReadonlyMap<string, string> = new Map()): string[] {
  const form = new RegExp(`${SUFFIX}$`);
  const hasOriginal = (name: string) => names.has(name.replace(form, ''));
  return namesPatterns([...names.keys()].filter((name) => form.test(name) && hasOriginal(name)));
}
