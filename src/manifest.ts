import { type Coding, SUFFIXES } from './codings.js';
import { ManifestError, reason } from './errors.js';
import { normaliseName, STATE_FOLDER } from './names.js';

/** Names and their hashed names, as `collectstatic` published them. */
export interface Manifest {
  readonly paths: ReadonlyMap<string, string>;
  /** By name, the sizes of the compressed forms; see {@link variantsIn}. */
  readonly variants: Readonly<Record<string, unknown>>;
}

/** A compressed form that a manifest tells of. */
export interface Variant {
  readonly coding: Coding;
  /** In bytes. */
  readonly size: number;
}

/** Where the manifests of earlier deploys are kept, in the storage. */
export const ARCHIVE = `${STATE_FOLDER}/manifests/`;

/** The manifest versions that Django writes (1.0 up to 4.1, 1.1 since) and that we read. */
const VERSIONS: readonly unknown[] = ['1.0', '1.1'];

/**
 * Reads a manifest's text: ours, or Django's.
 * https://docs.djangoproject.com/en/stable/ref/contrib/staticfiles/#manifeststaticfilesstorage
 *
 * @param location where it came from, for messages
 * @param advice what to do where it is not one
 * @throws {ManifestError} for anything else.
 */
export function parseManifest(
  text: string,
  location: string,
  advice = 'Run collectstatic to write it anew, or point manifestName at the right file.',
): Manifest {
  const refuse = (why: string, options?: ErrorOptions): never => {
    throw new ManifestError(`${location} ${why}. ${advice}`.trimEnd(), location, options);
  };
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (cause) {
    return refuse(`is no JSON: ${reason(cause)}`, { cause });
  }
  if (!isObject(content) || !isObject(content.paths)) {
    return refuse("is no manifest of static files: it has no 'paths'");
  }
  if (!VERSIONS.includes(content.version)) {
    return refuse(
      `is a manifest of version ${JSON.stringify(content.version)}; known are ${VERSIONS.join(' and ')}`,
    );
  }
  const paths = new Map<string, string>();
  for (const [name, hashedName] of Object.entries(content.paths)) {
    if (!isFileName(hashedName)) {
      return refuse(
        `gives '${name}' the hashed name ${JSON.stringify(hashedName)}, which is no name of a file`,
      );
    }
    paths.set(name, hashedName);
  }
  return { paths, variants: isObject(content.variants) ? content.variants : {} };
}

/** The compressed forms that lie beside the hashed file of a name; a manifest of Django's has none. */
export function variantsIn({ variants }: Manifest, name: string): Variant[] {
  const sizes = Object.hasOwn(variants, name) ? variants[name] : undefined;
  if (!isObject(sizes)) return [];
  return CODINGS.flatMap((coding) => {
    const size = sizes[coding];
    return typeof size === 'number' && size > 0 ? [{ coding, size }] : [];
  });
}

const CODINGS = Object.keys(SUFFIXES) as Coding[];

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
