import { type Problem, SetupError, UnknownNameError } from './errors.js';
import type { Finder, FoundFile, ListOptions } from './finder.js';
import { isFileName } from './manifest.js';
import { normaliseName } from './names.js';
import { didYouMean, nearNames } from './near.js';
import { type Ignore, ignorePatterns } from './patterns.js';

/** All finders as one: the first of them that has a name wins. */
export interface Sources {
  /** Every file of that name, the winner first. */
  find(name: string): FoundFile[];
  /** Every file that is not ignored, shadowed ones too, the winner of a name before them. */
  list(options: ListOptions): AsyncGenerator<FoundFile>;
  /** The folders that are looked in. */
  locations(): string[];
  check(): Problem[];
  /** Whether collecting would find a file of that name. */
  has(name: string): boolean;
  /** @throws {UnknownNameError} where it would find none. */
  require(name: string): void;
}

export function sourcesOf(finders: readonly Finder[], patterns: readonly string[]): Sources {
  const ignored: Ignore = ignorePatterns(patterns);

  function find(name: string): FoundFile[] {
    const safe = normaliseName(name);
    return finders.flatMap((finder, index) => {
      const found = finder.find(safe);
      if (Array.isArray(found)) return found;
      throw misbehaved(
        index,
        'find() must answer an array of { name, path }, and [] where it finds nothing',
      );
    });
  }

  /** Names that look like one that is not there; of finders that must be awaited, none. */
  function near(name: string): string[] {
    const options: ListOptions = { ignore: ignored, warn: () => {} };
    try {
      return nearNames(name, namesOf(finders, options));
    } catch {
      return []; // such as an unreadable folder: the fault to tell is that the name is unknown
    }
  }

  function isCollected({ name, inner = name }: FoundFile): boolean {
    return !ignored(inner);
  }

  return {
    find,
    has: (name) => find(name).some(isCollected),
    async *list(options) {
      for (const [index, finder] of finders.entries()) {
        const files: unknown = finder.list(options);
        if (!isIterable(files)) throw misbehaved(index, 'list() must answer what can be iterated');
        for await (const file of files) yield checkedFile(file, index);
      }
    },
    locations: () => finders.flatMap((finder) => finder.locations?.() ?? []),
    check: () => finders.flatMap((finder) => finder.check?.() ?? []),
    require(name) {
      const found = find(name);
      if (found.some(isCollected)) return;
      if (found.length > 0) {
        throw new UnknownNameError(
          `'${name}' is left out by the setting ignore (${patterns.join(' ')}), and will not be collected.`,
          name,
          [],
        );
      }
      const similar = near(name);
      const places = this.locations();
      const where =
        places.length > 0 ? ` in ${places.join(', ')}` : ': there are no folders to look in';
      throw new UnknownNameError(
        `'${name}' is found by no finder${where}.${didYouMean(similar)}`,
        name,
        similar,
      );
    },
  };
}

function misbehaved(index: number, rule: string): SetupError {
  return new SetupError(`finders[${index}].${rule}.`);
}

function isIterable(value: unknown): value is AsyncIterable<FoundFile> | Iterable<FoundFile> {
  const object = Object(value);
  return Symbol.iterator in object || Symbol.asyncIterator in object;
}

/** A listed file is written under its name, which must be safe and spelled plainly. */
function checkedFile(file: FoundFile, index: number): FoundFile {
  const { name, path } = Object(file);
  if (typeof path === 'string' && isFileName(name)) return file;
  const what = `{ name: ${JSON.stringify(name)}, path: ${JSON.stringify(path)} }`;
  throw misbehaved(
    index,
    `list() yields ${what}; the name must be a plain one, and the path a string`,
  );
}

function* namesOf(finders: readonly Finder[], options: ListOptions): Generator<string> {
  for (const finder of finders) {
    const files = finder.list(options);
    if (!(Symbol.iterator in files)) continue;
    for (const { name } of files) yield name;
  }
}
