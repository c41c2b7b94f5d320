import { describe, expect, test } from 'vitest';
import { ManifestError } from '../src/errors.js';
import { parseManifest } from '../src/manifest.js';
import { cpuTimeOf } from './cpu-time.js';
import { thrownBy } from './thrown.js';

const parseText = (text: string, location: string) => parseManifest(Buffer.from(text), location);
const parse = (content: unknown) => parseText(JSON.stringify(content), '/srv/staticfiles.json');
const paths = (content: unknown) => [...parse(content).paths];

describe('a manifest is read', () => {
  test.each([
    ['1.0', {}],
    ['1.0', { hash: 'f1d2d2f924e9' }],
    ['1.1', { hash: 'f1d2d2f924e9' }],
    ['1.0', { integrity: { 'a.css': 'sha384-…' }, sizes: {} }],
  ])('of version %s, with %j besides', (version, besides) => {
    const content = { paths: { 'a.css': 'a.0123456789ab.css' }, version, ...besides };
    expect(paths(content)).toEqual([['a.css', 'a.0123456789ab.css']]);
  });

  test('that is empty', () => {
    expect(paths({ paths: {}, version: '1.0' })).toEqual([]);
  });

  test('with names in any script, and names that objects have', () => {
    const entries: [string, string][] = [
      ['ünï/⊗.txt', 'ünï/⊗.0123456789ab.txt'],
      ['emoji/😀.png', 'emoji/😀.0123456789ab.png'],
      ['a b#c?d.css', 'a b#c?d.0123456789ab.css'],
      ['__proto__', '__proto__.0123456789ab'],
      ['constructor', 'constructor.0123456789ab'],
      ['a..b/...c', 'a..b/...c'],
    ];
    const inner = entries.map((entry) => entry.map((name) => JSON.stringify(name)).join(':'));
    const { paths: read } = parseText(`{"version":"1.0","paths":{${inner.join()}}}`, 'm');
    expect([...read]).toEqual(entries);
    expect(read.get('toString')).toBeUndefined();
  });
});

describe('what is no manifest is refused, by where it is and what to do', () => {
  test.each<[string, string, string]>([
    ['an empty file', '', 'is no JSON'],
    ['half a file', '{"paths": {"a.css": "a.0123', 'is no JSON'],
    ['two of them', '{}{}', 'is no JSON'],
    ['a page', '<!doctype html>', 'is no JSON'],
    ['null', 'null', "it has no 'paths'"],
    ['an array', '[]', "it has no 'paths'"],
    ['a text', '"paths"', "it has no 'paths'"],
    [
      "Vite's manifest",
      '{"src/main.js": {"file": "assets/main-4889e940.js", "isEntry": true}}',
      "it has no 'paths'",
    ],
    ["gulp-rev's manifest", '{"a.css": "a-4889e940.css"}', "it has no 'paths'"],
    ["webpack's manifest", '{"main.js": "/dist/main.4889e940.js"}', "it has no 'paths'"],
    ['paths that are none', '{"paths": ["a.css"], "version": "1.0"}', "it has no 'paths'"],
    ['no version', '{"paths": {}}', 'of version undefined; known are 1.0 and 1.1'],
    ['another version', '{"paths": {}, "version": "2.0"}', 'of version "2.0"'],
    ['a number for version', '{"paths": {}, "version": 1.0}', 'of version 1;'],
    ...[
      ['a number', '7'],
      ['null', 'null'],
      ['an object', '{"file": "a.css"}'],
      ['an empty name', '""'],
      ['a folder', '"a/"'],
      ['a name above the root', '"../../etc/passwd"'],
      ['a name that passes above it', '"a/../../b"'],
      ['an absolute path', '"/etc/passwd"'],
      ['a name with a backslash', String.raw`"a\\b.css"`],
      ['a name that is spelled oddly', '"a//b.css"'],
      ['NUL', String.raw`"a\u0000.css"`],
      ['half a character', String.raw`"a\ud800.css"`],
    ].map(([title, value]): [string, string, string] => [
      `${title} as a hashed name`,
      `{"version": "1.0", "paths": {"b.css": "b.css", "a.css": ${value}}}`,
      "gives 'a.css' the hashed name",
    ]),
  ])('%s', (_, text, why) => {
    const error = thrownBy(() => parseText(text, '/srv/staticfiles.json'));
    expect(error).toBeInstanceOf(ManifestError);
    expect(error).toMatchObject({ location: '/srv/staticfiles.json' });
    const { message } = error as ManifestError;
    expect(message).toContain(`/srv/staticfiles.json`);
    expect(message).toContain(why);
    expect(message).toContain('Run collectstatic');
  });

  test('JSON that is broken keeps its cause', () => {
    const error = thrownBy(() => parseText('{', 'm')) as ManifestError;
    expect(error.cause).toBeInstanceOf(SyntaxError);
  });
});

test('10,000 names are read in less than half a second', () => {
  const many = Array.from({ length: 10_000 }, (_, i) => [
    `folder-${i % 100}/some-file_${i}.min.js`,
    `folder-${i % 100}/some-file_${i}.min.0123456789ab.js`,
  ]);
  const text = JSON.stringify({ version: '1.0', paths: Object.fromEntries(many) });
  const took = cpuTimeOf(() => expect(parseText(text, 'm').paths.size).toBe(10_000));
  expect(took).toBeLessThan(500);
});
