import { type Problem, SettingsError } from '../errors.js';
import { createStaticFiles } from '../static-files.js';
import { type Call, type Command, UsageError } from './command.js';

export const checkCommand: Command = {
  name: 'check',
  summary: 'Look for mistakes in the settings and in the folders that they name.',
  operands: '',
  about: `Checks the settings, the folders and the files in them: Django's checks staticfiles.E001 to
E003 and W004, and others. Changes nothing. Ends with status 1 where it finds an error.`,
  options: {
    'fail-level': {
      type: 'string',
      value: 'LEVEL',
      help: 'The level from which a problem makes the status 1: ERROR, as is the default, or WARNING.',
    },
  },
  examples: ['staticfiles check', 'staticfiles check --fail-level WARNING'],
  run,
};

async function run(call: Call): Promise<number> {
  const failLevel = (call.value('fail-level') ?? 'ERROR').toLowerCase();
  if (failLevel !== 'error' && failLevel !== 'warning') {
    throw new UsageError(`--fail-level is ERROR or WARNING, not '${call.value('fail-level')}'.`);
  }
  if (call.operands.length > 0) throw new UsageError('check takes options only.');
  const problems = await findProblems(call);
  if (call.json) call.io.out(`${JSON.stringify({ problems })}\n`);
  else print(problems, call);
  const fails = problems.some(({ level }) => level === 'error' || level === failLevel);
  return fails ? 1 : 0;
}

async function findProblems(call: Call): Promise<readonly Problem[]> {
  try {
    return await createStaticFiles(await call.settings()).check();
  } catch (error) {
    // Settings that cannot be used are what this command is there to tell.
    if (error instanceof SettingsError) return error.problems;
    throw error;
  }
}

function print(problems: readonly Problem[], { io, verbosity }: Call): void {
  const count = problems.length;
  if (count === 0) {
    if (verbosity >= 1) io.out('System check identified no issues.\n');
    return;
  }
  const levels = [
    ['ERRORS', problems.filter(({ level }) => level === 'error')],
    ['WARNINGS', problems.filter(({ level }) => level === 'warning')],
  ] as const;
  const blocks = levels
    .filter(([, some]) => some.length > 0)
    .map(([title, some]) => [`${title}:`, ...some.map(line)].join('\n'));
  const summary = `System check identified ${count} issue${count === 1 ? '' : 's'}.`;
  io.err(`${['System check identified some issues:', ...blocks, summary].join('\n\n')}\n`);
}

function line({ id, message, hint }: Problem): string {
  return `(${id}) ${message}${hint ? `\n\tHINT: ${hint}` : ''}`;
}
