import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Compiles the package before the tests, so that none of them speaks of an older state. */
export function setup(): void {
  execFileSync('npx', ['--no-install', 'tsc', '-p', 'tsconfig.build.json'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: 'inherit',
    shell: process.platform === 'win32',
  });
}
