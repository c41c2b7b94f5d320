import { resolve } from 'node:path';
import zlib from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { dirsFinder } from '../src/finders/dirs.js';
import { DEFAULTS } from '../src/settings.js';
import { settingsProblems } from '../src/settings-checks.js';
import { memoryStorage } from '../src/storages/memory.js';

class OwnFinder {
  find() {
    return [];
  }
  list() {
    return [];
  }
}

/** Values of each setting that are right; every setting must have some. */
const RIGHT: Record<keyof typeof DEFAULTS, unknown[]> = {
  staticUrl: ['/static/', 'static/', '/', 'https://cdn.example.com/', '//host:8000/s/'],
  staticRoot: ['collected', '/srv/static', '../collected'],
  dirs: [[], ['static'], [{ prefix: 'vendor', dir: 'v' }], [{ prefix: 'a/b', dir: '.' }, 'static']],
  apps: [[], ['polls', 'apps/blog']],
  finders: [[], [dirsFinder()], [() => dirsFinder()], [new OwnFinder()]],
  storage: [memoryStorage(), () => memoryStorage()],
  mediaUrl: ['/media/', 'https://media.example.com/'],
  mediaRoot: ['media'],
  debug: [true, false],
  ignore: [[], ['*.scss', 'drafts/*']],
  scriptName: ['', '/', 'app', '/app', '/app/', 'a/b', '/ünï'],
  references: [
    {},
    { missing: 'warn' },
    { missing: 'error', ignore: [] },
    { missing: undefined, ignore: undefined },
    { ignore: ['vendor/**:*.map', '*.css:{a,b}/*.png'] },
  ],
  prehashed: [[], 'assets/**', ['assets/**', '*-????????.{js,css}'], (name: string) => name !== ''],
  compress: [true, false, [], ['gzip'], ['br', 'gzip']],
  maxAge: [0, 60, 31_536_000],
  headers: [() => ({}), (name: string, url: string) => ({ 'X-Name': name + url })],
  rootFiles: ['root'],
  cache: [
    false,
    {},
    { maxBytes: 0 },
    { maxBytes: 1e9, maxFileBytes: 1e6 },
    { maxBytes: undefined },
  ],
  fallthrough: [true, false],
  baseDir: ['.', '/srv'],
};

describe('settings that are right', () => {
  test.each(Object.entries(RIGHT))('%s', (key, values) => {
    for (const value of [...values, undefined]) {
      expect(settingsProblems({ [key]: value }), String(value)).toEqual([]);
    }
  });

  test('none at all', () => {
    expect(settingsProblems({})).toEqual([]);
    expect(Object.keys(RIGHT)).toEqual(Object.keys(DEFAULTS));
  });
});

