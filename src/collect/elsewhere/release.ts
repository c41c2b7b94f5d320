import { ARCHIVE, archiveName, type Generation, isCopyOf } from '../../archive.js';
import { CODINGS } from '../../codings.js';
import type { Hashing, Storage } from '../../storage.js';
import { faultsOf } from '../collect-hashed.js';
import { crewOf, FILES_A_THREAD } from '../crew.js';
import { type Desk, isOwn } from '../desk.js';
import type { HashedFile } from '../file.js';
import { hashFiles, progressOf } from '../hashed.js';
import {
  contentOf,
  type ManifestEntry,
  type Published,
  readPublished,
  serialiseManifest,
} from '../publish.js';
import { rulesOf } from '../rules.js';
import type { Outcome, Run } from '../run.js';
import { contentOfPrint, digestOf, readState } from '../state.js';
import { MANIFEST_FIELDS, switchManifest } from '../switch.js';
import { type Content, contentsOf } from './content.js';
import { fieldRules } from './fields.js';
import type { Forms } from './forms.js';
import {
  type Archive,
  hasBeenPruned,
  isSureOfPlain,
  noteWriter,
  readArchive,
} from './generations.js';
import { entryOf } from './listing.js';
import { type Prepared, prepare } from './prepare.js';
import { type DeployRecord, NO_RECORD, readRecord } from './record.js';
import { checkNames, sendAll } from './send.js';
import { witnessOf } from './witness.js';

/**
 * Collects files under hashed names into a storage elsewhere: hashes and rewrites them here, sends
 * what is not there, and publishes the manifest when all of them are.
 */
export async function collectRelease(run: Run, desk: Desk): Promise<Outcome> {
  const { storage, settings, options, threads, tell } = run;
  const hashing = storage.hashing as Hashing;
  const present = await presentOf(hashing, options.clear === true);
  const base = await hashing.baseUrl();
  const { entries, contents, missing } = await hashAll(run, desk, hashing, base);
  const draft = await draftOf(run, desk, entries, contents, present);
  threads.close();
  const { digest, manifest, prepared } = draft;
  const fields = fieldRules(storage, settings, base);
  const sent = await sendAll(run, prepared.toSend, fields, prepared.forms.possible);
  const changed = new Set(prepared.toSend.map(({ source }) => source.name));
  for (const { name, path, hashedName } of entries) {
    if (!changed.has(name)) tell({ type: 'skip', name, path });
    tell({ type: 'hash', name, hashedName });
  }
  const warnings = [...faultsOf(entries), ...missing.map(({ message }) => message)];
  const isNew = digest !== present?.digest && !options.dryRun;
  if (isNew) {
    warnings.push(...(await switchManifest(hashing, manifest, present, tell)));
  }
  return {
    stepOf: (name) => (changed.has(name) ? 'copy' : 'skip'),
    hashed: entries.map(({ name, hashedName }) => ({ name, hashedName })),
    missing,
    warnings: [...warnings, ...fields.warnings()],
    bytes: entries.reduce((sum, { size }) => sum + size, 0),
    compressed: prepared.forms.report,
    sent,
    published: isNew,
    isCollected: isCollectedBy(contents, prepared.forms, hashing, digest),
  };
}

/** The manifest that is published now. */
interface Present extends Published {
  /** Whether what it names is not to be counted on. */
  readonly isDamaged: boolean;
}

async function presentOf(hashing: Hashing, clear: boolean): Promise<Present | undefined> {
  const published = await readPublished(hashing);
  if (published === undefined) return undefined;
  try {
    contentOf(published, hashing);
    return { ...published, isDamaged: false };
  } catch (error) {
    if (clear) return { ...published, isDamaged: true };
    throw error;
  }
}

async function hashAll(run: Run, desk: Desk, hashing: Hashing, base: string) {
  const { settings, options, files, threads, tell } = run;
  const rules = rulesOf(settings, hashing, options, base);
  const crew = (count: number) =>
    crewOf(run, desk, undefined, threads.countFor(count / FILES_A_THREAD));
  const audience = { progress: progressOf(tell), done: () => {} };
  const hashed = await hashFiles(files, readState(), undefined, crew, rules, audience);
  const entries = [...hashed.files.values()];
  const contents = entries.flatMap((file) => contentsOf(file, rules));
  return { entries, contents, missing: hashed.missing };
}

