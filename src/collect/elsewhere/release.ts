import { CODINGS } from '../../codings.js';
import { ARCHIVE } from '../../manifest.js';
import type { Hashing, Storage, Version } from '../../storage.js';
import { faultsOf } from '../collect-hashed.js';
import { crewOf, FILES_A_THREAD } from '../crew.js';
import { type Desk, isOwn } from '../desk.js';
import type { HashedFile } from '../file.js';
import { hashFiles, progressOf } from '../hashed.js';
import { archiveName, contentOf, type ManifestEntry, serialiseManifest } from '../publish.js';
import { rulesOf } from '../rules.js';
import type { Outcome, Run } from '../run.js';
import { contentOfPrint, digestOf, readState } from '../state.js';
import { MANIFEST_FIELDS, placeOf, readPresent, switchManifest } from '../switch.js';
import { type Content, contentsOf } from './content.js';
import { fieldRules } from './fields.js';
import type { Forms } from './forms.js';
import { begunSince, type Generation, hasBeenPruned, readArchive } from './generations.js';
import { type Prepared, prepare } from './prepare.js';
import { type DeployRecord, NO_RECORD, readRecord } from './record.js';
import { sendAll } from './send.js';

/**
 * Collects files under hashed names into a storage elsewhere: hashes and rewrites them here, sends
 * what is not there, and publishes the manifest when all of them are.
 */
export async function collectRelease(run: Run, desk: Desk): Promise<Outcome> {
  const { storage, settings, options, threads, tell } = run;
  const hashing = storage.hashing as Hashing;
  const present = await presentOf(hashing, options.clear === true);
  const { entries, contents, missing } = await hashAll(run, desk, hashing);
  const draft = await draftOf(run, desk, entries, contents, present);
  threads.close();
  const { digest, manifest, prepared, abandoned } = draft;
  const fields = fieldRules(storage, settings);
  const sent = await sendAll(run, prepared.toSend, fields);
  const changed = new Set(prepared.toSend.map(({ source }) => source.name));
  for (const { name, path, hashedName } of entries) {
    tell({ type: changed.has(name) ? 'copy' : 'skip', name, path });
    tell({ type: 'hash', name, hashedName });
  }
  const warnings = [...faultsOf(entries), ...missing.map(({ message }) => message)];
  if (digest !== present?.digest && !options.dryRun) {
    const switched = await switchManifest(hashing, manifest, present);
    if (switched === 'unsafely') warnings.push(unsafe(hashing));
    await forget(storage, abandoned);
  }
  return {
    stepOf: (name) => (changed.has(name) ? 'copy' : 'skip'),
    hashed: entries.map(({ name, hashedName }) => ({ name, hashedName })),
    missing,
    warnings: [...warnings, ...fields.warnings()],
    bytes: entries.reduce((sum, { size }) => sum + size, 0),
    compressed: prepared.forms.report,
    sent,
    isCollected: isCollectedBy(contents, prepared.forms, hashing, digest),
  };
}

/** The manifest that is published now. */
interface Present extends Partial<Version> {
  readonly body: Uint8Array;
  readonly digest: string;
  /** Whether what it names is not to be counted on. */
  readonly isDamaged: boolean;
}

async function presentOf(hashing: Hashing, clear: boolean): Promise<Present | undefined> {
  const { body, tag } = (await readPresent(hashing)) ?? {};
  if (body === undefined) return undefined;
  const present = { body, digest: digestOf(body), ...(tag !== undefined && { tag }) };
  try {
    contentOf(present, hashing);
    return { ...present, isDamaged: false };
  } catch (error) {
    if (clear) return { ...present, isDamaged: true };
    throw error;
  }
}

async function hashAll(run: Run, desk: Desk, hashing: Hashing) {
  const { storage, settings, options, files, threads, tell } = run;
  const rules = rulesOf(settings, hashing, options, storage.url(''));
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
  /** The manifests of deploys that have begun since the present one, and were not published. */
  readonly abandoned: readonly Generation[];
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
    const archive = await readArchive(storage);
    const begun = present && isShared ? begunSince(archive.generations, present.digest) : [];
    const record = isShared ? recordOf(present, storage, begun.length === 0) : NO_RECORD;
    const manifestName = hasManifest ? hashing.manifestName : undefined;
    const prepared = await prepare(run, desk, contents, wanted, record, manifestName);
    const manifest = serialiseManifest(manifestEntries(entries, prepared.forms), {
      codings,
      encoding: storage.encoding,
    });
    const digest = digestOf(manifest);
    const abandoned = begun.filter(({ name }) => !name.includes(digest));
    const draft = { manifest, digest, prepared, abandoned };
    if (digest === present?.digest || options.dryRun) return draft;
    const isKept = (one: string) => archive.generations.some(({ name }) => name.includes(one));
    if (present !== undefined && isShared && !present.isDamaged && !isKept(present.digest)) {
      const found = await hashing.manifestStorage.stat(hashing.manifestName); // others published it
      await keep(storage, present.body, present.digest, found?.mtimeMs ?? 0);
    }
    if (abandoned.length === begun.length) await keep(storage, manifest, digest, Date.now());
    if (!prepared.isCountedOn || !(await hasBeenPruned(storage, archive, tell))) return draft;
  }
}

function recordOf(
  present: Present | undefined,
  { encoding }: Storage,
  isPlainSure: boolean,
): DeployRecord {
  if (present === undefined || present.isDamaged) return NO_RECORD;
  return readRecord(present.body, encoding, isPlainSure);
}

/** Puts a manifest into the archive. */
async function keep(
  storage: Storage,
  manifest: Uint8Array,
  digest: string,
  time: number,
): Promise<void> {
  await storage.write(archiveName(digest, time), manifest, { headers: MANIFEST_FIELDS });
}

/** Removes manifests that nobody will publish: whoever still would, is told that this one came first. */
async function forget(storage: Storage, abandoned: readonly Generation[]): Promise<void> {
  for (const { name } of abandoned) {
    await storage.delete(name).catch(() => {}); // this manifest is out; the next deploy tries again
  }
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
    if (isOwn(name)) return !name.startsWith(ARCHIVE) || name.includes(digest);
    names ??= new Set(contents.map((content) => content.name));
    return names.has(name) || forms.names.has(name);
  };
}

function unsafe(hashing: Hashing): string {
  return `The manifest was published, and read back as it was written. ${placeOf(hashing)} is kept where nobody can write on condition that nothing has changed: that another deploy at the same moment was overwritten cannot be excluded. Let one deploy run at a time.`;
}
