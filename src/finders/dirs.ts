import type { Problem } from '../errors.js';
import type { Finder } from '../finder.js';
import { findInFolders, listFolders, type SourceFolder, statOf } from './folders.js';

/** Finds files in the folders of the setting `dirs`; Django's FileSystemFinder. */
export function dirsFinder(): Finder {
  return over([]);
}

function over(folders: readonly SourceFolder[]): Finder {
  return {
    find: (name) => findInFolders(folders, name),
    list: (options) => listFolders(folders, options),
    locations: () => folders.map(({ dir }) => dir),
    check: () => folders.flatMap(({ dir }) => missing(dir)),
    attach: ({ dirs }) => over(distinct(dirs)),
  };
}

/** The same folder under the same prefix twice finds nothing new. */
function distinct(dirs: readonly SourceFolder[]): SourceFolder[] {
  const seen = new Map(dirs.map((folder) => [JSON.stringify([folder.prefix, folder.dir]), folder]));
  return [...seen.values()];
}

function missing(dir: string): Problem[] {
  const stats = statOf(dir);
  if (stats?.isDirectory()) return [];
  const message =
    stats === undefined
      ? `The folder ${dir} in dirs does not exist.`
      : `${dir} in dirs is no folder.`;
  const hint = 'Make it, or take it out of dirs.';
  return [{ id: 'staticfiles.W004', level: 'warning', message, hint }];
}
