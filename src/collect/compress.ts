import { CODINGS, type Coding, SUFFIXES } from '../codings.js';
import { isCompressible } from '../media-types.js';
import { crewOf } from './crew.js';
import type { Desk } from './desk.js';
import { collectFault } from './fault.js';
import type { Run } from './run.js';
import { TaskError } from './workforce.js';
import type { Compressed, Content } from './workshop.js';

/** A content in the storage that may be worth compressing. */
export interface Original {
  /** The names that have it; its compressed forms go beside each. */
  readonly names: readonly string[];
  /** Changes with the content. */
  readonly key: string;
  /** In bytes. */
  readonly size: number;
}

/** The sizes of a content's compressed forms in bytes, by coding; 0: not worth its place. */
export type Sizes = Readonly<Partial<Record<Coding, number>>>;

/** A thread starts in the time in which so many bytes are compressed. */
const BYTES_A_THREAD = 20_000;

/** Whether it may get smaller. */
export function isWorthTrying({ names, size }: Pick<Original, 'names' | 'size'>): boolean {
  return size > 0 && isCompressible(names[0] ?? '');
}

/** A content to compress. */
export interface Job extends Content {
  readonly size: number;
}

/** Has the jobs done, the largest first, so that no thread ends long after the others. */
export async function compressAll(
  run: Run,
  desk: Desk,
  root: string | undefined,
  jobs: Job[],
  done: (job: Content, result: Compressed) => void,
): Promise<void> {
  if (jobs.length === 0) return;
  jobs.sort((a, b) => b.size - a.size);
  const total = jobs.reduce((sum, { size }) => sum + size, 0);
  const threads = Math.min(run.threads.countFor(total / BYTES_A_THREAD), jobs.length);
  const force = crewOf(run, desk, root, threads);
  let count = 0;
  let bytes = 0;
  try {
    await force.each('compress', jobs, orderOf, (job, result) => {
      count++;
      bytes += job.size;
      run.tell({ type: 'progress', stage: 'compressing', done: count, total: jobs.length, bytes });
      done(job, result);
    });
  } catch (error) {
    if (!(error instanceof TaskError)) throw error;
    const [name = ''] = (error.item as Content).names;
    throw collectFault({ name, path: run.storage.path?.(name) ?? name }, error);
  } finally {
    await force.close();
  }
}

const orderOf = ({ names, codings, from }: Job): Content => ({ names, codings, from });

/**
 * The codings of a content; in one order, whatever the settings': the manifest has them so. Without
 * those whose place a source takes: `x.css.br` may be a file or a folder of its own; and
 * without those for which the name is too long.
 */
export function codingsOf(
  codings: readonly Coding[],
  isTaken: (name: string) => boolean,
): (names: readonly string[]) => Coding[] {
  const wanted = CODINGS.filter((coding) => codings.includes(coding));
  return (names) =>
    wanted.filter((coding) =>
      names.every((name) => fits(name + SUFFIXES[coding]) && !isTaken(name + SUFFIXES[coding])),
    );
}

/** Whether the last part is as short as nearly all file systems want it: at most 255 bytes. */
function fits(name: string): boolean {
  return name.length < 80 || Buffer.byteLength(name.slice(name.lastIndexOf('/') + 1)) <= 255;
}

/** Whether a source takes the place of a name, as a file or as a folder. */
export function takenBy(files: Run['files']): (name: string) => boolean {
  const folders = new Set<string>();
  for (const name of files.keys()) {
    for (const { 0: end, index } of name.matchAll(FORM_FOLDER)) {
      folders.add(name.slice(0, index + end.length));
    }
  }
  return (name) => files.has(name) || folders.has(name);
}

/** The end of a folder's name that is one of a compressed form. */
const FORM_FOLDER = /\.(?:br|gz|zst)(?=\/)/g;
