import { mkdirSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { SetupError } from '../src/errors.js';
import type { Finder } from '../src/finder.js';
import { dirsFinder } from '../src/finders/dirs.js';
import { packagesFinder } from '../src/finders/packages.js';
import type { Settings } from '../src/settings.js';
import { createStaticFiles } from '../src/static-files.js';
import { fileSystemStorage } from '../src/storages/filesystem.js';
import { project } from './project.js';

afterEach(() => vi.unstubAllEnvs());

const check = (settings: Settings) => createStaticFiles(settings).check();

test('nothing is wrong where nothing is', async () => {
  expect(await check({})).toEqual([]);
  const dir = project({ 'static/polls/a.css': '', 'static/blog/a.css': '' });
  const settings = { baseDir: dir, dirs: ['static'], staticRoot: 'collected' };
  expect(await check(settings)).toEqual([]);
});

describe('folders', () => {
  test('that are missing are warned of, all of them', async () => {
    const baseDir = project({});
    const problems = await check({ baseDir, dirs: ['one', 'two'], apps: ['polls'] });
    expect(problems.map(({ id, level }) => [id, level])).toEqual([
      ['staticfiles.W004', 'warning'],
      ['staticfiles.W004', 'warning'],
      ['staticfiles.W101', 'warning'],
    ]);
    for (const { message } of problems) expect(message).toContain(baseDir);
  });

  test.each([
    ['is not there', 'gone'],
    ['is a file', 'robots.txt'],
  ])('of rootFiles that %s is warned of', async (_, rootFiles) => {
    const baseDir = project({ 'robots.txt': 'all', 'root/robots.txt': 'all' });
    expect(await check({ baseDir, rootFiles })).toEqual([
      {
        id: 'staticfiles.W106',
        level: 'warning',
        message: `rootFiles is no folder: '${join(baseDir, rootFiles)}'.`,
        hint: "Make it, with the files of the site's root in it, or leave the setting out.",
      },
    ]);
    expect(await check({ baseDir, rootFiles: 'root' })).toEqual([]);
  });

  test('are compared with where the storage writes, whatever staticRoot says', async () => {
    const root = project({ 'site/a.css': '', 'up/me.jpg': '' });
    const storage = fileSystemStorage({ root: '.' });
    const settings = { baseDir: root, dirs: ['site'], staticRoot: 'out', storage };
    expect(await check(settings)).toMatchObject([{ id: 'staticfiles.E112' }]);
    await expect(createStaticFiles(settings).collect({ clear: true })).rejects.toThrow(
      '--clear would delete it',
    );
  });

  test('with uploads in the static root are an error', async () => {
    const problems = await check({ baseDir: project({}), staticRoot: 'out', mediaRoot: 'out/m' });
    expect(problems).toMatchObject([
      { id: 'staticfiles.E112', message: expect.stringContaining('would delete the uploads') },
    ]);
  });

  test('one that cannot be read is an error, beside what else was found', async () => {
    const closed: Finder = {
      find: () => [],
      list() {
        throw new SetupError('The folder /closed cannot be read (EACCES).');
      },
    };
    const finders = [dirsFinder(), closed];
    const problems = await check({ baseDir: project({}), dirs: ['gone'], finders });
    expect(problems).toMatchObject([
      { id: 'staticfiles.W004' },
      { id: 'staticfiles.E113', level: 'error', message: expect.stringContaining('/closed') },
    ]);
  });

  test('a package that is not installed is an error', async () => {
    const problems = await check({
      baseDir: project({}),
      finders: [packagesFinder({ 'no-such-package': '.' })],
      staticRoot: 'x',
    });
    expect(problems).toMatchObject([{ id: 'staticfiles.E111', level: 'error' }]);
  });

  test.each([
    ['the same as an application’s', 'app/static', 'lies in the source folder'],
    ['in a source', 'static/collected', 'lies in the source folder'],
    ['deep in a source', 'static/a/b/c', 'lies in the source folder'],
    ['around a source', '.', 'collectstatic --clear would delete it'],
  ])('a static root that is %s is an error', async (_, staticRoot, clash) => {
    const baseDir = project({ 'static/a.css': '', 'app/static/b.css': '' });
    const settings = { baseDir, dirs: ['static'], apps: ['app'], staticRoot };
    const problems = await check(settings);
    expect(new Set(problems.map(({ id }) => id))).toEqual(new Set(['staticfiles.E112']));
    const [first] = problems;
    expect(first?.message).toContain(clash);
    expect(first?.hint).toMatch(
      /^Choose a folder that holds nothing else, such as .+\/collected\.$/,
    );
    await expect(createStaticFiles(settings).collect()).rejects.toThrow(clash);
  });

  test('a static root beside a source of a name that begins alike is none', async () => {
    const baseDir = project({ 'static/a.css': '', 'static-collected/b.css': '' });
    expect(await check({ baseDir, dirs: ['static'], staticRoot: 'static-collected' })).toEqual([]);
  });

  test.runIf(process.platform !== 'win32')(
    `links hide no static root among the sources${process.platform === 'win32' ? ' (skipped: links need rights on Windows)' : ''}`,
    async () => {
      const baseDir = project({ 'static/a.css': '' });
      mkdirSync(join(baseDir, 'static/out'));
      symlinkSync('static/out', join(baseDir, 'collected'));
      const settings = { baseDir, dirs: ['static'], staticRoot: 'collected' };
      expect(await check(settings)).toMatchObject([{ id: 'staticfiles.E112' }]);
      const notYet = { ...settings, staticRoot: 'collected/not/yet' };
      expect(await check(notYet)).toMatchObject([{ id: 'staticfiles.E112' }]);
    },
  );
});

describe('debug with NODE_ENV=production', () => {
  test('is warned of where debug is set', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(await check({ debug: true })).toEqual([
      {
        id: 'staticfiles.W103',
        level: 'warning',
        message: 'debug is true while NODE_ENV is production.',
        hint: 'Leave debug out; then NODE_ENV decides.',
      },
    ]);
    expect(await check({})).toEqual([]);
    vi.stubEnv('NODE_ENV', 'development');
    expect(await check({ debug: true })).toEqual([]);
  });
});

