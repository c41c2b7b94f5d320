import type { Desk } from './desk.js';
import type { Run } from './run.js';
import { type Workforce, workforce } from './workforce.js';

/** A thread starts in the time in which so many small files are read and written. */
export const FILES_A_THREAD = 400;

/**
 * The workforce of a run, on so many of its threads.
 *
 * @param root the folder of the collected files; `undefined` where the storage is elsewhere
 */
export function crewOf(
  { storage, options, threads }: Run,
  { scratchFolder }: Desk,
  root: string | undefined,
  count: number,
): Workforce {
  const { dryRun = false, link = false, clear = false } = options;
  const work = {
    root,
    dryRun,
    permissions: storage.direct ?? { fileMode: 0o644, directoryMode: undefined },
    link,
    clear,
  };
  return workforce(work, scratchFolder, threads, count);
}
