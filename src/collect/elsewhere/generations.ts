import { setTimeout as pause } from 'node:timers/promises';
import { ARCHIVE, type Generation, generationOf, inOrder, publishedOf } from '../../archive.js';
import { CollectError, reason } from '../../errors.js';
import { STATE_FOLDER } from '../../names.js';
import type { ListedFile, Storage } from '../../storage.js';
import type { Run } from '../run.js';
import { remove } from '../write.js';
import { entriesOf } from './listing.js';

/*
 * Who collects and who prunes may be at work at once, on machines that know nothing of each other. A
 * deploy writes its manifest into the archive before it relies on files that are there already and
 * before it sends others; `prune` writes down that it has begun before it looks for manifests. So each
 * sees the other, whoever was first, and a file that somebody counts on stays. That holds in stores
 * that show everybody what was written last, as S3 and Azure do.
 *
 * Who prunes may die as well, or its machine may sleep. So it says again and again that it goes on: others
 * wait no longer than it does, and who could not say so for a while deletes nothing any more.
 */

/** What is kept in the storage beside the files. */
export interface Archive {
  /** The name of the manifest that whoever reads this publishes. */
  readonly manifestName: string;
  /** Those of manifests with that name, the earliest first. */
  readonly generations: readonly Generation[];
  /** Those of manifests with other names: of others, who collect into the same place. */
  readonly others: readonly Generation[];
  /** Changes whenever somebody has pruned; empty: nobody ever has. */
  readonly pruned: string;
  /** The marks of those who prune. */
  readonly pruning: readonly ListedFile[];
  /** The digests of manifests that are not to be believed about plain names. */
  readonly unsure: ReadonlySet<string>;
  /**
   * The latest time at which something in it was written, by the storage's clock, which is the same
   * for all machines; in milliseconds since 1970.
   */
  readonly latest: number;
}

/** A deploy that has begun so long ago, and is not published, will not be. */
export const GIVEN_UP_MS = 86_400_000;

/** Of each who prunes, as long as he does. */
const PRUNING = `${STATE_FOLDER}/pruning/`;
/** Written whenever somebody has pruned. */
const PRUNED = `${STATE_FOLDER}/pruned.json`;
/** Of each manifest whose rivals are known no more. */
const UNSURE = `${STATE_FOLDER}/unsure/`;
/** So often whoever prunes says so. */
const HEARTBEAT_MS = 10_000;
/** Whoever could not say so for so long, deletes nothing any more. */
const HELD_UP_MS = 30_000;
/** Whoever has not said so for so long, prunes no more. */
const GONE_MS = 120_000;
const PAUSE_MS = 1000;

export async function readArchive(storage: Storage, manifestName: string): Promise<Archive> {
  const all: Generation[] = [];
  const pruning: ListedFile[] = [];
  const unsure = new Set<string>();
  let pruned = '';
  let latest = 0;
  for await (const entry of entriesOf(storage, `${STATE_FOLDER}/`)) {
    if (entry.name.startsWith(ARCHIVE)) all.push(generationOf(entry));
    if (entry.name.startsWith(PRUNING)) pruning.push(entry);
    if (entry.name.startsWith(UNSURE)) unsure.add(digestOf(entry.name));
    if (entry.name === PRUNED) pruned = `${entry.mtimeMs}.${entry.md5}`;
    latest = Math.max(latest, entry.mtimeMs);
  }
  const isOwn = (one: Generation) => one.manifestName === manifestName;
  const generations = inOrder(all.filter(isOwn));
  const others = inOrder(all.filter((one) => !isOwn(one)));
  return { manifestName, generations, others, pruned, pruning, unsure, latest };
}

/** Whether nobody can have written plain names since the manifest of that digest was published. */
export function isSureOfPlain({ generations, others, unsure }: Archive, digest: string): boolean {
  // Others write plain names whenever they deploy, and prune what tells when that was.
  if (others.length > 0) return false;
  return !unsure.has(digest) && rivalsOf(generations, digest).length === 0;
}

/**
 * Writes down whether that manifest is to be believed about plain names, before rivals of it are
 * forgotten; and forgets what was written of those before it.
 */
export async function noteSureness(
  storage: Storage,
  archive: Archive,
  digest: string,
): Promise<void> {
  const nameOf = (one: string) => `${UNSURE}${one}.json`;
  const note = `${JSON.stringify({ unsure: digest })}\n`;
  if (!isSureOfPlain(archive, digest)) await storage.write(nameOf(digest), Buffer.from(note));
  const kept = new Set([digest, ...archive.others.map((other) => other.digest)]);
  for (const one of archive.unsure) if (!kept.has(one)) await remove(storage, nameOf(one));
}

/**
 * The deploys that never were published, and that may have written plain names after the one of that
 * digest did, which is: they have begun since, or were under way when it came.
 */
