import type { Storage, StorageContext } from './storage.js';

/**
 * A storage that the settings complete. Whoever has spread it into a storage of their own,
 * `{ ...s3Storage(options), url }`, keeps what they have put in the place of its members.
 */
export function attachable<S extends Storage>(
  storage: S,
  complete: (context: StorageContext) => S,
): S & Required<Pick<Storage, 'attach'>> {
  const original = {
    ...storage,
    attach(this: S | undefined, context: StorageContext): S {
      return withReplacements(complete(context), original, this ?? original);
    },
  };
  return original;
}

/** What is another member of `given` than of `original`, or none, is as there. */
function withReplacements<S extends Storage>(completed: S, original: S, given: S): S {
  const keys = new Set([...Object.keys(original), ...Object.keys(given)]) as Set<keyof S>;
  const replaced = new Set([...keys].filter((key) => given[key] !== original[key]));
  if (replaced.size === 0) return completed;
  const entries = [...replaced].map((key) => [key, given[key]]);
  // Files would go there past the one that is to write them.
  const past = Object.entries(PAST)
    .filter(([key, by]) => !replaced.has(key as keyof S) && by.some((one) => replaced.has(one)))
    .map(([key]) => [key, undefined]);
  return { ...completed, ...Object.fromEntries([...entries, ...past]) };
}

/** What may be called in the place of others, to put a file there. */
const PAST = { writeFile: ['write'], direct: ['write', 'writeFile'] } as const;
