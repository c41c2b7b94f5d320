/** Bytes of a file, both ends included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * More ranges than a reader of documents has use for, and few enough to be no burden (RFC 9110,
 * 17.15).
 */
const MOST = 32;

/**
 * The ranges that a `Range` asks for, in its order (RFC 9110, 14.1 and 14.2).
 *
 * @param size of the file, in bytes
 * @returns `undefined` where the header is to be ignored, and the whole is the answer: it is no
 *   valid list of byte ranges, or asks for very many, or for more bytes than there are;
 *   `'unsatisfiable'` where none of the ranges has a byte
 */
export function parseRanges(
  header: string,
  size: number,
): readonly ByteRange[] | 'unsatisfiable' | undefined {
  const [, list] = /^bytes=(.*)$/is.exec(header) ?? [];
  if (list === undefined || commasIn(list) >= MOST) return undefined;
  const ranges: ByteRange[] = [];
  let asked = 0;
  for (const item of list.split(',')) {
    if (/^[ \t]*$/.test(item)) continue; // RFC 9110, 5.6.1.2
    const range = parseRange(item, size);
    if (range === undefined) return undefined;
    asked++;
    if (range !== 'unsatisfiable') ranges.push(range);
  }
  if (asked === 0) return undefined;
  if (ranges.length === 0) return 'unsatisfiable';
  const bytes = ranges.reduce((sum, { start, end }) => sum + end - start + 1, 0);
  // An empty file has no last byte that an answer could name.
  return bytes > size || size === 0 ? undefined : ranges;
}

function commasIn(text: string): number {
  let commas = 0;
  for (let at = text.indexOf(','); at >= 0 && commas < MOST; at = text.indexOf(',', at + 1)) {
    commas++;
  }
  return commas;
}

function parseRange(text: string, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^[ \t]*(\d*)-(\d*)[ \t]*$/.exec(text) ?? [];
  if (first === undefined || last === undefined || first + last === '') return undefined;
  if (first === '') {
    const length = Number(last);
    if (length === 0) return 'unsatisfiable';
    return { start: Math.max(0, size - length), end: size - 1 };
  }
  const start = Number(first);
  if (last !== '' && Number(last) < start) return undefined;
  if (start >= size) return 'unsatisfiable';
  return { start, end: last === '' ? size - 1 : Math.min(Number(last), size - 1) };
}
