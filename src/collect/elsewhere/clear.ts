import { ARCHIVE, type Generation, inOrder } from '../../archive.js';
import { CollectError, ManifestError } from '../../errors.js';
import type { Manifest } from '../../manifest.js';
import type { Hashing, Storage } from '../../storage.js';
import { archived, namesOf } from '../deploys.js';
import type { Outcome, Run } from '../run.js';
import { removeAll } from '../write.js';
import {
  demandWhole,
  forgetPruning,
  noteSureness,
  type PruningMark,
  readArchive,
  whilePruning,
} from './generations.js';

/**
 * Removes what is in a storage elsewhere and was not collected now. Deploys that have begun since keep
 * their files, and those that begin now wait for the end, as they do where somebody prunes.
 */
export async function clearElsewhere(run: Run, outcome: Outcome): Promise<string[]> {
  const { storage, options } = run;
  const isAlone = storage.hashing === undefined || options.postProcess === false;
  if (isAlone || options.dryRun) return clear(run, outcome, undefined);
  return whilePruning(storage, (mark) => clear(run, outcome, mark));
}

async function clear(
  run: Run,
  { isCollected }: Outcome,
  mark: PruningMark | undefined,
): Promise<string[]> {
  const { storage } = run;
  const listed = new Set<string>();
  for await (const name of storage.list()) listed.add(name);
  const needed =
    mark === undefined || storage.hashing === undefined
      ? new Set<string>()
      : await neededSince(storage, storage.hashing, isCollected, listed, mark);
  const gone = [...listed].filter((name) => !isCollected(name) && !needed.has(name));
  // The manifests last: by them prune knows what is left, where this breaks off.
  const isManifest = (name: string) => name.startsWith(ARCHIVE);
  for (const late of [false, true]) {
    const batch = gone.filter((name) => isManifest(name) === late);
    await removeAll(run, batch, () => mark?.check());
  }
  return gone;
}

/** The names that deploys need which have begun since this one has. */
async function neededSince(
  storage: Storage,
  { manifestName }: Hashing,
  isCollected: Outcome['isCollected'],
  listed: ReadonlySet<string>,
  mark: PruningMark,
): Promise<ReadonlySet<string>> {
  const archive = await readArchive(storage, manifestName);
  await demandWhole(storage, listed, archive, mark);
  const generations = inOrder([...archive.generations, ...archive.others]);
  const own = generations.findLastIndex(({ name }) => isCollected(name));
  const digest = generations[own]?.digest;
  if (digest !== undefined) await noteSureness(storage, archive, digest);
  await forgetPruning(storage, archive);
  const needed = new Set<string>();
  for (const generation of own < 0 ? [] : generations.slice(own + 1)) {
    const manifest = await manifestOf(storage, generation);
    if (manifest === undefined) continue;
    needed.add(generation.name);
    for (const name of namesOf([{ manifest }], generation)) needed.add(name);
  }
  return needed;
}

/** `undefined` where it is damaged, or gone: nobody needs that. */
async function manifestOf(storage: Storage, { name }: Generation): Promise<Manifest | undefined> {
  try {
    return (await archived(storage, name))?.manifest;
  } catch (error) {
    if (error instanceof CollectError && error.cause instanceof ManifestError) return undefined;
    throw error;
  }
}
