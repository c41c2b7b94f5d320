import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { systemCode } from '../errors.js';
import { STATE_FOLDER } from '../names.js';
import { faultOf } from './fault.js';
import { takeLock } from './lock.js';

/** Where a run keeps what it needs, and what it remembers: `.staticfiles/` under the static root. */
export interface Desk {
  /** A folder of this run's own for files that are being written; gone when it closes. */
  readonly scratchFolder: string;
  /** What was kept under that name; `undefined` where nothing was. */
  recall(file: string): string | undefined;
  /** Keeps a text, handed over in parts, under that name. */
  remember(file: string, parts: Iterable<string>): void;
  /** @throws {CollectError} where another run has taken over. */
  assertOwn(): void;
  close(): void;
}

const SCRATCH = 'scratch-';

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
  const lock = folder === undefined || dryRun ? undefined : await lockIn(folder, onWait);
  const scratchFolder = join(folder ?? '', SCRATCH + crypto.randomUUID());
  if (lock !== undefined) sweep(folder as string);
  return {
    scratchFolder,
    recall: (file) => (folder === undefined ? undefined : textOf(join(folder, file))),
    remember(file, parts) {
      if (lock === undefined || folder === undefined) return;
      const partial = join(folder, SCRATCH + crypto.randomUUID());
      const open = openSync(partial, 'wx');
      try {
        for (const part of parts) writeSync(open, part);
      } finally {
        closeSync(open);
      }
      renameSync(partial, join(folder, file));
    },
    assertOwn: () => lock?.assertHeld(),
    close() {
      if (lock === undefined || folder === undefined) return;
      rmSync(scratchFolder, { recursive: true, force: true });
      lock.release();
      try {
        rmdirSync(folder);
      } catch {
        // It holds something, as it should after hashing.
      }
    },
  };
}

async function lockIn(folder: string, onWait: (message: string) => void) {
  try {
    mkdirSync(folder, { recursive: true });
    return await takeLock(join(folder, 'lock'), (holder) =>
      onWait(`Another collectstatic is at work here (${holder}); waiting for its end.`),
    );
  } catch (cause) {
    throw await faultOf(`Files cannot be collected into ${join(folder, '..')}`, cause);
  }
}

/** What runs that were killed have left; nobody else has the lock. */
function sweep(folder: string): void {
  for (const entry of readdirSync(folder)) {
    if (entry.startsWith(SCRATCH)) rmSync(join(folder, entry), { recursive: true, force: true });
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
