import { extensionAt } from '../../names.js';
import type { ListedFile, Storage } from '../../storage.js';
import { eachOf } from '../flight.js';
import type { Content } from './content.js';
import { entriesOf } from './listing.js';

/** What a storage was found to have. */
export interface Shelf {
  /** Whether a content is there as it should be. */
  has(content: Content): boolean;
  /** Whether just these bytes are there: by their MD5, or, where nobody tells that, by name and size. */
  holds(content: Content): boolean;
  /** The size of what is there under a name; `undefined` where nothing was found. */
  sizeOf(name: string): number | undefined;
  /** Whether all of it was looked through: what was not found, is not there. */
  readonly isWhole: boolean;
  /** Whether something is counted on that no manifest vouches for. */
  readonly isCountedOn: boolean;
}

/**
 * Finds out who may have written these files, all under plain names, as they were listed.
 *
 * @param published when the manifest was that is published; `undefined`: nobody knows
 * @returns whether such a file certainly is that content
 */
export type Witness = (
  files: readonly ListedFile[],
  published: number | undefined,
) => Promise<(content: Content, file: ListedFile) => boolean>;

export interface ShelfOptions {
  /** The name of the manifest, where it is in the same storage. */
  readonly manifestName: string | undefined;
  /** Whether the manifest of the last deploy says that a content is there. */
  isVouchedFor(content: Content): boolean;
  /** Is asked of files under plain names of which the listing does not tell what they are. */
  readonly witness: Witness;
  /** Whether a content is there in another coding, and so of other bytes. */
  isEncoded(content: Content): boolean;
  /** Whether all is to be looked for, whatever the manifest says. */
  readonly verify: boolean;
}

/**
 * So many names are listed without much ado: in eight requests to S3, and with those for the manifest
 * and the archive a run in which nothing has changed takes no more than twelve.
 */
const MANY = 8000;
/** How many names a request lists, at least. */
const PAGE = 1000;

/**
 * Looks into a storage for contents. A few are looked for by a listing of all there is. Of many, only
 * those for which the last manifest does not vouch: by listings of the names that begin as theirs,
 * while that takes fewer requests than to list all.
 */
export async function lookInto(
  storage: Storage,
  contents: readonly Content[],
  options: ShelfOptions,
): Promise<Shelf> {
  const { manifestName, isVouchedFor, witness, isEncoded, verify } = options;
  const unsure = contents.filter((content) => !isVouchedFor(content));
  const { found, isWhole } = await list(storage, contents, unsure, verify);
  const published = manifestName === undefined ? undefined : found.get(manifestName)?.mtimeMs;
  const tellsMd5 = doesTellMd5(contents, found, isEncoded);

  /** What the listing tells of a content; `undefined`: not enough. */
  function isListed(content: Content, listed: ListedFile): boolean | undefined {
    const { size, md5, isNamedByContent, times } = content;
    if (isEncoded(content)) return isNamedByContent ? isVouchedFor(content) : undefined;
    if (listed.size !== size) return false;
    if (isNamedByContent) return true;
    if (listed.md5 !== undefined && tellsMd5) return listed.md5 === md5;
    return times && isCopyOf(listed, times);
  }

  const untold = contents.flatMap((content) => {
    const listed = found.get(content.name);
    return listed && isListed(content, listed) === undefined ? [listed] : [];
  });
  const isSure = await witness(untold, published);

  function has(content: Content): boolean {
    const listed = found.get(content.name);
    if (listed === undefined) return isVouchedFor(content) && !isWhole;
    return isListed(content, listed) ?? isSure(content, listed);
  }

  return {
    has,
    holds({ name, size, md5, isNamedByContent }) {
      const listed = found.get(name);
      if (listed === undefined || listed.size !== size) return false;
      return listed.md5 !== undefined && tellsMd5 ? listed.md5 === md5 : isNamedByContent;
    },
    sizeOf: (name) => found.get(name)?.size,
    isWhole,
    isCountedOn: unsure.some(has),
  };
}

interface Listing {
  readonly found: ReadonlyMap<string, ListedFile>;
  readonly isWhole: boolean;
}

async function list(
  storage: Storage,
  contents: readonly Content[],
  unsure: readonly Content[],
  verify: boolean,
): Promise<Listing> {
  const wanted = new Set(contents.map(({ name }) => name));
  const isWanted = (name: string) => wanted.has(name) || wanted.has(originalOf(name));
  const prefixes = new Set(unsure.map(({ source }) => prefixOf(source.name)));
  const isAll = verify || contents.length <= MANY || prefixes.size > contents.length / PAGE;
  // Where it is only to make sure, others' files in the same storage need not all be listed.
  const most = isAll && !verify && unsure.length === 0 ? MANY : Number.POSITIVE_INFINITY;
  const found = new Map<string, ListedFile>();
  let isWhole = isAll;
  const listOne = async (prefix: string) => {
    for await (const entry of entriesOf(storage, prefix, isWanted)) {
      found.set(entry.name, entry);
      if (found.size < most) continue;
      isWhole = false; // there may be more, for which one would have to ask
      return;
    }
  };
  await eachOf(isAll ? [''] : prefixes, listOne, storage.concurrency);
  return { found, isWhole };
}

/** With what a file's names in the storage begin: `css/site.` for `css/site.css`. */
function prefixOf(name: string): string {
  const at = extensionAt(name);
  return at < name.length ? name.slice(0, at + 1) : name;
}

/** The name that a compressed form lies beside. */
function originalOf(name: string): string {
  return name.replace(/\.(?:br|gz|zst)$/, '');
}

/**
 * Whether the listing's digests are what they seem: with keys of its customers' own (SSE-KMS), S3 tells
 * others of the same form. Names with a hash in them give that away.
 */
function doesTellMd5(
  contents: readonly Content[],
  found: Listing['found'],
  isEncoded: (content: Content) => boolean,
): boolean {
  let isRefuted = false;
  for (const content of contents) {
    if (!content.isNamedByContent || isEncoded(content)) continue;
    const listed = found.get(content.name);
    if (listed?.md5 === undefined) continue;
    if (listed.md5 === content.md5) return true;
    isRefuted = true;
  }
  return !isRefuted;
}

/** Recorded times may be rounded by a file system; by more than this, they differ. */
const TIME_TOLERANCE_MS = 1;

/** Whether a file without a digest may be a copy: it has its source's time, or has come after it. */
function isCopyOf({ mtimeMs }: ListedFile, source: NonNullable<Content['times']>): boolean {
  return (
    Math.abs(mtimeMs - source.mtimeMs) <= TIME_TOLERANCE_MS ||
    mtimeMs > Math.max(source.mtimeMs, source.ctimeMs)
  );
}
