import { describe, expect, test } from 'vitest';
import { SetupError } from '../src/errors.js';
import { globMatcher, isGlob } from '../src/globs.js';
import { thrownBy } from './thrown.js';

describe('globMatcher', () => {
  test.each<[string[], string, boolean]>([
    [[], 'anything', false],
    [['*.css'], 'a.css', true],
    [['*.css'], 'a/b/c.css', true],
    [['*.css'], 'a.css/b', false],
    [['*.css'], 'a.CSS', false],
    [['*.css'], 'a.scss', false],
    [['*.css'], '.css', true],
    [['*'], '.htaccess', true],
    [['favicon.ico'], 'favicon.ico', true],
    [['favicon.ico'], 'img/favicon.ico', true],
    [['/favicon.ico'], 'favicon.ico', true],
    [['/favicon.ico'], 'img/favicon.ico', false],
    [['./favicon.ico'], 'favicon.ico', true],
    [['./favicon.ico'], 'img/favicon.ico', false],
    [['css/*.css'], 'css/a.css', true],
    [['css/*.css'], 'css/b/a.css', false],
    [['css/*.css'], 'x/css/a.css', false],
    [['css/*'], 'css/.a', true],
    [['assets/**'], 'assets/a.js', true],
    [['assets/**'], 'assets/b/.c/a.js', true],
    [['assets/**'], 'assets2/a.js', false],
    [['assets/**'], 'x/assets/a.js', false],
    [['**/assets/**'], 'x/assets/a.js', true],
    [['**/*.css'], 'a.css', true],
    [['**/*.css'], 'a/b/c.css', true],
    [['**'], 'a/b/c', true],
    [['**'], 'a/line\nbreak', true],
    [['*.{js,css}'], 'a/b.css', true],
    [['*.{js,css}'], 'a/b.map', false],
    [['{a,b}/*'], 'b/x', true],
    [['{a,b}/*'], 'c/x', false],
    [['?.css'], 'a.css', true],
    [['?.css'], 'ab.css', false],
    [['[a-c].css'], 'b.css', true],
    [['[!a-c].css'], 'b.css', false],
    [['[!a-c].css'], 'd.css', true],
    [['[^a-c].css'], 'b.css', false],
    [['[^a-c].css'], 'd.css', true],
    [['@(a|b).css'], 'b.css', true],
    [['!(a|b).css'], 'b.css', false],
    [['!(a|b).css'], 'c.css', true],
    [['!a.css'], 'b.css', false],
    [['app-????????.js'], 'assets/app-D1x_-9aZ.js', true],
    [['@lit/**'], '@lit/x.js', true],
    [['#a'], '#a', true],
    [['a+b.css'], 'a+b.css', true],
    [['a b.css'], 'a b.css', true],
    [['ünï/*'], 'ünï/⊗.txt', true],
    [['pages/[id].js'], 'pages/[id].js', true],
    [['a\\b'], 'a/b', false],
    [['a/b'], 'a\\b', false],
    [['x', 'css/*'], 'css/a.css', true],
    [['x', 'css/*'], 'js/a.js', false],
  ])('%j of %j: %j', (globs, name, matches) => {
    expect(globMatcher(globs)(name)).toBe(matches);
  });

  test.each(['[z-a]', '/', 'x'.repeat(70_000)])('%.9s is none, and says so', (glob) => {
    const error = thrownBy(() => globMatcher(['*.css', glob]));
    expect(error).toBeInstanceOf(SetupError);
    expect((error as SetupError).message).toContain(`'${glob}' is no glob: `);
    expect((error as SetupError).cause).toBeInstanceOf(Error);
  });
});

test.each([
  ['*.css', true],
  ['!(a).css', true],
  ['a!b', true],
  ['!a.css', false],
  ['', false],
  [7, false],
  [null, false],
  [/x/, false],
  [['a'], false],
])('%j may be a glob: %j', (value, may) => {
  expect(isGlob(value)).toBe(may);
});
