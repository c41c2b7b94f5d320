import { execFileSync } from 'node:child_process';
import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { CONFIG_FILES, type LoadConfigOptions } from '../src/load-config.js';
import type { Settings } from '../src/settings.js';
import { createStaticFiles } from '../src/static-files.js';
import { native } from './native.js';
import { project } from './project.js';

const env = {};

const node = native('load-config');
const load = (options: LoadConfigOptions) => node.answer('loadConfig', { env, ...options });
const failure = (options: LoadConfigOptions) => node.thrown('loadConfig', { env, ...options });

describe('the file', () => {
  test.each([
    ['staticfiles.config.ts', 'const dirs: string[] = ["a"];\nexport default { dirs };'],
    ['staticfiles.config.mts', 'enum Dir { A = "a" }\nexport default { dirs: [Dir.A as string] };'],
    ['staticfiles.config.js', 'export default { dirs: ["a"] };'],
    ['staticfiles.config.mjs', 'export default { dirs: ["a"] };'],
    ['staticfiles.config.cjs', 'module.exports = { dirs: ["a"] };'],
    ['staticfiles.config.js', 'export default await Promise.resolve({ dirs: ["a"] });'],
    ['staticfiles.config.mjs', 'export default Promise.resolve({ dirs: ["a"] });'],
  ])('may be %s: %s', async (name, text) => {
    const root = project({ 'package.json': '{"type": "module"}', [name]: text });
    expect(await load({ cwd: root })).toEqual({ dirs: ['a'], baseDir: root });
  });

  test.each([
    ['staticfiles.config.js', 'module.exports = { dirs: [require("node:path").join("a")] };'],
    ['staticfiles.config.js', 'exports.dirs = ["a"];'],
    ['staticfiles.config.cjs', 'exports.__esModule = true;\nexports.default = { dirs: ["a"] };'],
    ['staticfiles.config.mjs', 'export default { dirs: ["a"] };'],
    ['staticfiles.config.ts', 'export default { dirs: ["a"] };'],
  ])('may be in a CommonJS package: %s with %s', async (name, text) => {
    const root = project({ 'package.json': '{"type": "commonjs"}', [name]: text });
    expect(await load({ cwd: root })).toEqual({ dirs: ['a'], baseDir: root });
  });

  test('is looked for in this order', async () => {
    const files = CONFIG_FILES.map((name) => [
      name,
      /cjs$/.test(name)
        ? `module.exports = { apps: ['${name}'] }`
        : `export default { apps: ['${name}'] }`,
    ]);
    for (let first = 0; first < files.length; first++) {
      const root = project(Object.fromEntries(files.slice(first)));
      expect(await load({ cwd: root })).toMatchObject({ apps: [CONFIG_FILES[first]] });
    }
    expect(CONFIG_FILES.map((name) => name.split('.').at(-1))).toEqual([
      'ts',
      'mts',
      'js',
      'mjs',
      'cjs',
    ]);
  });

  test('is looked for upwards, and the nearest wins', async () => {
    const root = project({
      'staticfiles.config.mjs': "export default { apps: ['outer'] }",
      'a/staticfiles.config.cjs': "module.exports = { apps: ['inner'] }",
      'a/b/c/x': '',
      'd/e/x': '',
    });
    const from = (folder: string) => load({ cwd: join(root, folder) });
    expect(await from('a/b/c')).toEqual({ apps: ['inner'], baseDir: join(root, 'a') });
    expect(await from('d/e')).toEqual({ apps: ['outer'], baseDir: root });
  });

  test('a folder of that name is none', async () => {
    const root = project({ 'staticfiles.config.cjs': "module.exports = { apps: ['a'] }" });
    mkdirSync(join(root, 'staticfiles.config.js'));
    expect(await load({ cwd: root })).toMatchObject({ apps: ['a'] });
  });

  test('may be named, relative to cwd', async () => {
    const root = project({
      'conf/mine.mjs': "export default { dirs: ['a'] }",
      'staticfiles.config.mjs': 'throw new Error("the wrong file")',
    });
    const settings = { dirs: ['a'], baseDir: join(root, 'conf') };
    expect(await load({ cwd: root, file: 'conf/mine.mjs' })).toEqual(settings);
    expect(await load({ file: join(root, 'conf/mine.mjs') })).toEqual(settings);
  });
});

