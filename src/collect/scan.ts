import { isAscii, isUtf8 } from 'node:buffer';
import { extensionAt } from '../names.js';
import { type Reference, ScanError, type Scanner } from '../scanner.js';
import { scanCss } from '../scanners/css.js';
import { scanJavaScript } from '../scanners/javascript.js';
import { mayRefer } from '../scanners/javascript-gate.js';
import { type Language, languageOf } from './language.js';

/**
 * A reference as collecting keeps it from run to run: what it says, the byte at which a hash goes
 * into its spelling, and where it stands, both from 1. A tuple, for a tree may have a million.
 */
export type FoundReference = readonly [
  value: string,
  at: number,
  line: number,
  column: number,
  kind: Reference['kind'],
];

/** What a file refers to, and why it could not be read if it could not. */
export interface Scan {
  readonly references: readonly FoundReference[];
  readonly fault?: string;
}

interface Reader {
  readonly scan: Scanner;
  /** Whether a file may refer to others at all: to tell that takes less time than to make a text. */
  readonly mayRefer?: (bytes: Buffer) => boolean;
}

const READERS: Readonly<Record<Language, Reader>> = {
  css: { scan: scanCss },
  javascript: { scan: scanJavaScript, mayRefer },
};

/** The references of a file. What cannot be read has none, and says why. */
export function scanFile(name: string, bytes: Buffer): Scan {
  const language = languageOf(name);
  if (language === undefined) return { references: [] };
  const { scan, mayRefer = () => true } = READERS[language];
  const ascii = isAscii(bytes);
  if (!ascii && !isUtf8(bytes)) return { references: [], fault: 'it is not UTF-8' };
  if (!mayRefer(bytes)) return { references: [] };
  // A text of one byte a character is scanned twice as fast.
  const text = bytes.toString(ascii ? 'latin1' : 'utf8');
  try {
    return { references: placed(text, scan(text), ascii) };
  } catch (error) {
    if (!(error instanceof ScanError)) throw error;
    const { line, column } = placeOf(text, error.offset ?? 0);
    const where = error.offset === undefined ? '' : ` (line ${line}, column ${column})`;
    return { references: [], fault: `it does not parse: ${error.message}${where}` };
  }
}

/** Adds line, column and the byte of the hash, in one walk over the text. */
function placed(text: string, references: readonly Reference[], ascii: boolean): FoundReference[] {
  let line = 1;
  let lineStart = 0;
  let lineEnd = text.indexOf('\n');
  let unit = 0; // up to here, bytes have been counted
  let byte = 0;
  return references.map((reference) => {
    while (lineEnd >= 0 && lineEnd < reference.start) {
      line++;
      lineStart = lineEnd + 1;
      lineEnd = text.indexOf('\n', lineStart);
    }
    const at = hashOffset(reference);
    byte += ascii ? at - unit : Buffer.byteLength(text.slice(unit, at));
    unit = at;
    const value = own(reference.value);
    return [value, byte, line, reference.start - lineStart + 1, reference.kind];
  });
}

/** The same text by itself: a part of another keeps all of that in memory. */
function own(part: string): string {
  return ` ${part}`.slice(1);
}

/** Where in the text the hash goes: before the extension of the path's last part. */
function hashOffset({ value, start, end, offsets }: Reference): number {
  const at = hashIndex(value);
  if (offsets === undefined) return start + at;
  return offsets[at] ?? end;
}

/** The same in the URL; a part of it may be percent-encoded, a dot or a slash too. */
function hashIndex(url: string): number {
  const suffix = url.search(/[?#]/);
  const path = (suffix < 0 ? url : url.slice(0, suffix)).trimEnd();
  if (!/%(?:2e|2f)|\\/i.test(path)) return extensionAt(path);
  // The same text with each such triple as one unit, and where each unit begins.
  const units = path.match(/%(?:2e|2f)|./gis) ?? [];
  const plain = units.map((unit) => (unit.length > 1 ? decodeURIComponent(unit) : unit)).join('');
  const index = extensionAt(plain.replaceAll('\\', '/'));
  return units.slice(0, index).join('').length;
}

function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = text.slice(0, offset);
  const lineStart = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: offset - lineStart + 1 };
}