describe('settings that are wrong', () => {
  test.each<[string, unknown, string, string]>([
    ['staticUrl', '/static', 'E102', "staticUrl must end in a slash: '/static'. Write '/static/'."],
    ['staticUrl', '', 'E102', "staticUrl must end in a slash: ''. Write '/'."],
    ['staticUrl', '/a b/', 'E102', 'staticUrl must not contain spaces'],
    ['staticUrl', 7, 'E102', "staticUrl must be a string such as '/static/', not 7."],
    ['staticUrl', null, 'E102', 'not null.'],
    ['staticUrl', new URL('http://host/static/'), 'E102', 'not a URL.'],
    ['headers', { 'X-Y': 'z' }, 'E117', 'headers must be a function (name, url)'],
    ['rootFiles', ['x'], 'E103', 'rootFiles must be the path of a folder, not an array.'],
    ['cache', true, 'E118', 'cache must be { maxBytes, maxFileBytes } or false, not true.'],
    ['cache', { maxBytes: -1 }, 'E118', 'cache.maxBytes must be a whole number of bytes from 0'],
    [
      'cache',
      { maxFileByte: 1 },
      'E101',
      "cache.maxFileByte is no option; there are maxBytes and maxFileBytes. Did you mean 'maxFileBytes'?",
    ],
    ['staticRoot', '', 'E103', 'staticRoot must be the path of a folder, not an empty string.'],
    ['staticRoot', 'a\0b', 'E103', 'staticRoot must be the path of a folder'],
    ['staticRoot', ['x'], 'E103', 'not an array.'],
    ['dirs', 'static', 'E001', "dirs must be an array, not 'static'. Write dirs: ['…']."],
    ['dirs', { prefix: 'a', dir: 'b' }, 'E001', 'dirs must be an array, not an object.'],
    ['dirs', [7], 'E103', 'dirs[0] must be the path of a folder or { prefix, dir }, not 7.'],
    ['dirs', ['a', ''], 'E103', 'dirs[1] must be the path of a folder, not an empty string.'],
    ['dirs', [['vendor', 'path']], 'E103', "Write { prefix: 'vendor', dir: 'path' }."],
    ['dirs', [{ dir: 'x' }], 'E103', 'dirs[0] must be'],
    ['dirs', [{ prefix: 'x' }], 'E103', 'dirs[0].dir must be the path of a folder, not undefined.'],
    ['dirs', [{ prefix: 'x/', dir: 'y' }], 'E003', "The prefix 'x/' in dirs[0] must not end in a"],
    ['dirs', [{ prefix: 'x//', dir: 'y' }], 'E003', "Write 'x'."],
    ['dirs', [{ prefix: '/x', dir: 'y' }], 'E103', "The prefix '/x' in dirs[0] is no name"],
    ['dirs', [{ prefix: '../x', dir: 'y' }], 'E103', "The prefix '../x' in dirs[0] is no name"],
    ['dirs', [{ prefix: 'a\\b', dir: 'y' }], 'E103', 'is no name of a folder.'],
    ['dirs', [{ prefix: 'x', dir: 'y', root: 1 }], 'E101', 'dirs[0].root is no option; there are'],
    ['apps', 'polls', 'E103', "apps must be an array of folders, not 'polls'."],
    ['apps', ['polls', null], 'E103', 'apps[1] must be the path of a folder, not null.'],
    ['finders', dirsFinder(), 'E108', 'finders must be an array of finders, not an object.'],
    ['finders', [{ find() {} }], 'E108', 'finders[0] must be a finder (with find() and list())'],
    ['finders', ['dirsFinder'], 'E108', 'Such as dirsFinder(), with its brackets'],
    ['storage', 'memory', 'E109', 'storage must be a storage (with read(), write(), list(), url()'],
    ['storage', { url() {} }, 'E109', 'or a function that answers one, not an object.'],
    ['storage', Promise.resolve(memoryStorage()), 'E109', 'not a promise.'],
    ['mediaUrl', '/media', 'E102', "mediaUrl must end in a slash: '/media'. Write '/media/'."],
    ['mediaRoot', 7, 'E103', 'mediaRoot must be the path of a folder, not 7.'],
    ['debug', 'false', 'E104', "debug must be true or false, not 'false'."],
    ['debug', 0, 'E104', 'debug must be true or false, not 0.'],
    ['ignore', '*.scss', 'E105', "ignore must be an array of shell patterns, not '*.scss'."],
    ['ignore', ['*~', /x/], 'E105', "ignore[1] must be a shell pattern such as '*.scss', not an"],
    ['ignore', [''], 'E105', 'ignore[0] must be a shell pattern'],
    ['scriptName', 7, 'E106', "scriptName must be a path such as '/app', not 7."],
    ['scriptName', 'https://host/app', 'E106', "scriptName must be a path such as '/app'"],
    ['scriptName', '/../app', 'E106', 'scriptName must be a path'],
    ['scriptName', '/a b', 'E106', 'scriptName must be a path'],
    ['scriptName', '/app?x', 'E106', 'scriptName must be a path'],
    ['scriptName', '\\app', 'E106', 'scriptName must be a path'],
    ['scriptName', '/a\0', 'E106', 'scriptName must be a path'],
    ['scriptName', '/a\ud800', 'E106', 'scriptName must be a path'],
    ['references', 'error', 'E114', "references must be { missing, ignore }, not 'error'."],
    ['references', null, 'E114', 'references must be { missing, ignore }, not null.'],
    ['references', ['a:b'], 'E114', 'references must be { missing, ignore }, not an array.'],
    [
      'references',
      { missing: true },
      'E114',
      "references.missing must be 'warn' or 'error', not t",
    ],
    ['references', { missing: null }, 'E114', "must be 'warn' or 'error', not null."],
    ['references', { missing: 'ignore' }, 'E114', "must be 'warn' or 'error', not 'ignore'."],
    [
      'references',
      { mising: 'warn' },
      'E101',
      "references.mising is no option; there are missing and ignore. Did you mean 'missing'?",
    ],
    [
      'references',
      { strict: true },
      'E101',
      'references.strict is no option; there are missing and',
    ],
    [
      'references',
      { ignore: 'a:b' },
      'E114',
      "references.ignore must be an array of 'file glob:tar",
    ],
    [
      'references',
      { ignore: ['a:b', 'vendor/**'] },
      'E114',
      "references.ignore[1] must be 'file glob:target glob' such as 'vendor/**:*.png', not 'vendor/**'.",
    ],
    ['references', { ignore: [':b'] }, 'E114', 'references.ignore[0] must be'],
    ['references', { ignore: ['a:'] }, 'E114', 'references.ignore[0] must be'],
    ['references', { ignore: ['a:b:c'] }, 'E114', 'references.ignore[0] must be'],
    ['references', { ignore: ['a:!b'] }, 'E114', 'references.ignore[0] must be'],
    ['references', { ignore: [''] }, 'E114', 'not an empty string.'],
    ['references', { ignore: [/a/] }, 'E114', 'references.ignore[0] must be'],
    ['prehashed', '', 'E115', "prehashed must be a glob such as 'assets/**', not an empty string."],
    ['prehashed', ['a', ''], 'E115', 'prehashed[1] must be a glob'],
    ['prehashed', [/a/], 'E115', 'prehashed[0] must be a glob'],
    [
      'prehashed',
      /a/,
      'E115',
      'prehashed must be an array of globs, one of them, or a function, not an object.',
    ],
    [
      'prehashed',
      true,
      'E115',
      'prehashed must be an array of globs, one of them, or a function, not true.',
    ],
    ['prehashed', ['!a'], 'E115', "not '!a'. Globs say what is meant; else write a function."],
    [
      'compress',
      'br',
      'E116',
      "compress must be true, false, or a list such as ['br', 'gzip'], no",
    ],
    [
      'compress',
      null,
      'E116',
      "compress must be true, false, or a list such as ['br', 'gzip'], no",
    ],
    ['compress', 1, 'E116', 'not 1.'],
    ['compress', { br: true }, 'E116', 'not an object.'],
    ['compress', ['brotli'], 'E116', "compress[0] must be 'br', 'gzip' or 'zstd', not 'brotli'."],
    ['compress', ['br', 7], 'E116', "compress[1] must be 'br', 'gzip' or 'zstd', not 7."],
    ['compress', ['br', 'br'], 'E116', "compress[1] is 'br' once more. Name each coding once."],
    ['maxAge', -1, 'E107', 'maxAge must be a whole number of seconds from 0, not -1.'],
    ['maxAge', 1.5, 'E107', 'not 1.5.'],
    ['maxAge', '60', 'E107', "not '60'."],
    ['maxAge', Number.NaN, 'E107', 'not NaN.'],
    ['maxAge', Number.POSITIVE_INFINITY, 'E107', 'not Infinity.'],
    ['fallthrough', 'yes', 'E104', "fallthrough must be true or false, not 'yes'."],
    ['baseDir', () => '.', 'E103', 'baseDir must be the path of a folder, not a function.'],
    ['baseDir', new URL('file:///srv/'), 'E103', 'Write fileURLToPath(…) of node:url.'],
    ['dirs', [new URL('file:///srv/')], 'E103', 'Write fileURLToPath(…) of node:url.'],
  ])('%s: %j is %s', (key, value, id, text) => {
    const problems = settingsProblems({ [key]: value });
    expect(problems).toMatchObject([{ id: `staticfiles.${id}`, level: 'error' }]);
    const [problem] = problems;
    expect([problem?.message, problem?.hint].filter(Boolean).join(' ')).toContain(text);
  });

  test('every fault in references is told', () => {
    const references = { missing: 0, ignore: ['a', 'b:c', 'd'], extra: 1 };
    expect(settingsProblems({ references }).map(({ message }) => message.split(' ')[0])).toEqual([
      'references.extra',
      'references.missing',
      'references.ignore[0]',
      'references.ignore[2]',
    ]);
  });

  test.each([
    [null, 'Settings must be an object, not null.'],
    ['x', "Settings must be an object, not 'x'."],
    [[], 'Settings must be an object, not an array.'],
    [() => ({}), 'Settings must be an object, not a function.'],
  ])('%o are none', (settings, message) => {
    expect(settingsProblems(settings)).toMatchObject([{ id: 'staticfiles.E100', message }]);
  });

  test('a promise of settings is one that was not awaited', () => {
    expect(settingsProblems(Promise.resolve({}))).toMatchObject([
      {
        id: 'staticfiles.E100',
        message: 'Settings must be an object, not a promise.',
        hint: 'Write await before it, such as await loadConfig().',
      },
    ]);
  });

  test('every fault is told, not only the first', () => {
    const problems = settingsProblems({
      staticUrl: '/static',
      dirs: ['', { prefix: 'x/', dir: 7 }],
      maxAge: -1,
      colour: 'red',
    });
    expect(problems.map(({ message }) => message.split(' ')[0])).toEqual([
      "'colour'",
      'staticUrl',
      'dirs[0]',
      'dirs[1].dir',
      'The',
      'maxAge',
    ]);
  });
});

