import { createRequire } from 'node:module';
import { reason, SetupError } from './errors.js';

type Picomatch = typeof import('picomatch');
let picomatch: Picomatch | undefined;

const OPTIONS = {
  dot: true,
  nonegate: true,
  // Otherwise `[!a]` is `!` or `a`.
  posix: true,
  // Names have the same form on every system.
  windows: false,
  // A name may hold a line break.
  flags: 's',
  // What is no regular expression in the end would match nothing, and nobody would know.
  debug: true,
};

/** Whether a value may be a glob: a text, and none of what is not meant (`!a.css`, not `!(a).css`). */
export function isGlob(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !/^!(?!\()/.test(value);
}

/**
 * Whether one of the globs matches a name: `*`, `**`, `?`, `[a-z]`, `{a,b}`, `@(a|b)`. Dot files are
 * files like others, and case matters on every system. A glob without a slash is matched against the
 * last part of the name, any other against the whole; `/favicon.ico` is the one of no folder.
 *
 * @throws {SetupError} for a glob that can be none.
 */
export function globMatcher(globs: readonly string[]): (name: string) => boolean {
  const matchers = globs.map(matcher);
  return (name) => matchers.some((matches) => matches(name));
}

function matcher(glob: string): (name: string) => boolean {
  // Only collecting matches globs, and CommonJS brings a loader with it: both would cost every start.
  picomatch ??= createRequire(import.meta.url)('picomatch') as Picomatch;
  // With this option the package matches every glob against the last part, also `css/*.css`.
  const basename = !glob.includes('/');
  try {
    return picomatch(glob.replace(/^\//, ''), { ...OPTIONS, basename });
  } catch (error) {
    throw new SetupError(`'${glob}' is no glob: ${reason(error)}`, { cause: error });
  }
}
