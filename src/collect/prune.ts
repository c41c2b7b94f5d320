import { SUFFIXES } from '../codings.js';
import { milliseconds } from '../durations.js';
import { CollectError, reason, SetupError } from '../errors.js';
import { ARCHIVE, type Manifest, parseManifest } from '../manifest.js';
import { checkOptions } from '../options.js';
import type { Hashing, Storage } from '../storage.js';
import { isOwn, openDesk } from './desk.js';
import { contentOf, publishedAt, readPublished } from './publish.js';
import { remove } from './write.js';

export interface PruneOptions {
  /**
   * How many deploys stay, the present one included.
   * @default 3; with `olderThan`, 1
   */
  readonly keep?: number | undefined;
  /**
   * Only deploys go that were replaced so long ago, in seconds; a text such as `'30d'`, `'12h'` or
   * `'90m'` says it too.
   * @default any
   */
  readonly olderThan?: number | string | undefined;
  /** Whether to tell what would be removed, and remove nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** Hears of each file that is removed, or would be. */
  readonly onDelete?: ((name: string) => void) | undefined;
}

/** A deploy: a manifest that was published. */
export interface Deploy {
  /** When it was published. */
  readonly published: Date;
  /** How many names it has. */
  readonly names: number;
}

/** What pruning did, or would have done in a dry run. */
export interface PruneReport {
  readonly dryRun: boolean;
  /** The deploys that stay, the present one first. */
  readonly kept: readonly Deploy[];
  readonly dropped: readonly Deploy[];
  readonly deleted: readonly string[];
  /** The size of what was deleted. */
  readonly bytes: number;
}

const DEFAULT_KEEP = 3;

/**
 * Removes the files that no deploy needs any more: those that no manifest names which stays.
 *
 * @throws {SetupError} for a storage without manifests, and for options that cannot be.
 * @throws {CollectError} where the manifest is missing or damaged; nothing is removed then.
 */
export async function pruneFiles(
  storage: Storage,
  options: PruneOptions = {},
): Promise<PruneReport> {
  const rules = rulesOf(options);
  const { hashing } = storage;
  if (hashing === undefined) {
    throw new SetupError(
      'There is nothing to prune: only hashedStorage() keeps the files of earlier deploys. collectstatic --clear removes what was not collected.',
    );
  }
  if (storage.path === undefined) {
    throw new SetupError(
      'Files can be pruned on this machine only: elsewhere, nobody knows what earlier deploys need.',
    );
  }
  const { dryRun = false, onDelete = () => {} } = options;
  const desk = await openDesk(storage.path(''), dryRun, () => {});
  try {
    const names: string[] = [];
    for await (const name of storage.list()) names.push(name);
    const deploys = await deploysIn(storage, hashing, names);
    const { kept, dropped } = divide(deploys, rules);
    const needed = namesOf(kept, hashing);
    const deleted: string[] = [];
    let bytes = 0;
    for (const name of names) {
      if (isOwn(name) || needed.has(name)) continue;
      bytes += (await storage.stat(name))?.size ?? 0;
      deleted.push(name);
    }
    deleted.push(...dropped.flatMap(({ archive }) => archive ?? []));
    for (const name of deleted) {
      onDelete(name);
      if (!dryRun) await remove(storage, name);
    }
    return { dryRun, kept: kept.map(reported), dropped: dropped.map(reported), deleted, bytes };
  } finally {
    desk.close();
  }
}

interface KnownDeploy {
  readonly manifest: Manifest;
  readonly published: number;
  /** When another one took its place; the present one has none. */
  readonly replaced: number | undefined;
  /** The name of its copy in the archive. */
  readonly archive: string | undefined;
}

/** All that is known of what was published, the latest first; `names` are those in the storage. */
async function deploysIn(
  storage: Storage,
  hashing: Hashing,
  names: readonly string[],
): Promise<KnownDeploy[]> {
  const present = await readPublished(hashing);
  const { manifestName, manifestStorage } = hashing;
  if (present === undefined) {
    throw new CollectError(
      `Nothing was pruned: there is no manifest '${manifestName}', and so no telling what is needed. Run collectstatic first.`,
    );
  }
  const archives = names
    .filter((name) => name.startsWith(ARCHIVE))
    .sort()
    .reverse();
  const own = archives.find((name) => name.includes(present.digest));
  const time =
    own === undefined
      ? ((await manifestStorage.stat(manifestName))?.mtimeMs ?? Date.now())
      : publishedAt(own);
  const deploys: KnownDeploy[] = [
    { manifest: contentOf(present, hashing), published: time, replaced: undefined, archive: own },
  ];
  let next = time;
  for (const archive of archives) {
    if (archive === own) continue;
    const manifest = await archived(storage, archive);
    const published = publishedAt(archive);
    deploys.push({ manifest, published, replaced: next, archive });
    next = Math.min(next, published);
  }
  return deploys;
}

async function archived(storage: Storage, archive: string): Promise<Manifest> {
  try {
    const body = await storage.read(archive);
    return parseManifest(body ?? new Uint8Array(), storage.path?.(archive) ?? archive);
  } catch (cause) {
    throw new CollectError(
      `Nothing was pruned: the manifest of an earlier deploy cannot be read, and so there is no telling what that deploy needs. Delete it if its files may go. (${reason(cause)})`,
      { cause },
    );
  }
}

interface Rules {
  readonly keep: number;
  /** In milliseconds. */
  readonly age: number;
}

function divide(deploys: readonly KnownDeploy[], { keep, age }: Rules) {
  const now = Date.now();
  const stays = ({ replaced }: KnownDeploy, index: number) =>
    replaced === undefined || index < keep || now - replaced < age;
  return {
    kept: deploys.filter(stays),
    dropped: deploys.filter((deploy, index) => !stays(deploy, index)),
  };
}

/** Every name that the deploys need: plain, hashed, compressed, and the manifest itself. */
function namesOf(deploys: readonly KnownDeploy[], { manifestName }: Hashing): Set<string> {
  const names = new Set([manifestName]);
  const suffixes = ['', ...Object.values(SUFFIXES)];
  for (const { manifest } of deploys) {
    for (const pair of manifest.paths) {
      for (const name of pair) for (const suffix of suffixes) names.add(name + suffix);
    }
  }
  return names;
}

function reported({ published, manifest }: KnownDeploy): Deploy {
  return { published: new Date(published), names: manifest.paths.size };
}

function rulesOf(options: PruneOptions): Rules {
  checkOptions('prune()', options, ['keep', 'olderThan', 'dryRun', 'onDelete']);
  const { olderThan } = options;
  const { keep = olderThan === undefined ? DEFAULT_KEEP : 1 } = options;
  if (!Number.isSafeInteger(keep) || keep < 1) {
    throw new SetupError("prune()'s keep must be a whole number from 1: the present deploy stays.");
  }
  return { keep, age: ageOf(olderThan) };
}

function ageOf(olderThan: number | string | undefined): number {
  const age = olderThan === undefined ? 0 : milliseconds(olderThan);
  if (age !== undefined) return age;
  throw new SetupError(
    `prune()'s olderThan must be seconds, or a text such as '30d', '12h' or '90m', not '${olderThan}'.`,
  );
}
