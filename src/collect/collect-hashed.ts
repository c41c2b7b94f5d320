import { ARCHIVE, isCopyOf } from '../archive.js';
import type { ResolvedSettings } from '../settings.js';
import type { Hashing } from '../storage.js';
import type { Original } from './compress.js';
import { crewOf, FILES_A_THREAD } from './crew.js';
import { type Desk, isOwn } from './desk.js';
import type { HashedFile } from './file.js';
import { type Audience, hashFiles, progressOf } from './hashed.js';
import { removeFalseFolders } from './place.js';
import {
  contentOf,
  type ManifestEntry,
  type Published,
  publishManifest,
  readPublished,
  serialiseManifest,
} from './publish.js';
import { type HashingRules, rulesOf } from './rules.js';
import type { CollectOptions, Outcome, Run } from './run.js';
import { digestOf, isSettled, readState, type State, serialiseState } from './state.js';
import { compressFiles, type Variants } from './variants.js';

/** Where the last run's knowledge is kept. */
export const STATE = 'state.json';

/**
 * Collects files into a folder under hashed names, and publishes the manifest when all of them are
 * there.
 *
 * @param root the folder
 */
export async function collectHashed(run: Run, desk: Desk, root: string): Promise<Outcome> {
  const { storage, settings, options, files, tell } = run;
  const hashing = storage.hashing as Hashing;
  const state = readState(desk.recall(STATE));
  const before = await publishedBefore(hashing, state, options);
  if (options.clear && !options.dryRun) removeFalseFolders(root, files.keys());
  const started = Date.now();
  const rules = rulesOf(settings, hashing, options, settings.staticUrl);
  const crew = (changed: number) =>
    crewOf(run, desk, root, run.threads.countFor(changed / FILES_A_THREAD));
  const hashed = await hashFiles(files, state, root, crew, rules, audienceOf(run, rules));
  const entries = [...hashed.files.values()];
  const variants = await compressFiles(run, desk, root, originalsOf(entries, settings, rules));
  run.threads.close(); // what follows takes memory that they hold
  const isSame =
    hashed.isSame && variants.isSame && state.isExhausted() && state.rules === rules.digest;
  let current = before?.digest;
  let doubts: string[] = [];
  if (!options.dryRun && !(isSame && current === state.manifest)) {
    const manifest = serialiseManifest(entriesOf(entries, variants));
    current = digestOf(manifest);
    desk.assertOwn();
    // First what may be wrong without harm, for nothing may fail once the manifest is published.
    const known = { manifest: current, rules: rules.digest, missing: hashed.missing };
    desk.remember(
      STATE,
      serialiseState(entries, known, (print) => isSettled(print, started)),
    );
    doubts = await publishManifest(storage, hashing, root, manifest, before, tell);
  }
  return {
    stepOf: (name) => stepOf(hashed.files.get(name), rules),
    hashed: entries.map(({ name, hashedName }) => ({ name, hashedName })),
    missing: hashed.missing,
    warnings: [...faultsOf(entries), ...hashed.missing.map(({ message }) => message), ...doubts],
    bytes: entries.reduce((sum, { size }) => sum + size, 0),
    compressed: variants.report,
    published: !options.dryRun && current !== before?.digest,
    isCollected: isCollectedBy(entries, variants, hashing, rules, current ?? ''),
  };
}

/** What is published now; what is damaged, is forgotten where that is wanted. */
async function publishedBefore(
  hashing: Hashing,
  state: State,
  { clear }: CollectOptions,
): Promise<Published | undefined> {
  try {
    const published = await readPublished(hashing);
    // What this machine has written itself needs no reading.
    if (published !== undefined && published.digest !== state.manifest) {
      contentOf(published, hashing);
    }
    return published;
  } catch (error) {
    if (clear) return undefined;
    throw error;
  }
}

/** What the manifest says of the files. */
function entriesOf(files: readonly HashedFile[], { sizes }: Variants): readonly ManifestEntry[] {
  if (sizes.size === 0) return files;
  return files.map(({ name, hashedName, size }) => {
    return { name, hashedName, size, variants: sizes.get(hashedName) };
  });
}

/** Whether a name in the storage is one of those that are there now. */
function isCollectedBy(
  files: readonly HashedFile[],
  variants: Variants,
  { manifestName }: Hashing,
  rules: HashingRules,
  manifest: string,
): (name: string) => boolean {
  let names: Set<string> | undefined;
  return (name) => {
    if (name === manifestName) return true;
    if (isOwn(name)) return !name.startsWith(ARCHIVE) || isCopyOf(name, manifestName, manifest);
    names ??= new Set(files.flatMap((file) => namesOf(file, rules)));
    return names.has(name) || variants.names.has(name);
  };
}

/** Tells of progress and steps. */
function audienceOf({ tell }: Run, rules: HashingRules): Audience {
  return {
    progress: progressOf(tell),
    done(files) {
      for (const { name, path, hashedName, written } of files) {
        tell({ type: written ? (rules.link ? 'link' : 'copy') : 'skip', name, path });
        tell({ type: 'hash', name, hashedName });
      }
    },
  };
}

function originalsOf(
  files: readonly HashedFile[],
  { compress }: ResolvedSettings,
  rules: HashingRules,
): Original[] {
  return compress.length === 0 ? [] : files.map((file) => originalOf(file, rules));
}

/** A content by its names: under its plain name too, where nothing was rewritten, and that is no link. */
function originalOf(file: HashedFile, rules: HashingRules): Original {
  const { name, hashedName, size, basis } = file;
  const isOne = rules.keeps(name) && basis === '' && hashedName !== name && !rules.link;
  // A name that was hashed by somebody else says nothing of the content.
  const key = hashedName === name ? file.hashed : hashedName;
  return { names: isOne ? [hashedName, name] : [hashedName], key, size };
}

/** The names that a file has in the storage. */
function namesOf({ name, hashedName }: HashedFile, { keeps }: HashingRules): string[] {
  return keeps(name) ? [name, hashedName] : [hashedName];
}

function stepOf(file: HashedFile | undefined, { link }: HashingRules): 'copy' | 'link' | 'skip' {
  if (!file?.written) return 'skip';
  return link ? 'link' : 'copy';
}

/** What could not be looked into, a sentence each. */
export function faultsOf(files: readonly HashedFile[]): string[] {
  return files.flatMap(({ name, fault }) =>
    fault === undefined
      ? []
      : [`${name}: references in it are left as they are, for ${fault}. Its name is hashed.`],
  );
}
