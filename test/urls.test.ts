import { describe, expect, test } from 'vitest';
import {
  basePath,
  baseUrlFault,
  encodePath,
  encodeSuffix,
  isLocal,
  joinStoreUrl,
  joinUrl,
  normaliseScriptName,
  resolveBaseUrl,
  splitSuffix,
} from '../src/urls.js';

describe('splitSuffix', () => {
  test.each([
    ['a.css', 'a.css', ''],
    ['a.css?v=1', 'a.css', '?v=1'],
    ['sprite.svg#icon', 'sprite.svg', '#icon'],
    ['font.eot?#iefix', 'font.eot', '?#iefix'],
    ['a#b?c', 'a', '#b?c'],
    ['a?', 'a', '?'],
    ['?v=1', '', '?v=1'],
    ['', '', ''],
  ])('%j is %j and %j', (name, path, suffix) => {
    expect(splitSuffix(name)).toEqual({ path, suffix });
  });
});

describe('encodeSuffix', () => {
  test.each([
    ['', ''],
    ['?', '?'],
    ['#', '#'],
    ['?#', '?#'],
    ['?v=1&w=2;x', '?v=1&w=2;x'],
    ["?a/b:c@d!$'()*+,=-._~", "?a/b:c@d!$'()*+,=-._~"],
    ['?a?b', '?a?b'],
    ['#a?b', '#a?b'],
    ['#a#b', '#a%23b'],
    ['##', '#%23'],
    ['?q=1#a#b#', '?q=1#a%23b%23'],
    ['?a b', '?a%20b'],
    ['?%20', '?%20'],
    ['?%C3%bC', '?%C3%bC'],
    ['?100%', '?100%25'],
    ['?%', '?%25'],
    ['?%2', '?%252'],
    ['?%zz', '?%25zz'],
    ['#%%41', '#%25%41'],
    ['?ü', '?%C3%BC'],
    ['#😀', '#%F0%9F%98%80'],
    // Letters that `i` and `u` together take for K and S.
    ['?\u212a\u017f', '?%E2%84%AA%C5%BF'],
    ['?[]{}|^`\\', '?%5B%5D%7B%7D%7C%5E%60%5C'],
    ['?<">', '?%3C%22%3E'],
    ['?\t\n\u007f', '?%09%0A%7F'],
  ])('%j becomes %j, which stays as it is', (suffix, encoded) => {
    expect(encodeSuffix(suffix)).toBe(encoded);
    expect(encodeSuffix(encoded)).toBe(encoded);
    expect(encoded).toMatch(/^[\x21-\x7e]*$/);
  });
});

test('encodePath encodes as encodeURI does, and the marks of suffixes too', () => {
  for (let code = 0; code < 0x250; code++) {
    const char = String.fromCodePoint(code);
    const marks: Record<string, string> = { '?': '%3F', '#': '%23' };
    expect(encodePath(char), char).toBe(marks[char] ?? encodeURI(char));
  }
  expect(encodePath('a?b#c?d#e')).toBe('a%3Fb%23c%3Fd%23e');
  expect(encodePath('%20')).toBe('%2520');
});

test('joinStoreUrl does so in a way that S3 takes as well', () => {
  expect(joinStoreUrl('https://host/a+b/', 'a b+c/d.css')).toBe('https://host/a+b/a%20b%2Bc/d.css');
});

test('joinUrl puts a path behind the base', () => {
  expect(joinUrl('/static/', 'a b.css')).toBe('/static/a%20b.css');
  expect(joinUrl('/static/', '')).toBe('/static/');
  expect(joinUrl('', 'a#b')).toBe('a%23b');
});