/** A deploy that can be sent. */
interface Draft {
  readonly manifest: Uint8Array;
  readonly digest: string;
  readonly prepared: Prepared;
}

/**
 * Finds out what is missing, makes the manifest, and lets others know of it before anything that is
 * there is counted on.
 */
async function draftOf(
  run: Run,
  desk: Desk,
  entries: readonly HashedFile[],
  contents: readonly Content[],
  present: Present | undefined,
): Promise<Draft> {
  const { storage, settings, options, tell } = run;
  const hashing = storage.hashing as Hashing;
  // A manifest in a folder, such as one of an image, is not everybody's: it says nothing of others.
  const isShared = hashing.manifestStorage.path === undefined;
  const hasManifest = isShared && hashing.manifestStorage.location === storage.location;
  const wanted = contents.filter(({ isImmutable }) => isImmutable);
  const codings = storage.encoding ? [] : CODINGS.filter((one) => settings.compress.includes(one));
  for (;;) {
    const archive = await readArchive(storage, hashing.manifestName);
    const record = isShared ? recordOf(present, storage, archive) : NO_RECORD;
    const manifestName = hasManifest ? hashing.manifestName : undefined;
    const prepared = await prepare(run, desk, contents, wanted, record, manifestName);
    await checkNames(storage, prepared.toSend);
    const manifest = serialiseManifest(manifestEntries(entries, prepared.forms), {
      codings,
      encoding: storage.encoding,
    });
    const digest = digestOf(manifest);
    const draft = { manifest, digest, prepared };
    if (options.dryRun) return draft;
    if (digest === present?.digest) {
      const isRepair = prepared.toSend.some(({ isNamedByContent }) => !isNamedByContent);
      if (isRepair && isShared) await noteWriter(storage, archive, present);
      return draft;
    }
    await announce(storage, hashing, draft, present, archive.generations);
    // Who prunes may have a request on its way to delete what was missing, and is sent now.
    const isInTheWay = prepared.toSend.length > 0 && archive.pruning.length > 0;
    if (!prepared.isCountedOn && !isInTheWay) return draft;
    if (!(await hasBeenPruned(storage, archive, tell))) return draft;
  }
}

function recordOf(present: Present | undefined, storage: Storage, archive: Archive): DeployRecord {
  if (present?.isDamaged) return NO_RECORD;
  const witness = witnessOf(storage, archive, present);
  if (present === undefined) return { ...NO_RECORD, witness };
  const isPlainSure = isSureOfPlain(archive, present.digest);
  return readRecord(present.body, storage.encoding, isPlainSure, witness);
}

/**
 * Puts the manifest into the archive, from when on nobody prunes what it names; the one that it is to
 * replace as well, where something else has published that.
 */
async function announce(
  storage: Storage,
  { manifestName, manifestStorage }: Hashing,
  { manifest, digest }: Draft,
  present: Present | undefined,
  generations: readonly Generation[],
): Promise<void> {
  const isShared = manifestStorage.path === undefined;
  const keep = (name: string, body: Uint8Array) =>
    storage.write(name, body, { headers: MANIFEST_FIELDS });
  const isKept = generations.some((one) => one.digest === present?.digest);
  if (present !== undefined && isShared && !present.isDamaged && !isKept) {
    const published = await entryOf(manifestStorage, manifestName);
    await keep(archiveName(manifestName, present.digest, published?.mtimeMs ?? 0), present.body);
  }
  // Also where a run that was killed has done it: by its age it is seen when a deploy is given up.
  const after = isShared ? (present?.digest ?? 'none') : undefined;
  await keep(archiveName(manifestName, digest, Date.now(), after), manifest);
}

function manifestEntries(files: readonly HashedFile[], { sizes }: Forms): ManifestEntry[] {
  return files.map(({ name, hashedName, size, plain }) => ({
    name,
    hashedName,
    size,
    variants: sizes.get(hashedName),
    checksum: plain === '' ? undefined : contentOfPrint(plain).md5,
  }));
}

function isCollectedBy(
  contents: readonly Content[],
  forms: Forms,
  { manifestName }: Hashing,
  digest: string,
): (name: string) => boolean {
  let names: Set<string> | undefined;
  return (name) => {
    if (name === manifestName) return true;
    if (isOwn(name)) return !name.startsWith(ARCHIVE) || isCopyOf(name, manifestName, digest);
    names ??= new Set(contents.map((content) => content.name));
    return names.has(name) || forms.names.has(name);
  };
}
