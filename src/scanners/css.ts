import type { Reference, Scanner } from '../scanner.js';
import {
  badUrlEnd,
  isEscape,
  isNewline,
  isQuote,
  skipPlain,
  skipSpace,
  stringEnd,
  undoEscapes,
  urlEnd,
  wordEnd,
  wordStart,
} from './css-tokenizer.js';
import { matchSourceMapComment } from './source-map.js';

const QUOTE = '"'.charCodeAt(0);
// ASCII only, as CSS wants it: without the flag `u`, a Kelvin sign is no `k`.
const FUNCTION = /^(?:(url)|src|((?:-webkit-)?image-set))$/i;
const AT_RULE = /^(?:(import)|(namespace))$/i;
const DIRECTIVE = /^\s*staticfiles:\s*(ignore|ignore-next)\s*$/;
/** A URL that names no file of its own. */
const NO_FILE = /^\s*(?:#|data:|$)/i;

/** A scan in progress. */
class Scan {
  readonly references: Reference[] = [];
  /** Where a rule may begin: an at-keyword elsewhere names none. */
  ruleStart = 0;
  /** How many parentheses are open, and how many were with each image-set() that still is. */
  depth = 0;
  imageSets: number[] = [];
  /** In the prelude of a `@namespace`, whose URLs are mere names. */
  isNamespace = false;
  isIgnored = false;
  isNextIgnored = false;
  /** The last source map comment, and where the comments end that follow it. */
  sourceMap: Reference | undefined;
  sourceMapEnd = 0;

  constructor(readonly text: string) {}
}

/** Finds the references of a stylesheet. No text is a wrong one: CSS recovers from everything. */
export const scanCss: Scanner = (text) => {
  const scan = new Scan(text);
  let from = readHead(scan);
  if (scan.isIgnored) return [];
  while (from < text.length) from = readToken(scan, from, skipPlain(text, from));
  if (scan.sourceMap !== undefined && skipSpace(text, scan.sourceMapEnd) === text.length) {
    scan.references.push(scan.sourceMap);
  }
  return scan.references;
};

/** What stands before the first rule: a BOM, comments, `@charset` in its one form (3.2). */
function readHead(scan: Scan): number {
  const { text } = scan;
  const start = startRule(scan, text.startsWith('\uFEFF') ? 1 : 0);
  const name = '@charset "';
  if (!text.startsWith(name, start)) return start;
  const end = stringEnd(text, start + name.length, QUOTE);
  return text.startsWith('";', end) ? startRule(scan, end + 2) : start;
}

/** Reads what begins at `at`, behind nothing but plain text since `from`. Answers where it ends. */
function readToken(scan: Scan, from: number, at: number): number {
  const { text, imageSets } = scan;
  switch (text[at]) {
    case '(':
      return openFunction(scan, wordStart(text, from, at), at);
    case ')':
      return closeFunction(scan, at);
    case '"':
    case "'":
      return readString(scan, at, imageSets.at(-1) === scan.depth);
    case '/':
      return text[at + 1] === '*' ? readComment(scan, at) : at + 1;
    case '@':
      return readAtKeyword(scan, at);
    case '\\':
      return readEscapedWord(scan, from, at);
    case '<':
      return text.startsWith('<!--', at) ? at + 4 : at + 1;
    case '{':
    case '}':
      // An image-set() holds no braces: this one was never closed.
      if (imageSets.length > 0) scan.imageSets = [];
      return startRule(scan, at + 1);
    case ';':
      return startRule(scan, at + 1);
    default:
      return at + 1;
  }
}

/** 5.4.1: a rule begins behind spaces, comments, `<!--` and `-->`. */
function startRule(scan: Scan, from: number): number {
  const { text } = scan;
  let at = skipGap(scan, from);
  for (;;) {
    if (text.startsWith('<!--', at)) at = skipGap(scan, at + 4);
    else if (text.startsWith('-->', at)) at = skipGap(scan, at + 3);
    else break;
  }
  scan.ruleStart = at;
  scan.isNamespace = false;
  return at;
}

function skipGap(scan: Scan, from: number): number {
  let at = skipSpace(scan.text, from);
  while (scan.text.startsWith('/*', at)) at = skipSpace(scan.text, readComment(scan, at));
  return at;
}

/** 4.3.2, consume comments; and what a comment may say to us. */
function readComment(scan: Scan, at: number): number {
  const { text } = scan;
  const close = text.indexOf('*/', at + 2);
  const end = close === -1 ? text.length : close;
  const next = Math.min(end + 2, text.length);
  const inner = text.slice(at + 2, end);
  const directive = DIRECTIVE.exec(inner)?.[1];
  if (directive === 'ignore') scan.isIgnored = true;
  if (directive === 'ignore-next') scan.isNextIgnored = true;
  // ECMA-426, CSSExtractSourceMapURL: nothing but spaces and comments follows it.
  if (skipSpace(text, scan.sourceMapEnd) < at) scan.sourceMap = undefined;
  readSourceMap(scan, at + 2, inner);
  scan.sourceMapEnd = next;
  return next;
}

function readSourceMap(scan: Scan, innerStart: number, inner: string): void {
  const match = matchSourceMapComment(inner);
  if (match === undefined) return;
  const { value, offset } = match;
  const start = innerStart + offset;
  const isReference = !scan.isNextIgnored && !NO_FILE.test(value);
  scan.sourceMap = isReference
    ? { value, start, end: start + value.length, kind: 'source-map' }
    : undefined;
}

/** 4.3.3: an at-keyword. An import's string is a URL (CSS Cascade 5, section 2). */
function readAtKeyword(scan: Scan, at: number): number {
  const { text } = scan;
  const end = wordEnd(text, at + 1);
  if (at !== scan.ruleStart) return end;
  const [, isImport, isNamespace] = AT_RULE.exec(undoEscapes(text, at + 1, end).value) ?? [];
  scan.isNamespace = isNamespace !== undefined;
  if (isImport === undefined) return end;
  const next = skipGap(scan, end);
  return isQuote(text, next) ? readString(scan, next, true) : next;
}

/** A word with an escape in it, at which we met it. */
function readEscapedWord(scan: Scan, from: number, at: number): number {
  const { text } = scan;
  if (!isEscape(text, at)) return at + 1;
  const start = wordStart(text, from, at);
  const end = wordEnd(text, at);
  return text[end] === '(' ? openFunction(scan, start, end) : end;
}

/** 4.3.4, consume an ident-like token: a function, or a parenthesis with no name. */
function openFunction(scan: Scan, start: number, at: number): number {
  const { text } = scan;
  const isHash = text[start - 1] === '#';
  const match = isHash ? null : FUNCTION.exec(undoEscapes(text, start, at).value);
  const isUrl = match?.[1] !== undefined;
  const isImageSet = match?.[2] !== undefined;
  const next = isUrl ? skipSpace(text, at + 1) : skipGap(scan, at + 1);
  if (isUrl && !isQuote(text, next)) return readUrl(scan, next);
  scan.depth++;
  if (isImageSet) scan.imageSets.push(scan.depth);
  return match !== null && isQuote(text, next) ? readString(scan, next, true) : next;
}

function closeFunction(scan: Scan, at: number): number {
  if (scan.imageSets.at(-1) === scan.depth) scan.imageSets.pop();
  scan.depth--;
  return at + 1;
}

/** 4.3.5: a string; a bad one ends before its newline and is nothing. */
function readString(scan: Scan, quote: number, isReference: boolean): number {
  const { text } = scan;
  const end = stringEnd(text, quote + 1, text.charCodeAt(quote));
  if (isNewline(text, end)) return end;
  if (isReference) addUrl(scan, quote + 1, end);
  return end + 1;
}

/** 4.3.6: an unquoted URL. */
function readUrl(scan: Scan, start: number): number {
  const { text } = scan;
  const end = urlEnd(text, start);
  const close = skipSpace(text, end);
  if (close < text.length && text[close] !== ')') return badUrlEnd(text, close);
  addUrl(scan, start, end);
  return close + 1;
}

function addUrl(scan: Scan, start: number, end: number): void {
  const { value, offsets } = undoEscapes(scan.text, start, end);
  if (scan.isNamespace || NO_FILE.test(value)) return;
  if (scan.isNextIgnored) scan.isNextIgnored = false;
  else scan.references.push({ value, start, end, kind: 'url', ...(offsets && { offsets }) });
}
