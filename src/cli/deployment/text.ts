import { SetupError } from '../../errors.js';

/** Lines, each four spaces further in; empty ones stay empty. */
export function indent(lines: readonly string[]): string[] {
  return lines.map((line) => (line === '' ? '' : `    ${line}`));
}

/** Words in lines of at most `width` characters. */
export function filled(words: readonly string[], width: number): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length >= width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

/**
 * A path, in double quotes.
 *
 * @param refused what the server's syntax has no way to write
 * @throws {SetupError} where the path holds that.
 */
export function quotedPath(path: string, refused: RegExp, server: string): string {
  const [fault] = refused.exec(path) ?? CONTROL.exec(path) ?? [];
  if (fault === undefined) return `"${path.replaceAll('"', '\\"')}"`;
  throw new SetupError(
    `A configuration of ${server} has no way to write the path ${JSON.stringify(path)}, for it holds ${JSON.stringify(fault)}: choose another one, or make a symbolic link to it.`,
  );
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
const CONTROL = /[\u0000-\u001f\u007f]/;