function rivalsOf(generations: readonly Generation[], digest: string): Generation[] {
  const line = publishedOf(generations, digest);
  const [present] = line;
  if (present?.digest !== digest) return [];
  const at = generations.indexOf(present);
  /** Many machines may deploy one release at once, and need not have written the same more than once. */
  const isTwin = (one: Generation) =>
    line.some((known) => known.digest === one.digest && known.after === one.after);
  return generations.filter((one, index) => {
    if (line.includes(one) || one.digest === digest) return false;
    return index > at || (present.written - one.written < GIVEN_UP_MS && !isTwin(one));
  });
}

function digestOf(note: string): string {
  return note.slice(UNSURE.length, -'.json'.length);
}

/** What somebody holds who prunes. */
export interface PruningMark {
  /** Its name in the storage. */
  readonly name: string;
  /** @throws {CollectError} where others may think by now that it is over. */
  check(): void;
  /** Writes down the end of it. */
  end(): Promise<void>;
}

/** Writes down that somebody prunes, again and again until that ends. */
export async function beginPruning(storage: Storage): Promise<PruningMark> {
  const name = `${PRUNING}${crypto.randomUUID()}.json`;
  let last = 0;
  let fault: unknown;

  const mark = (where: string) =>
    storage.write(where, Buffer.from(`${JSON.stringify({ mark: crypto.randomUUID() })}\n`));
  // By this clock, for others stand still while a machine sleeps.
  const isHeldUp = () => Math.abs(Date.now() - last) > HELD_UP_MS;

  async function beat(): Promise<void> {
    const now = Date.now();
    await mark(name);
    last = now;
    fault = undefined;
  }

  async function goOn(): Promise<void> {
    try {
      if (isHeldUp()) last = 0; // and stays so: somebody may be about to count on files again
      if (last > 0) await beat();
    } catch (error) {
      fault = error;
    }
  }

  await beat();
  let going = Promise.resolve();
  const timer = setInterval(() => {
    going = going.then(goOn);
  }, HEARTBEAT_MS).unref();
  return {
    name,
    check() {
      if (isHeldUp()) throw heldUp(storage, fault);
    },
    async end() {
      clearInterval(timer);
      await going;
      await mark(PRUNED); // first: whoever sees the one no more, sees the other
      await storage.delete(name);
    },
  };
}

function heldUp({ location = 'the storage' }: Storage, cause: unknown): CollectError {
  const why = cause === undefined ? '' : ` (${reason(cause)})`;
  return new CollectError(
    `Not all was pruned: this was held up for so long, and could not tell others in ${location} that it goes on, that they may count on files again.${why} Run prune again.`,
    { cause },
  );
}

/**
 * Refuses listings by which files that are needed would be taken for left over, such as old ones, or
 * those of something that is no store: who prunes must find the mark there, and every manifest that was
 * listed before, unless somebody has deleted it since.
 *
 * @param listed the names that were listed before the archive was read
 * @param mark none in a dry run
 * @throws {CollectError} where something lacks.
 */
export async function demandWhole(
  storage: Storage,
  listed: ReadonlySet<string>,
  { generations, others, pruning }: Archive,
  mark: PruningMark | undefined,
): Promise<void> {
  const known = new Set([...generations, ...others, ...pruning].map(({ name }) => name));
  if (mark !== undefined && !(listed.has(mark.name) && known.has(mark.name))) {
    throw notWhole(storage, mark.name);
  }
  for (const name of listed) {
    if (!name.startsWith(ARCHIVE) || known.has(name)) continue;
    if (await storage.exists(name)) throw notWhole(storage, name);
  }
}

function notWhole({ location = 'the storage' }: Storage, name: string): CollectError {
  return new CollectError(
    `Nothing was deleted: the list of what is in ${location} lacks '${name}', which is there. Run it again; if the list stays wrong, look at the store, and at what stands before it.`,
  );
}

/** Clears away what was left by those who were killed. */
export async function forgetPruning(storage: Storage, archive: Archive): Promise<void> {
  for (const { name, mtimeMs } of archive.pruning) {
    if (archive.latest - mtimeMs > GONE_MS) await remove(storage, name);
  }
}

/** Waits while somebody prunes; answers whether somebody has, since `before` was read. */
export async function hasBeenPruned(
  storage: Storage,
  before: Archive,
  tell: Run['tell'],
): Promise<boolean> {
  const from = performance.now();
  let begin: number | undefined;
  for (let told = false; ; told = true) {
    const { pruned, pruning, latest } = await readArchive(storage, before.manifestName);
    begin ??= latest;
    const now = begin + performance.now() - from;
    const running = pruning.some(({ mtimeMs }) => now - mtimeMs <= GONE_MS);
    if (!running) return pruned !== before.pruned || told;
    if (!told) {
      tell({
        type: 'wait',
        message: `Files of earlier deploys are being pruned in ${storage.location ?? 'the storage'}; waiting for the end of that, or for ${GONE_MS / 60_000} minutes without a sign of it.`,
      });
    }
    await pause(PAUSE_MS);
  }
}
