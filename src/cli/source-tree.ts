import { relative, sep } from 'node:path';
import { isInside } from '../names.js';

/** What a program is made of: code, its configuration, and templates, which engines keep. */
const SOURCE = /\.(?:[cm]?[jt]s|json|njk|nunjucks|html|hbs|handlebars)$/;

/** Where a program's source is. */
export interface SourceTree {
  readonly folders: readonly string[];
  /** Folders in them that hold none: static files, uploads, what was collected. */
  readonly ignored: readonly string[];
}

/** Whether the server has to start again when this file changes. */
export function isSource(path: string, tree: SourceTree): boolean {
  const isThere = tree.folders.some((folder) => isInside(path, folder));
  return isThere && SOURCE.test(path) && !isLeftOut(path, tree);
}

/** Whether a file or folder is none to look at for source. */
export function isLeftOut(path: string, { folders, ignored }: SourceTree): boolean {
  if (ignored.some((folder) => isInside(path, folder))) return true;
  const holders = folders.filter((folder) => isInside(path, folder));
  return holders.length > 0 && holders.every((folder) => isHidden(relative(folder, path)));
}

/** Packages, and hidden files and folders such as `.git`. */
function isHidden(inner: string): boolean {
  return inner.split(sep).some((part) => part === 'node_modules' || part.startsWith('.'));
}
