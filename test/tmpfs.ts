import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmdirSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';

const mounted = new Set<string>();
// A test that is stopped leaves nothing mounted either.
process.on('exit', () => mounted.forEach(unmount));

/** Whether tests may mount file systems of their own; `tmpfs.why` goes into the title where not. */
export const tmpfs = mayMount()
  ? { allowed: true, why: '' }
  : { allowed: false, why: ' (skipped: only root on Linux may mount a small file system)' };

/** Mounts an empty file system in memory at a folder, until the test ends. */
export function mount(folder: string, options = 'size=4m'): void {
  mkdirSync(folder, { recursive: true });
  execFileSync('mount', ['-t', 'tmpfs', '-o', options, 'tmpfs', folder], { stdio: 'pipe' });
  mounted.add(folder);
  onTestFinished(() => unmount(folder));
}

/** Changes what it was mounted with, such as its size. */
export function remount(folder: string, options: string): void {
  execFileSync('mount', ['-o', `remount,${options}`, folder], { stdio: 'pipe' });
}

export function unmount(folder: string): void {
  // At once for those who look, and in truth when nobody has a file open there any more.
  if (mounted.delete(folder)) execFileSync('umount', ['--lazy', folder], { stdio: 'pipe' });
}

/** Writes a file that leaves `free` pages of 4 KB to others. */
export function fill(file: string, folder: string, free: number): void {
  const { bavail, bsize } = statfsSync(folder);
  writeFileSync(file, new Uint8Array(Math.max(bavail * bsize - free * 4096, 0)));
}

function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const folder = mkdtempSync(join(tmpdir(), 'staticfiles-mount-'));
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', folder], { stdio: 'ignore' });
    execFileSync('umount', [folder], { stdio: 'ignore' });
    return true;
  } catch {
    return false; // root of a container that may not
  } finally {
    rmdirSync(folder);
  }
}
