import type { Coding } from '../../codings.js';
import type { HashedFile } from '../file.js';
import type { HashingRules } from '../rules.js';
import { contentOfPrint } from '../state.js';

/** A file as it is to be in the storage. */
export interface Content {
  /** Its name there. */
  readonly name: string;
  /** Its source, for messages. */
  readonly source: { readonly name: string; readonly path: string };
  /** The path of its bytes on this machine. */
  readonly from: string;
  /** In bytes. */
  readonly size: number;
  /** In hexadecimal digits. */
  readonly md5: string;
  /** What its bytes are encoded with. */
  readonly coding?: Coding | undefined;
  /** Whether caches may keep it for good. */
  readonly isImmutable: boolean;
  /** Whether the name changes with the content: what is there under it, is it. */
  readonly isNamedByContent: boolean;
  /** When its source was changed, and when the file system saw that; where no manifest is kept. */
  readonly times?: { readonly mtimeMs: number; readonly ctimeMs: number } | undefined;
}

/** A hashed file's contents: under its hashed name, and under its plain one where that is kept. */
export function contentsOf(file: HashedFile, rules: HashingRules): Content[] {
  const { name, path, hashedName, staged } = file;
  const source = { name, path };
  const isNamedByContent = hashedName !== name; // a name that was hashed by somebody else need not be
  const hashed: Content = {
    name: hashedName,
    source,
    from: staged ?? path,
    ...contentOfPrint(file.hashed),
    isImmutable: true,
    isNamedByContent,
  };
  if (!isNamedByContent || !rules.keeps(name)) return [hashed];
  return [hashed, plainContent(source, contentOfPrint(file.plain))];
}

/** A file under its plain name, as its source is. */
export function plainContent(
  source: Content['source'],
  { size, md5 }: Pick<Content, 'size' | 'md5'>,
): Content {
  const { name, path } = source;
  return { name, source, from: path, size, md5, isImmutable: false, isNamedByContent: false };
}
