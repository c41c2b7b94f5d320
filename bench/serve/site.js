import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createStaticFiles, fileSystemStorage, hashedStorage } from 'staticfiles';

/** The files that are asked for: text that compresses as scripts do, and bytes that do not. */
export const CSS = 'css/site.css';
export const SCRIPT = 'js/app.js';
export const FILM = 'media/film.mp4';

/** The storages that `servers/staticfiles.js` knows, by the name that it is told. */
const STORAGES = { hashed: hashedStorage, plain: fileSystemStorage };

/** Project settings over the collected files of a folder: the same to collect and to serve. */
export function projectOf(storage, staticRoot, more = {}) {
  return createStaticFiles({ debug: false, staticRoot, storage: STORAGES[storage](), ...more });
}

/** Collects the benchmark's files with both storages, compressed; `hashed` and `plain` in `folder`. */
export async function collectSite(folder) {
  const source = join(folder, 'source');
  writeFiles(source, { [CSS]: text(1024), [SCRIPT]: text(100 * 1024), [FILM]: noise(5 << 20) });
  const site = {};
  for (const storage of Object.keys(STORAGES)) {
    site[storage] = join(folder, storage, 'static'); // served at /static/ by who knows folders only
    await projectOf(storage, site[storage], { dirs: [source], compress: true }).collect();
  }
  return site;
}

/** Writes files by their names. */
export function writeFiles(folder, files) {
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), bytes);
  }
}

/** The hashed names of a collected folder, by name. */
export function pathsIn(staticRoot) {
  return JSON.parse(readFileSync(join(staticRoot, 'staticfiles.json'), 'utf8')).paths;
}

let seed = 7;

/** A number from 0 up to a limit of at most 65,536; the same ones in every run. */
export function below(limit) {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
  return Math.floor(((seed >>> 16) * limit) / 65536);
}

const WORDS =
  'function return const value index options element this.props event target node length'.split(
    ' ',
  );

export function text(bytes) {
  let made = '';
  while (made.length < bytes) {
    made += `${WORDS[below(WORDS.length)]}${below(4) ? '' : below(5000)}${'(){}.;=,'[below(8)]}`;
  }
  return made.slice(0, bytes);
}

export function noise(bytes) {
  return Buffer.from({ length: bytes }, () => 0).map(() => below(256));
}
