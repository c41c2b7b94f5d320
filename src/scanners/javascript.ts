import { type ImportSpecifier, type ParseError, parse } from 'es-module-lexer/minimal';
import { type Reference, ScanError, type Scanner } from '../scanner.js';
import { findScriptSourceMap } from './source-map.js';

// Keywords have no escapes (ECMAScript, "Keywords and Reserved Words"): without these two words a
// text imports nothing.
const KEYWORD = /\b(?:im|ex)port\b/;

// A comment ends at the next `*` or `/`, whatever that is, so that no text is read for two calls.
const BLANK = String.raw`\s*(?:(?:/\*[^*/]*\*/|//[^/\n]*\n)\s*)*`;
const META = String.raw`import${BLANK}\.${BLANK}meta${BLANK}\.${BLANK}`;
const CALL = new RegExp(String.raw`\b(?:new\b${BLANK}URL|${META}resolve)\b(?=${BLANK}\()`, 'g');
const MODULE_URL = new RegExp(String.raw`${META}url${BLANK},?${BLANK}\)`, 'y');

// Both end at a `*`, so that in a comment or a string, where this is no clause, they leave its end.
const COMMENT = /\/\/[^*\n\r]*|\/\*[^*]*\*\//g;
const CLAUSE = /\bimport\b(?:[\w$\s,*{}\\\u0080-\uFFFF]+|\/\/[^*\n\r]*|\/\*[^*]*\*\/)*/g;

/** Where the lexer says that an argument begins, of an `import.meta`. */
const IMPORT_META = -2;

// What the lexer does not know: BOM, hashbang and, before its keywords, the white space of Unicode.
const UNKNOWN =
  /^\uFEFF?#!.*|^\uFEFF|[\u1680\u2000-\u200A\u2028\u2029\u202F\u205F\u3000\uFEFF](?=(?:im|ex)port\b)/g;

