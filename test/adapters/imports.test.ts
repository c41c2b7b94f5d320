import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { project } from '../project.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Every file that Node runs for a module: its coverage tells, and it misses nothing. */
function loadedBy(specifier: string): string[] {
  const folder = project({});
  execFileSync(process.execPath, ['--input-type=module', '-e', `import '${specifier}';`], {
    cwd: root,
    env: { ...process.env, NODE_V8_COVERAGE: folder },
  });
  const reports = readdirSync(folder).map((name) => readFileSync(join(folder, name), 'utf8'));
  const urls = reports.flatMap((report) =>
    (JSON.parse(report) as { result: { url: string }[] }).result.map(({ url }) => url),
  );
  return urls
    .filter((url) => url.startsWith('file:') && !url.endsWith('[eval1]'))
    .map((url) => relative(root, fileURLToPath(url)).replaceAll(sep, '/'))
    .sort();
}

/** What every program has that uses an adapter, and the leaves that some share. */
const allowed =
  /^dist\/chunks\/(?:core|angle-tags|stored-fields)\.js$|(?:^|\/)node_modules\/lru-cache\//;

describe('importing an adapter', () => {
  it.each([
    ['nunjucks', ['dist/adapters/nunjucks.js', 'dist/chunks/nunjucks-text.js']],
    ['handlebars', ['dist/adapters/handlebars.js', 'dist/chunks/handlebars-tree.js']],
    ['express', ['dist/adapters/express.js']],
    ['koa', ['dist/adapters/koa.js']],
    ['fastify', ['dist/adapters/fastify.js']],
    ['hono', ['dist/adapters/hono.js']],
    [
      's3',
      [
        'dist/adapters/s3.js',
        'dist/chunks/s3-address.js',
        'dist/chunks/s3-client-options.js',
        'dist/chunks/s3-fields.js',
        'dist/chunks/s3-options.js',
      ],
    ],
    [
      'azure',
      ['dist/adapters/azure.js', 'dist/chunks/azure-account.js', 'dist/chunks/azure-fields.js'],
    ],
  ])(
    '%s loads no engine, no framework and no SDK, and nothing that is loaded later',
    (name, own) => {
      const loaded = loadedBy(`staticfiles/${name}`);
      expect(loaded.filter((file) => !allowed.test(file))).toEqual(own);
    },
  );
});
