import type { Coding } from '../../codings.js';
import type { Sizes } from '../compress.js';
import type { Content } from './content.js';

/** What the manifest that is published says of the storage: all that it names was there by then. */
export interface DeployRecord {
  /** Whether a content was published under its name. */
  vouchesFor(content: Content): boolean;
  /**
   * The sizes of the compressed forms of a content that was published, by the codings that were tried;
   * `undefined` where it was not.
   */
  formsOf(content: Content): Sizes | undefined;
}

/** Where nothing is published, or nobody can tell what came of it. */
export const NO_RECORD: DeployRecord = { vouchesFor: () => false, formsOf: () => undefined };

/**
 * Reads what our manifests say; of others, such as Django's, only the hashed names count.
 *
 * @param encoding the coding that files are in there now; with another one, all are others
 * @param isPlainSure whether nobody has written plain names since it was published
 */
export function readRecord(
  body: Uint8Array,
  encoding: Coding | undefined,
  isPlainSure: boolean,
): DeployRecord {
  const record = JSON.parse(new TextDecoder().decode(body)) as { readonly [key: string]: unknown };
  if (record.encoding !== encoding) return NO_RECORD;
  const paths = mapOf<string>(record.paths);
  const checksums = mapOf<string>(record.checksums);
  const variants = mapOf<Sizes>(record.variants);
  const codings = Array.isArray(record.codings) ? (record.codings as Coding[]) : [];

  function vouchesFor({ name, source, md5, isNamedByContent }: Content): boolean {
    if (isNamedByContent) return paths.get(source.name) === name;
    return isPlainSure && checksums.get(source.name) === md5;
  }

  return {
    vouchesFor,
    formsOf(content) {
      if (!vouchesFor(content)) return undefined;
      const sizes = variants.get(content.source.name);
      return Object.fromEntries(codings.map((coding) => [coding, sizes?.[coding] ?? 0]));
    },
  };
}

function mapOf<T>(value: unknown): ReadonlyMap<string, T> {
  return new Map(Object.entries(Object(value) as { [key: string]: T }));
}