describe('relative paths', () => {
  const config = `export default {
    dirs: ['static'], staticRoot: 'collected', mediaRoot: '../media', apps: ['/srv/polls'],
  };`;

  test("are relative to the file's folder", async () => {
    const root = project({ 'site/staticfiles.config.mjs': config, 'site/a/b/x': '' });
    const settings = await load({ cwd: join(root, 'site/a/b') });
    expect(createStaticFiles(settings as Settings).settings).toMatchObject({
      baseDir: join(root, 'site'),
      dirs: [{ prefix: '', dir: join(root, 'site/static') }],
      staticRoot: join(root, 'site/collected'),
      mediaRoot: join(root, 'media'),
      apps: [resolve('/srv/polls')],
    });
  });

  test('or to its baseDir, which itself is relative to the folder', async () => {
    const text = config.replace('{', "{ baseDir: 'web',");
    const root = project({ 'staticfiles.config.mjs': text });
    const settings = await load({ cwd: root });
    expect(createStaticFiles(settings as Settings).settings.staticRoot).toBe(
      join(root, 'web/collected'),
    );
  });
});

describe('environment variables', () => {
  test('come before the file; paths in them are relative to the working directory', async () => {
    const root = project({
      'staticfiles.config.mjs': `export default {
        staticUrl: '/file/', staticRoot: 'file', mediaUrl: '/file-media/', mediaRoot: 'file-media',
      };`,
      'sub/x': '',
    });
    const cwd = join(root, 'sub');
    const variables = {
      STATIC_URL: 'https://cdn.example.com/',
      STATIC_ROOT: 'out',
      MEDIA_URL: '/m/',
      MEDIA_ROOT: '../media',
    };
    expect(await load({ cwd, env: variables })).toEqual({
      staticUrl: 'https://cdn.example.com/',
      staticRoot: join(root, 'sub/out'),
      mediaUrl: '/m/',
      mediaRoot: join(root, 'media'),
      baseDir: root,
    });
  });

  test('that are empty, or of another name, say nothing', async () => {
    const root = project({ 'staticfiles.config.mjs': "export default { staticRoot: 'file' }" });
    const variables = { STATIC_URL: '', STATIC_ROOT: '', MEDIA_URL: undefined, DEBUG: '1' };
    expect(await load({ cwd: root, env: variables })).toEqual({
      staticRoot: 'file',
      baseDir: root,
    });
  });
});

