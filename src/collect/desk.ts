import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { systemCode } from '../errors.js';
import { PARTIAL, STATE_FOLDER } from '../names.js';
import { faultOf } from './fault.js';
import { type Lock, takeLock } from './lock.js';
import { temporaryFolder } from './temporary.js';

/**
 * Where a run keeps what it needs, and what it remembers: `.staticfiles/` under the static root. For a
 * storage elsewhere nothing is remembered, and what is to be sent waits in the system's folder for
 * temporary files.
 */
export interface Desk {
  /** A folder of this run's own for files that are being written; gone when it closes. */
  readonly scratchFolder: string;
  knows(file: string): boolean;
  /** What was kept under that name; `undefined` where nothing was. */
  recall(file: string): string | undefined;
  /** Keeps a text, handed over in parts, under that name. */
  remember(file: string, parts: Iterable<string>): void;
  /** @throws {CollectError} where another run has taken over. */
  assertOwn(): void;
  close(): void;
}

const SCRATCH = 'scratch-';
const LOCK = 'lock';

/** Whether a name of the storage belongs to what runs keep for themselves. */
export function isOwn(name: string): boolean {
  return name.startsWith(`${STATE_FOLDER}/`);
}

/**
 * Opens the desk, which one run has at a time; others wait. A dry run only reads from it.
 *
 * @param root `undefined`: the files are elsewhere, and nothing is remembered
 */
export async function openDesk(
  root: string | undefined,
  dryRun: boolean,
  onWait: (message: string) => void,
): Promise<Desk> {
  const folder = root === undefined ? undefined : join(root, STATE_FOLDER);
  const isNew = root !== undefined && !existsSync(root);
  const lock = folder === undefined || dryRun ? undefined : await lockIn(folder, onWait);
  const temporary = folder === undefined ? temporaryFolder() : undefined;
  const scratchFolder = temporary?.path ?? join(folder ?? '', SCRATCH + crypto.randomUUID());
  return {
    scratchFolder,
    knows: (file) => folder !== undefined && existsSync(join(folder, file)),
    recall: (file) => (folder === undefined ? undefined : textOf(join(folder, file))),
    remember(file, parts) {
      if (lock === undefined || folder === undefined) return;
      const path = join(folder, file);
      try {
        writeWhole(join(folder, SCRATCH + crypto.randomUUID()), path, parts);
      } catch (cause) {
        throw faultOf(`What is known of the files could not be kept in ${path}`, cause);
      }
    },
    assertOwn: () => lock?.assertHeld(),
    close() {
      temporary?.remove();
      if (lock === undefined || folder === undefined) return;
      attempt(() => rmSync(scratchFolder, { recursive: true, force: true })); // the next run will
      lock.release();
      // They hold something, as they should after collecting.
      attempt(() => rmdirSync(folder));
      if (isNew) attempt(() => rmdirSync(root as string));
    },
  };
}

async function lockIn(folder: string, onWait: (message: string) => void): Promise<Lock> {
  const root = dirname(folder);
  try {
    const lock = await takeLock(join(folder, LOCK), (holder) =>
      onWait(
        `Another collectstatic is at work here (${holder}); waiting for its end. If there is none, delete ${join(folder, LOCK)}.`,
      ),
    );
    try {
      sweep(folder);
      if (lock.inherited) sweepPartials(root);
      return lock;
    } catch (error) {
      lock.release();
      throw error;
    }
  } catch (cause) {
    throw faultOf(`Files cannot be collected into ${root}`, cause);
  }
}

function writeWhole(partial: string, path: string, parts: Iterable<string>): void {
  const open = openSync(partial, 'wx');
  try {
    for (const part of parts) writeFileSync(open, part); // all of it, or it throws
  } finally {
    closeSync(open);
  }
  renameSync(partial, path);
}

/** What runs that were killed have left; nobody else has the lock. */
function sweep(folder: string): void {
  for (const entry of readdirSync(folder)) {
    if (!entry.startsWith(SCRATCH) && !entry.startsWith(`${LOCK}-`)) continue;
    rmSync(join(folder, entry), { recursive: true, force: true });
  }
}

/** What they have left beside the places of files. */
function sweepPartials(root: string): void {
  for (const { name, parentPath } of readdirSync(root, { recursive: true, withFileTypes: true })) {
    if (name.startsWith(PARTIAL)) rmSync(join(parentPath, name), { force: true });
  }
}

/** Does what is no fault where it fails. */
function attempt(call: () => void): void {
  try {
    call();
  } catch {
    // The caller says why.
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return undefined;
    throw error;
  }
}