// HTML, "resolve a module specifier": any other is a bare one, or has a scheme that no file has.
const SPECIFIER = /^(?:\.{0,2}\/|https?:)/i;
// URL Standard, "scheme start state". Empty, `?…` and `#…` are the module itself.
const FILE_URL = /^(?!$|[?#]|(?!https?:)[a-z][a-z\d+.-]*:)/i;

/**
 * The references of a script or a module: `import` and `export … from`, `import()`,
 * `import.meta.resolve()`, `new URL(…, import.meta.url)` (so also a Worker made from it), and the
 * source map comment. Only what is a literal counts: a string, or a template without substitutions.
 * A specifier counts where it is a path or of http(s): bare ones are the import map's.
 */
export const scanJavaScript: Scanner = (text) => {
  const mentioned = text.includes('staticfiles:');
  if (mentioned && isSwitchedOff(text)) return [];
  const references = KEYWORD.test(text) ? importsOf(text) : [];
  const map = findScriptSourceMap(text, (offset) => isCode(text, offset));
  if (map !== undefined && FILE_URL.test(map.value)) references.push(map);
  return mentioned ? withoutIgnored(text, references) : references;
};

function importsOf(text: string): Reference[] {
  const references: Reference[] = [];
  for (const found of lexed(text)) {
    const reference = referenceOf(text, found);
    if (reference !== undefined) references.push(reference);
  }
  return references;
}

/**
 * What the lexer finds. Where there is an `import.meta`, it reads once more with `import (` for each
 * `new URL(` and `import.meta.resolve(`, in as many characters: so it is the lexer, again, that tells
 * those in code from those in comments, strings and regular expressions, and finds their arguments.
 */
function lexed(text: string): readonly ImportSpecifier[] {
  const found = lex(text);
  if (!found.some(({ d }) => d === IMPORT_META)) return found;
  const marked = text.replace(CALL, (call) => 'import'.padEnd(call.length));
  return marked === text ? found : lex(marked);
}

/**
 * In an import clause with a default or a namespace the lexer takes the first quote, be it in a
 * comment, for the specifier's. So where there is a comment in a clause, and where it refuses the
 * text, it reads once more, without the comments of what looks like a clause.
 */
function lex(text: string): readonly ImportSpecifier[] {
  const known = text.replace(UNKNOWN, blank);
  const found = attempt(known);
  const isCommented = ({ d, s, ss }: ImportSpecifier) =>
    d === -1 && known.slice(ss, s).includes('/');
  if (!(found instanceof ScanError || found.some(isCommented))) return found;
  const again = attempt(known.replace(CLAUSE, (clause) => clause.replace(COMMENT, blank)));
  if (!(again instanceof ScanError)) return again;
  if (found instanceof ScanError) throw found;
  return found;
}

function attempt(text: string): readonly ImportSpecifier[] | ScanError {
  try {
    return parse(text)[0];
  } catch (error) {
    // The lexer's complaints say where. The engine's, of a text too long for it, do not.
    const { idx, message } = error as ParseError;
    if (idx !== undefined) {
      return new ScanError('this does not parse as JavaScript', Math.min(idx, text.length));
    }
    return new ScanError(`this cannot be read as JavaScript: ${message}`);
  }
}

const blank = (unknown: string): string => ' '.repeat(unknown.length);

/** What the lexer found, as a reference; `undefined` where its argument is no literal or names no file. */
function referenceOf(text: string, { n, s, e, ss, d, a }: ImportSpecifier): Reference | undefined {
  if (n === undefined) return undefined;
  const isUrl = text.startsWith('new', ss);
  if (isUrl && !isModuleUrl(text, a)) return undefined;
  const quote = d < 0 ? 0 : 1;
  const reference = literal(text, s + quote, e - quote, isUrl ? 'url' : 'specifier');
  return (isUrl ? FILE_URL : SPECIFIER).test(reference.value) ? reference : undefined;
}

/** Whether `import.meta.url` is the second argument, which begins at `start` (-1: there is none), and all of it. */
function isModuleUrl(text: string, start: number): boolean {
  MODULE_URL.lastIndex = start;
  return start >= 0 && MODULE_URL.test(text);
}

const UNIT =
  /\\u\{([\da-fA-F]+)\}|\\u([\da-fA-F]{4})|\\x([\da-fA-F]{2})|\\(\r\n|[\s\S])|\r\n?|[\s\S]/g;
const SINGLE: Readonly<Record<string, string>> = {
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  0: '\0',
  '\n': '',
  '\r': '',
  '\r\n': '',
  '\u2028': '',
  '\u2029': '',
};

/** The literal between `start` and `end`: ECMAScript, "Static Semantics: SV" and "TV". */
function literal(text: string, start: number, end: number, kind: Reference['kind']): Reference {
  const spelled = text.slice(start, end);
  if (!/[\\\r]/.test(spelled)) return { value: spelled, start, end, kind };
  let value = '';
  const offsets: number[] = [];
  for (const { 0: unit, 1: point, 2: long, 3: short, 4: single, index } of spelled.matchAll(UNIT)) {
    const hex = point ?? long ?? short;
    let meant = unit[0] === '\r' ? '\n' : unit;
    if (hex !== undefined) meant = String.fromCodePoint(Number.parseInt(hex, 16));
    else if (single !== undefined) meant = SINGLE[single] ?? single;
    for (let i = 0; i < meant.length; i++) offsets.push(start + index);
    value += meant;
  }
  return { value, start, end, kind, offsets };
}

/** Whether a token that stood at `offset` would be code: asked of the lexer, with `import.meta` put there. */
function isCode(text: string, offset: number): boolean {
  try {
    return lexed(`${text.slice(0, offset)} import.meta`).at(-1)?.ss === offset + 1;
  } catch {
    return false;
  }
}

const LEADING = /\s*(?:\/\/(.*)|\/\*([\s\S]*?)\*\/|#!.*)/y;
const IGNORE = /^\s*staticfiles:\s*ignore\s*$/;
// Not asked of the lexer: in a string or a template it would count as well.
const IGNORE_NEXT =
  /\/\*\s*staticfiles:\s*ignore-next\s*\*\/|\/\/[^\S\n]*staticfiles:[^\S\n]*ignore-next[^\S\n]*$/gm;

/** Whether a comment before everything else, directives included, says so. */
function isSwitchedOff(text: string): boolean {
  LEADING.lastIndex = 0;
  for (let found = LEADING.exec(text); found !== null; found = LEADING.exec(text)) {
    if (IGNORE.test(found[1] ?? found[2] ?? '')) return true;
  }
  return false;
}

/** Without each one that is the next after a comment that says so. */
function withoutIgnored(text: string, references: readonly Reference[]): Reference[] {
  const comments = Array.from(text.matchAll(IGNORE_NEXT), ({ index }) => index);
  let next = 0;
  return references.filter(({ start }) => {
    const first = next;
    while ((comments[next] ?? start) < start) next++;
    return next === first;
  });
}
