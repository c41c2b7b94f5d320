import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A folder's path among the system's temporary files; whoever writes there first makes it. */
export interface TemporaryFolder {
  readonly path: string;
  /** Removes it with what is in it. */
  remove(): void;
}

/** By which people and machines end a process. */
const SIGNALS: readonly NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** A folder of its own, which is gone when the process ends, also where a signal ends it. */
export function temporaryFolder(): TemporaryFolder {
  const path = join(tmpdir(), `staticfiles-${crypto.randomUUID()}`);
  const wipe = () => rmSync(path, { recursive: true, force: true, maxRetries: 3 });
  const end = (signal: NodeJS.Signals) => {
    if (process.listenerCount(signal) > 1) return; // somebody else decides what becomes of the process
    remove();
    process.kill(process.pid, signal); // now that nobody listens, it does what it always does
  };

  function remove(): void {
    for (const signal of SIGNALS) process.off(signal, end);
    process.off('exit', wipe);
    wipe();
  }

  for (const signal of SIGNALS) process.on(signal, end);
  process.on('exit', wipe);
  return { path, remove };
}
