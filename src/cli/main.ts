import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { reason, SettingsError, StaticFilesError, systemCode } from '../errors.js';
import { loadConfig } from '../load-config.js';
import { didYouMean, nearNames } from '../near.js';
import { type Call, COMMON_OPTIONS, type Command, type Option, UsageError } from './command.js';
import { commandHelp, overview, usage } from './help.js';
import type { Io } from './io.js';

/** Every command, loaded when it is called: what `runserver` needs is nobody else's business. */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  collectstatic: async () => (await import('./collectstatic.js')).collectstatic,
  findstatic: async () => (await import('./findstatic.js')).findstatic,
  runserver: async () => (await import('./runserver.js')).runserver,
  check: async () => (await import('./check.js')).checkCommand,
  prune: async () => (await import('./prune.js')).prune,
  deployment: async () => (await import('./deployment.js')).deployment,
};

function commandOf(name: string | undefined): Promise<Command> | undefined {
  return name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name]?.() : undefined;
}

function allCommands(): Promise<Command[]> {
  return Promise.all(Object.values(COMMANDS).map((load) => load()));
}

/** Exit statuses: done, it failed, it was called wrongly. */
const DONE = 0;
const FAILED = 1;
const WRONG_USAGE = 2;

/** Runs the command line's arguments, the program's own name apart, and answers the exit status. */
export async function main(args: readonly string[], io: Io): Promise<number> {
  const [name = '', ...rest] = args;
  if (name === '' || name === '--help' || name === '-h' || name === 'help') {
    return helpFor(rest[0], name === '', io);
  }
  if (name === '--version' || name === 'version') {
    io.out(`${createRequire(import.meta.url)('staticfiles/package.json').version}\n`);
    return DONE;
  }
  const command = await commandOf(name);
  if (command === undefined) {
    if (rest.includes('--json')) io.out(`${JSON.stringify({ error: unknown(name) })}\n`);
    return unknownCommand(name, io);
  }
  return runCommand(command, rest, io);
}

async function helpFor(name: string | undefined, unasked: boolean, io: Io): Promise<number> {
  const command = await commandOf(name);
  if (name !== undefined && command === undefined) return unknownCommand(name, io);
  const text = `${command ? commandHelp(command) : overview(await allCommands())}\n`;
  if (unasked) io.err(text);
  else io.out(text);
  return unasked ? WRONG_USAGE : DONE;
}

function unknown(name: string) {
  return { code: 'ERR_STATICFILES_USAGE', message: `Unknown command '${name}'.` };
}

async function unknownCommand(name: string, io: Io): Promise<number> {
  const near = nearNames(name, Object.keys(COMMANDS)).slice(0, 1);
  const commands = overview(await allCommands());
  io.err(`Unknown command '${name}'.${didYouMean(near)}\n\n${commands}\n`);
  return WRONG_USAGE;
}

async function runCommand(command: Command, args: readonly string[], io: Io): Promise<number> {
  const options = { ...command.options, ...COMMON_OPTIONS };
  let values: Values = {};
  try {
    const parsed = parse(args, options);
    values = parsed.values;
    if (values.json) keepOutputClean();
    if (values.help) {
      io.out(`${commandHelp(command)}\n`);
      return DONE;
    }
    return await command.run(callOf(parsed, values['no-color'] ? { ...io, colors: false } : io));
  } catch (error) {
    return report(error, command, { ...values, json: args.includes('--json') }, io);
  }
}

/** What the user's own modules print is no part of the one JSON object on standard output. */
function keepOutputClean(): void {
  console.log = console.info = console.debug = console.error;
}

type Values = Readonly<Record<string, string | boolean | (string | boolean)[] | undefined>>;

function parse(args: readonly string[], options: Readonly<Record<string, Option>>) {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      options: Object.fromEntries(
        Object.entries(options).map(([name, { type, short, multiple = false }]) => [
          name,
          { type, multiple, ...(short && { short }) },
        ]),
      ),
      allowPositionals: true,
    });
    return { values: values as Values, positionals };
  } catch (error) {
    throw new UsageError(parseFault(reason(error), Object.keys(options)));
  }
}

/** Node's message says more than is wanted, and does not know what was meant. */
function parseFault(message: string, options: readonly string[]): string {
  const unknown = /^Unknown option '(-{1,2})([^']+)'/.exec(message);
  if (unknown === null) return message;
  const [, dashes, name = ''] = unknown;
  const near = dashes === '--' ? nearNames(name, options).slice(0, 1) : [];
  return `Unknown option '${dashes}${name}'.${didYouMean(near.map((option) => `--${option}`))}`;
}

function callOf({ values, positionals }: ReturnType<typeof parse>, io: Io): Call {
  const values_ = (option: string) => [values[option] ?? []].flat().map(String);
  const level = String(values.verbosity ?? '1');
  if (!/^[0-3]$/.test(level)) throw new UsageError(`--verbosity is 0, 1, 2 or 3, not '${level}'.`);
  return {
    io,
    operands: positionals,
    verbosity: Number(level) as Call['verbosity'],
    json: values.json === true,
    has: (option) => values[option] === true,
    value: (option) => values_(option).at(-1),
    values: values_,
    settings: () => loadConfig({ file: values_('config').at(-1), cwd: io.cwd, env: io.env }),
  };
}

function report(error: unknown, command: Command, values: Values, io: Io): number {
  if (values.json) io.out(`${JSON.stringify({ error: asData(error) })}\n`);
  if (error instanceof UsageError) {
    io.err(`${error.message}\n${usage(command)}\n`);
    return WRONG_USAGE;
  }
  io.err(`Error: ${values.traceback ? stackOf(error) : messageOf(error)}\n`);
  // What nobody foresaw is a fault of this program, and its stack is what a report needs.
  if (!values.traceback && !isExpected(error)) io.err('Run it with --traceback to see where.\n');
  return FAILED;
}

function isExpected(error: unknown): boolean {
  return error instanceof StaticFilesError || systemCode(error) !== undefined;
}

function messageOf(error: unknown): string {
  if (!(error instanceof SettingsError) || error.problems.length < 2) return reason(error);
  const lines = error.message.split('\n').map((line) => `  ${line}`);
  return `The settings are wrong in ${error.problems.length} places:\n${lines.join('\n')}`;
}

function asData(error: unknown) {
  return { code: systemCode(error) ?? 'ERR_UNEXPECTED', message: reason(error) };
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\n\nCaused by: ${stackOf(error.cause)}`;
  return (error.stack ?? error.message) + cause;
}
