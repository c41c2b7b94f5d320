import { COMMON_OPTIONS, type Command, type Option } from './command.js';

/** How wide a help text may be. */
const WIDTH = 90;

/** The line that says how a command is called. */
export function usage({ name, operands }: Command): string {
  return `Usage: staticfiles ${[name, '[options]', operands].filter(Boolean).join(' ')}`;
}

/** Everything about one command. */
export function commandHelp(command: Command): string {
  const examples = command.examples.map((example) => `  ${example}`).join('\n');
  return [
    usage(command),
    command.about,
    `Options:\n${optionTable(command.options)}`,
    `Options of every command:\n${optionTable(COMMON_OPTIONS)}`,
    `Examples:\n${examples}`,
  ].join('\n\n');
}

/** The commands, a line each. */
export function overview(commands: readonly Command[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2;
  const rows = commands.map(({ name, summary }) => `  ${name.padEnd(width)}${summary}`);
  return [
    'Usage: staticfiles <command> [options]',
    `Commands:\n${rows.join('\n')}`,
    "'staticfiles <command> --help' tells more; 'staticfiles --version' prints the version.",
  ].join('\n\n');
}

function optionTable(options: Readonly<Record<string, Option>>): string {
  const rows = Object.entries(options)
    .filter(([, { help }]) => help !== '')
    .map(([name, { short, value, help }]): [string, string] => [
      `${short ? `-${short}, ` : '    '}--${name}${value ? ` ${value}` : ''}`,
      help,
    ]);
  const width = Math.max(...rows.map(([left]) => left.length)) + 2;
  return rows
    .map(([left, help]) => `  ${left.padEnd(width)}${wrap(help, WIDTH - width - 2, width + 2)}`)
    .join('\n');
}

function wrap(text: string, width: number, indent: number): string {
  const lines = [''];
  for (const word of text.split(' ')) {
    const line = lines.at(-1) ?? '';
    if (line !== '' && line.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines.join(`\n${' '.repeat(indent)}`);
}
