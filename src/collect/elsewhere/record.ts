import type { Coding } from '../../codings.js';
import type { Sizes } from '../compress.js';
import type { Content } from './content.js';
import type { Witness } from './shelf.js';

/** What the manifest that is published says of the storage: all that it names was there by then. */
export interface DeployRecord {
  /** Whether a content was published under its name. */
  vouchesFor(content: Content): boolean;
  /**
   * The sizes of the compressed forms of a content that was published, by the codings that were tried;
   * `undefined` where it was not.
   */
  formsOf(content: Content): Sizes | undefined;
  /** Who tells of plain names for which it does not vouch. */
  readonly witness: Witness;
}

/** Where nothing is published, or nobody can tell what came of it. */
export const NO_RECORD: DeployRecord = {
  vouchesFor: () => false,
  formsOf: () => undefined,
  witness: async () => () => false,
};

/**
 * Reads what our manifests say; of others, such as Django's, only the hashed names count.
 *
 * @param encoding the coding that files are in there now; with another one, all are others
 * @param isPlainSure whether nobody has written plain names since it was published
 * @param witness who tells of them where somebody may have
 */
export function readRecord(
  body: Uint8Array,
  encoding: Coding | undefined,
  isPlainSure: boolean,
  witness: Witness,
): DeployRecord {
  const record = JSON.parse(new TextDecoder().decode(body)) as { readonly [key: string]: unknown };
  if (record.encoding !== encoding) return { ...NO_RECORD, witness };
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
    witness,
    formsOf(content) {
      if (!vouchesFor(content)) return undefined;
      const sizes = variants.get(content.source.name);
      return Object.fromEntries(codings.map((coding) => [coding, sizes?.[coding] ?? 0]));
    },
  };
}

/** What a deploy writes under a plain name: its MD5, `''` where nobody knows, `undefined` for nothing. */
export type Sums = (name: string) => string | undefined;

/**
 * What the manifest of a deploy says of that.
 *
 * @param body `undefined` where it is gone
 */
export function sumsOf(body: Uint8Array | undefined, encoding: Coding | undefined): Sums {
  const record = body && parsed(body);
  if (record?.paths === undefined) return () => '';
  const paths = mapOf<string>(record.paths);
  const hashed = new Set(paths.values());
  const checksums = mapOf<string>(record.checksums);
  // Ours tells all plain names that it has sent; another one, such as Django's, none of them.
  const isOurs = Array.isArray(record.codings) && record.encoding === encoding;
  return (name) => {
    if (isOurs && checksums.has(name)) return checksums.get(name);
    return hashed.has(name) || (!isOurs && paths.has(name)) ? '' : undefined;
  };
}

/** `undefined` where it is damaged. */
function parsed(body: Uint8Array): { readonly [key: string]: unknown } | undefined {
  try {
    return Object(JSON.parse(new TextDecoder().decode(body)));
  } catch {
    return undefined;
  }
}

function mapOf<T>(value: unknown): ReadonlyMap<string, T> {
  return new Map(Object.entries(Object(value) as { [key: string]: T }));
}
