import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, utimesSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { CollectOptions, CollectReport } from '../../src/collect/run.js';
import type { Settings } from '../../src/settings.js';
import { createStaticFiles, type StaticFiles } from '../../src/static-files.js';
import type { Storage } from '../../src/storage.js';
import { type HashedStorageOptions, hashedStorage } from '../../src/storages/hashed.js';
import { add, project } from '../project.js';

/** Until what has just changed is old enough for its times to be trusted. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 80));
}

export type Sources = Readonly<Record<string, string | Uint8Array>>;

/** A project whose sources in `src/` are collected under hashed names into `out/`. */
export interface HashedSite {
  readonly root: string;
  readonly files: StaticFiles;
  /** Writes sources; each gets a time of its own, long ago, so that it is not read twice for caution. */
  put(sources: Sources): void;
  /** Removes sources. */
  drop(...names: string[]): void;
  collect(options?: CollectOptions): Promise<CollectReport>;
  /** The path of a collected file. */
  out(name: string): string;
  /** The published names and their hashed names. */
  names(): Record<string, string>;
  /** What the hashed file of a name holds. */
  text(name: string): string;
}

export function hashedSite(
  sources: Sources,
  { hashed, ...settings }: Settings & { readonly hashed?: HashedStorageOptions } = {},
): HashedSite {
  const root = project({});
  const out = (name: string) => join(root, 'out', name);
  const names = () => JSON.parse(readFileSync(out('staticfiles.json'), 'utf8')).paths;
  const files = createStaticFiles({
    baseDir: root,
    dirs: ['src'],
    staticRoot: 'out',
    debug: false,
    storage: hashedStorage(hashed),
    ...settings,
  });
  const site: HashedSite = {
    root,
    files,
    put(changed) {
      const folder = join(root, 'src');
      add(folder, changed);
      for (const name of Object.keys(changed)) age(join(folder, name));
    },
    drop: (...dropped) => {
      for (const name of dropped) rmSync(join(root, 'src', name));
    },
    collect: (options) => files.collect(options),
    out,
    names,
    text: (name) => readFileSync(out(names()[name]), 'utf8'),
  };
  site.put(sources);
  return site;
}

let seconds = 1_500_000_000;

/** Gives a file a time long ago that no other one has. */
export function age(path: string): void {
  seconds++;
  utimesSync(path, seconds, seconds);
}

/** Every file below a folder and its bytes, but for what runs keep for themselves. */
export function tree(folder: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = relative(folder, path);
    if (entry.isDirectory() || name.startsWith('.staticfiles/')) continue;
    if (!existsSync(path)) continue; // a link to a source that is gone
    found[name] = readFileSync(path, 'latin1');
  }
  return found;
}

/** The files of a storage elsewhere; as text, a character a byte. What runs keep there is left out. */
export async function storedIn(storage: Storage): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const name of storage.list()) {
    if (name.startsWith('.staticfiles/')) continue;
    found[name] = Buffer.from((await storage.read(name)) ?? []).toString('latin1');
  }
  return found;
}

/**
 * What is the same in a folder and in a storage elsewhere: there, plain names have no compressed forms
 * where they have hashed ones besides, and the manifest says more.
 */
export function inBoth(files: Record<string, string>): Record<string, string> {
  const { 'staticfiles.json': text = '{}', ...rest } = files;
  const {
    paths = {},
    hash,
    variants,
  } = JSON.parse(text) as { paths?: Record<string, string> } & {
    hash?: string;
    variants?: object;
  };
  for (const [name, hashedName] of Object.entries(paths)) {
    if (name === hashedName) continue;
    for (const suffix of ['.br', '.gz', '.zst'])
      if (!(name + suffix in paths)) delete rest[name + suffix];
  }
  return { ...rest, 'staticfiles.json': JSON.stringify({ paths, hash, variants }) };
}

/** The hash that a content has in names. */
export function hashOf(content: string | Uint8Array): string {
  return createHash('md5').update(content).digest('hex').slice(0, 12);
}
