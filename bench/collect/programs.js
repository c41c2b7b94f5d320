import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratch, settle } from './processes.js';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const BIN = here('../../dist/src/cli/bin.js');
const PACKAGE = new URL('../../dist/src/index.js', import.meta.url);

export const target = join(scratch, 'collected');

/** A contender that collects into an empty folder, the sources being in memory. */
export function cold(source, command) {
  return {
    before() {
      rmSync(target, { recursive: true, force: true });
      mkdirSync(target);
      settle(source);
    },
    command: () => command(source),
  };
}

/** Our own command with hashed names; dot files are taken too, as `cp` takes them. */
export function ours(source, settings = {}) {
  const config = join(scratch, 'staticfiles.config.mjs');
  const options = JSON.stringify({ staticRoot: target, dirs: [source], ignore: [], ...settings });
  writeFileSync(
    config,
    `import { hashedStorage } from '${PACKAGE}';\nexport default { ...${options}, storage: hashedStorage() };\n`,
  );
  return { args: [BIN, 'collectstatic', '--no-input', '-v', '0', '--config', config] };
}

export function cp(source) {
  return { program: 'cp', args: ['-r', `${source}/.`, target] };
}

export function bareCopy(mode) {
  return (source) => ({ args: [here('bare/copy.js'), mode, source, target] });
}

export function bareWalk(source) {
  return { args: [here('bare/walk.js'), source, target] };
}

export function bareCompress(source) {
  return { args: [here('bare/compress.js'), source] };
}

/** Real Django with its manifest storage, which leaves dot files out. */
export function django(source) {
  return {
    program: process.env.PYTHON ?? '/usr/bin/python3',
    args: ['-m', 'django', 'collectstatic', '--noinput', '-v', '0'],
    env: {
      PYTHONPATH: here('.'),
      PYTHONDONTWRITEBYTECODE: '1',
      DJANGO_SETTINGS_MODULE: 'django_settings',
      BENCH_SOURCE: source,
      BENCH_TARGET: target,
    },
  };
}
