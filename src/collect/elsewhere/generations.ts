import { setTimeout as pause } from 'node:timers/promises';
import { ARCHIVE, type Generation, generationOf, inOrder, publishedOf } from '../../archive.js';
import { CollectError, reason } from '../../errors.js';
import { STATE_FOLDER } from '../../names.js';
import type { ListedFile, Storage } from '../../storage.js';
import type { Run } from '../run.js';
import { MANIFEST_FIELDS } from '../switch.js';
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
  /** Who may have written plain names besides those that are archived. */
  readonly noted: readonly Writer[];
  /**
   * The latest time at which something in it was written, by the storage's clock, which is the same
   * for all machines; in milliseconds since 1970.
   */
  readonly latest: number;
}

/** Whoever may have written plain names: as a manifest says, and at a time of the storage's clock. */
export interface Writer {
  /** The name of that manifest in the storage. */
  readonly name: string;
  readonly digest: string;
  /** In milliseconds since 1970, as `until`. */
  readonly from: number;
  readonly until: number;
}

/** A deploy that has begun so long ago, and is not published, will not be. */
export const GIVEN_UP_MS = 86_400_000;

/** Of each who prunes, as long as he does. */
const PRUNING = `${STATE_FOLDER}/pruning/`;
/** Written whenever somebody has pruned. */
const PRUNED = `${STATE_FOLDER}/pruned.json`;
/**
 * Manifests as which plain names may have been written by those of whom the archive does not tell:
 * rivals that were pruned, and runs that publish nothing.
 */
const WRITERS = `${STATE_FOLDER}/writers/`;
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
  const noted: Writer[] = [];
  let pruned = '';
  let latest = 0;
  for await (const entry of entriesOf(storage, `${STATE_FOLDER}/`)) {
    if (entry.name.startsWith(ARCHIVE)) all.push(generationOf(entry));
    if (entry.name.startsWith(PRUNING)) pruning.push(entry);
    if (entry.name.startsWith(WRITERS)) noted.push(notedIn(entry));
    if (entry.name === PRUNED) pruned = `${entry.mtimeMs}.${entry.md5}`;
    latest = Math.max(latest, entry.mtimeMs);
  }
  const isOwn = (one: Generation) => one.manifestName === manifestName;
  const generations = inOrder(all.filter(isOwn));
  const others = inOrder(all.filter((one) => !isOwn(one)));
  return { manifestName, generations, others, pruned, pruning, noted, latest };
}

/** Whether nobody else can have written plain names since the manifest of that digest was published. */
export function isSureOfPlain(archive: Archive, digest: string): boolean {
  return writersOf(archive, digest)?.every((writer) => writer.digest === digest) === true;
}

/**
 * Who may have written plain names since the deploy of that digest has made sure of them, which is
 * published, or ever, where none is; `undefined`: nobody can tell.
 *
 * What a deploy writes, it writes before another one begins that replaces it. So of those that were
 * published none counts but the last, and nobody who has begun a day before that.
 */
export function writersOf(archive: Archive, digest: string | undefined): Writer[] | undefined {
  const { generations, others, noted } = archive;
  // Others write plain names whenever they deploy, and prune what tells when that was.
  if (others.length > 0) return undefined;
  if (digest === undefined) {
    // Where something was published once, those may be forgotten that were at work then.
    const isFirst = noted.length === 0 && generations.every(({ after }) => after === 'none');
    return isFirst ? generations.map(writerOf) : undefined;
  }
  const line = publishedOf(generations, digest);
  const twins = generations.filter((one) => one.digest === digest && !line.includes(one));
  const present = generations.findLast((one) => one.digest === digest);
  const since = noted.filter(({ until }) => until >= (present?.written ?? 0));
  return [...twins.map(writerOf), ...rivalsOf(generations, digest).map(writerOf), ...since];
}

/**
 * Writes down who may still be writing plain names, before rivals of the manifest of that digest are
 * forgotten; and forgets those whose time was over when that one came.
 */
export async function noteSureness(
  storage: Storage,
  archive: Archive,
  digest: string,
): Promise<void> {
  for (const rival of rivalsOf(archive.generations, digest)) {
    const note = noteName(rival);
    if (archive.noted.some(({ name }) => name === note)) continue;
    const body = await storage.read(rival.name);
    if (body !== undefined) await storage.write(note, body, { headers: MANIFEST_FIELDS });
  }
  const present = archive.generations.findLast((one) => one.digest === digest);
  if (present === undefined) return;
  const isOver = ({ until }: Writer) =>
    [present, ...archive.others].every(({ written }) => until < written);
  for (const { name } of archive.noted.filter(isOver)) await remove(storage, name);
}

/**
 * Writes down that plain names are about to be written as a manifest says: the one that is published,
 * or one that nobody will publish.
 *
 * @param archive as it was before
 */
export async function noteWriter(
  storage: Storage,
  { generations, latest }: Archive,
  { body, digest }: { readonly body: Uint8Array; readonly digest: string },
): Promise<void> {
  const present = generations.findLast((one) => one.digest === digest);
  const note = noteName({ digest, written: present?.written ?? latest });
  await storage.write(note, body, { headers: MANIFEST_FIELDS });
}

/**
 * The deploys that never were published, and that may have written plain names after the one of that
 * digest did, which is: they have begun since, or were under way when it came. All others, where
 * nobody knows when that was.
 */
function rivalsOf(generations: readonly Generation[], digest: string): Generation[] {
  const line = publishedOf(generations, digest);
  const [present] = line;
  if (present?.digest !== digest) return [...generations];
  const at = generations.indexOf(present);
  // Of those behind a gap nobody knows whether they were.
  const published = line.filter(
    (one, index) => one === present || line[index - 1]?.after === one.digest,
  );
  /**
   * Many machines may deploy one release at once, and need not have written the same more than once.
   * The same that comes after it was replaced is another matter.
   */
  const isTwin = (one: Generation, index: number) =>
    published.some((known, back) => {
      const next = published[back - 1];
      const isInTime = next === undefined || index < generations.indexOf(next);
      return isInTime && known.digest === one.digest && known.after === one.after;
    });
  return generations.filter((one, index) => {
    if (published.includes(one) || one.digest === digest) return false;
    return index > at || (present.written - one.written < GIVEN_UP_MS && !isTwin(one, index));
  });
}

function writerOf({ name, digest, written }: Generation): Writer {
  return { name, digest, from: written, until: written + GIVEN_UP_MS };
}

/** By when it began at the earliest. */
function noteName({ digest, written }: Pick<Generation, 'digest' | 'written'>): string {
  return `${WRITERS}${Math.floor(written)}-${digest}.json`;
}

function notedIn({ name, mtimeMs }: ListedFile): Writer {
  const [, from = 0, digest = ''] = /(\d+)-([^-.]+)\.json$/.exec(name) ?? [];
  return { name, digest, from: Number(from), until: mtimeMs + GIVEN_UP_MS };
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

/**
 * Does something as one who prunes: who is about to count on files waits until it is over. That it is
 * over is written down also where it fails.
 */
export async function whilePruning<T>(
  storage: Storage,
  work: (mark: PruningMark) => Promise<T>,
): Promise<T> {
  const mark = await beginPruning(storage);
  try {
    const result = await work(mark);
    await mark.end();
    return result;
  } catch (error) {
    await mark.end().catch(() => {}); // the first fault tells more
    throw error;
  }
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
