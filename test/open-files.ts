import { existsSync, readdirSync, readlinkSync } from 'node:fs';

/** Whether this system tells which files a process has open. */
export const TELLS_OPEN_FILES = existsSync('/proc/self/fd');

/** The files below a folder that this process has open; none where the system does not tell. */
export function openFiles(folder: string): string[] {
  if (!TELLS_OPEN_FILES) return [];
  return readdirSync('/proc/self/fd').flatMap((descriptor) => {
    const path = linkOf(`/proc/self/fd/${descriptor}`);
    return path.startsWith(`${folder}/`) ? [path] : [];
  });
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return ''; // it was closed meanwhile, as the one for the folder itself was
  }
}
