import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { dirsFinder } from '../src/finders/dirs.js';
import { ignorePatterns } from '../src/patterns.js';
import { django } from './django.js';
import { attached, listedNames } from './finders/attached.js';
import { project } from './project.js';

describe('ignorePatterns', () => {
  test.each<[string[], string, boolean]>([
    [[], 'anything', false],
    [['*.scss'], 'a.scss', true],
    [['*.scss'], 'a/b/c.scss', true],
    [['*.scss'], 'a.SCSS', false],
    [['*.scss'], 'a.scss.css', false],
    [['CVS'], 'CVS/Entries', true],
    [['CVS'], 'a/CVS/b/c', true],
    [['CVS'], 'CVSx/Entries', false],
    [['.*'], '.htaccess', true],
    [['.*'], 'a/.git/config', true],
    [['.*'], 'a.b', false],
    [['*~'], 'a/b.css~', true],
    [['a/*'], 'a/b/c', true],
    [['a/b'], 'a/b', true],
    [['a/b'], 'a/b/c', false],
    [['a/b'], 'x/a/b', false],
    [['*/b'], 'x/a/b', true],
    [['?'], 'ab', false],
    [['?'], '😀', true],
    [['[a-c]x'], 'bx', true],
    [['[!a-c]x'], 'bx', false],
    [['[!a-c]x'], 'dx', true],
    [['[^a]'], '^', true],
    [['[]]'], ']', true],
    [['[!]]'], ']', false],
    [['[a'], '[a', true],
    [['[c-a]'], 'b', false],
    [['[!c-a]'], 'b', true],
    [['[a-]'], '-', true],
    [['[\\w]'], 'w', true],
    [['{a,b}'], 'a', false],
    [['{a,b}'], '{a,b}', true],
    [['a|b'], 'a', false],
    [['(a)'], 'a', false],
    [['a.css'], 'axcss', false],
    [['*'], 'a\nb', true],
    [['ünï*'], 'ünïcode', true],
    [['./a'], 'a', true],
    [['a/'], 'a', true],
    [['a//b'], 'a/b', true],
    [['x/../a'], 'a', true],
    [['x', '*.map'], 'a.map', true],
  ])('%j of %j: %j', (patterns, path, ignored) => {
    expect(ignorePatterns(patterns)(path)).toBe(ignored);
  });

  test('thousands of stars and long names are no trap', () => {
    const ignored = ignorePatterns([`${'*'.repeat(5000)}b`]);
    expect(ignored('a'.repeat(5000))).toBe(false);
  });
});

/** What collectstatic of real Django would copy of a folder, for each list of patterns. */
const COLLECT = `
import io, json, sys
import django
from django.conf import settings
job = json.load(sys.stdin)
settings.configure(
    STATIC_URL='/static/', STATIC_ROOT=job['root'], STATICFILES_DIRS=[job['dir']],
    STATICFILES_FINDERS=['django.contrib.staticfiles.finders.FileSystemFinder'],
    INSTALLED_APPS=['django.contrib.staticfiles'], SECRET_KEY='x')
django.setup()
from django.contrib.staticfiles.management.commands.collectstatic import Command
answers = []
for patterns in job['patterns']:
    command = Command(stdout=io.StringIO())
    command.set_options(interactive=False, verbosity=0, link=False, clear=False, dry_run=True,
        ignore_patterns=list(patterns), use_default_ignore_patterns=False, post_process=False)
    answers.append(sorted(command.collect()['modified']))
json.dump(answers, sys.stdout)
`;

describe(`as Django ${django.version} ignores${django.why}`, () => {
  const names = [
    ...['a.css', 'A.css', 'a/b.css', 'a/.hidden/x.css', 'sub/deep/a.css', 'sub/deep.css', 'b.sass'],
    ...['.htaccess', 'x~', 'x~dir/y', 'dir~/y', 'CVS/Entries', 'CVSx', '.git/config', 'ünï.css'],
    ...[
      '[a',
      '{a,b}.css',
      ']x',
      'e/mail.scss',
      'a b.css',
      'emoji/😀.css',
      'new\nline.css',
      '^',
      '-',
    ],
    ...['sub/a/b.css', 'a|b', 'b/c/d/e/f.txt', '!x', '😀'],
  ];
  const patterns = [
    ...[[], ['*.css'], ['a'], ['a/*'], ['a/b.css'], ['*/b.css'], ['b.css'], ['A*'], ['*.CSS']],
    ...[['CVS', '.*', '*~'], ['?.css'], ['?'], ['[ab].css'], ['[!a]*'], ['[a'], ['a/'], ['./a']],
    ...[['a//b.css'], ['x/../a'], ['*a*'], ['**'], ['sub/deep'], ['sub/*'], ['*.s[ac]ss']],
    ...[['ünï*'], ['[]]x'], ['{a,b}.css'], ['*.css', 'b'], ['[^]'], ['[-]'], ['[!-~]'], ['*\n*']],
    ...[
      ['b/c'],
      ['*/c/*'],
      ['c'],
      ['d/e/f.txt'],
      ['[!!]x'],
      ['[b-a]*'],
      ['.*/*'],
      ['a|b'],
      ['(a)'],
    ],
  ];

  test.skipIf(!django.installed)('the same files of a folder are left', async () => {
    const dir = project(Object.fromEntries(names.map((name) => [name, name])));
    const output = execFileSync(django.python, ['-W', 'ignore', '-c', COLLECT], {
      input: JSON.stringify({ root: project({}), dir, patterns }),
      encoding: 'utf8',
      env: { ...process.env, PYTHONUTF8: '1' },
    });
    const theirs: string[][] = JSON.parse(output);
    const finder = attached(dirsFinder(), { dirs: [dir] });
    const ours = await Promise.all(patterns.map((list) => listedNames(finder, list)));
    expect(theirs[0]).toHaveLength(names.length);
    const rows = (answers: string[][]) => answers.map((left, i) => [patterns[i], left.toSorted()]);
    expect(rows(ours)).toEqual(rows(theirs));
  });
});
