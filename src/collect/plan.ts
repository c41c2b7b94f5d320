import { CollectError } from '../errors.js';
import type { FoundFile } from '../finder.js';
import { ignorePatterns } from '../patterns.js';
import type { Sources } from '../sources.js';

/** A file that is not collected, because another of its name was found before it. */
export interface ShadowedFile {
  readonly name: string;
  readonly path: string;
  /** The path of the file that wins. */
  readonly winner: string;
}

/** What there is to collect. */
export interface Plan {
  /** The winning file of each name. */
  readonly files: ReadonlyMap<string, FoundFile>;
  readonly shadowed: readonly ShadowedFile[];
  readonly warnings: readonly string[];
}

/**
 * Asks the finders for everything. Nothing is written yet, so a fault here costs nobody anything.
 *
 * @param onFile hears of each file, how many there are by now
 */
export async function planFiles(
  sources: Sources,
  ignore: readonly string[],
  destination: string | undefined,
  onFile: (count: number) => void = () => {},
): Promise<Plan> {
  const files = new Map<string, FoundFile>();
  const shadowed: ShadowedFile[] = [];
  const warnings: string[] = [];
  const warn = (message: string) => void warnings.push(message);
  for await (const file of sources.list({
    ignore: ignorePatterns(ignore),
    warn,
    destination,
  })) {
    const winner = files.get(file.name);
    if (winner === undefined) {
      files.set(file.name, file);
      onFile(files.size);
    } else if (winner.path !== file.path) {
      shadowed.push({ name: file.name, path: file.path, winner: winner.path });
    }
  }
  const folders = new Set<string>();
  for (const [name, { path }] of files) {
    assertNoFileAbove(files, name, path, folders);
  }
  return { files, shadowed, warnings };
}

/** What is doubtful about names, where no manifest tells a name from one with a suffix. */
export function doubtfulNames(names: Iterable<string>): string[] {
  return [...names]
    .filter((name) => /[?#]/.test(name))
    .map(
      (name) =>
        `The name '${name}' holds '?' or '#': with a plain storage, templates cannot tell it from a suffix.`,
    );
}

/** One source's file `a` and another's `a/b` cannot stand in one tree. */
function assertNoFileAbove(
  files: ReadonlyMap<string, FoundFile>,
  name: string,
  path: string,
  folders: Set<string>,
): void {
  for (let slash = name.lastIndexOf('/'); slash > 0; slash = name.lastIndexOf('/', slash - 1)) {
    const folder = name.slice(0, slash);
    if (folders.has(folder)) return;
    folders.add(folder);
    const above = files.get(folder);
    if (above === undefined) continue;
    throw new CollectError(
      `'${above.name}' is a file in ${above.path} and a folder in ${path}. Rename one of them, or ignore it.`,
    );
  }
}
