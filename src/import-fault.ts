import { pathToFileURL } from 'node:url';
import { reason, systemCode } from './errors.js';

/**
 * Says that a module does not load, where, and why: the line and column where they can be had, and
 * the command that installs a package that is missing.
 */
export async function importFault(error: unknown, file: string): Promise<string> {
  const name = error instanceof Error ? `${error.name}: ` : '';
  const [firstLine = ''] = reason(error).split('\n'); // Node lists who required it below
  const missing = missingPackage(error);
  const install = missing === undefined ? '' : `. Install it: npm install ${missing}`;
  return `${await placeOf(error, file)} does not load: ${name}${firstLine}${install}`;
}

function missingPackage(error: unknown): string | undefined {
  if (!/^(?:ERR_)?MODULE_NOT_FOUND$/.test(systemCode(error) ?? '')) return undefined;
  const [, specifier = ''] = /^Cannot find (?:package|module) '([^']+)'/.exec(reason(error)) ?? [];
  // A path is no package, and what lies in one does not count.
  return /^(?:@[^/\\:]+\/)?[^@./\\:][^/\\:]*/.exec(specifier)?.[0];
}

async function placeOf(error: unknown, file: string): Promise<string> {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const place = placeIn(stack, file);
  if (place !== undefined) return place;
  if (!(error instanceof SyntaxError)) return `${file}${importedPlace(stack)}`;
  // Node knows the place in an ES module too, and tells it when it is only asked to check.
  const { spawnSync } = await import('node:child_process');
  const { stderr } = spawnSync(process.execPath, ['--check', file], { encoding: 'utf8' });
  return placeIn(stderr ?? '', file) ?? file;
}

/** The place in a module that it imports, where the stack begins in one of the user's own. */
function importedPlace(stack: string): string {
  const places = stack.matchAll(/file:\/\/\S+?:\d+:\d+/g);
  const [own] = [...places].map(([place]) => place).filter((place) => !/node_modules/.test(place));
  return own === undefined || own.startsWith(new URL('..', import.meta.url).href)
    ? ''
    : ` (${own})`;
}

function placeIn(text: string, file: string): string | undefined {
  // TypeScript keeps its lines when it is compiled, and not its columns.
  const pattern = /\.[cm]?ts$/.test(file) ? /^:\d+/ : /^:\d+(?::\d+)?/;
  for (const spelling of [pathToFileURL(file).href, file]) {
    const at = text.indexOf(`${spelling}:`);
    const place = at < 0 ? null : pattern.exec(text.slice(at + spelling.length));
    if (place !== null) return file + place[0];
  }
  return undefined;
}
