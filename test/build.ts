import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Compiles the package before the tests, so that none of them speaks of an older state. */
export function setup(): void {
  const cwd = fileURLToPath(new URL('..', import.meta.url));
  const run = (...args: string[]) =>
    execFileSync(process.execPath, args, { cwd, stdio: 'inherit' });
  run('node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json');
  run('node_modules/rolldown/bin/cli.mjs', '--config');
}
