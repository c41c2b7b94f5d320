import { dirname, join, parse } from 'node:path';
import { type Problem, SetupError } from '../errors.js';
import type { Finder } from '../finder.js';
import { normaliseName, pathUnder } from '../names.js';
import { findInFolders, isFolder, listFolders, type SourceFolder } from './folders.js';

/**
 * Packages by name, each with the folder in it whose files are offered, such as `'dist'`; `'.'` is
 * the whole package without its `node_modules`.
 */
export type Packages = Readonly<Record<string, string>>;

/**
 * Finds files of installed npm packages, under the package's name:
 * `packagesFinder({ bootstrap: 'dist' })` finds `bootstrap/css/bootstrap.css`. Packages are looked
 * for as Node does, in `node_modules` of `baseDir` and of the folders above it.
 *
 * @throws {SetupError} for a package's name that can be none, and when a package is not installed.
 */
export function packagesFinder(packages: Packages): Finder {
  checkPackages(packages);
  return from(packages, process.cwd());
}

function from(packages: Packages, baseDir: string): Finder {
  let located: SourceFolder[] | undefined;
  const folders = () => {
    located ??= Object.entries(packages).map(([name, folder]) => locate(name, folder, baseDir));
    return located;
  };
  return {
    find: (name) => (name.split('/').some(isNested) ? [] : findInFolders(folders(), name)),
    list: (options) => listFolders(folders(), { ...options, skip: isNested }),
    locations: () => folders().map(({ dir }) => dir),
    check: () => Object.entries(packages).flatMap(([name, folder]) => fault(name, folder, baseDir)),
    attach: (settings) => from(packages, settings.baseDir),
  };
}

/** Whether a folder holds what a package depends on, which it does not offer. */
function isNested(part: string): boolean {
  return part === 'node_modules';
}

function locate(name: string, folder: string, baseDir: string): SourceFolder {
  for (let dir = baseDir; ; dir = dirname(dir)) {
    const home = join(dir, 'node_modules', name);
    if (isFolder(home)) return { prefix: name, dir: pathUnder(home, folder) };
    if (dir === parse(dir).root) break;
  }
  throw new SetupError(
    `packagesFinder() does not find the package '${name}' in node_modules of ${baseDir} or above. Install it: npm install ${name}`,
  );
}

function fault(name: string, folder: string, baseDir: string): Problem[] {
  const problem = { id: 'staticfiles.W102', level: 'warning' } as const;
  try {
    const { dir } = locate(name, folder, baseDir);
    if (isFolder(dir)) return [];
    return [{ ...problem, message: `The package '${name}' has no folder '${folder}' (${dir}).` }];
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return [{ ...problem, level: 'error', id: 'staticfiles.E111', message: error.message }];
  }
}

function checkPackages(packages: unknown): asserts packages is Packages {
  const usage = "packagesFinder() takes packages and their folders: { bootstrap: 'dist' }";
  if (typeof packages !== 'object' || packages === null || Array.isArray(packages)) {
    throw new SetupError(`${usage}.`);
  }
  for (const [name, folder] of Object.entries(packages)) {
    if (!PACKAGE_NAME.test(name) || isNested(name))
      throw new SetupError(`${usage}; '${name}' is no package's name.`);
    if (typeof folder !== 'string') {
      throw new SetupError(
        `${usage}; the folder of '${name}' must be a string, '.' for all of it.`,
      );
    }
    normaliseName(folder);
  }
}

/** https://docs.npmjs.com/cli/configuring-npm/package-json#name, old packages' capitals included. */
const PACKAGE_NAME = /^(?:@[\w~-][\w.~-]*\/)?[\w~-][\w.~-]*$/;