describe('faults name the file and what to do', () => {
  test('there is none', async () => {
    const root = project({ 'a/x': '' });
    const error = await failure({ cwd: join(root, 'a') });
    expect(error.message).toContain(`There is no ${CONFIG_FILES.join(', ')} in ${root}`);
    expect(error.message).toContain('export default { dirs:');
    expect(error.file).toBeUndefined();
  });

  test('the named one is not there', async () => {
    const root = project({ 'folder/x': '' });
    for (const name of ['nope.mjs', 'folder', 'folder/x/y']) {
      const error = await failure({ cwd: root, file: name });
      expect(error.message).toBe(`The configuration file ${join(root, name)} does not exist.`);
      expect(error.code).toBe('ERR_STATICFILES_CONFIG');
      expect(error.file).toBe(join(root, name));
    }
  });

  test.each<[string, string, number, string]>([
    ['staticfiles.config.mjs', "\n\nthrow new Error('boom');", 3, 'Error: boom'],
    ['staticfiles.config.cjs', "\nthrow new Error('boom');", 2, 'Error: boom'],
    ['staticfiles.config.ts', "\n\n\nthrow new Error('boom' as string);", 4, 'Error: boom'],
    [
      'staticfiles.config.mjs',
      '\nexport default { dirs: [nowhere] };',
      2,
      'ReferenceError: nowhere',
    ],
    [
      'staticfiles.config.ts',
      '\nexport default { dirs: [nowhere] };',
      2,
      'ReferenceError: nowhere',
    ],
    ['staticfiles.config.mjs', 'export default {\n  dirs: [\n  ;\n}', 3, 'SyntaxError: '],
    ['staticfiles.config.cjs', 'module.exports = {\n  dirs: [\n  ;\n}', 3, 'SyntaxError: '],
    ['staticfiles.config.ts', 'export default {\n  dirs: [\n  ;\n}', 3, 'ParseError: '],
    ['staticfiles.config.mjs', 'export default {\n  a: 1,\n', 3, 'SyntaxError: '],
  ])('%s with %j: line %i', async (name, text, line, why) => {
    const root = project({ [`with space ü/${name}`]: text });
    const file = join(root, 'with space ü', name);
    const error = await failure({ cwd: dirname(file) });
    expect(error.code).toBe('ERR_STATICFILES_CONFIG');
    expect(error.file).toBe(file);
    expect(error.cause).toBeDefined();
    expect(error.message.startsWith(`${file}:${line}`), error.message).toBe(true);
    expect(error.message).toMatch(/:\d+(?::\d+)? does not load: /);
    expect(error.message).toContain(why);
  });

  test.each([
    ['staticfiles.config.mjs', "import './nope.mjs';", /does not load: Error: Cannot find module/],
    [
      'staticfiles.config.ts',
      "import 'nope-nope';",
      /does not load: Error: Cannot find module 'nope-nope'/,
    ],
    ['staticfiles.config.mjs', "throw 'a text';", /does not load: a text$/],
    ['staticfiles.config.mjs', 'throw undefined;', /does not load: undefined$/],
    [
      'staticfiles.config.mjs',
      "export default Promise.reject(new Error('late'));",
      /does not load: Error: late$/,
    ],
  ])('%s with %j says why it does not load', async (name, text, why) => {
    const root = project({ [name]: text });
    const error = await failure({ cwd: root });
    expect(error.code).toBe('ERR_STATICFILES_CONFIG');
    expect(error.file).toBe(join(root, name));
    expect(error.message).toMatch(why);
  });

  test.each([
    ['mjs', '', 'exports nothing'],
    ['cjs', '', 'exports nothing'],
    ['ts', '', 'exports nothing'],
    ['mjs', 'export default undefined;', 'exports nothing'],
    [
      'mjs',
      'export const staticUrl = 1, dirs = [];',
      'has no default export, only dirs, staticUrl',
    ],
    ['ts', 'export const dirs: string[] = [];', 'has no default export, only dirs'],
    ['mjs', "export default '/static/';", 'exports a string'],
    ['mjs', 'export default 7;', 'exports a number'],
    ['mjs', 'export default null;', 'exports null'],
    ['mjs', 'export default [];', 'exports an array'],
    ['mjs', 'export default () => ({});', 'exports a function'],
    ['cjs', 'module.exports = class {};', 'exports a function'],
    [
      'mjs',
      'export default { staticUrl: (name) => name, settings: {} };',
      'exports static files that are made already, and not their settings',
    ],
  ])('.%s with %j %s', async (extension, text, what) => {
    const name = `staticfiles.config.${extension}`;
    const root = project({ [name]: text });
    const error = await failure({ cwd: root });
    expect(error.code).toBe('ERR_STATICFILES_CONFIG');
    expect(error.file).toBe(join(root, name));
    expect(error.message).toBe(
      `${join(root, name)} ${what}. It must export settings as its default: export default { dirs: ['static'] };`,
    );
  });

  test.each([
    ['mjs', 'export default {};'],
    ['cjs', 'module.exports = {};'],
  ])('.%s with %j is right: it exports settings of which none is set', async (extension, text) => {
    const root = project({ [`staticfiles.config.${extension}`]: text });
    expect(await load({ cwd: root })).toEqual({ baseDir: root });
  });
});

