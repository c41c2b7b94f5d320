import { CollectError, SetupError } from '../errors.js';
import type { FoundFile } from '../finder.js';
import { checkOptions } from '../options.js';
import type { ResolvedSettings } from '../settings.js';
import type { Sources } from '../sources.js';
import type { Storage } from '../storage.js';
import { collectHashed, STATE } from './collect-hashed.js';
import { collectPlain } from './collect-plain.js';
import { FILES_A_THREAD } from './crew.js';
import { type Desk, isOwn, openDesk } from './desk.js';
import { doubtfulNames, planFiles } from './plan.js';
import type { CollectOptions, CollectReport, Outcome, Run } from './run.js';
import { openThreads } from './threads.js';
import { removeAll } from './write.js';

const SWITCHES = [
  'defaultIgnore',
  'dryRun',
  'clear',
  'link',
  'postProcess',
  'strict',
  'verify',
] as const;

/**
 * Gathers every source file into the storage: plan; copy, or hash, rewrite and publish; clear what is
 * left over.
 *
 * @param doubts what the caller has to warn of, to be told with the rest
 * @throws {CollectError} where that cannot be done; faults in the sources, before anything is written.
 */
export async function collectFiles(
  sources: Sources,
  storage: Storage,
  settings: ResolvedSettings,
  options: CollectOptions = {},
  doubts: readonly string[] = [],
): Promise<CollectReport> {
  const started = performance.now();
  checkValues(options);
  const root = storage.direct && storage.path?.('');
  if (options.link && root === undefined) {
    throw new CollectError('Links can be put on this machine only; collect without --link.');
  }
  const { dryRun = false, clear = false, onEvent: tell = () => {} } = options;
  const destination = storage.path?.('');
  const ignore = [
    ...(options.defaultIgnore === false ? [] : settings.ignore),
    ...(options.ignore ?? []),
  ];
  const isHashed = storage.hashing !== undefined && options.postProcess !== false;
  const desk = await openDesk(destination, dryRun, (message) => tell({ type: 'wait', message }));
  const threads = openThreads();
  try {
    // With nothing known yet, all of many files is work: threads get ready while they are listed.
    const isFirst = isHashed && !desk.knows(STATE);
    const plan = await planFiles(sources, ignore, destination, (count) => {
      if (isFirst && count === 2 * FILES_A_THREAD) threads.start();
    });
    const { files, shadowed, warnings: planned } = plan;
    assertNoneOurs(files.values(), storage);
    for (const file of shadowed) tell({ type: 'shadowed', ...file });
    const run: Run = { storage, settings, options, files, threads, tell };
    const outcome = await collectInto(root, isHashed, run, desk);
    const doubtful = storage.hashing === undefined ? doubtfulNames(files.keys()) : [];
    const warnings = [...doubts, ...planned, ...doubtful, ...outcome.warnings];
    for (const message of warnings) tell({ type: 'warning', message });
    const cleared = clear ? await clearRest(root, run, outcome) : [];
    const names = { copy: [] as string[], link: [] as string[], skip: [] as string[] };
    for (const name of files.keys()) names[outcome.stepOf(name)].push(name);
    return {
      destination: destination ?? storage.location,
      dryRun,
      copied: names.copy,
      linked: names.link,
      unmodified: names.skip,
      hashed: outcome.hashed,
      deleted: [...new Set([...(outcome.deleted ?? []), ...cleared])],
      shadowed,
      missing: outcome.missing,
      warnings,
      bytes: outcome.bytes,
      compressed: outcome.compressed,
      ...(outcome.sent && { sent: outcome.sent }),
      published: outcome.published,
      milliseconds: Math.round(performance.now() - started),
    };
  } catch (error) {
    desk.assertOwn(); // without the lock, other faults are to be expected
    throw error;
  } finally {
    threads.close();
    desk.close();
  }
}

/** @param root the folder of the files; `undefined` where they are elsewhere */
async function collectInto(
  root: string | undefined,
  isHashed: boolean,
  run: Run,
  desk: Desk,
): Promise<Outcome> {
  if (root !== undefined) {
    return isHashed ? collectHashed(run, desk, root) : collectPlain(run, desk, root);
  }
  const [{ collectPlainElsewhere }, { collectRelease }] = await Promise.all([
    import('./elsewhere/plain.js'),
    import('./elsewhere/release.js'),
  ]);
  return isHashed ? collectRelease(run, desk) : collectPlainElsewhere(run, desk);
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

/** A source cannot have a name that collecting itself needs. */
function assertNoneOurs(files: Iterable<FoundFile>, { hashing, path: pathOf }: Storage): void {
  const { manifestName, manifestStorage } = hashing ?? {};
  const isManifest = (name: string) =>
    name === manifestName && manifestStorage?.path?.(name) === pathOf?.(name);
  for (const { name, path } of files) {
    if (isManifest(name)) {
      throw new CollectError(
        `'${name}' (${path}) has the name of the manifest. Leave it out (ignore), or give the manifest another name (manifestName).`,
      );
    }
    if (isOwn(name)) {
      throw new CollectError(
        `'${name}' (${path}) lies where collecting keeps what it remembers. Leave it out (ignore).`,
      );
    }
  }
}

/** Removes what is in the storage and was not collected now. */
async function clearRest(root: string | undefined, run: Run, outcome: Outcome): Promise<string[]> {
  if (root === undefined) {
    const { clearElsewhere } = await import('./elsewhere/clear.js');
    return clearElsewhere(run, outcome);
  }
  const names: string[] = [];
  for await (const name of run.storage.list()) {
    if (!outcome.isCollected(name)) names.push(name);
  }
  await removeAll(run, names);
  return names;
}
