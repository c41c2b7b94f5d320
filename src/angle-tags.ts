/** The tags that may also be written `<% static … %>` or `<<static …>>`. */
const PREFIXES = 'get_static_prefix|get_media_prefix';

/** The delimiters of a Nunjucks environment. */
export interface Delimiters {
  readonly blockStart: string;
  readonly blockEnd: string;
  readonly variableStart: string;
  readonly variableEnd: string;
  readonly commentStart: string;
  readonly commentEnd: string;
}

// `load` is ours only where it loads `static`, and `media` only where a name follows it: in another
// language it may be a variable, `<% media = 5 %>`.
const OURS = `(?:static|${PREFIXES})(?=[\\s"'(]|-?%>)|load\\s+static\\s*-?%>`;
const MEDIA = `media(?=["'(]|\\s+(?:["'([{]|[^\\s!-/:-@[-^\`{-~]))`;
const ANGLE_OPEN = new RegExp(`<%-?\\s*(?:${OURS})`, 'y');
const ANGLE_OPEN_MEDIA = new RegExp(`<%-?\\s*(?:${OURS}|${MEDIA})`, 'y');

/**
 * Gives `<% static … %>` a Nunjucks environment's own delimiters. Comments, raw blocks, strings in
 * code and every other `<% … %>` stay as they are; so do lines, and columns too where the delimiters
 * have two characters, as they have unless set otherwise. `media`: whether that is a tag as well.
 */
export function replaceAngleTags(source: string, delimiters: Delimiters, media = true): string {
  if (!source.includes('<%')) return source;
  const { blockStart, blockEnd, variableStart, variableEnd, commentStart, commentEnd } = delimiters;
  // Where an angle begins one of the environment's own, such as `<%=`, that one goes first.
  const starts = [blockStart, variableStart, commentStart, '<%'];
  const open = media ? ANGLE_OPEN_MEDIA : ANGLE_OPEN;
  const next = new RegExp(starts.map(escapeRegExp).join('|'), 'g');
  let out = '';
  let copied = 0;
  for (let match = next.exec(source); match !== null; match = next.exec(source)) {
    const at = match.index;
    if (match[0] === blockStart) next.lastIndex = afterBlock(source, at, delimiters);
    else if (match[0] === variableStart) {
      next.lastIndex = afterCode(source, at + variableStart.length, [variableEnd]);
    } else if (match[0] === commentStart) {
      next.lastIndex = afterText(source, at + commentStart.length, commentEnd);
    } else {
      open.lastIndex = at;
      if (!open.test(source)) continue;
      // What begins another tag, or ends a statement of another language, was no tag of ours.
      const end = afterCode(source, at + 2, ['%>', ';', ...starts]);
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
  const end = afterCode(source, start + blockStart.length, [blockEnd]);
  const name = /^-?\s*(raw|verbatim)\b/.exec(source.slice(start + blockStart.length, end))?.[1];
  if (name === undefined) return end;
  // Nunjucks' own: with a dash, `{%- endraw %}` ends nothing.
  const edge = new RegExp(
    `${escapeRegExp(blockStart)}\\s*(end)?${name}\\s*${escapeRegExp(blockEnd)}`,
    'g',
  );
  edge.lastIndex = end;
  let level = 1;
  for (let match = edge.exec(source); match !== null; match = edge.exec(source)) {
    level += match[1] === undefined ? 1 : -1;
    if (level === 0) return edge.lastIndex;
  }
  return source.length;
}

// Strings, regular expressions and words, as Nunjucks' lexer cuts them: in them nothing ends code.
const DELIMITERS = '\\s()[\\]{}%*+~/#,:|.<>=!-';
const OPAQUE = [
  `"(?:[^"\\\\]|\\\\[^])*"`,
  `'(?:[^'\\\\]|\\\\[^])*'`,
  'r/[^]*?(?<!\\\\)/',
  `[^;"'${DELIMITERS}][^;${DELIMITERS}]*`,
].join('|');

/** Behind the first of `ends` in a piece of code. */
function afterCode(source: string, start: number, ends: readonly string[]): number {
  const token = new RegExp(`(${ends.map(escapeRegExp).join('|')})|${OPAQUE}`, 'g');
  token.lastIndex = start;
  for (let match = token.exec(source); match !== null; match = token.exec(source)) {
    if (match[1] !== undefined) return token.lastIndex;
  }
  return source.length;
}

function afterText(source: string, start: number, end: string): number {
  const at = source.indexOf(end, start);
  return at < 0 ? source.length : at + end.length;
}

/** A regular expression's source that matches just `text`. */
export function escapeRegExp(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
}

/** A `<<static …>>` or `<<media …>>` in a text. */
export interface AngleTag {
  readonly start: number;
  readonly end: number;
  /** What stands between the angles: `static 'my_app/example.jpg'`. */
  readonly code: string;
}

// There must be a name, on the tag's line: `<<static>>` is UML, and what follows a heredoc's
// `<<static` is anything. It is made of strings, and of whatever has no angle, brace, tilde or lone
// quote in it. No string holds a `<`, so that each text is read once.
const STRINGS = ['"', "'"].map((quote) => {
  return `${quote}(?:[^<${quote}\\\\\\r\\n]|\\\\${quote}|\\\\(?!${quote}))*${quote}`;
});
const DOUBLE_ANGLE = new RegExp(
  `<<[ \\t]*((?:static|media)[ \\t]+(?=[^ \\t>])(?:${STRINGS.join('|')}|[^<>{}~"'\\r\\n])+|(?:${PREFIXES})[ \\t]*)>>`,
  'g',
);

/** Every such tag in a text that is no code of the engine's. Whether it parses, it must say. */
export function findAngleTags(text: string): AngleTag[] {
  if (!text.includes('<<')) return [];
  return Array.from(text.matchAll(DOUBLE_ANGLE), (match) => ({
    start: match.index,
    end: match.index + match[0].length,
    code: match[1] ?? '',
  }));
}
