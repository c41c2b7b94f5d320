import { realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { type Problem, SetupError, systemCode } from './errors.js';
import { isInside } from './names.js';
import { ignorePatterns } from './patterns.js';
import type { ResolvedSettings } from './settings.js';
import type { Sources } from './sources.js';

/** How many files of one kind of problem are named one by one. */
const NAMED = 20;

/**
 * Everything that is wrong or doubtful with where settings point: what can be seen on the disk.
 * Faults in the settings themselves have stopped `createStaticFiles()` before.
 * https://docs.djangoproject.com/en/stable/ref/checks/#staticfiles
 */
export async function checkStaticFiles(
  settings: ResolvedSettings,
  sources: Sources,
): Promise<Problem[]> {
  const problems = checkFolders(settings, sources);
  if (problems.some(({ level }) => level === 'error')) return problems;
  try {
    return [...problems, ...(await checkSourceFiles(settings, sources))];
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    return [...problems, { id: 'staticfiles.E113', level: 'error', message: error.message }];
  }
}

/** What can be seen without listing the files; collecting stops at its errors. */
export function checkFolders(settings: ResolvedSettings, sources: Sources): Problem[] {
  const problems = sources.check();
  if (settings.debug && process.env.NODE_ENV === 'production') {
    problems.push({
      id: 'staticfiles.W103',
      level: 'warning',
      message: 'debug is true while NODE_ENV is production.',
      hint: 'Leave debug out; then NODE_ENV decides.',
    });
  }
  if (problems.some(({ level }) => level === 'error')) return problems;
  return [...problems, ...rootAmongSources(settings, sources)];
}

/** A static root inside a source is collected into itself; a source inside it falls to --clear. */
function rootAmongSources({ staticRoot }: ResolvedSettings, sources: Sources): Problem[] {
  if (staticRoot === undefined) return [];
  const root = realPath(staticRoot);
  return sources.locations().flatMap((dir): Problem[] => {
    const clash = isInside(root, realPath(dir))
      ? `staticRoot (${staticRoot}) lies in the source folder ${dir}: collecting would collect its own files.`
      : isInside(realPath(dir), root)
        ? `The source folder ${dir} lies in staticRoot (${staticRoot}): collectstatic --clear would delete it.`
        : undefined;
    const hint = `Choose a folder that holds nothing else, such as ${dirname(dir)}/collected.`;
    return clash ? [{ id: 'staticfiles.E112', level: 'error', message: clash, hint }] : [];
  });
}

/** The path with its links followed, as far as it is there. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT' || path === dirname(path)) return path;
    return join(realPath(dirname(path)), basename(path));
  }
}

async function checkSourceFiles(settings: ResolvedSettings, sources: Sources): Promise<Problem[]> {
  const problems: Problem[] = [];
  const winners = new Map<string, string>();
  let shadowed = 0;
  const warn = (message: string) => {
    problems.push({ id: 'staticfiles.W104', level: 'warning', message });
  };
  for await (const { name, path } of sources.list({
    ignore: ignorePatterns(settings.ignore),
    warn,
  })) {
    const winner = winners.get(name);
    if (winner === undefined) winners.set(name, path);
    else if (winner !== path && ++shadowed <= NAMED) {
      problems.push({
        id: 'staticfiles.W105',
        level: 'warning',
        message: `'${name}' is shadowed: ${winner} wins over ${path}.`,
        hint: 'Put the files of each application into a folder of its name: static/my_app/….',
      });
    }
  }
  if (shadowed > NAMED) {
    const message = `${shadowed - NAMED} more files are shadowed.`;
    problems.push({ id: 'staticfiles.W105', level: 'warning', message });
  }
  return problems;
}