describe('files', () => {
  test('that are shadowed are warned of, with who wins', async () => {
    const [one, two] = [project({ 'a.css': '', 'b.css': '' }), project({ 'a.css': '' })];
    expect(await check({ dirs: [one, two] })).toEqual([
      {
        id: 'staticfiles.W105',
        level: 'warning',
        message: `'a.css' is shadowed: ${join(one, 'a.css')} wins over ${join(two, 'a.css')}.`,
        hint: 'Put the files of each application into a folder of its name: static/my_app/….',
      },
    ]);
  });

  test('of those that are ignored, none is', async () => {
    const [one, two] = [project({ '.a': '', 'b~': '' }), project({ '.a': '', 'b~': '' })];
    expect(await check({ dirs: [one, two] })).toEqual([]);
    expect(await check({ dirs: [one, two], ignore: [] })).toHaveLength(2);
  });

  test('of many that are, twenty are named and the rest counted', async () => {
    const names = Array.from({ length: 25 }, (_, i) => [`${i}.css`, '']);
    const dirs = [project(Object.fromEntries(names)), project(Object.fromEntries(names))];
    const problems = await check({ dirs });
    expect(problems).toHaveLength(21);
    expect(problems.at(-1)?.message).toBe('5 more files are shadowed.');
  });

  test('that come twice by the same path are one', async () => {
    const file = { name: 'a.css', path: '/a.css' };
    const finder: Finder = { find: () => [file], list: () => [file] };
    expect(await check({ finders: [finder, finder] })).toEqual([]);
  });

  test('that cannot be collected are warned of, those of slow finders too', async () => {
    const slow: Finder = {
      find: () => [],
      async *list({ warn }) {
        yield { name: 'a.css', path: '/a.css' };
        warn('x is left out: it is odd.');
      },
    };
    expect(await check({ finders: [slow] })).toEqual([
      { id: 'staticfiles.W104', level: 'warning', message: 'x is left out: it is odd.' },
    ]);
  });
});

test('what finders of one’s own check is told', async () => {
  const problem = { id: 'mine.W1', level: 'warning', message: 'Hm.' } as const;
  const finder: Finder = { find: () => [], list: () => [], check: () => [problem] };
  expect(await check({ finders: [finder] })).toEqual([problem]);
});

test('the folder that is suggested lies beside the source', async () => {
  const dir = project({ 'static/a.css': '' });
  const [problem] = await check({ dirs: [join(dir, 'static')], staticRoot: join(dir, 'static/x') });
  expect(problem?.hint).toContain(`such as ${dirname(join(dir, 'static'))}/collected.`);
});
