import { createHash } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { CollectError, ManifestError, reason, systemCode } from '../errors.js';
import { type Manifest, parseManifest } from '../manifest.js';
import { compareNames, STATE_FOLDER } from '../names.js';
import type { Hashing, Storage } from '../storage.js';
import { digestOf } from './state.js';

/** What a manifest says of a file. */
export interface ManifestEntry {
  readonly name: string;
  readonly hashedName: string;
  /** In bytes, under the hashed name. */
  readonly size: number;
  /** The sizes of its compressed forms, by coding. */
  readonly variants?: Readonly<Record<string, number>> | undefined;
}

/** Where the manifests of earlier deploys are kept, in the storage. */
export const ARCHIVE = `${STATE_FOLDER}/manifests/`;

/**
 * The manifest's text. Names, version and hash are as Django 4.2 and later have them; Django reads
 * no further. An entry a line, for whoever compares two of them.
 */
export function serialiseManifest(entries: readonly ManifestEntry[]): string {
  const sorted = entries.toSorted((a, b) => compareNames(a.name, b.name));
  const pairs = sorted.map(({ name, hashedName }) => [python(name), python(hashedName)]);
  const object = (members: readonly string[]) =>
    members.length === 0 ? '{}' : `{\n${members.join(',\n')}\n}`;
  // Written by hand: an object of JavaScript would put names that are numbers first.
  const paths = pairs.map(([name, hashedName]) => `${name}: ${hashedName}`);
  const sizes = sorted.map(({ name, size }) => `${python(name)}: ${size}`);
  const variants = sorted.flatMap(({ name, variants }) =>
    variants && Object.keys(variants).length > 0
      ? [`${python(name)}: ${JSON.stringify(variants)}`]
      : [],
  );
  const members = [
    `"paths": ${object(paths)}`,
    '"version": "1.0"',
    `"hash": "${manifestHash(pairs)}"`,
    `"sizes": ${object(sizes)}`,
    ...(variants.length > 0 ? [`"variants": ${object(variants)}`] : []),
  ];
  return `{\n${members.join(',\n')}\n}\n`;
}

/** Django's `manifest_hash`: over Python's `json.dumps` of the sorted pairs. */
function manifestHash(pairs: readonly (readonly (string | undefined)[])[]): string {
  const hash = createHash('md5').update('[');
  pairs.forEach((pair, index) => {
    hash.update(`${index === 0 ? '' : ', '}[${pair.join(', ')}]`);
  });
  return hash.update(']').digest('hex').slice(0, 12);
}

/** A text as Python's JSON has it, in ASCII. */
function python(text: string): string {
  const json = JSON.stringify(text);
  if (/^[\x20-\x7e]*$/.test(json)) return json;
  return json.replace(
    /[^\x20-\x7e]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The manifest that is published now; `undefined` where there is none. */
export interface Published {
  readonly text: string;
  readonly manifest: Manifest;
}

/**
 * Reads the manifest that is published.
 *
 * @throws {CollectError} where it is damaged: who knows what it named, and who needs that.
 */
export async function readPublished({
  manifestName,
  manifestStorage,
}: Hashing): Promise<Published | undefined> {
  const place = manifestStorage.path?.(manifestName) ?? `'${manifestName}'`;
  try {
    const bytes = await manifestStorage.read(manifestName);
    if (bytes === undefined) return undefined;
    const text = new TextDecoder().decode(bytes);
    return { text, manifest: parseManifest(text, place) };
  } catch (cause) {
    const why = cause instanceof ManifestError ? cause.message : `${place}: ${reason(cause)}.`;
    throw new CollectError(
      `The manifest of the last deploy cannot be read, and nothing was changed. ${why} collectstatic --clear forgets it, with the files of earlier deploys.`,
      { cause },
    );
  }
}

/**
 * Publishes a manifest: from now on its names are answered. On this machine the one before it is
 * kept, for pages that are still open and for `prune`. Nothing is touched where both are the same.
 */
export async function publishManifest(
  storage: Storage,
  { manifestName, manifestStorage }: Hashing,
  text: string,
  before: Published | undefined,
): Promise<void> {
  if (before?.text === text) return;
  if (storage.path !== undefined) {
    const archived = await namesIn(storage.path(ARCHIVE));
    if (before !== undefined && !archived.some((name) => name.includes(digestOf(before.text)))) {
      const found = await manifestStorage.stat(manifestName); // something else published it
      await storage.write(archiveName(before.text, found?.mtimeMs ?? 0), encode(before.text));
    }
    await storage.write(archiveName(text, Date.now()), encode(text));
  }
  await manifestStorage.write(manifestName, encode(text));
}

/** The time comes first, so that names are in the order of time: `20261122T181500.000Z-<hash>.json`. */
function archiveName(text: string, time: number): string {
  const stamp = new Date(time).toISOString().replace(/[-:]/g, '');
  return `${ARCHIVE}${stamp}-${digestOf(text)}.json`;
}

/** When an archived manifest was published, by its name. */
export function publishedAt(archive: string): number {
  const [, day = '', time = ''] = /(\d{8})T([\d.]+)Z-/.exec(archive) ?? [];
  const date = day.replace(/(\d{4})(\d\d)(\d\d)/, '$1-$2-$3');
  return Date.parse(`${date}T${time.replace(/(\d\d)(\d\d)([\d.]+)/, '$1:$2:$3')}Z`) || 0;
}

const encode = (text: string) => new TextEncoder().encode(text);

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