describe('base URLs', () => {
  test.each([
    ['/', '/', '/'],
    ['/static/', '/static/', '/static/'],
    ['/a/b/c/', '/a/b/c/', '/a/b/c/'],
    ['static/', '/app/static/', '/app/static/'],
    ['a/b/', '/app/a/b/', '/app/a/b/'],
    ['/my%20files/', '/my%20files/', '/my%20files/'],
    ['/ünï/', '/%C3%BCn%C3%AF/', '/%C3%BCn%C3%AF/'],
    ['/50%/', '/50%25/', '/50%25/'],
    ['/a[1]|"<>/', '/a%5B1%5D%7C%22%3C%3E/', '/a%5B1%5D%7C%22%3C%3E/'],
    ['/~user/a;b=c,d/', '/~user/a;b=c,d/', '/~user/a;b=c,d/'],
    ['https://cdn.example.com/', 'https://cdn.example.com/', '/'],
    ['https://cdn.example.com/v1/static/', 'https://cdn.example.com/v1/static/', '/v1/static/'],
    ['HTTPS://CDN.example.com/S/', 'HTTPS://CDN.example.com/S/', '/S/'],
    ['http://localhost:8000/s/', 'http://localhost:8000/s/', '/s/'],
    ['http://user:pass@host/s/', 'http://user:pass@host/s/', '/s/'],
    ['https://host/ünï/', 'https://host/%C3%BCn%C3%AF/', '/%C3%BCn%C3%AF/'],
    ['//cdn.example.com/s/', '//cdn.example.com/s/', '/s/'],
    ['//cdn.example.com/', '//cdn.example.com/', '/'],
    ['http://[::1]:8000/static/', 'http://[::1]:8000/static/', '/static/'],
    ['//[2001:db8::1]:8443/', '//[2001:db8::1]:8443/', '/'],
  ])('%j under the script name /app is %j, and its path %j', (given, resolved, path) => {
    expect(baseUrlFault(given)).toBeUndefined();
    expect(resolveBaseUrl(given, '/app')).toBe(resolved);
    expect(basePath(resolved)).toBe(path);
  });

  test.each([
    ['/static/', true],
    ['/', true],
    ['//cdn.example.com/', false],
    ['https://cdn.example.com/static/', false],
  ])('%j is of this site: %j', (baseUrl, expected) => {
    expect(isLocal(baseUrl)).toBe(expected);
  });

  test.each([
    ['', 'must end in a slash'],
    ['/static', 'must end in a slash'],
    ['static', 'must end in a slash'],
    ['https://host', 'must end in a slash'],
    ['/static/?v=1', 'must end in a slash'],
    ['/static?v=1/', "'?' or '#'"],
    ['/static#x/', "'?' or '#'"],
    ['/my files/', 'spaces'],
    [' /static/', 'spaces'],
    ['/static/\n/', 'control characters'],
    ['/a\0/', 'control characters'],
    ['/a\u007f/', 'control characters'],
    ['\\static\\/', "'\\'"],
    ['/a/../b/', "'.' or '..'"],
    ['../static/', "'.' or '..'"],
    ['./', "'.' or '..'"],
    ['/./', "'.' or '..'"],
    ['https://host/../x/', "'.' or '..'"],
    ['/%2e%2E/static/', "'.' or '..'"],
    ['/.%2e/', "'.' or '..'"],
    ['%2e/', "'.' or '..'"],
    ['ftp://host/', 'http or https'],
    ['javascript:/', 'http or https'],
    ['data:,/', 'http or https'],
    ['C:/static/', 'http or https'],
    ['file:///srv/static/', 'http or https'],
    ['https:/static/', 'http or https'],
    ['https:///static/', 'http or https'],
    ['https:static/', 'http or https'],
    ['///static/', 'not a valid URL'],
    ['//', 'not a valid URL'],
    ['//host:99999/', 'not a valid URL'],
    ['http://[::1/s/', 'not a valid URL'],
    ['https://ho<st/', 'not a valid URL'],
    ['/sta\ud800tic/', 'half of a surrogate pair'],
  ])('%j is refused: it %s', (given, why) => {
    expect(baseUrlFault(given)).toContain(why);
  });

  test.each(['', '/', 'app', '/app', 'app/', '/app/', '//app//'])(
    'a relative one goes under the script name %j, however that is written',
    (scriptName) => {
      const app = scriptName.includes('app') ? '/app/' : '/';
      expect(normaliseScriptName(scriptName)).toBe(app);
      expect(resolveBaseUrl('static/', scriptName)).toBe(`${app}static/`);
      expect(resolveBaseUrl('/static/', scriptName)).toBe('/static/');
      expect(resolveBaseUrl('//host/s/', scriptName)).toBe('//host/s/');
    },
  );

  test('a script name of several parts stays one', () => {
    expect(resolveBaseUrl('static/', '/a/b')).toBe('/a/b/static/');
  });
});
