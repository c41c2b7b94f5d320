import { setTimeout as pause } from 'node:timers/promises';
import { ARCHIVE, type Generation, generationOf, inOrder } from '../../archive.js';
import { CollectError, reason } from '../../errors.js';
import { STATE_FOLDER } from '../../names.js';
import type { ListedFile, Storage } from '../../storage.js';
import { eachOf } from '../flight.js';
import type { Run } from '../run.js';
import { entriesOf } from './listing.js';

/*
 * Who collects and who prunes may be at work at once, on machines that know nothing of each other. A
 * deploy writes its manifest into the archive before it relies on files that are there already and
 * before it sends others; `prune` writes down that it has begun before it looks for manifests. So each
 * sees the other, whoever was first, and a file that somebody counts on stays. That holds in stores
 * that show everybody what was written last, as S3 and Azure do.
 *
 * Who prunes may die, too. So while it is at work it writes the same file again and again: others wait
 * no longer than that changes, and who could not write it for a while deletes nothing any more.
 */

/** What is kept in the storage beside the files. */
export interface Archive {
  /** The earliest first. */
  readonly generations: readonly Generation[];
  /** Changes whenever somebody begins or ends to prune; empty: nobody ever has. */
  readonly pruned: string;
  /** The marks of those who prune. */
  readonly pruning: readonly ListedFile[];
  /** When anything of this was written last, by the storage's clock; in milliseconds since 1970. */
  readonly latest: number;
}

/** Says who has pruned last. */
const PRUNED = `${STATE_FOLDER}/pruned.json`;
/** With what the names of marks begin: of each who prunes, one. */
const PRUNING = `${STATE_FOLDER}/pruning/`;
/** So often a mark is written. */
const BEAT_MS = 10_000;
/** Who could not write its mark for so long, does not delete any more. */
const LOST_MS = 30_000;
/** Whose mark was not written for so long, does not prune any more. */
const GONE_MS = 120_000;
const PAUSE_MS = 1000;

export async function readArchive(storage: Storage): Promise<Archive> {
  const generations: Generation[] = [];
  const pruning: ListedFile[] = [];
  const pruned: string[] = [];
  let latest = 0;
  for await (const entry of entriesOf(storage, `${STATE_FOLDER}/`)) {
    const { name, mtimeMs, md5 } = entry;
    latest = Math.max(latest, mtimeMs);
    if (name.startsWith(ARCHIVE)) generations.push(generationOf(entry));
    if (name.startsWith(PRUNING)) pruning.push(entry);
    if (name.startsWith(PRUNING) || name === PRUNED) pruned.push(`${name} ${mtimeMs} ${md5}`);
  }
  return {
    generations: inOrder(generations),
    pruned: pruned.sort().join(),
    pruning,
    latest,
  };
}

/** Somebody prunes, and others can see it. */
export interface PruningTurn {
  /** @throws {CollectError} where others may think that it is over. */
  check(): void;
  end(): Promise<void>;
}

/** Writes down that somebody prunes, until that ends. */
export async function beginPruning(storage: Storage): Promise<PruningTurn> {
  const id = crypto.randomUUID();
  const mark = `${PRUNING}${id}.json`;
  let heard = 0;
  let fault: unknown;

  async function beat(): Promise<void> {
    const at = Date.now(); // other clocks of this machine stop while it sleeps
    await storage.write(mark, Buffer.from(`${JSON.stringify({ at })}\n`));
    heard = at;
    fault = undefined;
  }

  function isLost(): boolean {
    return Math.abs(Date.now() - heard) >= LOST_MS;
  }

  async function goOn(): Promise<void> {
    try {
      // Whoever has deleted it, or is about to, counts on files again.
      if (isLost() || !(await storage.exists(mark))) heard = 0;
      else await beat();
    } catch (error) {
      fault = error;
    }
  }

  await beat();
  let going = Promise.resolve();
  const timer = setInterval(() => {
    going = going.then(goOn);
  }, BEAT_MS).unref();
  return {
    check() {
      if (!isLost()) return;
      const why = fault === undefined ? 'it was held up.' : reason(fault);
      throw new CollectError(
        `Not all was pruned, for it could not be told any more in ${placeOf(storage)} that somebody prunes, and whoever deploys may count on files again: ${why} Run prune again.`,
        { cause: fault },
      );
    },
    async end() {
      clearInterval(timer);
      await going;
      await storage.write(PRUNED, Buffer.from(`${JSON.stringify({ id })}\n`));
      await storage.delete(mark);
    },
  };
}

/** Waits while somebody prunes; answers whether somebody has, since `before` was read. */
export async function hasBeenPruned(
  storage: Storage,
  before: Archive,
  tell: Run['tell'],
): Promise<boolean> {
  const from = Date.now();
  let start: number | undefined;
  for (let told = false; ; told = true) {
    const { pruned, pruning, latest } = await readArchive(storage);
    if (pruning.length === 0) return pruned !== before.pruned || told;
    start ??= latest; // by whoever deploys, just now
    const now = start + Date.now() - from;
    const gone = pruning.filter(({ mtimeMs }) => now - mtimeMs > GONE_MS);
    await eachOf(gone, ({ name }) => storage.delete(name));
    if (gone.length === pruning.length) return true;
    if (!told) {
      tell({
        type: 'wait',
        message: `Files of earlier deploys are being pruned in ${placeOf(storage)}; waiting for the end of that, or for ${GONE_MS / 60_000} minutes without a sign of it.`,
      });
    }
    await pause(PAUSE_MS);
  }
}

function placeOf({ location }: Storage): string {
  return location ?? 'the storage';
}
