import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import type { Settings } from '../../../src/settings.js';
import { createStaticFiles, type StaticFiles } from '../../../src/static-files.js';
import { hashedStorage } from '../../../src/storages/hashed.js';
import { add } from '../../project.js';

/**
 * From the finders; collected under plain names; the same, and compressed; collected under hashed
 * names, and compressed.
 */
export type Mode = 'live' | 'plain' | 'compressed' | 'hashed';
/** Those that every way of serving is held to; plain names that are compressed are for the core's own. */
export const MODES: readonly Mode[] = ['live', 'plain', 'hashed'];
/** Those in which files have more than one form. */
export const COMPRESSED: readonly Mode[] = ['compressed', 'hashed'];

export type Coding = 'identity' | 'br' | 'gzip';
const CODINGS: readonly Coding[] = ['identity', 'br', 'gzip'];
const ONE: readonly Coding[] = ['identity'];
const SUFFIX = { identity: '', br: '.br', gzip: '.gz' };

/** Not to be had from any server. */
export const SECRET = 'SECRET-a51f';

/** A text of that many lines, which compresses well. */
const lines = (line: (at: number) => string, count: number) =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');

/** Bytes that look like chance and compress badly, the same each time. */
function noise(size: number, seed: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed;
  for (let at = 0; at < size; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) | 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** The files that are served, by name. */
export const FILES: Readonly<Record<string, string | Buffer>> = {
  'app/site.css': lines((at) => `.rule-${at} { color: #${at + 100}; margin: ${at}px }`, 300),
  'app/links.css': `${lines((at) => `.link-${at} { color: red }`, 100)}\na{background:url(picture.png)}`,
  'app/main.js': lines((at) => `export const value${at} = 'the value of ${at}';`, 2500),
  'app/small.css': 'a{}',
  'app/module.mjs': 'export {};',
  'app/page.html': '<!doctype html><title>ü</title>',
  'app/notes.txt': 'notes',
  'app/data.json': '{"a":1}',
  'app/icon.svg': '<svg xmlns="http://www.w3.org/2000/svg"/>',
  'app/feed.xml': '<feed/>',
  'app/module.wasm': Buffer.from([0, 97, 115, 109, 1, 0, 0, 0]),
  'app/font.woff2': noise(500, 1),
  'app/photo.jpg': noise(600, 2),
  'app/noextension': noise(64, 3),
  'app/what.unheardof': 'bytes',
  'app/empty.txt': '',
  'app/picture.png': noise(300_000, 4),
  'app/film.mp4': noise(3_000_000, 5),
  'app/ü b.js': 'export const ü = 1;',
  'app/⊗ 日本 😀.txt': 'odd',
  'app/100%.txt': 'percent',
  'app/%2e%2e%2fsite.css': 'escapes that are none',
  "app/+&=;,!$()'~.txt": 'reserved',
  'app/__proto__': 'no prototype',
  constructor: 'no constructor',
  '@scope/x.js': 'export {};',
  'app/a#b.txt': 'hash',
  ...(sep === '/' ? { 'app/a?b.txt': 'question mark', 'app/a*:b.txt': 'star' } : {}),
  'app/real.css': lines((at) => `.real-${at} { color: blue }`, 300),
  'app/real.css.br': 'found, and no compressed form of anything',
  'folder/inner/file.txt': 'inner',
};

/** Files of the site's root, by name. */
export const ROOT_FILES: Readonly<Record<string, string | Buffer>> = {
  'favicon.ico': noise(400, 6),
  'robots.txt': 'User-agent: *',
  '.well-known/security.txt': 'Contact: mailto:security@example.com',
};

/** A project whose sources lie in `static/`, collected into `collected/` where the mode says so. */
export interface HttpSite {
  readonly mode: Mode;
  readonly root: string;
  readonly files: StaticFiles;
  /** Such files anew, as after a restart. */
  restarted(): StaticFiles;
  /** The name with its hash; `undefined` where names have none. */
  hashedName(name: string): string | undefined;
  /** The forms that a file is there in. */
  codings(name: string): readonly Coding[];
  /** The bytes that a name has in a form, as collecting left them. */
  bytes(name: string, coding: Coding): Buffer;
  remove(): void;
}

/** Lays out and collects {@link FILES}. It is the caller's to remove. */
export async function httpSite(mode: Mode, more: Settings = {}): Promise<HttpSite> {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'staticfiles-http-')));
  const sources = Object.entries(FILES).map(([name, body]) => [`static/${name}`, body] as const);
  add(root, Object.fromEntries(sources));
  const ofRoot = Object.entries(ROOT_FILES).map(
    ([name, body]) => [`public/${name}`, body] as const,
  );
  add(root, Object.fromEntries(ofRoot));
  for (const place of ['secret.txt', 'static-other/secret.txt', 'collected-other/secret.txt']) {
    add(root, { [place]: SECRET });
  }
  const settings: Settings = {
    baseDir: root,
    dirs: ['static'],
    staticRoot: 'collected',
    rootFiles: 'public',
    debug: mode === 'live',
    ...(mode === 'hashed' ? { storage: hashedStorage() } : {}),
    ...(COMPRESSED.includes(mode) ? { compress: ['br', 'gzip'] } : {}),
    ...more,
  };
  age(join(root, 'static'));
  const files = createStaticFiles(settings);
  if (mode !== 'live') {
    await files.collect();
    age(join(root, 'collected'));
  }
  const collected = (name: string) => join(root, 'collected', name);
  const paths: Record<string, string> =
    mode === 'hashed'
      ? JSON.parse(readFileSync(collected('staticfiles.json'), 'utf8')).paths
      : Object.create(null);
  const pathOf = (name: string, coding: Coding) =>
    mode === 'live'
      ? join(root, 'static', name)
      : collected((paths[name] ?? name) + SUFFIX[coding]);
  const isForm = (name: string, coding: Coding) =>
    coding === 'identity' ||
    (existsSync(pathOf(name, coding)) && !Object.hasOwn(FILES, name + SUFFIX[coding]));
  return {
    mode,
    root,
    files,
    restarted: () => createStaticFiles(settings),
    hashedName: (name) => (Object.hasOwn(paths, name) ? paths[name] : undefined),
    codings: (name) =>
      (COMPRESSED.includes(mode) ? CODINGS : ONE).filter((coding) => isForm(name, coding)),
    bytes: (name, coding) => readFileSync(pathOf(name, coding)),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}

/** Gives every file a time long ago: a date that is a second old is no strong validator (RFC 9110, 8.8.2.2). */
function age(folder: string): void {
  const options = { recursive: true, withFileTypes: true } as const;
  for (const entry of readdirSync(folder, options)) {
    if (entry.isFile())
      utimesSync(join(entry.parentPath, entry.name), 1_600_000_000, 1_600_000_000);
  }
}
