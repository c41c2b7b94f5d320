import { resolve } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { Coding } from '../src/codings.js';
import { SettingsError } from '../src/errors.js';
import { resolveSettings } from '../src/resolve-settings.js';
import { DEFAULTS, defineConfig, type ResolvedSettings, type Settings } from '../src/settings.js';
import { memoryStorage } from '../src/storages/memory.js';
import { thrownBy } from './thrown.js';

afterEach(() => vi.unstubAllEnvs());

describe('defaults', () => {
  const defaults = {
    staticUrl: '/static/',
    staticRoot: undefined,
    dirs: [],
    apps: [],
    finders: undefined,
    storage: undefined,
    mediaUrl: '',
    mediaRoot: undefined,
    debug: true,
    ignore: ['CVS', '.*', '*~'],
    scriptName: '/',
    references: { missing: 'warn', ignore: [] },
    prehashed: undefined,
    compress: [],
    maxAge: 60,
    headers: undefined,
    rootFiles: undefined,
    cache: { maxBytes: 67_108_864, maxFileBytes: 8_388_608 },
    fallthrough: false,
    baseDir: resolve('.'),
  };

  test('stand where nothing is set', () => {
    vi.stubEnv('NODE_ENV', 'development');
    expect(resolveSettings()).toEqual(defaults);
    expect(resolveSettings({})).toEqual(defaults);
  });

  test('undefined is the same as absent, for every setting', () => {
    vi.stubEnv('NODE_ENV', 'development');
    const nothing = Object.fromEntries(Object.keys(DEFAULTS).map((key) => [key, undefined]));
    expect(resolveSettings(nothing)).toEqual(defaults);
  });

  test('are frozen', () => {
    expect(Object.isFrozen(DEFAULTS)).toBe(true);
    const values = [...Object.values(DEFAULTS), DEFAULTS.references.ignore];
    for (const value of values) expect(Object.isFrozen(value)).toBe(true);
  });

  test.each([
    ['production', false],
    ['development', true],
    ['test', true],
    [undefined, true],
  ])('debug with NODE_ENV %s is %s, unless it is set', (env, debug) => {
    vi.stubEnv('NODE_ENV', env);
    expect(resolveSettings().debug).toBe(debug);
    expect(resolveSettings({ debug: !debug }).debug).toBe(!debug);
  });
});

describe('complete settings', () => {
  test('paths are absolute, and relative ones relative to baseDir', () => {
    const settings = resolveSettings({
      baseDir: 'site',
      staticRoot: 'collected',
      mediaRoot: '/srv/media',
      dirs: ['static', { prefix: 'vendor', dir: '../vendor' }],
      apps: ['apps/polls/'],
    });
    expect(settings).toMatchObject({
      baseDir: resolve('site'),
      staticRoot: resolve('site/collected'),
      mediaRoot: resolve('/srv/media'),
      dirs: [
        { prefix: '', dir: resolve('site/static') },
        { prefix: 'vendor', dir: resolve('vendor') },
      ],
      apps: [resolve('site/apps/polls')],
    });
  });

  test('without baseDir they are relative to the working directory', () => {
    expect(resolveSettings({ dirs: ['static'] }).dirs).toEqual([
      { prefix: '', dir: resolve('static') },
    ]);
  });

  test('base URLs are complete', () => {
    const settings = resolveSettings({
      staticUrl: 'static/',
      mediaUrl: 'ü/',
      scriptName: 'app',
    });
    expect(settings).toMatchObject({
      staticUrl: '/app/static/',
      mediaUrl: '/app/%C3%BC/',
      scriptName: '/app/',
    });
  });

  test.each<[Settings['references'], ResolvedSettings['references']]>([
    [{}, { missing: 'warn', ignore: [] }],
    [
      { missing: undefined, ignore: undefined },
      { missing: 'warn', ignore: [] },
    ],
    [{ missing: 'error' }, { missing: 'error', ignore: [] }],
    [{ ignore: ['*.css:*.png'] }, { missing: 'warn', ignore: ['*.css:*.png'] }],
  ])('references %j are %j', (references, complete) => {
    expect(resolveSettings({ references }).references).toEqual(complete);
  });

  test.each<[Settings['compress'], ResolvedSettings['compress']]>([
    [false, []],
    [[], []],
    [true, ['br', 'gzip']],
    [['gzip'], ['gzip']],
    [
      ['gzip', 'br'],
      ['gzip', 'br'],
    ],
  ])('compress %j is %j', (compress, codings) => {
    expect(resolveSettings({ compress }).compress).toEqual(codings);
  });

  test('prehashed is a list of globs, or the predicate that was given', () => {
    const predicate = (name: string) => name.startsWith('assets/');
    expect(resolveSettings({ prehashed: 'assets/**' }).prehashed).toEqual(['assets/**']);
    expect(resolveSettings({ prehashed: ['a', 'b'] }).prehashed).toEqual(['a', 'b']);
    expect(resolveSettings({ prehashed: predicate }).prehashed).toBe(predicate);
  });

  test('storage and finders are passed on as they are', () => {
    const storage = memoryStorage();
    const finder = { find: () => [], list: () => [] };
    const settings = resolveSettings({ storage, finders: [finder] });
    expect(settings.storage).toBe(storage);
    expect(settings.finders?.[0]).toBe(finder);
  });

  test('are frozen, and lists are copies', () => {
    const given = {
      dirs: ['a'],
      apps: ['b'],
      ignore: ['c'],
      prehashed: ['d'],
      compress: ['br'] as Coding[],
      references: { ignore: ['e:f'] },
    };
    const settings = resolveSettings(given);
    const before = structuredClone(settings);
    given.dirs.push('x');
    given.apps.push('x');
    given.ignore.push('x');
    given.prehashed.push('x');
    given.compress.push('gzip');
    given.references.ignore.push('x:x');
    expect(settings).toEqual(before);
    expect(Object.isFrozen(settings)).toBe(true);
    expect(Object.isFrozen(settings.references)).toBe(true);
  });

  test("the caller's object is left as it is", () => {
    const given: Settings = {
      staticUrl: 'static/',
      dirs: [{ prefix: 'a', dir: 'b' }],
      apps: ['polls'],
      scriptName: 'app',
      debug: undefined,
    };
    const before = structuredClone(given);
    resolveSettings(Object.freeze(given));
    expect(given).toEqual(before);
  });
});

test('what is wrong is thrown in one error, with every fault in it', () => {
  const error = thrownBy(() =>
    resolveSettings({ staticUrl: '/static', maxAge: -1, color: 'red' } as Settings),
  );
  expect(error).toBeInstanceOf(SettingsError);
  expect((error as SettingsError).problems.map(({ id }) => id)).toEqual([
    'staticfiles.E101',
    'staticfiles.E102',
    'staticfiles.E107',
  ]);
  expect((error as SettingsError).message.split('\n')).toEqual([
    expect.stringMatching(/^'color' is no setting\./),
    "staticUrl must end in a slash: '/static'. Write '/static/'.",
    'maxAge must be a whole number of seconds from 0, not -1.',
  ]);
});

test('defineConfig answers the settings as they are, unchecked', () => {
  const settings = { staticUrl: 'wrong' };
  expect(defineConfig(settings)).toBe(settings);
});