describe('zstd', () => {
  afterEach(() => vi.restoreAllMocks());

  test('is refused where zlib cannot write it, and is right where it can', () => {
    const problem = {
      id: 'staticfiles.E116',
      level: 'error',
      message: `compress[1] is 'zstd', which Node ${process.version} cannot write.`,
      hint: "Node 22.15 and later can; or leave it out: ['br', 'gzip'].",
    };
    const problems = settingsProblems({ compress: ['br', 'zstd'] });
    expect(problems).toEqual('zstdCompress' in zlib ? [] : [problem]);
  });

  test.each([
    [{}, 1],
    [{ zstdCompress() {} }, 0],
  ])('is looked for in zlib itself: %o gives %i problems', (module, count) => {
    const look = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(module);
    expect(settingsProblems({ compress: ['br', 'gzip'] })).toEqual([]);
    expect(look).not.toHaveBeenCalled();
    expect(settingsProblems({ compress: ['zstd'] })).toHaveLength(count);
    expect(look.mock.calls).toEqual([['node:zlib']]);
  });
});

describe('unknown settings', () => {
  test.each([
    ['staticURL', 'staticUrl'],
    ['static_url', 'staticUrl'],
    ['satticRoot', 'staticRoot'],
    ['dir', 'dirs'],
    ['finder', 'finders'],
    ['ignores', 'ignore'],
    ['STATIC_URL', 'staticUrl'],
    ['STATIC_ROOT', 'staticRoot'],
    ['STATICFILES_DIRS', 'dirs'],
    ['STATICFILES_FINDERS', 'finders'],
    ['STATICFILES_STORAGE', 'storage'],
    ['STORAGES', 'storage'],
    ['INSTALLED_APPS', 'apps'],
    ['MEDIA_URL', 'mediaUrl'],
    ['MEDIA_ROOT', 'mediaRoot'],
    ['DEBUG', 'debug'],
    ['SCRIPT_NAME', 'scriptName'],
    ['FORCE_SCRIPT_NAME', 'scriptName'],
    ['WHITENOISE_MAX_AGE', 'maxAge'],
    ['WHITENOISE_IMMUTABLE_FILE_TEST', 'prehashed'],
    ['ignore_patterns', 'ignore'],
    ['BASE_DIR', 'baseDir'],
  ])('%s: did you mean %s?', (key, near) => {
    expect(settingsProblems({ [key]: undefined })).toMatchObject([
      {
        id: 'staticfiles.E101',
        message: `'${key}' is no setting.`,
        hint: `Did you mean '${near}'?`,
      },
    ]);
  });

  test.each([
    ['WHITENOISE_KEEP_ONLY_HASHED_FILES', '{ keepOriginals: false }'],
    ['WHITENOISE_MANIFEST_STRICT', '{ strict: false }'],
  ])('%s is an option of hashedStorage(): %s', (key, option) => {
    expect(settingsProblems({ [key]: true })).toMatchObject([
      {
        id: 'staticfiles.E101',
        message: `'${key}' is no setting.`,
        hint: `It is an option here: storage: hashedStorage(${option}).`,
      },
    ]);
  });

  test.each(['nothingLikeIt', 'constructor', 'toString', 'hasOwnProperty'])(
    '%s is near none, so all are named',
    (key) => {
      const hint = `The settings are ${Object.keys(DEFAULTS).join(', ')}.`;
      expect(settingsProblems({ [key]: 1 })).toMatchObject([{ id: 'staticfiles.E101', hint }]);
    },
  );
});

