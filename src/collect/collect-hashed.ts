import { globMatcher } from '../globs.js';
import type { ResolvedSettings } from '../settings.js';
import type { Hashing } from '../storage.js';
import { crewOf } from './crew.js';
import { deliver } from './deliver.js';
import { type Desk, isOwn } from './desk.js';
import type { HashedFile } from './file.js';
import { type Audience, hashFiles } from './hashed.js';
import { removeFalseFolders } from './place.js';
import {
  ARCHIVE,
  type Published,
  publishManifest,
  readPublished,
  serialiseManifest,
} from './publish.js';
import type { HashingRules } from './rules.js';
import type { CollectOptions, Outcome, Progress, Run } from './run.js';
import { digestOf, isSettled, parseState, serialiseState } from './state.js';
import { compressFiles, type Original } from './variants.js';
import { threadsFor } from './workforce.js';

/** Where the last run's knowledge is kept. */
const STATE = 'state.json';
/** A thread starts in the time in which so many small files are read and written. */
const FILES_A_THREAD = 400;

/** Collects files under hashed names, and publishes the manifest when all of them are there. */
export async function collectHashed(run: Run, desk: Desk): Promise<Outcome> {
  const { storage, settings, options, files } = run;
  const hashing = storage.hashing as Hashing;
  const before = await publishedBefore(hashing, options);
  const root = storage.direct && storage.path?.('');
  if (root !== undefined && options.clear && !options.dryRun)
    removeFalseFolders(root, files.keys());
  const remembered = root === undefined ? undefined : desk.recall(STATE);
  const started = Date.now();
  const rules = rulesOf(settings, hashing, options);
  const crew = (changed: number) => crewOf(run, desk, root, threadsFor(changed / FILES_A_THREAD));
  const audience = audienceOf(run, rules, root === undefined);
  const state = parseState(remembered ?? '');
  const hashed = await hashFiles(files, state, root, crew, rules, audience);
  const entries = [...hashed.files.values()];
  const variants = await compressFiles(
    run,
    desk,
    entries.map((file) => originalOf(file, rules)),
  );
  const manifest = serialiseManifest(
    entries.map((file) => ({ ...file, variants: variants.sizes.get(file.hashedName) })),
  );
  if (!options.dryRun) {
    desk.assertOwn();
    await publishManifest(storage, hashing, manifest, before);
    const known = serialiseState(entries, (print) => isSettled(print, started));
    if (root !== undefined && known !== remembered) desk.remember(STATE, known);
  }
  const names = new Set(entries.flatMap((file) => namesOf(file, rules)));
  for (const name of variants.names) names.add(name);
  const current = digestOf(manifest);
  return {
    steps: new Map(entries.map((file) => [file.name, stepOf(file, rules)])),
    hashed: entries.map(({ name, hashedName }) => ({ name, hashedName })),
    missing: hashed.missing,
    compressed: variants.report,
    warnings: [...faultsOf(entries), ...hashed.missing.map(({ message }) => message)],
    bytes: entries.reduce((sum, { size }) => sum + size, 0),
    isCollected: (name) =>
      names.has(name) ||
      name === hashing.manifestName ||
      (name.startsWith(ARCHIVE) ? name.includes(current) : isOwn(name)),
  };
}

/** What is published now; what is damaged, is cleared away where that is wanted. */
async function publishedBefore(
  hashing: Hashing,
  { clear }: CollectOptions,
): Promise<Published | undefined> {
  try {
    return await readPublished(hashing);
  } catch (error) {
    if (clear) return undefined;
    throw error;
  }
}

function rulesOf(
  { staticUrl, references, prehashed }: ResolvedSettings,
  { keepOriginals }: Hashing,
  { strict, link = false }: CollectOptions,
): HashingRules {
  const ignored = references.ignore.map((entry) => {
    const colon = entry.indexOf(':');
    return [globMatcher([entry.slice(0, colon)]), globMatcher([entry.slice(colon + 1)])] as const;
  });
  return {
    staticUrl,
    missingIsError: strict ?? references.missing === 'error',
    isIgnored: (from, target) => ignored.some(([file, to]) => file(from) && to(target)),
    isPrehashed:
      typeof prehashed === 'function'
        ? prehashed
        : prehashed
          ? globMatcher(prehashed)
          : () => false,
    keeps: typeof keepOriginals === 'boolean' ? () => keepOriginals : globMatcher(keepOriginals),
    link,
  };
}

/** Tells of progress and steps, and sends files to where they cannot be written directly. */
function audienceOf(
  { storage, options, tell }: Run,
  rules: HashingRules,
  isElsewhere: boolean,
): Audience {
  const stages = { take: 'reading', finish: 'rewriting' } as const;
  let bytes = 0;
  let last: Progress['stage'] | undefined;
  return {
    progress(task, done, total, size) {
      const stage = stages[task];
      bytes = stage === last ? bytes + size : size;
      last = stage;
      tell({ type: 'progress', stage, done, total, bytes });
    },
    async done(files) {
      if (isElsewhere) await deliver(storage, files, rules.keeps, options);
      for (const { name, path, hashedName, written } of files) {
        tell({ type: written ? (options.link ? 'link' : 'copy') : 'skip', name, path });
        tell({ type: 'hash', name, hashedName });
      }
    },
  };
}

/** A content by its names: under its plain name too, where nothing was rewritten. */
function originalOf(file: HashedFile, rules: HashingRules): Original {
  const { name, hashedName, size, basis } = file;
  const isOne = rules.keeps(name) && basis === '' && hashedName !== name;
  // A name that was hashed by somebody else says nothing of the content.
  const key = hashedName === name ? file.hashed : hashedName;
  return { names: isOne ? [hashedName, name] : [hashedName], key, size };
}

/** The names that a file has in the storage. */
function namesOf({ name, hashedName }: HashedFile, { keeps }: HashingRules): string[] {
  return keeps(name) ? [name, hashedName] : [hashedName];
}

function stepOf({ written }: HashedFile, { link }: HashingRules): 'copy' | 'link' | 'skip' {
  if (!written) return 'skip';
  return link ? 'link' : 'copy';
}

/** What could not be looked into, a sentence each. */
function faultsOf(files: readonly HashedFile[]): string[] {
  return files.flatMap(({ name, fault }) =>
    fault === undefined
      ? []
      : [`${name}: references in it are left as they are, for ${fault}. Its name is hashed.`],
  );
}
