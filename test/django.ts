import { execFileSync } from 'node:child_process';

/** The system's Python, which Debian's python3-django belongs to. */
const python = process.env.PYTHON ?? '/usr/bin/python3';

function findDjango(): string | undefined {
  try {
    return execFileSync(python, ['-c', 'import django; print(django.__version__)'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return undefined; // tests that need it say so themselves
  }
}

const version = findDjango();

/** Real Django, where it is installed; `why` goes into the title of a test that is skipped without. */
export const django = {
  python,
  version,
  installed: version !== undefined,
  why: version === undefined ? ' (skipped: no Django here; sh test/setup.sh installs it)' : '',
};