describe('settings that contradict each other', () => {
  test.each([
    [{ mediaUrl: '/static/' }],
    [{ staticUrl: '/x/', mediaUrl: '/x/' }],
    [{ staticUrl: 'x/', mediaUrl: '/app/x/', scriptName: 'app' }],
    [{ staticUrl: '/ü/', mediaUrl: '/%C3%BC/' }],
  ])('mediaUrl and staticUrl must differ: %j', (settings) => {
    expect(settingsProblems(settings)).toMatchObject([
      {
        id: 'staticfiles.E110',
        message: expect.stringMatching(/^mediaUrl and staticUrl must differ/),
      },
    ]);
  });

  test('mediaRoot and staticRoot must differ', () => {
    const settings = { staticRoot: 'files', mediaRoot: './other/../files/' };
    const message = `mediaRoot and staticRoot must differ; both are '${resolve('files')}'.`;
    expect(settingsProblems(settings)).toMatchObject([{ id: 'staticfiles.E110', message }]);
  });

  test.each([
    [{ staticRoot: 'static', dirs: ['static'] }],
    [{ staticRoot: 'static', dirs: ['a', { prefix: 'x', dir: 'static/' }] }],
    [{ staticRoot: resolve('base/static'), dirs: ['static'], baseDir: 'base' }],
  ])('dirs must not contain staticRoot: %j', (settings) => {
    expect(settingsProblems(settings)).toMatchObject([
      {
        id: 'staticfiles.E002',
        message: expect.stringContaining('dirs must not contain staticRoot'),
        hint: 'Sources are collected from dirs into staticRoot; give them folders of their own.',
      },
    ]);
  });

  test('they may lie beside each other', () => {
    const settings = {
      staticRoot: 'static',
      dirs: ['static2'],
      mediaRoot: 'media',
      mediaUrl: '/m/',
    };
    expect(settingsProblems(settings)).toEqual([]);
    expect(settingsProblems({ mediaUrl: '/static/media/' })).toEqual([]);
  });
});
