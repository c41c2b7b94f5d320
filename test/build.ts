import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Compiles the package before the tests, so that none of them speaks of an older state. */
export function setup(): void {
  const compiler = fileURLToPath(new URL('../node_modules/typescript/bin/tsc', import.meta.url));
  execFileSync(process.execPath, [compiler, '-p', 'tsconfig.build.json'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    stdio: 'inherit',
  });
}
