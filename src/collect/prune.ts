import { ARCHIVE, digestsIn, manifestNameOf, publishedAt } from '../archive.js';
import { milliseconds } from '../durations.js';
import { SetupError } from '../errors.js';
import { checkOptions } from '../options.js';
import type { Hashing, Storage } from '../storage.js';
import {
  archived,
  divide,
  type KnownDeploy,
  namesOf,
  neededByOthers,
  nothingPublished,
  type PruneReport,
  type Pruning,
  type Rules,
  reported,
} from './deploys.js';
import { isOwn, openDesk } from './desk.js';
import { contentOf, keepPublished, type Published, readPublished } from './publish.js';
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
  const { dryRun = false, onDelete = () => {} } = options;
  const work = { dryRun, onDelete, rules };
  if (storage.direct !== undefined && storage.path !== undefined) {
    return pruneHere(storage, hashing, storage.path(''), work);
  }
  const { pruneElsewhere } = await import('./elsewhere/prune.js');
  return pruneElsewhere(storage, hashing, work);
}

async function pruneHere(
  storage: Storage,
  hashing: Hashing,
  root: string,
  { dryRun, onDelete, rules }: Pruning,
): Promise<PruneReport> {
  const desk = await openDesk(root, dryRun, () => {});
  try {
    const present = await readPublished(hashing);
    if (present === undefined) throw nothingPublished(hashing);
    const names: string[] = [];
    for await (const name of storage.list()) names.push(name);
    const archives = names.filter((name) => name.startsWith(ARCHIVE));
    const deploys = await deploysIn(storage, hashing, present, archives);
    const { kept, dropped } = divide(deploys, rules);
    const needed = namesOf(kept, hashing);
    for (const name of await neededByOthers(storage, hashing, archives)) needed.add(name);
    const deleted: string[] = [];
    for (const name of names) if (!isOwn(name) && !needed.has(name)) deleted.push(name);
    deleted.push(...dropped.flatMap(({ archives }) => archives));
    let bytes = 0;
    for (const name of deleted) bytes += (await storage.stat(name))?.size ?? 0;
    // By the copies of our manifests others know of them.
    if (!dryRun) await keepPublished(storage, hashing, root, present);
    for (const name of deleted) {
      onDelete(name);
      if (!dryRun) await remove(storage, name);
    }
    return { dryRun, kept: kept.map(reported), dropped: dropped.map(reported), deleted, bytes };
  } finally {
    desk.close();
  }
}

/** All that is known of what was published, the latest first; `all` are the names in the archive. */
async function deploysIn(
  storage: Storage,
  hashing: Hashing,
  present: Published,
  all: readonly string[],
): Promise<KnownDeploy[]> {
  const { manifestName, manifestStorage } = hashing;
  const archives = all
    .filter((name) => manifestNameOf(name) === manifestName)
    .sort()
    .reverse();
  const own = archives.find((name) => digestsIn(name).digest === present.digest);
  const time =
    own === undefined
      ? ((await manifestStorage.stat(manifestName))?.mtimeMs ?? Date.now())
      : publishedAt(own);
  const deploys: KnownDeploy[] = [
    {
      manifest: contentOf(present, hashing),
      published: time,
      replaced: undefined,
      archives: own ? [own] : [],
    },
  ];
  let next = time;
  for (const archive of archives) {
    if (archive === own) continue;
    const found = await archived(storage, archive);
    if (found === undefined) continue; // somebody has deleted it meanwhile
    const { manifest } = found;
    const published = publishedAt(archive);
    deploys.push({ manifest, published, replaced: next, archives: [archive] });
    next = Math.min(next, published);
  }
  return deploys;
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
