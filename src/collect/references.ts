import type { Reference } from '../scanner.js';
import { basePath } from '../urls.js';

/** What a reference leads to, seen from the static files. */
export type Target =
  /** A file of that name, if there is one. */
  | { readonly name: string }
  /** Above the static files, and so to none of them. */
  | 'outside'
  /** Another host, a folder, the page itself, data: nothing that has a hashed name. */
  | 'elsewhere';

const ELSEWHERE = 'elsewhere';

/**
 * Resolves references as a browser would that got the files from `staticUrl` (URL Standard, "basic
 * URL parser"): relative ones against the file that they stand in, others where they begin with the
 * base URL or its path.
 */
export function referenceResolver(
  staticUrl: string,
): (value: string, kind: Reference['kind'], from: string) => Target {
  const base = decoded(basePath(staticUrl)) ?? '/';
  return (value, kind, from) => {
    const trimmed = value.trim();
    const url = trimmed.startsWith(staticUrl)
      ? basePath(staticUrl) + trimmed.slice(staticUrl.length)
      : trimmed;
    if (ABSOLUTE.test(url)) return ELSEWHERE;
    if (kind === 'specifier' && !RELATIVE_SPECIFIER.test(url)) return ELSEWHERE;
    const suffix = url.search(/[?#]/);
    const written = suffix < 0 ? url : url.slice(0, suffix);
    if (written === '') return ELSEWHERE;
    const path = decoded(written);
    if (path === undefined) return { name: written }; // no file has a name that cannot be decoded
    const rooted = path.startsWith('/');
    const place = resolved(rooted ? path : base + from.slice(0, from.lastIndexOf('/') + 1) + path);
    if (!place.startsWith(base)) return rooted ? ELSEWHERE : 'outside';
    const name = place.slice(base.length);
    return name === '' || name.endsWith('/') ? ELSEWHERE : { name };
  };
}

const ABSOLUTE = /^(?:[a-z][\da-z+.-]*:|[\\/]{2})/i;
/** HTML, "resolve a module specifier": every other is bare, and an import map's matter. */
const RELATIVE_SPECIFIER = /^(?:\.{0,2}\/)/;

/** The path with its percent-encoding undone, and `\` as `/`, as in every URL of http. */
function decoded(path: string): string | undefined {
  try {
    return (path.includes('%') ? decodeURIComponent(path) : path).replaceAll('\\', '/');
  } catch {
    return undefined; // such as `%zz`: the caller says that there is no such file
  }
}

/** An absolute path without `.`, `..` and empty parts; at the top, `..` stays there. */
function resolved(path: string): string {
  if (!/\/(?:\.{0,2}\/|\.{1,2}$)/.test(path)) return path;
  const parts: string[] = [];
  let folder = true;
  for (const part of path.split('/')) {
    folder = part === '' || part === '.' || part === '..';
    if (part === '..') parts.pop();
    else if (!folder) parts.push(part);
  }
  return `/${parts.join('/')}${folder && parts.length > 0 ? '/' : ''}`;
}
