import type { Settings } from '../settings.js';
import type { Io } from './io.js';

/** One option of a command, as the help shows it. */
export interface Option {
  readonly type: 'boolean' | 'string';
  /** One letter. */
  readonly short?: string;
  /** May be given more than once. */
  readonly multiple?: boolean;
  /** What the help calls its value. */
  readonly value?: string;
  /** What it does; empty for a second spelling, which the help leaves out. */
  readonly help: string;
}

/** A command as the command line has it. */
export interface Command {
  readonly name: string;
  /** One line, for the list of commands. */
  readonly summary: string;
  /** What follows the name in the usage line, options apart. */
  readonly operands: string;
  /** What it does, in as many lines as that takes. */
  readonly about: string;
  readonly options: Readonly<Record<string, Option>>;
  readonly examples: readonly string[];
  /** Does it, and answers the exit status. @throws {UsageError} where it was called wrongly. */
  run(call: Call): Promise<number>;
}

/** One call of a command. */
export interface Call {
  readonly io: Io;
  /** What is no option. */
  readonly operands: readonly string[];
  readonly verbosity: 0 | 1 | 2 | 3;
  readonly json: boolean;
  /** Whether a switch was given. */
  has(option: string): boolean;
  /** The last value of an option. */
  value(option: string): string | undefined;
  /** Every value of an option. */
  values(option: string): readonly string[];
  /** The project's settings. */
  settings(): Promise<Settings>;
}

/** The command was called wrongly: exit status 2, with the usage line. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'ERR_STATICFILES_USAGE';
}

/** The options of every command. */
export const COMMON_OPTIONS: Readonly<Record<string, Option>> = Object.freeze({
  config: {
    type: 'string',
    value: 'FILE',
    help: 'The configuration file; otherwise staticfiles.config.{ts,mts,js,mjs,cjs}, from here upwards.',
  },
  verbosity: {
    type: 'string',
    short: 'v',
    value: 'N',
    help: '0: errors only, 1: the normal amount, 2: each file, 3: everything.',
  },
  json: { type: 'boolean', help: 'Print one JSON object instead of text.' },
  traceback: { type: 'boolean', help: 'Print the stack of an error.' },
  'no-color': { type: 'boolean', help: 'No colours.' },
  help: { type: 'boolean', short: 'h', help: 'Print this help.' },
});