describe('wrong settings name the file, every one of them', () => {
  async function problemsOf(text: string, variables = {}) {
    const root = project({ 'staticfiles.config.mjs': text });
    const { name, message } = await failure({ cwd: root, env: variables });
    expect(name).toBe('SettingsError');
    return { message, file: join(root, 'staticfiles.config.mjs') };
  }

  test('in the file', async () => {
    const { message, file } = await problemsOf(
      "export default { staticURL: '/s/', dirs: 'static' };",
    );
    expect(message.split('\n')).toEqual([
      `${file}: 'staticURL' is no setting. Did you mean 'staticUrl'?`,
      `${file}: dirs must be an array, not 'static'. Write dirs: ['…'].`,
    ]);
  });

  test('in the environment', async () => {
    const { message, file } = await problemsOf('export default { maxAge: -1 };', {
      STATIC_URL: '/static',
    });
    const from = `${file}, with STATIC_URL from the environment`;
    expect(message.split('\n')).toEqual([
      `${from}: staticUrl must end in a slash: '/static'. Write '/static/'.`,
      `${from}: maxAge must be a whole number of seconds from 0, not -1.`,
    ]);
  });

  test('such as one that is no path, or that only the environment makes wrong', async () => {
    const { message, file } = await problemsOf('export default { baseDir: 7 };');
    expect(message).toBe(`${file}: baseDir must be the path of a folder, not 7.`);
    const config = "export default { dirs: ['static'], mediaUrl: '/m/' };";
    const root = project({ 'site/staticfiles.config.mjs': config });
    const variables = { STATIC_ROOT: 'site/static', STATIC_URL: '/m/' };
    const found = await failure({
      cwd: root,
      file: 'site/staticfiles.config.mjs',
      env: variables,
    });
    expect(found.message).toContain('with STATIC_URL, STATIC_ROOT from the environment: mediaUrl');
    expect(found.message).toContain('dirs must not contain staticRoot');
  });

  test('what the environment puts right is right', async () => {
    const root = project({ 'staticfiles.config.mjs': "export default { staticUrl: '/static' };" });
    const settings = await load({ cwd: root, env: { STATIC_URL: '/s/' } });
    expect(settings).toMatchObject({ staticUrl: '/s/' });
  });
});

describe('a TypeScript file that imports this package', () => {
  const repository = fileURLToPath(new URL('..', import.meta.url));

  test.each(['commonjs', 'module'])('gets the one that is loaded, in a %s package', (type) => {
    const root = project({
      'package.json': JSON.stringify({ type }),
      'staticfiles.config.ts': `
        import { defineConfig, hashedStorage, memoryStorage, SetupError } from 'staticfiles';
        import * as all from 'staticfiles';
        globalThis.seen = all;
        if (process.argv.includes('throw')) throw new SetupError('from the file');
        export default defineConfig({ storage: hashedStorage({ over: memoryStorage() }), debug: false });`,
      'main.mjs': `
        import * as staticfiles from 'staticfiles';
        const { loadConfig, createStaticFiles, SetupError, NotReadyError } = staticfiles;
        const answer = {};
        try {
          const files = createStaticFiles(await loadConfig()); // from the working directory
          answer.staticUrl = files.settings.staticUrl;
          answer.same = globalThis.seen.SetupError === SetupError;
          try { files.staticUrl('a.css') } catch (error) { answer.notReady = error instanceof NotReadyError }
        } catch (error) {
          answer.cause = error.cause instanceof SetupError && error.cause.message;
        }
        console.log(JSON.stringify(answer));`,
    });
    mkdirSync(join(root, 'node_modules'));
    symlinkSync(repository, join(root, 'node_modules/staticfiles'), 'junction');
    const run = (...args: string[]) =>
      JSON.parse(
        execFileSync(process.execPath, ['main.mjs', ...args], {
          cwd: root,
          encoding: 'utf8',
          env: { ...process.env, STATIC_URL: '/from-the-environment/' },
        }),
      );
    expect(run()).toEqual({
      staticUrl: '/from-the-environment/',
      same: true,
      notReady: true,
    });
    expect(run('throw')).toEqual({ cause: 'from the file' });
  });
});
