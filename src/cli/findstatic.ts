import { realpathSync } from 'node:fs';
import { isInside } from '../names.js';
import { createStaticFiles, type StaticFiles } from '../static-files.js';
import { type Call, type Command, UsageError } from './command.js';

export const findstatic: Command = {
  name: 'findstatic',
  summary: 'Show where the finders find a static file.',
  operands: 'name [name …]',
  about: `Prints the path of each source file that has one of the names, the one that wins first.
Ends with status 1 where a name has none.`,
  options: {
    first: { type: 'boolean', help: 'Show only the file that wins.' },
  },
  examples: [
    'staticfiles findstatic css/base.css',
    'staticfiles findstatic --first css/base.css js/main.js',
    'staticfiles findstatic -v 2 css/base.css       the folders that were looked in as well',
  ],
  run,
};

interface Found {
  readonly name: string;
  readonly paths: readonly string[];
}

async function run(call: Call): Promise<number> {
  if (call.operands.length === 0) throw new UsageError('findstatic needs the name of a file.');
  const files = createStaticFiles(await call.settings());
  const searched = new Set<string>();
  const results = call.operands.map((name): Found => {
    const all = files.find(name, { all: true });
    const shown = call.has('first') ? all.slice(0, 1) : all;
    for (const location of searchedFor(files, call.has('first') ? shown[0] : undefined)) {
      searched.add(location);
    }
    return { name, paths: shown.map((path) => realpathSync(path)) };
  });
  if (call.json) {
    call.io.out(`${JSON.stringify({ found: results, locations: [...searched] })}\n`);
  } else {
    for (const result of results) print(result, [...searched], call);
  }
  return results.every(({ paths }) => paths.length > 0) ? 0 : 1;
}

/** The folders up to the one where looking ended. */
function searchedFor(files: StaticFiles, match: string | undefined): string[] {
  const locations = files.locations();
  const last = locations.findIndex((location) => match !== undefined && isInside(match, location));
  return last < 0 ? locations : locations.slice(0, last + 1);
}

/** Django's lines: https://docs.djangoproject.com/en/stable/ref/contrib/staticfiles/#findstatic */
function print({ name, paths }: Found, searched: readonly string[], { io, verbosity }: Call): void {
  const where = verbosity >= 2 ? ['Looking in the following locations:', ...searched] : [];
  const locations = where.join('\n  ');
  if (paths.length === 0) {
    if (verbosity === 0) return;
    io.err(`No matching file found for '${name}'.\n${locations && `\n${locations}\n`}`);
  } else if (verbosity === 0) {
    io.out(`${paths.join('\n')}\n`);
  } else {
    io.out(`${[`Found '${name}' here:`, ...paths].join('\n  ')}\n${locations && `${locations}\n`}`);
  }
}
