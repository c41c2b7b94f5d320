/** The tags that may also be written `<% static … %>` or `<<static …>>`. */
const NAMES = 'static|get_static_prefix|get_media_prefix';

/** The delimiters of a Nunjucks environment. */
export interface Delimiters {
  readonly blockStart: string;
  readonly blockEnd: string;
  readonly variableStart: string;
  readonly variableEnd: string;
  readonly commentStart: string;
  readonly commentEnd: string;
}

// `load` is ours only where it loads `static`.
const ANGLE_OPEN = new RegExp(`<%-?\\s*(?:(?:${NAMES})(?=[\\s"'(%-])|load\\s+static\\s*-?%>)`, 'y');

/**
 * Gives `<% static … %>` a Nunjucks environment's own delimiters. Comments, raw blocks, strings in
 * code and every other `<% … %>` stay as they are; so do lines, and columns too where the delimiters
 * have two characters, as they have unless set otherwise.
 */
export function replaceAngleTags(source: string, delimiters: Delimiters): string {
  if (!source.includes('<%')) return source;
  const { blockStart, blockEnd, variableStart, variableEnd, commentStart, commentEnd } = delimiters;
  const starts = ['<%', blockStart, variableStart, commentStart].map(literal).join('|');
  const next = new RegExp(starts, 'g');
  let out = '';
  let copied = 0;
  for (let match = next.exec(source); match !== null; match = next.exec(source)) {
    const at = match.index;
    if (match[0] === blockStart) next.lastIndex = afterBlock(source, at, delimiters);
    else if (match[0] === variableStart) {
      next.lastIndex = afterCode(source, at + variableStart.length, variableEnd);
    } else if (match[0] === commentStart) {
      next.lastIndex = afterText(source, at + commentStart.length, commentEnd);
    } else {
      ANGLE_OPEN.lastIndex = at;
      if (!ANGLE_OPEN.test(source)) continue;
      const end = afterCode(source, at + 2, '%>');
      if (!source.startsWith('%>', end - 2)) continue;
      out += source.slice(copied, at) + blockStart + source.slice(at + 2, end - 2) + blockEnd;
      copied = end;
      next.lastIndex = end;
    }
  }
  return out + source.slice(copied);
}

/** Behind a block tag; behind the end of a raw block, whose inside is no template. */
function afterBlock(source: string, start: number, { blockStart, blockEnd }: Delimiters): number {
  const end = afterCode(source, start + blockStart.length, blockEnd);
  const name = /^-?\s*(raw|verbatim)\b/.exec(source.slice(start + blockStart.length, end))?.[1];
  if (name === undefined) return end;
  const open = literal(blockStart);
  const edge = new RegExp(`${open}-?\\s*(end)?${name}\\s*-?${literal(blockEnd)}`, 'g');
  edge.lastIndex = end;
  let level = 1;
  for (let match = edge.exec(source); match !== null; match = edge.exec(source)) {
    level += match[1] === undefined ? 1 : -1;
    if (level === 0) return edge.lastIndex;
  }
  return source.length;
}

/** Behind the end of a piece of code; in its strings nothing ends it. */
function afterCode(source: string, start: number, end: string): number {
  const token = new RegExp(`${literal(end)}|"(?:[^"\\\\]|\\\\[^])*"|'(?:[^'\\\\]|\\\\[^])*'`, 'g');
  token.lastIndex = start;
  for (let match = token.exec(source); match !== null; match = token.exec(source)) {
    if (match[0] === end) return token.lastIndex;
  }
  return source.length;
}

function afterText(source: string, start: number, end: string): number {
  const at = source.indexOf(end, start);
  return at < 0 ? source.length : at + end.length;
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** A `<<static …>>` in a text. */
export interface AngleTag {
  readonly start: number;
  readonly end: number;
  /** What stands between the angles: `static 'my_app/example.jpg'`. */
  readonly code: string;
}

// An argument is made of strings, and of whatever has no angle, brace or lone quote in it.
const DOUBLE_ANGLE = new RegExp(
  `<<\\s*((?:${NAMES})(?:\\s(?:"[^"]*"|'[^']*'|[^<>{}"'])*|\\s*))>>`,
  'g',
);

/** Every `<<static …>>` in a text that is no code of the engine's. Whether it parses, it must say. */
export function findAngleTags(text: string): AngleTag[] {
  if (!text.includes('<<')) return [];
  return Array.from(text.matchAll(DOUBLE_ANGLE), (match) => ({
    start: match.index,
    end: match.index + match[0].length,
    code: (match[1] ?? '').trim(),
  }));
}
