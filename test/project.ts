import { mkdirSync, mkdtempSync, realpathSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { onTestFinished } from 'vitest';

/** A folder with these files, `path: content`, that is gone when the test ends. Answers its path. */
export function project(files: Readonly<Record<string, string | Uint8Array>>): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'staticfiles-')));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  add(root, files);
  return root;
}

/** Adds files to a folder. */
export function add(root: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    writeFileSync(target, content);
  }
}

/** The same, each file in one step: who watches it, sees none of them half, whatever keeps us from writing. */
export function replace(root: string, files: Readonly<Record<string, string | Uint8Array>>): void {
  for (const [path, content] of Object.entries(files)) {
    const target = join(root, path);
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(project({ file: content }), 'file'), target);
  }
}
