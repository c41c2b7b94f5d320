import { begunSince, type Generation, publishedOf, timeOf } from '../../archive.js';
import { CODINGS, SUFFIXES } from '../../codings.js';
import { hashedName } from '../../names.js';
import type { Hashing, Storage } from '../../storage.js';
import {
  archived,
  divide,
  type KnownDeploy,
  namesOf,
  neededByOthers,
  nothingPublished,
  type PruneReport,
  type Pruning,
  reported,
} from '../deploys.js';
import { isOwn } from '../desk.js';
import { eachOf } from '../flight.js';
import { contentOf, readPublished } from '../publish.js';
import { remove } from '../write.js';
import {
  type Archive,
  beginPruning,
  forgetPruning,
  GIVEN_UP_MS,
  noteSureness,
  type PruningMark,
  readArchive,
} from './generations.js';
import { entriesOf, entryOf } from './listing.js';

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
  if (pruning.dryRun) return prune(storage, hashing, pruning, undefined);
  // Before anything is written there.
  if ((await readPublished(hashing)) === undefined) throw nothingPublished(hashing);
  const mark = await beginPruning(storage);
  try {
    const report = await prune(storage, hashing, pruning, mark);
    await mark.end();
    return report;
  } catch (error) {
    await mark.end().catch(() => {}); // the first fault tells more
    throw error;
  }
}

async function prune(
  storage: Storage,
  hashing: Hashing,
  { dryRun, rules, onDelete }: Pruning,
  mark: PruningMark | undefined,
): Promise<PruneReport> {
  const sizes = new Map<string, number>();
  for await (const { name, size } of entriesOf(storage)) if (!isOwn(name)) sizes.set(name, size);
  // Only now: whoever has sent one of these files, has written down before what for.
  const archive = await readArchive(storage, hashing.manifestName);
  // The mark was written just now: this machine's clock may be wrong.
  const now = mark === undefined ? Date.now() : archive.latest;
  const { deploys, begun, givenUp, digest } = await deploysIn(storage, hashing, archive, now);
  const { kept, dropped } = divide(deploys, rules, now);
  const needed = namesOf([...kept, ...begun], hashing);
  const others = archive.others.map(({ name }) => name);
  for (const name of await neededByOthers(storage, hashing, others)) needed.add(name);
  const gone = [...dropped, ...givenUp];
  const isOurs = namedBy([...deploys, ...begun, ...givenUp], sentNamesOf(gone));
  const files = [...sizes.keys()].filter((name) => !needed.has(name) && isOurs(name));
  const archives = gone.flatMap((deploy) => deploy.archives);
  for (const { name, size } of archive.generations) sizes.set(name, size);
  if (mark !== undefined) await noteSureness(storage, archive, digest);
  for (const batch of [files, archives]) {
    await eachOf(
      batch,
      async (name) => {
        mark?.check();
        onDelete(name);
        if (mark !== undefined) await remove(storage, name);
      },
      storage.concurrency,
    );
  }
  if (mark !== undefined) await forgetPruning(storage, archive);
  return {
    dryRun,
    kept: kept.map(reported),
    dropped: dropped.map(reported),
    deleted: [...files, ...archives],
    bytes: [...files, ...archives].reduce((sum, name) => sum + (sizes.get(name) ?? 0), 0),
  };
}

/** A deploy as the storage's archive tells of it. */
interface ArchivedDeploy extends KnownDeploy {
  /** The names under which it has sent plain files; `undefined`: nobody has written that down. */
  readonly plain: ReadonlySet<string> | undefined;
}

interface Deploys {
  /** That were published, the latest first; each once. */
  readonly deploys: readonly ArchivedDeploy[];
  /** That may still be published. */
  readonly begun: readonly ArchivedDeploy[];
  /** That never came to be. */
  readonly givenUp: readonly ArchivedDeploy[];
  /** That of the manifest that is published. */
  readonly digest: string;
}

async function deploysIn(
  storage: Storage,
  hashing: Hashing,
  { generations }: Archive,
  now: number,
): Promise<Deploys> {
  const { manifestName, manifestStorage } = hashing;
  const present = await readPublished(hashing);
  if (present === undefined) throw nothingPublished(hashing);
  // Where each image has a manifest of its own, later ones than this one's are in use as well.
  const isShared = manifestStorage.path === undefined;
  const line = publishedOf(generations, present.digest);
  const own = line.find(({ digest }) => digest === present.digest);
  // It was written when the deploy began, and files may have been sent for long since.
  const entry = isShared || own === undefined ? await entryOf(manifestStorage, manifestName) : own;
  const published = entry === undefined ? now : 'mtimeMs' in entry ? entry.mtimeMs : timeOf(entry);
  const archives = own === undefined ? [] : [own.name];
  const manifest = contentOf(present, hashing);
  const plain = sentPlainNames(present.body);
  const deploys: ArchivedDeploy[] = [{ manifest, plain, published, replaced: undefined, archives }];
  const byDigest = new Map([[present.digest, archives]]);
  let next = published;
  for (const generation of line) {
    if (generation === own) continue;
    const known = byDigest.get(generation.digest);
    if (known !== undefined)
      known.push(generation.name); // a deploy that came twice
    else {
      const deploy = await deployOf(storage, generation, next);
      if (deploy === undefined) continue;
      byDigest.set(generation.digest, deploy.archives);
      deploys.push(deploy);
    }
    next = Math.min(next, timeOf(generation));
  }
  const begun: ArchivedDeploy[] = [];
  const givenUp: ArchivedDeploy[] = [];
  const since = new Set(begunSince(generations, present.digest));
  for (const generation of generations.filter((one) => !line.includes(one))) {
    const isYoung = now - generation.written < GIVEN_UP_MS;
    // After a roll-back, one that began before it can still follow: it replaces the same manifest.
    const isNext = since.has(generation) || generation.after === present.digest;
    const mayCome = isNext && (isYoung || !isShared);
    const deploy = await deployOf(storage, generation, undefined);
    if (deploy !== undefined) (mayCome ? begun : givenUp).push(deploy);
  }
  return { deploys, begun, givenUp, digest: present.digest };
}

/** `undefined` where it is gone: somebody else prunes as well. */
async function deployOf(
  storage: Storage,
  generation: Generation,
  replaced: number | undefined,
): Promise<ArchivedDeploy | undefined> {
  const found = await archived(storage, generation.name);
  if (found === undefined) return undefined;
  const { manifest, body } = found;
  return {
    manifest,
    plain: sentPlainNames(body),
    published: timeOf(generation),
    replaced,
    archives: [generation.name],
  };
}

/** The plain names that a manifest of ours has sums of, which are those that were sent. */
function sentPlainNames(body: Uint8Array): ReadonlySet<string> | undefined {
  const { codings, checksums = {} } = JSON.parse(new TextDecoder().decode(body));
  return codings === undefined ? undefined : new Set(Object.keys(checksums));
}

/** Every name under which deploys may have sent something. */
function sentNamesOf(deploys: readonly ArchivedDeploy[]): Set<string> {
  const names = new Set<string>();
  for (const { manifest, plain } of deploys) {
    for (const [name, hashed] of manifest.paths) {
      const own = plain === undefined || plain.has(name) ? [name, hashed] : [hashed];
      for (const one of own) for (const suffix of FORMS) names.add(one + suffix);
    }
  }
  return names;
}

const FORMS = ['', ...Object.values(SUFFIXES)];

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
