import { posix } from 'node:path';

/**
 * A shell-style pattern as a regular expression, by the rules of Python's `fnmatch`, which Django's
 * ignore patterns follow: `*` matches anything (slashes and leading dots too), `?` one character,
 * `[abc]`, `[a-z]` and `[!abc]` one of a set. Case matters.
 * https://docs.python.org/3/library/fnmatch.html
 */
function source(pattern: string): string {
  let out = '';
  const chars = [...pattern];
  for (let i = 0; i < chars.length; i++) {
    const char = chars[i] as string;
    if (char === '*') {
      if (chars[i - 1] !== '*') out += '.*';
    } else if (char === '?') out += '.';
    else if (char === '[') {
      const end = setEnd(chars, i);
      if (end < 0) out += '\\[';
      else {
        out += set(chars.slice(i + 1, end));
        i = end;
      }
    } else out += char.replace(/[\\^$.*+?()[\]{}|/]/, '\\$&');
  }
  return out;
}

/** The index of the `]` that ends the set opened at `start`; a `]` that stands first is a member. */
function setEnd(chars: readonly string[], start: number): number {
  let at = start + 1;
  if (chars[at] === '!') at++;
  if (chars[at] === ']') at++;
  return chars.indexOf(']', at);
}

function set(members: readonly string[]): string {
  const negated = members[0] === '!';
  const rest = negated ? members.slice(1) : members;
  let out = '';
  for (let i = 0; i < rest.length; i++) {
    const from = rest[i] as string;
    const to = rest[i + 2];
    if (rest[i + 1] !== '-' || to === undefined) out += member(from);
    else {
      // Python leaves an inverted range out; a regular expression would not compile.
      if (from <= to) out += `${member(from)}-${member(to)}`;
      i += 2;
    }
  }
  if (out === '') return negated ? '.' : '(?!)';
  return `[${negated ? '^' : ''}${out}]`;
}

function member(char: string): string {
  return /[\\^[\]-]/.test(char) ? `\\${char}` : char;
}

/** Whether a path inside a source folder is left out. */
export type Ignore = (path: string) => boolean;

/**
 * Django's rule: a path is ignored when a pattern matches one of its parts, or the whole of it.
 * https://docs.djangoproject.com/en/stable/ref/contrib/staticfiles/#collectstatic
 */
export function ignorePatterns(patterns: readonly string[]): Ignore {
  if (patterns.length === 0) return () => false;
  // Django normalises patterns as paths: `./a/` is `a`.
  const sources = patterns.map((pattern) => source(posix.normalize(pattern).replace(/\/+$/, '')));
  const matcher = new RegExp(`^(?:${sources.join('|')})$`, 'su');
  return (path) => matcher.test(path) || path.split('/').some((part) => matcher.test(part));
}
