import { setTimeout as pause } from 'node:timers/promises';
import { ARCHIVE, type Generation, generationOf, inOrder } from '../../archive.js';
import { STATE_FOLDER } from '../../names.js';
import type { ListedFile, Storage } from '../../storage.js';
import type { Run } from '../run.js';
import { entriesOf } from './listing.js';

/*
 * Who collects and who prunes may be at work at once, on machines that know nothing of each other. A
 * deploy writes its manifest into the archive before it relies on files that are there already and
 * before it sends others; `prune` writes down that it has begun before it looks for manifests. So each
 * sees the other, whoever was first, and a file that somebody counts on stays. That holds in stores
 * that show everybody what was written last, as S3 and Azure do.
 */

/** What is kept in the storage beside the files. */
export interface Archive {
  /** The earliest first. */
  readonly generations: readonly Generation[];
  /** Changes whenever somebody begins or ends to prune; empty: nobody ever has. */
  readonly pruned: string;
}

const PRUNE_MARK = `${STATE_FOLDER}/prune.json`;
/** Who began to prune so long ago, does so no more. */
const PRUNING_MS = 3_600_000;
const PAUSE_MS = 1000;

export async function readArchive(storage: Storage): Promise<Archive> {
  const generations: Generation[] = [];
  let mark: ListedFile | undefined;
  for await (const entry of entriesOf(storage, `${STATE_FOLDER}/`)) {
    if (entry.name === PRUNE_MARK) mark = entry;
    if (!entry.name.startsWith(ARCHIVE)) continue;
    generations.push(generationOf(entry));
  }
  return {
    generations: inOrder(generations),
    pruned: mark === undefined ? '' : `${mark.mtimeMs}.${mark.md5}`,
  };
}

/** Writes down that somebody begins to prune; answers what writes down the end of it. */
export async function beginPruning(storage: Storage): Promise<() => Promise<void>> {
  const id = crypto.randomUUID();
  const mark = (state: 'running' | 'done') =>
    storage.write(PRUNE_MARK, Buffer.from(`${JSON.stringify({ state, id })}\n`));
  await mark('running');
  return () => mark('done');
}

/** Waits while somebody prunes; answers whether somebody has, since `before` was read. */
export async function hasBeenPruned(
  storage: Storage,
  before: Archive,
  tell: Run['tell'],
): Promise<boolean> {
  const from = Date.now();
  for (let told = false; ; told = true) {
    const { pruned } = await readArchive(storage);
    const isRunning = pruned !== '' && (await isPruning(storage));
    if (!isRunning || Date.now() - from > PRUNING_MS) return pruned !== before.pruned || told;
    if (!told) {
      tell({
        type: 'wait',
        message: `Files of earlier deploys are being pruned in ${storage.location ?? 'the storage'}; waiting for the end of that. If nobody prunes, delete ${PRUNE_MARK} there.`,
      });
    }
    await pause(PAUSE_MS);
  }
}

async function isPruning(storage: Storage): Promise<boolean> {
  const found = await storage.stat(PRUNE_MARK);
  if (found === undefined || Date.now() - found.mtimeMs > PRUNING_MS) return false;
  const text = new TextDecoder().decode(await storage.read(PRUNE_MARK));
  return text.includes('"running"');
}
