import { join } from 'node:path';
import type { Finder } from '../finder.js';
import { findInFolders, isFolder, listFolders, type SourceFolder } from './folders.js';

/** Finds files in the folder `static` of each of the setting `apps`; Django's AppDirectoriesFinder. */
export function appDirsFinder(): Finder {
  return over([]);
}

function over(apps: readonly string[]): Finder {
  const folders: SourceFolder[] = apps.map((app) => ({ prefix: '', dir: join(app, 'static') }));
  return {
    find: (name) => findInFolders(folders, name),
    list: (options) => listFolders(folders, options),
    locations: () => folders.map(({ dir }) => dir),
    // An application without static files is none to warn of; one that is not there is.
    check: () =>
      apps
        .filter((app) => !isFolder(app))
        .map((app) => ({
          id: 'staticfiles.W101',
          level: 'warning',
          message: `The application folder ${app} in apps does not exist.`,
          hint: "apps lists the folders that hold 'static', not 'static' itself.",
        })),
    attach: (settings) => over([...new Set(settings.apps)]),
  };
}
