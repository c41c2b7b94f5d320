import type { ResolvedSettings } from '../../settings.js';
import { globPattern, HASHED, namesPatterns, patternMatcher } from './patterns.js';

/** Which names browsers may keep for good, in words of a configuration, which knows no manifest. */
export interface Immutable {
  /** Patterns of names that are immutable. */
  readonly patterns: readonly string[];
  /** Patterns of names that match one of them and are not. */
  readonly exceptions: readonly string[];
  /** What whoever reads the configuration should know of it, in lines. */
  readonly notes: readonly string[];
}

/** Names are not hashed: none is. */
export const NOTHING_IMMUTABLE: Immutable = { patterns: [], exceptions: [], notes: [] };

/** So many names that no pattern matches are listed; the others are merely kept for a shorter time. */
const MAX_LISTED = 100;

/**
 * The manifest decides which names are immutable; a configuration goes by their shape. So what the
 * shape gets wrong of the present manifest is listed.
 *
 * @param names the manifest's; `undefined` where there is none yet
 */
export function immutableNames(
  names: ReadonlyMap<string, string> | undefined,
  prehashed: ResolvedSettings['prehashed'],
): Immutable {
  const globs = typeof prehashed === 'function' ? [] : (prehashed ?? []);
  const shapes = [HASHED, ...globs.flatMap((glob) => globPattern(glob) ?? [])];
  const isShaped = patternMatcher(shapes);
  const hashed = new Set(names?.values());
  const missed = [...hashed].filter((name) => !isShaped(name));
  const wrong = [...(names?.keys() ?? [])].filter((name) => isShaped(name) && !hashed.has(name));
  return {
    patterns: [...shapes, ...namesPatterns(missed.slice(0, MAX_LISTED))],
    exceptions: namesPatterns(wrong),
    notes: [
      ...(names === undefined ? NO_MANIFEST : MANIFEST),
      ...listed(missed.length, wrong.length),
    ],
  };
}

const NO_MANIFEST = [
  'There is no manifest yet, which alone says whose names are hashed: print this again after the',
  'first collectstatic.',
];

const MANIFEST = [
  'Hashed names are known by their shape, and the manifest says where that is wrong: print this again',
  'after each collectstatic, and reload the server where it has changed.',
];

function listed(missed: number, wrong: number): string[] {
  if (missed + wrong === 0) return [];
  const cut = missed > MAX_LISTED;
  const some = cut ? `${MAX_LISTED} of ${missed}` : String(missed);
  const look = wrong === 1 ? 'looks' : 'look';
  return [
    `Listed by name: ${some} with a hash of another shape, ${wrong} that only ${look} hashed.`,
    ...(cut
      ? ['The others are kept for a short time only: say by globs in prehashed what they are.']
      : []),
  ];
}
