/**
 * Regular expressions for servers: nginx and Apache have PCRE, Caddy has RE2, and this is what all
 * three and JavaScript mean the same by. They match a whole name; whoever prints one anchors it.
 */

/** A text as a pattern that matches it alone, in characters that no configuration's syntax minds. */
export function literal(text: string): string {
  return text.replace(/[\0-\x7f]/g, (character) => {
    if (/[\w/-]/.test(character)) return character;
    if (character === '.') return '\\.';
    return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

/** Names that look as `hashedName()` of `names.ts` writes them. */
export const HASHED = '.*[^/]\\.[0-9a-f]{12}(?:\\.[^/.]*)?';

/** Whether one of the patterns matches a name. */
export function patternMatcher(patterns: readonly string[]): (name: string) => boolean {
  const expressions = patterns.map((pattern) => new RegExp(`^(?:${pattern})$`));
  return (name) => expressions.some((expression) => expression.test(name));
}

/** Longer ones some servers do not read. */
const MAX_LENGTH = 2000;

/** Patterns that together match just these names, each of a length that every server reads. */
export function namesPatterns(names: readonly string[]): string[] {
  const patterns: string[] = [];
  for (const name of names.map(literal)) {
    const last = patterns.at(-1);
    if (last === undefined || last.length + name.length > MAX_LENGTH) patterns.push(name);
    else patterns[patterns.length - 1] = `${last}|${name}`;
  }
  return patterns;
}

/**
 * A glob of settings (see `globs.ts`) as a pattern; `undefined` for one with parts that RE2 has no
 * words for, or that are rare: `!(a)`, `{1..3}`, `[[:alpha:]]`, escapes.
 */
export function globPattern(glob: string): string | undefined {
  const anywhere = glob.includes('/') ? '' : '(?:.*/)?';
  const inner = glob.replace(/^\//, '').replace(/\*\*\/(?:\*\*\/)*/g, '**/');
  if (inner === '**') return '.*';
  const below = /^(.+)\/\*\*$/.exec(inner)?.[1]?.replace(/\/\*\*$/, '');
  // `a/**` matches `a` too, but `a*/**` does not match it.
  if (below !== undefined && /[*?[{][^/]*$/.test(below)) return undefined;
  const parts = (below ?? inner).split('/').map(partPattern);
  if (parts.includes(undefined)) return undefined;
  const pattern = parts.join('/').replaceAll('.*/', '(?:.*/)?');
  return `${anywhere}${pattern}${below === undefined ? '' : '(?:/.*)?'}`;
}

const TOKEN = /\*|\?|\[(!|\^)?([\w.-]+)\]|[{},]|[^*?[\]{},()|\\]/gy;

/** One part of a glob between slashes. */
function partPattern(part: string): string | undefined {
  if (part === '**') return '.*';
  if (/^\.?$|\*\*|\.\./.test(part)) return undefined;
  let pattern = '';
  let depth = 0;
  let at = 0;
  for (const [token, negated, members] of part.matchAll(TOKEN)) {
    at += token.length;
    if (token === '*') pattern += '[^/]*';
    else if (token === '?') pattern += '[^/]';
    else if (members !== undefined) pattern += `[${negated ? '^/' : ''}${members}]`;
    else if (token === '{') pattern += ++depth && '(?:';
    else if (token === '}') pattern += depth-- && ')';
    else if (token === ',') pattern += depth > 0 ? '|' : literal(token);
    else pattern += literal(token);
    if (depth < 0) return undefined;
  }
  const isWhole = at === part.length && depth === 0;
  return isWhole && !/\{[^{},]*\}/.test(part) ? pattern : undefined;
}
