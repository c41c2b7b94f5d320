import { begunSince, type Generation, publishedOf, timeOf } from '../../archive.js';
import { CODINGS, SUFFIXES } from '../../codings.js';
import { hashedName } from '../../names.js';
import type { Hashing, Storage } from '../../storage.js';
import {
  archived,
  divide,
  type KnownDeploy,
  namesOf,
  nothingPublished,
  type PruneReport,
  type Pruning,
  reported,
} from '../deploys.js';
import { isOwn } from '../desk.js';
import { eachOf } from '../flight.js';
import { contentOf, readPublished } from '../publish.js';
import { remove } from '../write.js';
import { beginPruning, readArchive } from './generations.js';
import { entriesOf } from './listing.js';

/** A deploy that has begun so long ago, and is not published, will not be. */
const GIVEN_UP_MS = 86_400_000;

/**
 * Removes the files of earlier deploys from a storage elsewhere. Others may keep files of their own
 * there: only those go that a manifest names, or that are named as those of a deploy that never came
 * to be.
 */
export async function pruneElsewhere(
  storage: Storage,
  hashing: Hashing,
  pruning: Pruning,
): Promise<PruneReport> {
  const end = pruning.dryRun ? async () => {} : await beginPruning(storage);
  try {
    const report = await prune(storage, hashing, pruning);
    await end();
    return report;
  } catch (error) {
    await end().catch(() => {}); // the first fault tells more
    throw error;
  }
}

async function prune(
  storage: Storage,
  hashing: Hashing,
  { dryRun, rules, onDelete }: Pruning,
): Promise<PruneReport> {
  const sizes = new Map<string, number>();
  for await (const { name, size } of entriesOf(storage)) if (!isOwn(name)) sizes.set(name, size);
  // Only now: whoever has sent one of these files, has written down before what for.
  const { deploys, begun, givenUp } = await deploysIn(storage, hashing);
  const { kept, dropped } = divide(deploys, rules);
  const needed = namesOf([...kept, ...begun], hashing);
  const gone = [...dropped, ...givenUp];
  const isOurs = namedBy([...deploys, ...begun, ...givenUp], namesOf(gone, hashing));
  const files = [...sizes.keys()].filter((name) => !needed.has(name) && isOurs(name));
  const deleted = [...files, ...gone.flatMap(({ archives }) => archives)];
  for (const batch of [files, deleted.slice(files.length)]) {
    await eachOf(
      batch,
      async (name) => {
        onDelete(name);
        if (!dryRun) await remove(storage, name);
      },
      storage.concurrency,
    );
  }
  return {
    dryRun,
    kept: kept.map(reported),
    dropped: dropped.map(reported),
    deleted,
    bytes: files.reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0),
  };
}

interface Deploys {
  /** That were published, the latest first; each once. */
  readonly deploys: readonly KnownDeploy[];
  /** That may still be published. */
  readonly begun: readonly KnownDeploy[];
  /** That never came to be. */
  readonly givenUp: readonly KnownDeploy[];
}

async function deploysIn(storage: Storage, hashing: Hashing): Promise<Deploys> {
  const { manifestName, manifestStorage } = hashing;
  const { generations } = await readArchive(storage);
  const present = await readPublished(hashing);
  if (present === undefined) throw nothingPublished(hashing);
  const line = publishedOf(generations, present.digest);
  const own = line.find(({ digest }) => digest === present.digest);
  const manifest = contentOf(present, hashing);
  const published =
    own === undefined
      ? ((await manifestStorage.stat(manifestName))?.mtimeMs ?? Date.now())
      : timeOf(own);
  const archives = own === undefined ? [] : [own.name];
  const deploys: KnownDeploy[] = [{ manifest, published, replaced: undefined, archives }];
  const byDigest = new Map([[present.digest, archives]]);
  let next = published;
  for (const generation of line) {
    const known = byDigest.get(generation.digest);
    if (known !== undefined) {
      if (generation !== own) known.push(generation.name); // a deploy that came twice
    } else {
      const deploy = await knownDeploy(storage, generation, next);
      byDigest.set(generation.digest, deploy.archives);
      deploys.push(deploy);
    }
    next = Math.min(next, timeOf(generation));
  }
  const begun: KnownDeploy[] = [];
  const givenUp: KnownDeploy[] = [];
  const since = new Set(begunSince(generations, present.digest));
  // Where each image has a manifest of its own, later ones than this one's are in use as well.
  const isShared = manifestStorage.path === undefined;
  for (const generation of generations.filter((one) => !line.includes(one))) {
    const isYoung = Date.now() - generation.written < GIVEN_UP_MS;
    const mayCome = since.has(generation) && (isYoung || !isShared);
    (mayCome ? begun : givenUp).push(await knownDeploy(storage, generation, undefined));
  }
  return { deploys, begun, givenUp };
}

async function knownDeploy(
  storage: Storage,
  generation: Generation,
  replaced: number | undefined,
): Promise<KnownDeploy> {
  const manifest = await archived(storage, generation.name);
  return { manifest, published: timeOf(generation), replaced, archives: [generation.name] };
}

/** Whether a file is a deploy's: one of `names`, or the hashed name of a file that a deploy had. */
function namedBy(
  deploys: readonly KnownDeploy[],
  names: ReadonlySet<string>,
): (name: string) => boolean {
  const plain = new Set(deploys.flatMap(({ manifest }) => [...manifest.paths.keys()]));
  return (name) => {
    if (names.has(name)) return true;
    const coding = CODINGS.find((one) => name.endsWith(SUFFIXES[one]));
    const original = coding === undefined ? name : name.slice(0, -SUFFIXES[coding].length);
    const [hashed, hash = ''] = /\.([\da-f]{12})(?=\.[^./]*$|$)/.exec(original) ?? [];
    if (hashed === undefined) return false;
    const own = original.replace(hashed, '');
    return plain.has(own) && hashedName(own, hash) === original;
  };
}
