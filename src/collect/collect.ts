import { stat } from 'node:fs/promises';
import { CollectError, reason, SetupError, StaticFilesError, systemCode } from '../errors.js';
import type { FoundFile } from '../finder.js';
import { checkOptions } from '../options.js';
import type { Sources } from '../sources.js';
import type { Storage } from '../storage.js';
import { planFiles, type ShadowedFile } from './plan.js';
import { copy, isUnmodified, link, linksTo, removeObstacles } from './write.js';

export interface CollectOptions {
  /** Shell patterns of files to leave out, besides the setting `ignore`. @default [] */
  readonly ignore?: readonly string[] | undefined;
  /** Whether the setting `ignore` counts. @default true */
  readonly defaultIgnore?: boolean | undefined;
  /** Whether to tell what would be done, and do nothing. @default false */
  readonly dryRun?: boolean | undefined;
  /** Whether to remove every file that was not collected now. @default false */
  readonly clear?: boolean | undefined;
  /** Whether to put symbolic links to the sources instead of copies. @default false */
  readonly link?: boolean | undefined;
  /** Whether to do what the storage does beyond copying, such as hashing names. @default true */
  readonly postProcess?: boolean | undefined;
  /** Hears of each step as it is taken, or would be in a dry run. */
  readonly onEvent?: ((event: CollectEvent) => void) | undefined;
}

/** One step of collecting. */
export type CollectEvent =
  | { readonly type: 'copy' | 'link' | 'skip'; readonly name: string; readonly path: string }
  | { readonly type: 'delete'; readonly name: string }
  | ({ readonly type: 'shadowed' } & ShadowedFile)
  | { readonly type: 'warning'; readonly message: string };

/** What collecting did, or would have done in a dry run; names in the order of the finders. */
export interface CollectReport {
  /** The folder of the collected files; `undefined` for a storage elsewhere. */
  readonly destination: string | undefined;
  readonly dryRun: boolean;
  readonly copied: readonly string[];
  readonly linked: readonly string[];
  readonly unmodified: readonly string[];
  readonly deleted: readonly string[];
  readonly shadowed: readonly ShadowedFile[];
  readonly warnings: readonly string[];
}

const SWITCHES = ['defaultIgnore', 'dryRun', 'clear', 'link', 'postProcess'] as const;

/** How many files are on their way at once: a disk takes several better than one. */
const IN_FLIGHT = 16;

/**
 * Gathers every source file into the storage: plan, write, clear what is left over.
 *
 * @param doubts what the caller has to warn of, to be told with the rest
 * @throws {CollectError} where that cannot be done; faults in the sources, before anything is written.
 */
export async function collectFiles(
  sources: Sources,
  storage: Storage,
  defaultIgnore: readonly string[],
  options: CollectOptions = {},
  doubts: readonly string[] = [],
): Promise<CollectReport> {
  checkValues(options);
  const { dryRun = false, clear = false, onEvent = () => {} } = options;
  const destination = storage.path?.('');
  assertPossible(storage, options);

  const ignore = [
    ...(options.defaultIgnore === false ? [] : defaultIgnore),
    ...(options.ignore ?? []),
  ];
  const plan = await planFiles(sources, ignore, destination);
  const warnings = [...doubts, ...plan.warnings];
  for (const file of plan.shadowed) onEvent({ type: 'shadowed', ...file });
  for (const message of warnings) onEvent({ type: 'warning', message });

  const steps = new Map<string, 'copy' | 'link' | 'skip'>();
  await eachOf(plan.files.values(), async (file) => {
    const type = await place(storage, file, options);
    steps.set(file.name, type);
    onEvent({ type, name: file.name, path: file.path });
  });
  const deleted = clear ? await leftOver(storage, plan.files) : [];
  for (const name of deleted) {
    onEvent({ type: 'delete', name });
    if (!dryRun) await remove(storage, name);
  }

  const names = (type: string) => [...plan.files.keys()].filter((name) => steps.get(name) === type);
  return {
    destination,
    dryRun,
    copied: names('copy'),
    linked: names('link'),
    unmodified: names('skip'),
    deleted,
    shadowed: plan.shadowed,
    warnings,
  };
}

