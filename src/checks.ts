import { realpathSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { PeerError, type Problem, SetupError, systemCode } from './errors.js';
import { isInside } from './names.js';
import { ignorePatterns } from './patterns.js';
import type { ResolvedSettings } from './settings.js';
import type { Sources } from './sources.js';
import type { Storage } from './storage.js';

/** How many files of one kind of problem are named one by one. */
const NAMED = 20;

/**
 * Everything that is wrong or doubtful with where settings point: what can be seen on this machine.
 * Faults in the settings themselves have stopped `createStaticFiles()` before.
 * https://docs.djangoproject.com/en/stable/ref/checks/#staticfiles
 */
export async function checkStaticFiles(
  settings: ResolvedSettings,
  sources: Sources,
  destination: string | undefined,
  storage: Storage,
): Promise<Problem[]> {
  const problems: Problem[] = [];
  try {
    problems.push(...checkFolders(settings, sources, destination));
    problems.push(...(await checkStorage(storage)));
    if (problems.some(({ level }) => level === 'error')) return problems;
    problems.push(...(await checkSourceFiles(settings, sources)));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    problems.push({ id: 'staticfiles.E113', level: 'error', message: error.message });
  }
  return problems;
}

async function checkStorage(storage: Storage): Promise<readonly Problem[]> {
  try {
    return (await storage.check?.()) ?? [];
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return [{ id: 'staticfiles.E111', level: 'error', message: error.message }];
  }
}

/**
 * What can be seen without listing the files; collecting stops at its errors.
 *
 * @param destination the folder that is collected into; `undefined`: it is not on this machine
 */
export function checkFolders(
  settings: ResolvedSettings,
  sources: Sources,
  destination: string | undefined,
): Problem[] {
  const problems = [...sources.check(), ...checkRootFiles(settings)];
  if (settings.debug && process.env.NODE_ENV === 'production') {
    problems.push({
      id: 'staticfiles.W103',
      level: 'warning',
      message: 'debug is true while NODE_ENV is production.',
      hint: 'Leave debug out; then NODE_ENV decides.',
    });
  }
  if (problems.some(({ level }) => level === 'error')) return problems;
  if (destination === undefined) return problems;
  return [...problems, ...rootAmongSources(destination, settings, sources)];
}

function checkRootFiles({ rootFiles }: ResolvedSettings): Problem[] {
  if (rootFiles === undefined) return [];
  if (statSync(rootFiles, { throwIfNoEntry: false })?.isDirectory()) return [];
  return [
    {
      id: 'staticfiles.W106',
      level: 'warning',
      message: `rootFiles is no folder: '${rootFiles}'.`,
      hint: "Make it, with the files of the site's root in it, or leave the setting out.",
    },
  ];
}

/** What is collected into a source is collected again; what lies in the static root, falls to --clear. */
function rootAmongSources(
  destination: string,
  { mediaRoot }: ResolvedSettings,
  sources: Sources,
): Problem[] {
  const root = realPath(destination);
  const problem = (message: string, hint: string): Problem[] => [
    { id: 'staticfiles.E112', level: 'error', message, hint },
  ];
  const problems = sources.locations().flatMap((dir) => {
    const hint = `Choose a folder that holds nothing else, such as ${join(dirname(dir), 'collected')}.`;
    if (isInside(root, realPath(dir))) {
      const message = `The static root (${destination}) lies in the source folder ${dir}: collecting would collect its own files.`;
      return problem(message, hint);
    }
    if (!isInside(realPath(dir), root)) return [];
    const message = `The source folder ${dir} lies in the static root (${destination}): collectstatic --clear would delete it.`;
    return problem(message, hint);
  });
  if (mediaRoot === undefined || !isInside(realPath(mediaRoot), root)) return problems;
  const message = `mediaRoot (${mediaRoot}) lies in the static root (${destination}): collectstatic --clear would delete the uploads.`;
  return [...problems, ...problem(message, 'Give each of them a folder of its own.')];
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
