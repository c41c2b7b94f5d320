/*
 * CSS Syntax Level 3, section 4, as far as references need it: where tokens end, and what their
 * escapes mean. Nothing is preprocessed (section 3.3), so that every position is one of the text as
 * it stands: CR, FF and CR LF are newlines where they are met, and NUL is U+FFFD in values.
 */

const SPACE = 1;
const NEWLINE = 2;
const WORD = 4;
const HEX = 8;
const URL_END = 16;
const TOKEN = 32;

// 4.2, and 3.3, by which NUL is a letter. In a URL stand all but spaces, controls and `"'()\`.
const SETS: readonly (readonly [flag: number, set: RegExp])[] = [
  [SPACE, /[\t\n\f\r ]/],
  [NEWLINE, /[\n\f\r]/],
  [WORD, /[\w\0-]/],
  [HEX, /[\da-f]/i],
  [URL_END, /[^\0!#-&*-[\]-~]/],
  [TOKEN, /["'()/@\\<;{}]/],
];

/** What each ASCII character may be. All others are parts of words ("ident code point"). */
const CLASSES = Uint8Array.from({ length: 128 }, (_, code) => {
  const sets = SETS.filter(([, set]) => set.test(String.fromCharCode(code)));
  return sets.reduce((flags, [flag]) => flags | flag, 0);
});

/** Behind the end of the text `code` is NaN, which is of no class. */
function is(code: number, flag: number): boolean {
  return code < 128 && ((CLASSES[code] as number) & flag) !== 0;
}

function isWord(code: number): boolean {
  return code > 127 || is(code, WORD);
}

export function isNewline(text: string, at: number): boolean {
  return is(text.charCodeAt(at), NEWLINE);
}

export function isQuote(text: string, at: number): boolean {
  return text[at] === '"' || text[at] === "'";
}

/** 4.3.8, whether a `\` begins an escape: also at the end of the text, where it means U+FFFD. */
export function isEscape(text: string, at: number): boolean {
  return text[at] === '\\' && !isNewline(text, at + 1);
}

export function skipSpace(text: string, from: number): number {
  let at = from;
  while (at < text.length && is(text.charCodeAt(at), SPACE)) at++;
  return at;
}

/** Behind what needs no look: words, numbers, spaces and signs. */
export function skipPlain(text: string, from: number): number {
  let at = from;
  while (at < text.length && !is(text.charCodeAt(at), TOKEN)) at++;
  return at;
}

/** Where the word begins that ends at `end`; no `\` stands between `from` and `end`. */
export function wordStart(text: string, from: number, end: number): number {
  let start = end;
  while (start > from && isWord(text.charCodeAt(start - 1))) start--;
  return start;
}

/** 4.3.12, consume an ident sequence. */
export function wordEnd(text: string, start: number): number {
  let end = start;
  for (;;) {
    while (end < text.length && isWord(text.charCodeAt(end))) end++;
    if (!isEscape(text, end)) return end;
    end = escapeEnd(text, end);
  }
}

/**
 * 4.3.5, consume a string token: where its content ends. There stands its quote, a newline (of a
 * bad string), a `\` that is the text's last character, or nothing more.
 */
export function stringEnd(text: string, start: number, quote: number): number {
  let end = start;
  while (end < text.length) {
    const code = text.charCodeAt(end);
    if (code === quote || is(code, NEWLINE)) return end;
    if (code !== 0x5c) end++;
    else if (end + 1 === text.length) return end;
    else end = escapeEnd(text, end);
  }
  return end;
}

/** 4.3.6, consume a url token: where its content ends, be it at what makes it a bad one. */
export function urlEnd(text: string, start: number): number {
  let end = start;
  for (;;) {
    while (end < text.length && !is(text.charCodeAt(end), URL_END)) end++;
    if (!isEscape(text, end)) return end;
    end = escapeEnd(text, end);
  }
}

/** 4.3.14, consume the remnants of a bad url. */
export function badUrlEnd(text: string, from: number): number {
  let end = from;
  while (end < text.length && text[end] !== ')') {
    end = isEscape(text, end) ? escapeEnd(text, end) : end + 1;
  }
  return end + 1;
}

/** 4.3.7, consume an escaped code point; or, in a string, an escaped newline. */
function escapeEnd(text: string, backslash: number): number {
  let end = backslash + 1;
  while (end < backslash + 7 && is(text.charCodeAt(end), HEX)) end++;
  const isHex = end > backslash + 1;
  if (text.startsWith('\r\n', end)) return end + 2;
  if (isHex) return is(text.charCodeAt(end), SPACE) ? end + 1 : end;
  return Math.min(end + 1, text.length);
}

/** What a spelling means; `offsets`, as a reference has them, where it has escapes or NULs. */
export function undoEscapes(
  text: string,
  start: number,
  end: number,
): { value: string; offsets?: number[] } {
  const spelling = text.slice(start, end);
  if (!spelling.includes('\\') && !spelling.includes('\0')) return { value: spelling };
  const parts: string[] = [];
  const offsets: number[] = [];
  for (let at = start, next: number; at < end; at = next) {
    const isEscaped = text[at] === '\\';
    next = isEscaped ? escapeEnd(text, at) : at + 1;
    const meant = isEscaped ? meaning(text.slice(at + 1, next)) : (text[at] as string);
    parts.push(meant === '\0' ? '\uFFFD' : meant);
    for (let unit = 0; unit < meant.length; unit++) offsets.push(at);
  }
  return { value: parts.join(''), offsets };
}

/** 4.3.7, what an escape means, of which the `\` is left out here. */
function meaning(spelt: string): string {
  if (spelt === '') return '\uFFFD';
  if (isNewline(spelt, 0)) return '';
  const code = Number.parseInt(spelt, 16);
  if (Number.isNaN(code)) return spelt;
  const isSurrogate = code >= 0xd800 && code <= 0xdfff;
  return isSurrogate || code > 0x10ffff ? '\uFFFD' : String.fromCodePoint(code);
}
