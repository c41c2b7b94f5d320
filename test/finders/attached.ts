import type { Finder, FoundFile } from '../../src/finder.js';
import { ignorePatterns } from '../../src/patterns.js';
import { resolveSettings } from '../../src/resolve-settings.js';
import type { Settings } from '../../src/settings.js';

/** The finder as a project of these settings has it. */
export function attached(finder: Finder, settings: Settings): Finder {
  return finder.attach?.(resolveSettings(settings)) ?? finder;
}

/** Every file that the finder lists; what it warns of goes into `warnings`. */
export async function listed(
  finder: Finder,
  patterns: readonly string[] = [],
  warnings: string[] = [],
): Promise<FoundFile[]> {
  const files: FoundFile[] = [];
  const warn = (message: string) => void warnings.push(message);
  for await (const file of finder.list({ ignore: ignorePatterns(patterns), warn })) {
    files.push(file);
  }
  return files;
}

/** The names of {@link listed}, in the order of the finder. */
export async function listedNames(finder: Finder, patterns?: readonly string[]): Promise<string[]> {
  return (await listed(finder, patterns)).map(({ name }) => name);
}
