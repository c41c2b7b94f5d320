import { stat } from 'node:fs/promises';
import { CollectError, reason, StaticFilesError, systemCode } from '../errors.js';

/** What went wrong with one file, in a sentence that says what to do. */
export async function collectFault(
  { name, path }: { readonly name: string; readonly path: string },
  cause: unknown,
): Promise<StaticFilesError> {
  if (cause instanceof StaticFilesError) return cause;
  const start = `'${name}' could not be collected from ${path}: ${reason(cause)}.`;
  const hint = await hintFor(systemCode(cause), path);
  return new CollectError(hint === undefined ? start : `${start} ${hint}`, { cause });
}

async function hintFor(code: string | undefined, path: string): Promise<string | undefined> {
  switch (code) {
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
    case 'ENOTEMPTY':
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
      if ((await stat(path).catch(() => undefined)) !== undefined) return undefined;
      return 'The source vanished meanwhile; run collectstatic again.';
    default:
      return undefined;
  }
}
