import { MANIFEST_NAME } from './manifest.js';
import { compareNames, STATE_FOLDER } from './names.js';
import type { ListedFile } from './storage.js';

/** Where the manifests of deploys are kept, in the storage. */
export const ARCHIVE = `${STATE_FOLDER}/manifests/`;

/**
 * Where those are of manifests with one name. Projects that collect into the same place are told apart
 * by it: of any other than the usual one, they lie in a folder of that name.
 */
export function archiveOf(manifestName: string): string {
  return manifestName === MANIFEST_NAME ? ARCHIVE : `${ARCHIVE}${manifestName}/`;
}

/** The name that an archived manifest was published under. */
export function manifestNameOf(archive: string): string {
  return archive.slice(ARCHIVE.length, archive.lastIndexOf('/')) || MANIFEST_NAME;
}

/**
 * In its folder, the time comes first, so that names are in the order of time:
 * `20261122T181500.000Z-<digest>.json`.
 *
 * @param after the digest of the manifest that it replaces, `'none'` where there is none; left out
 *   where nobody else publishes
 */
export function archiveName(
  manifestName: string,
  digest: string,
  time: number,
  after?: string,
): string {
  const stamp = new Date(time).toISOString().replace(/[-:]/g, '');
  const way = after === undefined ? '' : `-after-${after}`;
  return `${archiveOf(manifestName)}${stamp}-${digest}${way}.json`;
}

/** What the name of an archived manifest says of it: its digest, and that of the one it replaces. */
export function digestsIn(archive: string): { readonly digest: string; readonly after?: string } {
  const [, digest = '', after] = /Z-([^-.]+)(?:-after-([^-.]+))?\.json$/.exec(archive) ?? [];
  return after === undefined ? { digest } : { digest, after };
}

/** Whether it is the manifest of that digest, published under that name. */
export function isCopyOf(archive: string, manifestName: string, digest: string): boolean {
  return manifestNameOf(archive) === manifestName && digestsIn(archive).digest === digest;
}

/** When an archived manifest was published, by its name. */
export function publishedAt(archive: string): number {
  const [, day = '', time = ''] = /(\d{8})T([\d.]+)Z-[^/]*$/.exec(archive) ?? [];
  const date = day.replace(/(\d{4})(\d\d)(\d\d)/, '$1-$2-$3');
  return Date.parse(`${date}T${time.replace(/(\d\d)(\d\d)([\d.]+)/, '$1:$2:$3')}Z`) || 0;
}

/** A manifest in the archive: of a deploy that was published, or has begun. */
export interface Generation {
  /** Its name in the storage. */
  readonly name: string;
  /** The name that it was, or is to be, published under. */
  readonly manifestName: string;
  readonly digest: string;
  /** The digest of the manifest that it replaces, `'none'` for the first; `undefined`: nobody knows. */
  readonly after?: string;
  /** In bytes. */
  readonly size: number;
  /** When it was written, by the storage's clock; in milliseconds since 1970. */
  readonly written: number;
}

export function generationOf({ name, size, mtimeMs }: ListedFile): Generation {
  return { name, manifestName: manifestNameOf(name), size, written: mtimeMs, ...digestsIn(name) };
}

/** The earliest first. */
export function inOrder(generations: readonly Generation[]): Generation[] {
  // Clocks of storages may tell seconds only.
  return generations.toSorted((a, b) => a.written - b.written || compareNames(a.name, b.name));
}

/** The deploys that have begun since the one of that digest did, which is published. */
export function begunSince(generations: readonly Generation[], digest: string): Generation[] {
  const present = generations.findLastIndex((one) => one.digest === digest);
  return present < 0 ? [] : generations.slice(present + 1);
}

/**
 * The deploys that were published, the latest first: each names the one that it replaced. Others before
 * the present one never came to be, or lost against one of these.
 */
export function publishedOf(generations: readonly Generation[], digest: string): Generation[] {
  const line: Generation[] = [];
  let wanted = digest;
  let end = generations.length;
  for (;;) {
    const at = generations.slice(0, end).findLastIndex((one) => one.digest === wanted);
    // Where the line breaks off, or was never written down, all that came before may have been.
    if (at < 0) return [...line, ...generations.slice(0, end).reverse()];
    const generation = generations[at] as Generation;
    line.push(generation);
    if (generation.after === 'none') return line;
    end = at;
    if (generation.after === undefined) return [...line, ...generations.slice(0, end).reverse()];
    wanted = generation.after;
  }
}

/** When a deploy began; in milliseconds since 1970. */
export function timeOf({ name, written }: Generation): number {
  return publishedAt(name) || written;
}
