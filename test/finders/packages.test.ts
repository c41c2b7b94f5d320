import { mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NameError, SetupError } from '../../src/errors.js';
import { packagesFinder } from '../../src/finders/packages.js';
import { finderContract } from '../contracts/finder.js';
import { add, project } from '../project.js';
import { thrownBy } from '../thrown.js';
import { attached, listedNames } from './attached.js';

/** Files of an installed package. */
function installed(name: string, names: readonly string[]) {
  const files = names.map((path) => [`node_modules/${name}/${path}`, path.replace(/^dist\//, '')]);
  return Object.fromEntries([[`node_modules/${name}/package.json`, '{}'], ...files]);
}

for (const name of ['bootstrap', '@scope/ui']) {
  finderContract(
    `packagesFinder of ${name}`,
    (names) => {
      const dist = names.map((path) => `dist/${path}`);
      const baseDir = project(installed(name, dist));
      return attached(packagesFinder({ [name]: 'dist' }), { baseDir });
    },
    `${name}/`,
  );
}

describe('packages', () => {
  test('are looked in one after the other, each under its name', async () => {
    const baseDir = project({
      ...installed('bootstrap', ['dist/css/bootstrap.css', 'scss/x.scss']),
      ...installed('@scope/ui', ['ui.js']),
    });
    const finder = attached(packagesFinder({ bootstrap: 'dist', '@scope/ui': '.' }), { baseDir });
    expect(await listedNames(finder)).toEqual([
      'bootstrap/css/bootstrap.css',
      '@scope/ui/package.json',
      '@scope/ui/ui.js',
    ]);
    expect(finder.locations?.()).toEqual([
      join(baseDir, 'node_modules/bootstrap/dist'),
      join(baseDir, 'node_modules/@scope/ui'),
    ]);
    expect(finder.find('bootstrap/scss/x.scss')).toEqual([]);
    expect(finder.find('css/bootstrap.css')).toEqual([]);
    expect(finder.check?.()).toEqual([]);
  });

  test.each(['dist', './dist', 'dist/', './/dist/.'])(
    'their folder may be spelled %s',
    async (folder) => {
      const baseDir = project(installed('a', ['dist/a.js']));
      const finder = attached(packagesFinder({ a: folder }), { baseDir });
      expect(await listedNames(finder)).toEqual(['a/a.js']);
      expect(finder.find('a/a.js')).toMatchObject([
        { name: 'a/a.js', path: join(baseDir, 'node_modules/a/dist/a.js'), inner: 'a.js' },
      ]);
    },
  );

  test('are looked for from baseDir upwards, and the nearest wins', async () => {
    const root = project({
      ...installed('outer', ['a.js']),
      ...installed('both', ['outer.js']),
      'site/x': '',
    });
    add(join(root, 'site'), installed('both', ['inner.js']));
    const baseDir = join(root, 'site/deep/er');
    const finder = attached(packagesFinder({ outer: '.', both: '.' }), { baseDir });
    expect(await listedNames(finder, ['package.json'])).toEqual(['outer/a.js', 'both/inner.js']);
  });

  test('are looked for from the working directory where no settings say otherwise', () => {
    expect(packagesFinder({ vitest: 'dist' }).locations?.()).toEqual([
      join(process.cwd(), 'node_modules/vitest/dist'),
    ]);
  });

  test('that are links are followed, as those of pnpm are', async () => {
    const baseDir = project({
      'node_modules/.pnpm/a@1.0.0/node_modules/a/dist/a.js': '',
      'node_modules/.pnpm/a@1.0.0/node_modules/b/b.js': '',
    });
    const store = join(baseDir, 'node_modules/.pnpm/a@1.0.0/node_modules');
    symlinkSync(join(store, 'a'), join(baseDir, 'node_modules/a'), 'junction');
    const finder = attached(packagesFinder({ a: 'dist' }), { baseDir });
    expect(await listedNames(finder)).toEqual(['a/a.js']);
    expect(finder.find('a/a.js')[0]?.path).toBe(join(baseDir, 'node_modules/a/dist/a.js'));
  });

  test('do not offer what they depend on: neither listed nor found', async () => {
    const baseDir = project(
      installed('a', ['a.js', 'node_modules/b/b.js', 'lib/node_modules/c/c.js', 'node_modules.js']),
    );
    const finder = attached(packagesFinder({ a: '.' }), { baseDir });
    expect(await listedNames(finder, ['package.json'])).toEqual(['a/a.js', 'a/node_modules.js']);
    for (const name of ['a/node_modules/b/b.js', 'a/lib/node_modules/c/c.js']) {
      expect(finder.find(name), name).toEqual([]);
    }
    expect(finder.find('a/node_modules.js')).toHaveLength(1);
  });

  test('that are not installed are an error, with the command that installs them', async () => {
    const baseDir = project({ 'node_modules/file': '' });
    const finder = attached(packagesFinder({ '@scope/gone': 'dist' }), { baseDir });
    const message = `packagesFinder() does not find the package '@scope/gone' in node_modules of ${baseDir} or above. Install it: npm install @scope/gone`;
    const error = new SetupError(message);
    expect(thrownBy(() => finder.find('@scope/gone/a.js'))).toEqual(error);
    await expect(listedNames(finder)).rejects.toEqual(error);
    expect(finder.check?.()).toEqual([{ id: 'staticfiles.E111', level: 'error', message }]);
  });

  test('that are installed later are found then', () => {
    const baseDir = project({});
    const finder = attached(packagesFinder({ a: '.' }), { baseDir });
    expect(() => finder.find('a/a.js')).toThrow(SetupError);
    add(baseDir, installed('a', ['a.js']));
    expect(finder.find('a/a.js')).toHaveLength(1);
  });

  test('without the folder have nothing, and are warned of', async () => {
    const baseDir = project(installed('a', ['dist']));
    mkdirSync(join(baseDir, 'node_modules/b'));
    const finder = attached(packagesFinder({ a: 'dist', b: 'dist' }), { baseDir });
    expect(await listedNames(finder)).toEqual([]);
    expect(finder.find('b/a.js')).toEqual([]);
    expect(finder.check?.()).toEqual(
      ['a', 'b'].map((name) => ({
        id: 'staticfiles.W102',
        level: 'warning',
        message: `The package '${name}' has no folder 'dist' (${join(baseDir, 'node_modules', name, 'dist')}).`,
      })),
    );
  });

  test('are looked for beside a file that is called node_modules', () => {
    const root = project({ ...installed('a', ['a.js']), 'site/node_modules': 'a file' });
    const finder = attached(packagesFinder({ a: '.' }), { baseDir: join(root, 'site') });
    expect(finder.find('a/a.js')).toHaveLength(1);
    rmSync(join(root, 'site/node_modules'));
  });
});

describe('options', () => {
  test.each<[unknown, string]>([
    [undefined, 'takes packages and their folders'],
    [null, 'takes packages and their folders'],
    ['bootstrap', "packagesFinder() takes packages and their folders: { bootstrap: 'dist' }."],
    [['bootstrap'], "packagesFinder() takes packages and their folders: { bootstrap: 'dist' }."],
    [{ bootstrap: true }, "the folder of 'bootstrap' must be a string, '.' for all of it."],
    [{ '../x': '.' }, "'../x' is no package's name."],
    [{ '.': '.' }, "'.' is no package's name."],
    [{ '/x': '.' }, "'/x' is no package's name."],
    [{ '@scope': '.' }, "'@scope' is no package's name."],
    [{ 'a/b/c': '.' }, "'a/b/c' is no package's name."],
    [{ 'a/b': '.' }, "'a/b' is no package's name."],
    [{ '': '.' }, "'' is no package's name."],
    [{ 'a b': '.' }, "'a b' is no package's name."],
    [{ node_modules: '.' }, "'node_modules' is no package's name."],
  ])('%j is refused', (packages, message) => {
    const error = thrownBy(() => packagesFinder(packages as never));
    expect(error).toBeInstanceOf(SetupError);
    expect((error as Error).message).toContain(message);
  });

  test('a folder cannot lead out of its package', () => {
    expect(() => packagesFinder({ a: '../b' })).toThrow(NameError);
    expect(() => packagesFinder({ a: 'dist/../..' })).toThrow(NameError);
  });
});
