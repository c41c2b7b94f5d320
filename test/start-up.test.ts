import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { describe, expect, test } from 'vitest';
import { project } from './project.js';

const dist = resolve('dist');
const built = pathToFileURL(join(dist, 'src/index.js')).href;

interface Loaded {
  /** What the program answers. */
  readonly answer: unknown;
  /** The package's own modules, as `ARCHITECTURE.md` spells them. */
  readonly ours: string[];
  /** The packages of all others. */
  readonly packages: string[];
  /** Node's own modules, but for those that an empty program has. */
  readonly builtins: string[];
}

/** What a program loads. */
function loadedBy(imports: string, expression: string): Loaded {
  const empty = run('', 'null');
  const { answer, files, builtins } = run(imports, expression);
  const own = files.filter((path) => path.startsWith(dist + sep));
  const others = files.filter((path) => !own.includes(path));
  return {
    answer,
    ours: own.map((path) => nameOf(path)).sort(),
    packages: [...new Set(others.map((path) => packageOf(path)))].sort(),
    builtins: builtins.filter((builtin) => !empty.builtins.includes(builtin)),
  };
}

/** Runs a program. Node's report of what it covered misses no file, whoever loaded it. */
function run(imports: string, expression: string) {
  const root = project({
    'program.mjs': `${imports}
      const answer = ${expression};
      console.log(JSON.stringify({ answer, builtins: process.moduleLoadList }));`,
    'a.css': 'a{}',
    'staticfiles.json': '{"paths": {"a.css": "a.0123456789ab.css"}, "version": "1.0"}',
  });
  const coverage = join(root, 'coverage');
  const output = execFileSync(process.execPath, ['program.mjs'], {
    cwd: root,
    env: { ...process.env, NODE_V8_COVERAGE: coverage },
    encoding: 'utf8',
  });
  const { answer, builtins } = JSON.parse(output) as { answer: unknown; builtins: string[] };
  const files = readdirSync(coverage)
    .flatMap((name) => JSON.parse(readFileSync(join(coverage, name), 'utf8')).result)
    .filter(({ url }) => url.startsWith('file:') && !url.endsWith('/program.mjs'))
    .map(({ url }) => fileURLToPath(url));
  return { answer, files, builtins: builtins.map((name) => name.replace(/^NativeModule /, '')) };
}

function nameOf(path: string): string {
  const name = relative(dist, path).replaceAll(sep, '/');
  return name.replace(/^src\/|\.js$/g, '');
}

function packageOf(path: string): string {
  return path.replaceAll(sep, '/').replace(/^.*\/node_modules\/((?:@[^/]+\/)?[^/]+)\/.*$/, '$1');
}

/** The surface, and behind it leaves, contracts, kinds and the root in one file: see rolldown.config.js. */
const NEEDED = ['chunks/core', 'index'];

/** What a server or a command loads of Node, and a URL does not need. */
const NOT_NEEDED =
  /^(?:child_process|cluster|dgram|dns|http2?|https|net|readline|repl|tls|worker_threads|zlib)$/;

describe("import 'staticfiles' and one URL load no more than they need", () => {
  const imports = `import { createStaticFiles, hashedStorage } from '${built}';`;

  test.each([
    ['of a plain storage', 'debug: false', '/static/a.css'],
    [
      'of a manifest',
      "debug: false, staticRoot: '.', storage: hashedStorage()",
      '/static/a.0123456789ab.css',
    ],
    [
      'with settings for collecting alone',
      "debug: true, dirs: ['.'], compress: true, prehashed: 'a/**', references: { ignore: ['a:b'] }, storage: hashedStorage({ keepOriginals: ['a'] })",
      '/static/a.css',
    ],
    ['in development', "debug: true, dirs: ['.'], storage: hashedStorage()", '/static/a.css'],
  ])('%s', (_, settings, url) => {
    const loaded = loadedBy(imports, `createStaticFiles({ ${settings} }).staticUrl('a.css')`);
    expect(loaded.answer).toBe(url);
    expect(loaded.ours).toEqual(NEEDED);
    expect(loaded.packages).toEqual(['lru-cache']);
    expect(loaded.builtins.filter((builtin) => NOT_NEEDED.test(builtin))).toEqual([]);
  });

  test('that file holds nothing that is loaded later', () => {
    const source = readFileSync(join(dist, 'chunks/core.js'), 'utf8');
    const held = [...source.matchAll(/^\/\/ (src\/\S+)\.ts$/gm)].map((match) => match[1] as string);
    expect(held).toContain('src/url-resolver');
    const later =
      /^src\/(?:cli|collect|serve\/|scanner|checks|upload|disarm|storages\/upload|media-types|angle-tags|import|testing|listener)/;
    expect(held.filter((name) => later.test(name))).toEqual([]);
  });

  test('and more would be seen', () => {
    const loaded = loadedBy(
      `${imports} import 'node:http';`,
      "await createStaticFiles({ dirs: ['.'] }).check()",
    );
    expect(loaded.answer).toEqual([]);
    expect(loaded.ours).toEqual([...NEEDED, 'checks'].sort());
    expect(loaded.builtins).toEqual(expect.arrayContaining(['http', 'net']));
  });
});
