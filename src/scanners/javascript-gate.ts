/*
 * The lexer reads some 200 MB/s, and most scripts hold nothing of what it looks for. This looks at
 * bytes, at 1,500 MB/s. It may say yes too often, never no where a reference is: `from`, `import` or
 * `import(`, then a literal that begins as a path or an absolute URL does, with nothing but blanks
 * and comments between; an `import.meta` behind a literal and a comma, or before `resolve`; or what
 * may be a source map comment. Keywords have no escapes (ECMAScript, "Keywords and Reserved Words").
 */

/** How far comments are looked through; behind longer ones, there may be anything. */
const NEAR = 300;
/** The same behind the URL of a source map. */
const FAR = 2000;
const SOURCE_MAP = 'sourceMappingURL=';
const URL_END = /^(?:[^\s*]|\*(?!\/))*\s*(?:\*\/)?/;

/** Blanks, those of Unicode by their bytes, brackets and comments. */
const BLANK =
  /(?:[\s(]+|\xc2\xa0|\xe1\x9a\x80|\xe2\x80[\x80-\x8a\xa8\xa9\xaf]|\xe2\x81\x9f|\xe3\x80\x80|\xef\xbb\xbf|\/\*(?:[^*]|\*(?!\/))*\*\/|\/\/[^\n\r]*(?:[\n\r]|$))*/y;
/** The beginning of a path or an absolute URL, escapes allowed for. */
const LITERAL = /^["'`](?:\.{0,2}[/\\]|h[t\\])/i;
/** What may stand behind `import` besides blanks and a literal. */
const META =
  /^\s*\.\s*(?:meta\b\s*(?:\.\s*resolve\b|\.?\s*\/)|(?:source|defer)\b[\s(]*(?:["'`](?:\.{0,2}[/\\]|h[t\\])|[\x80-\xff/])|\/)/i;
/** What may stand before the second argument of `new URL()`: other bytes may be blanks of Unicode. */
const BEFORE_META = /(?:["'`]\s*,|\*\/\s*,?|\/\/.*[\n\r]\s*,?|[\x80-\xff])\s*$/;

/** Whether a script or module, in UTF-8, may refer to other files. */
export function mayRefer(script: Buffer): boolean {
  return (
    // Half a word, for its first letter is rarer than the `i`.
    occurs(script, 'mport', (at) => isImport(script, at - 1)) ||
    occurs(script, 'from', (at) => leadsToLiteral(script, at + 4) && !isJsDoc(script, at)) ||
    mayEndInSourceMap(script)
  );
}

/** Whether nothing but blanks and comments follows the last such URL, as far as can be seen near. */
function mayEndInSourceMap(script: Buffer): boolean {
  if (!script.includes('URL=')) return false; // the short word is found faster
  const at = script.lastIndexOf(SOURCE_MAP);
  if (at < 0) return false;
  const near = script.toString('latin1', at + SOURCE_MAP.length, at + FAR);
  if (near.startsWith('data:')) return false;
  BLANK.lastIndex = URL_END.exec(near)?.[0].length ?? 0;
  BLANK.test(near);
  return BLANK.lastIndex === near.length;
}

function occurs(script: Buffer, word: string, is: (at: number) => boolean): boolean {
  for (let at = script.indexOf(word); at >= 0; at = script.indexOf(word, at + word.length)) {
    if (is(at)) return true;
  }
  return false;
}

function isImport(script: Buffer, start: number): boolean {
  const end = start + 'import'.length;
  // What begins with `@import` is a comment of JSDoc.
  if (script[start] !== 0x69 || script[start - 1] === 0x40) return false;
  if (leadsToLiteral(script, end)) return true;
  if (!isDotNext(script, end)) return false;
  const after = script.toString('latin1', end, end + NEAR);
  if (META.test(after)) return true;
  const before = script.toString('latin1', Math.max(0, start - NEAR), start);
  return /^\s*\.\s*meta\b/.test(after) && BEFORE_META.test(before);
}

/** Whether the last `import` or `export` before is one of JSDoc: `@import { a } from './b.js'`. */
function isJsDoc(script: Buffer, at: number): boolean {
  const before = script.toString('latin1', Math.max(0, at - NEAR), at);
  const keyword = Math.max(before.lastIndexOf('import'), before.lastIndexOf('export'));
  return keyword > 0 && before[keyword - 1] === '@';
}

function isDotNext(script: Buffer, from: number): boolean {
  const byte = script[skipBlank(script, from)];
  return byte === 0x2e;
}

/** Whether a literal of a path follows blanks and comments, or comments that do not end near. */
function leadsToLiteral(script: Buffer, from: number): boolean {
  const at = skipBlank(script, from);
  const byte = script[at] ?? 0;
  if (byte === 0x22 || byte === 0x27 || byte === 0x60) {
    return LITERAL.test(script.toString('latin1', at, at + 8));
  }
  if (byte !== 0x2f && byte < 0x80) return false;
  const near = script.toString('latin1', at, at + NEAR);
  BLANK.lastIndex = 0;
  BLANK.test(near);
  const rest = near.slice(BLANK.lastIndex);
  const isCut = near.length === NEAR && rest.length < 8;
  return isCut || LITERAL.test(rest) || /^(?:\.|\/[/*])/.test(rest);
}

/** Behind blanks of ASCII and opening brackets. */
function skipBlank(script: Buffer, from: number): number {
  let at = from;
  for (;;) {
    const byte = script[at];
    if (byte !== 0x20 && byte !== 0x28 && !(byte !== undefined && byte >= 9 && byte <= 13)) {
      return at;
    }
    at++;
  }
}
