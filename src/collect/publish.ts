import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { archiveName, archiveOf, digestsIn } from '../archive.js';
import { CODINGS, type Coding } from '../codings.js';
import { CollectError, reason, systemCode } from '../errors.js';
import { type Manifest, parseManifest } from '../manifest.js';
import { compareNames } from '../names.js';
import type { Hashing, Storage } from '../storage.js';
import { faultOf } from './fault.js';
import type { Run } from './run.js';
import { digestOf } from './state.js';
import { type Present, placeOf, readPresent, switchManifest } from './switch.js';

/** What a manifest says of a file. */
export interface ManifestEntry {
  readonly name: string;
  readonly hashedName: string;
  /** In bytes, under the hashed name. */
  readonly size: number;
  /** The sizes of its compressed forms, by coding. */
  readonly variants?: Readonly<Partial<Record<string, number>>> | undefined;
  /** Of a storage elsewhere: the MD5 of what is there under the plain name. */
  readonly checksum?: string | undefined;
}

/** How files are in a storage elsewhere. */
export interface ManifestNotes {
  /** The codings that were tried; files that `variants` does not tell of have no such form. */
  readonly codings: readonly Coding[];
  /** The coding that files themselves are in. */
  readonly encoding: Coding | undefined;
}

/**
 * The manifest, as it is published. Names, version and hash are as Django 4.2 and later have them;
 * Django reads no further. A name a line, for whoever compares two of them.
 */
export function serialiseManifest(
  entries: readonly ManifestEntry[],
  notes?: ManifestNotes,
): Uint8Array {
  const sorted = [...entries].sort((a, b) => compareNames(a.name, b.name));
  const text = textWriter();
  // Written by hand: an object of JavaScript would put names that are numbers first.
  text.write('{\n"paths": {');
  text.list(sorted, ({ name, hashedName }) => `${python(name)}: ${python(hashedName)}`);
  text.write(`},\n"version": "1.0",\n"hash": "${manifestHash(sorted)}",\n`);
  if (notes !== undefined) text.write(`"codings": ${JSON.stringify(notes.codings)},\n`);
  if (notes?.encoding !== undefined) text.write(`"encoding": "${notes.encoding}",\n`);
  text.write('"sizes": {');
  text.list(sorted, ({ name, size }) => `${python(name)}: ${size}`);
  const summed = sorted.filter(({ checksum }) => checksum !== undefined);
  if (summed.length > 0) {
    text.write('},\n"checksums": {');
    text.list(summed, ({ name, checksum }) => `${python(name)}: "${checksum}"`);
  }
  const compressed = sorted.filter(({ variants = {} }) => Object.values(variants).some(Boolean));
  if (compressed.length > 0) {
    text.write('},\n"variants": {');
    text.list(compressed, ({ name, variants = {} }) => {
      const made = CODINGS.filter((coding) => variants[coding]).map((coding) => [
        coding,
        variants[coding],
      ]);
      return `${python(name)}: ${JSON.stringify(Object.fromEntries(made))}`;
    });
  }
  text.write('}\n}\n');
  return text.bytes();
}

/** Collects a long text of ASCII in parts, for the whole of it twice would be a lot of memory. */
function textWriter() {
  const parts: Buffer[] = [];
  let part = '';
  const write = (text: string) => {
    part += text;
    if (part.length < PART) return;
    parts.push(Buffer.from(part, 'latin1'));
    part = '';
  };
  return {
    write,
    list<T>(items: readonly T[], member: (item: T) => string): void {
      items.forEach((item, index) => {
        write(`${index === 0 ? '\n' : ',\n'}${member(item)}`);
      });
      if (items.length > 0) write('\n');
    },
    bytes: () => Buffer.concat([...parts, Buffer.from(part, 'latin1')]),
  };
}

const PART = 1 << 16;

/** Django's `manifest_hash`: over Python's `json.dumps` of the sorted pairs. */
function manifestHash(sorted: readonly ManifestEntry[]): string {
  const hash = createHash('md5');
  let part = '[';
  sorted.forEach(({ name, hashedName }, index) => {
    part += `${index === 0 ? '' : ', '}[${python(name)}, ${python(hashedName)}]`;
    if (part.length < PART) return;
    hash.update(part);
    part = '';
  });
  return hash.update(`${part}]`).digest('hex').slice(0, 12);
}

/** A text as Python's JSON has it, in ASCII. */
function python(text: string): string {
  if (/^[\w./@+-]*$/.test(text)) return `"${text}"`; // nearly all
  const json = JSON.stringify(text);
  if (/^[\x20-\x7e]*$/.test(json)) return json;
  return json.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The manifest that is published now. */
export interface Published extends Present {
  readonly digest: string;
}

/**
 * Reads the manifest that is published; `undefined` where there is none.
 *
 * @throws {StaticFilesError} where that cannot be done.
 */
export async function readPublished(hashing: Hashing): Promise<Published | undefined> {
  try {
    const present = await readPresent(hashing);
    return present && { ...present, digest: digestOf(present.body) };
  } catch (cause) {
    throw faultOf(`The manifest ${placeOf(hashing)} could not be read`, cause);
  }
}

/**
 * What a manifest says.
 *
 * @throws {CollectError} where it is damaged: who knows what it named, and who needs that.
 */
export function contentOf({ body }: Pick<Published, 'body'>, hashing: Hashing): Manifest {
  try {
    return parseManifest(body, placeOf(hashing), '');
  } catch (cause) {
    throw new CollectError(
      `The manifest of the last deploy cannot be read, and nothing was changed. ${reason(cause)} collectstatic --clear forgets it, and the files of earlier deploys with it.`,
      { cause },
    );
  }
}

/**
 * Publishes the manifest of a folder: from now on its names are answered. The one before it is kept,
 * for pages that are still open and for `prune`. Where both are the same, only a copy that is missing
 * in the archive is made anew.
 *
 * @returns what a person should know of it
 */
export async function publishManifest(
  storage: Storage,
  hashing: Hashing,
  root: string,
  body: Uint8Array,
  before: Published | undefined,
  tell: Run['tell'],
): Promise<string[]> {
  const digest = digestOf(body);
  const keep = () => storage.write(archiveName(hashing.manifestName, digest, Date.now()), body);
  try {
    // By the copy of the first, others who prune in the same folder know of the name in time.
    await (before === undefined ? keep() : keepPublished(storage, hashing, root, before));
  } catch (cause) {
    throw faultOf(`The manifest could not be published as ${placeOf(hashing)}`, cause);
  }
  if (before?.digest === digest) return [];
  const warnings = await switchManifest(hashing, body, before, tell);
  // Later ones only now, for a deploy that never came to be must not be kept in the place of one that
  // did. The manifest is out: what fails here is made up for when the next one is published.
  if (before !== undefined) await keep().catch(() => {});
  return warnings;
}

/**
 * Keeps what is published where the archive lacks it: by something else, or by a run that was killed.
 *
 * @throws {CollectError} where that cannot be done.
 */
export async function keepPublished(
  storage: Storage,
  { manifestName, manifestStorage }: Hashing,
  root: string,
  published: Published,
): Promise<void> {
  const folder = join(root, archiveOf(manifestName));
  try {
    const archived = await namesIn(folder);
    if (archived.some((name) => digestsIn(name).digest === published.digest)) return;
    const found = await manifestStorage.stat(manifestName);
    const name = archiveName(manifestName, published.digest, found?.mtimeMs ?? 0);
    await storage.write(name, published.body);
  } catch (cause) {
    throw faultOf(`The manifest that is published could not be kept in ${folder}`, cause);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
