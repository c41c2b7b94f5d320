import { begunSince, type Generation, publishedOf, timeOf } from '../../archive.js';
import { CODINGS, SUFFIXES } from '../../codings.js';
import type { Manifest } from '../../manifest.js';
import type { Hashing, Storage } from '../../storage.js';
import type { Sizes } from '../compress.js';
import {
  archived,
  divide,
  type KnownDeploy,
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
  demandWhole,
  forgetPruning,
  GIVEN_UP_MS,
  noteSureness,
  type PruningMark,
  readArchive,
  whilePruning,
} from './generations.js';
import { entriesOf, entryOf } from './listing.js';

/**
 * Removes the files of earlier deploys from a storage elsewhere. Others may keep files of their own
 * there, under whatever names: only those go that a manifest names. Each deploy writes down its own
 * before it sends anything.
 */
export async function pruneElsewhere(
  storage: Storage,
  hashing: Hashing,
  pruning: Pruning,
): Promise<PruneReport> {
  if (pruning.dryRun) return prune(storage, hashing, pruning, undefined);
  // Before anything is written there.
  if ((await readPublished(hashing)) === undefined) throw nothingPublished(hashing);
  return whilePruning(storage, (mark) => prune(storage, hashing, pruning, mark));
}

async function prune(
  storage: Storage,
  hashing: Hashing,
  { dryRun, rules, onDelete }: Pruning,
  mark: PruningMark | undefined,
): Promise<PruneReport> {
  const sizes = new Map<string, number>();
  const listed = new Set<string>();
  for await (const { name, size } of entriesOf(storage)) {
    if (isOwn(name)) listed.add(name);
    else sizes.set(name, size);
  }
  // Only now: whoever has sent one of these files, has written down before what for.
  const archive = await readArchive(storage, hashing.manifestName);
  await demandWhole(storage, listed, archive, mark);
  // The mark was written just now: this machine's clock may be wrong.
  const now = mark === undefined ? Date.now() : archive.latest;
  const { deploys, begun, givenUp, digest } = await deploysIn(storage, hashing, archive, now);
  const { kept, dropped } = divide(deploys, rules, now);
  const needed = sentBy([...kept, ...begun]).add(hashing.manifestName);
  const others = archive.others.map(({ name }) => name);
  for (const name of await neededByOthers(storage, hashing, others)) needed.add(name);
  const gone = [...dropped, ...givenUp];
  const files = [...sentBy(gone)].filter((name) => sizes.has(name) && !needed.has(name));
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
  /** The names of all that it has sent, or still may. */
  readonly sent: readonly string[];
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
  // Its copy was written when the deploy began, and files may have been sent for long since.
  const entry = isShared ? await entryOf(manifestStorage, manifestName) : undefined;
  const published = entry?.mtimeMs ?? (own === undefined ? now : latestOf(own));
  const archives = own === undefined ? [] : [own.name];
  const manifest = contentOf(present, hashing);
  const sent = namesIn(manifest, present.body);
  const deploys: ArchivedDeploy[] = [{ manifest, sent, published, replaced: undefined, archives }];
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
    next = Math.min(next, latestOf(generation));
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

/**
 * When a deploy began, at the latest: the time in its name is by the clock of whoever deployed, and that
 * may have been behind.
 */
function latestOf(generation: Generation): number {
  return Math.max(timeOf(generation), generation.written);
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
    sent: namesIn(manifest, body),
    published: timeOf(generation),
    replaced,
    archives: [generation.name],
  };
}

/** The names of all that a deploy has sent, or still may, as its manifest tells. */
function namesIn({ paths }: Manifest, body: Uint8Array): string[] {
  const { codings, checksums, variants } = JSON.parse(new TextDecoder().decode(body));
  // Of others, such as Django's, all lies under both names; ours has sums of the plain ones it sent.
  const plain = codings === undefined ? undefined : new Set(Object.keys(Object(checksums)));
  const sizes = new Map<string, Sizes>(Object.entries(Object(variants)));
  return [...paths].flatMap(([name, hashed]) => {
    const own = sizes.get(name) ?? {};
    const forms = CODINGS.filter((coding) => own[coding]).map((coding) => SUFFIXES[coding]);
    const hashedNames = [hashed, ...forms.map((suffix) => hashed + suffix)];
    if (plain === undefined) return [...hashedNames, name, ...forms.map((suffix) => name + suffix)];
    return plain.has(name) ? [...hashedNames, name] : hashedNames;
  });
}

function sentBy(deploys: readonly ArchivedDeploy[]): Set<string> {
  const names = new Set<string>();
  for (const { sent } of deploys) for (const name of sent) names.add(name);
  return names;
}
