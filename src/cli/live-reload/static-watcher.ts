import { existsSync, realpathSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import Watchpack from 'watchpack';
import { isInside } from '../../names.js';

/** For how long changes are gathered: an editor writes a file aside, then puts it in its place. */
const SETTLE_MS = 100;

export interface WatchOptions {
  /** The folders of static files; they may be links, and need not be there yet. */
  readonly folders: readonly string[];
  /** Whether a file or folder is none of ours, by its path under one of `folders`. */
  ignores(path: string, folder: string): boolean;
  /** Hears of changed files, and of folders that are new, by their paths under `folders`. */
  heard(paths: readonly string[]): void;
}

/** Watches static files, links followed. Answers what ends it. */
export function watchStatic({ folders, ignores, heard }: WatchOptions): () => void {
  // Packages are links to pnpm's store; the watcher speaks of where they lead.
  const tops = folders.map((folder) => ({ folder, real: realOf(folder) }));
  const reals = [...new Set(tops.map(({ real }) => real))];
  const named = (path: string) =>
    tops
      .filter(({ real }) => isInside(path, real))
      .map(({ folder, real }) => ({ folder, path: join(folder, relative(real, path)) }));
  const watcher = new Watchpack({
    aggregateTimeout: SETTLE_MS,
    followSymlinks: true,
    ignored: (path) => {
      const names = named(path);
      // Above the folders there may be one to wait for.
      if (names.length === 0 || reals.includes(path)) return false;
      return names.every((name) => ignores(name.path, name.folder)) || isLoop(path, reals);
    },
  });
  /** Whether each has been there before. */
  const touched = new Map<string, boolean>();
  watcher.on('change', (path, mtime: number | null) => {
    if (!touched.has(path)) touched.set(path, mtime === null); // gone, and maybe to come again
  });
  watcher.on('aggregated', () => {
    // What has come and gone meanwhile is an editor's business.
    const paths = [...touched].filter(([path, before]) => before || existsSync(path));
    touched.clear();
    const ours = paths
      .flatMap(([path]) => named(path))
      .filter(({ path, folder }) => path === folder || !ignores(path, folder));
    if (ours.length > 0) heard([...new Set(ours.map(({ path }) => path))]);
  });
  // Without a time to start from, what is there already is no change.
  watcher.watch({ directories: reals });
  return () => watcher.close();
}

/** Whether links have led back into a folder that lies on the way here. */
function isLoop(path: string, tops: readonly string[]): boolean {
  const parent = dirname(path);
  if (realOf(parent) === parent) return false; // where no link is on the way, the watcher sees it
  const real = realOf(path);
  for (let at = parent; tops.some((top) => isInside(at, top)); at = dirname(at)) {
    if (realOf(at) === real) return true;
  }
  return false;
}

function realOf(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path; // not there, or not yet
  }
}
