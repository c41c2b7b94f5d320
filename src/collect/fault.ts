import { existsSync } from 'node:fs';
import { CollectError, reason, StaticFilesError, sentence, systemCode } from '../errors.js';

/** A source that was hashed, and is another one now. */
export function changedMeanwhile(): Error {
  return new Error(
    'it changed while files were collected; run collectstatic again when it is whole',
  );
}

/** What went wrong with one file, in a sentence that says what to do. */
export function collectFault(
  { name, path }: { readonly name: string; readonly path: string },
  cause: unknown,
): StaticFilesError {
  return faultOf(`'${name}' could not be collected from ${path}`, cause, path);
}

/**
 * What went wrong, with what to do.
 *
 * @param source the path of the file that was to be read; none where one was written only
 */
export function faultOf(what: string, cause: unknown, source?: string): StaticFilesError {
  if (cause instanceof StaticFilesError) return cause;
  const hint = hintFor(systemCode(cause), source);
  const start = sentence(`${what}: ${reason(cause)}`);
  return new CollectError(hint === undefined ? start : `${start} ${hint}`, { cause });
}

function hintFor(code: string | undefined, source: string | undefined): string | undefined {
  switch (code) {
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
      if (source === undefined) return undefined;
      return "A folder stands in a file's place, or a file in a folder's; --clear removes it.";
    case 'EACCES':
    case 'EPERM':
      return 'This user has no right to do that.';
    case 'EROFS':
      return 'The file system is mounted for reading only.';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'The disk is full; what was published before is still there.';
    case 'ENAMETOOLONG':
      return 'With its hash, the name is longer than the file system takes: give the file a shorter one.';
    case 'ENOENT':
      if (source === undefined || existsSync(source)) return undefined;
      return 'The source vanished meanwhile; run collectstatic again.';
    default:
      return undefined;
  }
}
