import { isAscii } from 'node:buffer';
import { CODINGS, type Coding } from './codings.js';
import { ManifestError, reason } from './errors.js';
import { readLines } from './manifest-lines.js';
import { normaliseName } from './names.js';

/** What a manifest is called, unless a project gives it another name. */
export const MANIFEST_NAME = 'staticfiles.json';

/** Names and their hashed names, as `collectstatic` published them. */
export interface Manifest {
  readonly paths: ReadonlyMap<string, string>;
  /** The compressed forms that lie beside the hashed file of a name; Django's manifests tell of none. */
  variantsOf(name: string): Variant[];
}

/** A compressed form that a manifest tells of. */
export interface Variant {
  readonly coding: Coding;
  /** In bytes. */
  readonly size: number;
}

/** The manifest versions that Django writes (1.0 up to 4.1, 1.1 since) and that we read. */
const VERSIONS: readonly unknown[] = ['1.0', '1.1'];

/** What a manifest says, before anybody has looked whether that can be. */
interface Content {
  readonly paths: Iterable<readonly [name: string, hashedName: unknown]>;
  variantsOf(name: string): unknown;
}

/** Without a manifest. */
export const NO_MANIFEST: Manifest = { paths: new Map(), variantsOf: () => [] };

/**
 * Reads a manifest: ours, or Django's.
 * https://docs.djangoproject.com/en/stable/ref/contrib/staticfiles/#manifeststaticfilesstorage
 *
 * @param bytes JSON in UTF-8
 * @param location where it came from, for messages
 * @param advice what to do where it is not one
 * @throws {ManifestError} for anything else.
 */
export function parseManifest(
  bytes: Uint8Array,
  location: string,
  advice = 'Run collectstatic to write it anew, or point manifestName at the right file.',
): Manifest {
  const refuse: Refuse = (why, options) => {
    throw new ManifestError(`${location} ${why}. ${advice}`.trimEnd(), location, options);
  };
  const text = textOf(bytes);
  const content: Content = readLines(text) ?? readJson(text, refuse);
  const paths = content.paths instanceof Map ? content.paths : new Map(content.paths);
  for (const [name, hashedName] of paths) {
    if (isFileName(hashedName)) continue;
    const given = JSON.stringify(hashedName);
    refuse(`gives '${name}' the hashed name ${given}, which is no name of a file`);
  }
  return {
    paths: paths as Map<string, string>,
    variantsOf: (name) => variantsIn(content.variantsOf(name)),
  };
}

type Refuse = (why: string, options?: ErrorOptions) => never;

/** What is ASCII, as we and Django write it, takes half the memory and the time. */
function textOf(bytes: Uint8Array): string {
  if (!isAscii(bytes)) return new TextDecoder().decode(bytes);
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

function readJson(text: string, refuse: Refuse): Content {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    return refuse(`is no JSON: ${reason(cause)}`, { cause });
  }
  if (!isObject(content) || !isObject(content.paths)) {
    return refuse("is no manifest of static files: it has no 'paths'");
  }
  const { paths, version, variants } = content;
  if (!VERSIONS.includes(version)) {
    const known = VERSIONS.join(' and ');
    return refuse(`is a manifest of version ${JSON.stringify(version)}; known are ${known}`);
  }
  return {
    paths: Object.keys(paths).map((name) => [name, paths[name]] as const),
    variantsOf: (name) =>
      isObject(variants) && Object.hasOwn(variants, name) ? variants[name] : undefined,
  };
}

function variantsIn(sizes: unknown): Variant[] {
  if (!isObject(sizes)) return [];
  return CODINGS.flatMap((coding) => {
    const size = sizes[coding];
    return typeof size === 'number' && size > 0 ? [{ coding, size }] : [];
  });
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether it is the name of a file, and spelled as {@link normaliseName} would spell it. */
export function isFileName(name: unknown): name is string {
  if (typeof name !== 'string') return false;
  if (/^[\w-]+(?:[./][\w-]+)*$/.test(name)) return true; // nearly all; the rest takes longer
  try {
    return name !== '' && !name.endsWith('/') && normaliseName(name) === name;
  } catch {
    return false; // the caller says what is wrong, and where
  }
}
