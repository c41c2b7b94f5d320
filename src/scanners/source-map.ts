import type { Reference } from '../scanner.js';

/** What a source map comment names. */
export interface SourceMapComment {
  /** The URL, as it stands there: comments have no escapes. */
  readonly value: string;
  /** Where it begins in the comment's inner text. */
  readonly offset: number;
}

const NAME = 'sourceMappingURL=';
// Lazy, as in the standard: a greedy `\S*` would keep a way back for each character of an inlined map.
const PATTERN = /^[@#]\s*sourceMappingURL=(\S*?)\s*$/;
const BLANK = /\s+|\/\/.*|\/\*[\s\S]*?\*\//y;
const LINE_ENDS = '\n\r\u2028\u2029';
const LINE_END = /[\n\r\u2028\u2029]/;

/**
 * What a comment says the source map is, or `undefined`: ECMA-426, "MatchSourceMapURL". `inner` is
 * the comment's text without its delimiters.
 */
export function matchSourceMapComment(inner: string): SourceMapComment | undefined {
  const value = PATTERN.exec(inner)?.[1];
  return value === undefined ? undefined : { value, offset: inner.indexOf('=') + 1 };
}

/**
 * What a script or module says its source map is: ECMA-426, "JavaScriptExtractSourceMapURL". The
 * last such comment counts, and only where no code follows it. It is looked for from the end;
 * `isCode` is asked, once at most, whether a token at that place would be code, where the text around
 * leaves that open: `//# …` may as well stand in a template, a string or another comment.
 */
export function findScriptSourceMap(
  text: string,
  isCode: (offset: number) => boolean,
): Reference | undefined {
  const found = lastComment(text);
  if (found === undefined || !isBlank(text, found.comment)) return undefined;
  if (!standsAlone(text, found.comment) && !isCode(found.comment)) return undefined;
  const { value, start } = found;
  return { value, start, end: start + value.length, kind: 'source-map' };
}

/** The last text that looks like such a comment. No character is read for two of them. */
function lastComment(text: string): { comment: number; value: string; start: number } | undefined {
  // The end of the name first: V8 finds four characters several times faster than seventeen.
  let limit = text.includes('URL=') ? text.length : 0;
  for (let at = lastName(text, limit); at >= 0; at = lastName(text, at)) {
    const comment = commentStart(text, at);
    if (comment < 0) continue;
    const match = matchSourceMapComment(innerText(text, comment, limit));
    limit = match === undefined ? comment : outerStart(text, comment);
    if (match !== undefined && limit === comment) {
      return { comment, value: match.value, start: comment + 2 + match.offset };
    }
    at = limit;
  }
  return undefined;
}

function lastName(text: string, before: number): number {
  return before === 0 ? -1 : text.lastIndexOf(NAME, before - 1);
}

/** Where the comment begins of which only `#` or `@` and white space stand before `at`; or -1. */
function commentStart(text: string, at: number): number {
  const start = text.slice(0, at).trimEnd().length - 3;
  return start >= 0 && /^\/[/*][@#]$/.test(text.slice(start, start + 3)) ? start : -1;
}

/** The inner text of the comment at `start`; empty where it does not end before `limit`. */
function innerText(text: string, start: number, limit: number): string {
  const rest = text.slice(start + 2, limit);
  const end = text[start + 1] === '*' ? rest.indexOf('*/') : rest.search(LINE_END);
  if (end < 0 && (text[start + 1] === '*' || limit < text.length)) return '';
  return end < 0 ? rest : rest.slice(0, end);
}

/** Where the line begins if it begins with another `//`, such as one that comments this comment out. */
function outerStart(text: string, comment: number): number {
  let start = comment;
  while (start > 0 && !LINE_ENDS.includes(text.charAt(start - 1))) start--;
  return text.slice(start, comment).trimStart().startsWith('//') ? start : comment;
}

/** Whether nothing but white space and comments is left from `start` on. */
function isBlank(text: string, start: number): boolean {
  let end = start;
  for (BLANK.lastIndex = start; BLANK.test(text); ) end = BLANK.lastIndex;
  return end === text.length;
}

/**
 * Whether the text itself proves that the comment at `start` is one: a `//` that begins the last
 * line, after which nothing ends that it could be the inside of.
 */
function standsAlone(text: string, start: number): boolean {
  const before = text.slice(0, start);
  const indent = before.slice(before.trimEnd().length);
  const begins = indent.length === start || LINE_END.test(indent);
  const rest = text.slice(start).trimEnd();
  return begins && rest.startsWith('//') && !/["'`\n\r\u2028\u2029]|\*\//.test(rest);
}