function checkValues(options: CollectOptions): void {
  checkOptions('collect()', options, ['ignore', ...SWITCHES, 'onEvent']);
  const { ignore = [], onEvent } = options;
  if (!Array.isArray(ignore) || !ignore.every((pattern) => typeof pattern === 'string')) {
    throw new SetupError("collect()'s ignore must be an array of shell patterns: ['*.map'].");
  }
  for (const key of SWITCHES) {
    if (options[key] === undefined || typeof options[key] === 'boolean') continue;
    throw new SetupError(`collect()'s ${key} must be true or false.`);
  }
  if (onEvent !== undefined && typeof onEvent !== 'function') {
    throw new SetupError("collect()'s onEvent must be a function.");
  }
}

function assertPossible(storage: Storage, { link = false, postProcess = true }: CollectOptions) {
  if (link && storage.path === undefined) {
    throw new CollectError('Links can be put on this machine only; collect without --link.');
  }
  if (postProcess && storage.hashing !== undefined) {
    throw new CollectError(
      'Collecting with hashed names is not in this version yet. Collect plain names with --no-post-process (postProcess: false), or use fileSystemStorage().',
    );
  }
}

/** Puts one file in its place, unless it is there as it should be. */
async function place(
  storage: Storage,
  file: FoundFile,
  { link: linking = false, dryRun = false, clear = false }: CollectOptions,
): Promise<'copy' | 'link' | 'skip'> {
  try {
    // What stands in the way goes first: behind a link in a folder's place, files look unmodified.
    if (clear && !dryRun) await removeObstacles(storage, file.name);
    const target = linking ? storage.path?.(file.name) : undefined;
    const done =
      target === undefined ? await isUnmodified(storage, file) : await linksTo(target, file.path);
    if (done) return 'skip';
    if (!dryRun) await (target === undefined ? copy(storage, file) : link(target, file.path));
    return target === undefined ? 'copy' : 'link';
  } catch (cause) {
    if (cause instanceof StaticFilesError) throw cause;
    throw new CollectError(await explain(file, cause), { cause });
  }
}

async function explain({ name, path }: FoundFile, cause: unknown) {
  const start = `'${name}' could not be collected from ${path}: ${reason(cause)}.`;
  const code = systemCode(cause);
  if (code === 'ENOTDIR' || code === 'EISDIR' || code === 'EEXIST' || code === 'ENOTEMPTY') {
    return `${start} A folder stands in a file's place, or a file in a folder's; --clear removes it.`;
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return `${start} This user has no right to do that.`;
  }
  if (code === 'ENOSPC')
    return `${start} The disk is full; what was published before is still there.`;
  if (code === 'ENOENT' && (await stat(path).catch(() => undefined)) === undefined) {
    return `${start} The source vanished meanwhile; run collectstatic again.`;
  }
  return start;
}

async function remove(storage: Storage, name: string): Promise<void> {
  try {
    await storage.delete(name);
  } catch (cause) {
    throw new CollectError(`'${name}' could not be deleted: ${reason(cause)}.`, { cause });
  }
}

/** The names in the storage that were not collected now. */
async function leftOver(storage: Storage, files: ReadonlyMap<string, FoundFile>) {
  const names: string[] = [];
  for await (const name of storage.list()) if (!files.has(name)) names.push(name);
  return names;
}

/** Works on all items, several at once; the first fault stops the rest, and is thrown. */
async function eachOf<T>(items: Iterable<T>, work: (item: T) => Promise<void>): Promise<void> {
  const queue = items[Symbol.iterator]();
  let failed = false;
  const worker = async () => {
    for (let next = queue.next(); !next.done && !failed; next = queue.next()) {
      try {
        await work(next.value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: IN_FLIGHT }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}
