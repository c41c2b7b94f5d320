/*
 * A lexer reads some 200 MB/s, this some 2,000, and most scripts hold none of what it looks for. It
 * may say yes too often, never no where a reference is: `from`, `import` or `import(`, then a literal
 * that begins as a path or an absolute URL does, with nothing but blanks and comments between; or an
 * `import.meta` behind a literal and a comma, or before `resolve`. Keywords have no escapes
 * (ECMAScript, "Keywords and Reserved Words").
 */

const CANDIDATE =
  /\b(?:from|import)(?:[\s(]*(?:(["'`][./\\hH])|(\/[*/]))|\s*\.\s*(?:(meta)\b|source\b|defer\b|\/))/g;
/** Blanks and comments. */
const BLANK = /(?:[\s(]+|\/\*(?:[^*]|\*(?!\/))*\*\/|\/\/[^\n\r\u2028\u2029]*[\n\r\u2028\u2029])*/y;
/** What may stand before the second argument of `new URL()`. */
const BEFORE_META = /["'`]\s*,\s*$|\*\/\s*,?\s*$|\/\/.*[\n\r\u2028\u2029]\s*,?\s*$/;
/** How far comments are looked through; behind longer ones, there may be anything. */
const NEAR = 300;

/** Whether a script or module may refer to other files by what is code; source maps are none of it. */
export function mayRefer(text: string): boolean {
  CANDIDATE.lastIndex = 0;
  for (let found = CANDIDATE.exec(text); found !== null; found = CANDIDATE.exec(text)) {
    const [all, literal, comment, meta] = found;
    const end = found.index + all.length;
    if (literal !== undefined) return true;
    if (comment !== undefined) {
      if (leadsToLiteral(text.slice(end - comment.length, end + NEAR))) return true;
      CANDIDATE.lastIndex = end - 1; // the comment may hold the next one
    } else if (meta === undefined || isArgument(text, found.index, end)) return true;
  }
  return false;
}

/** Whether a literal follows comments, or `.meta`, or the comments do not end within the text. */
function leadsToLiteral(near: string): boolean {
  BLANK.lastIndex = 0;
  BLANK.test(near);
  const rest = near.slice(BLANK.lastIndex);
  return rest.length < 2 || /^(?:["'`][./\\hH]|\.|\/[*/])/.test(rest);
}

function isArgument(text: string, start: number, end: number): boolean {
  if (BEFORE_META.test(text.slice(Math.max(0, start - NEAR), start))) return true;
  return /^\s*(?:\.\s*resolve\b|\.?\s*\/)/.test(text.slice(end, end + NEAR));
}
