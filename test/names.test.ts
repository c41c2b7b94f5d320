import { join, resolve, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { NameError } from '../src/errors.js';
import { assertName, compareNames, isInside, normaliseName, pathUnder } from '../src/names.js';
import { thrownBy } from './thrown.js';

describe('normaliseName', () => {
  test.each([
    ['my_app/example.jpg', 'my_app/example.jpg'],
    ['/a.css', 'a.css'],
    ['///a.css', 'a.css'],
    ['a\\b\\c.js', 'a/b/c.js'],
    ['\\\\host\\share', 'host/share'],
    ['./a.css', 'a.css'],
    ['a/./b.css', 'a/b.css'],
    ['a//b.css', 'a/b.css'],
    ['a/../b.css', 'b.css'],
    ['a\\..\\b.css', 'b.css'],
    ['a/b/../../c', 'c'],
    ['', ''],
    ['/', ''],
    ['.', ''],
    ['./', ''],
    ['a/..', ''],
    ['a/../', ''],
    ['dir/', 'dir/'],
    ['dir//', 'dir/'],
    ['dir/.', 'dir/'],
    ['a/b/..', 'a/'],
    ['.hidden', '.hidden'],
    ['..hidden', '..hidden'],
    ['a/...', 'a/...'],
    ['%2e%2e/a', '%2e%2e/a'],
    ['C:/a.css', 'C:/a.css'],
    [' a ', ' a '],
    ['emoji/😀.png', 'emoji/😀.png'],
    ['Ünï.css', 'Ünï.css'],
  ])('makes %j to %j, and leaves that as it is', (given, safe) => {
    expect(normaliseName(given)).toBe(safe);
    expect(normaliseName(safe)).toBe(safe);
  });

  test.each(['..', '../a', '/../a', 'a/../../b', 'a\\..\\..\\b', '../', './../x'])(
    'refuses %j, which goes above the base',
    (given) => {
      const error = thrownBy(() => normaliseName(given));
      expect(error).toBeInstanceOf(NameError);
      expect(error).toMatchObject({ code: 'ERR_STATICFILES_NAME', given });
      expect((error as Error).message).toContain(JSON.stringify(given));
    },
  );
});

describe('assertName', () => {
  test.each([
    ['a\0b', /"a\\u0000b" contains NUL/],
    ['a\ud800', /half of a surrogate pair/],
    ['\udc00a', /half of a surrogate pair/],
    ['😀'.slice(0, 1), /half of a surrogate pair/],
    [undefined, /must be a string, not undefined\. Is a variable misspelt or not set\?/],
    [null, /must be a string, not null\.$/],
    [7, /must be a string, not the number 7/],
    [7n, /not the bigint 7/],
    [true, /not the boolean true/],
    [Symbol('x'), /not the symbol Symbol\(x\)/],
    [['a'], /not an array/],
    [{}, /not an object/],
    [Object.create(null), /not an object/],
    [new String('a.css'), /not an object/],
    [() => 'a.css', /not a function/],
  ])('refuses %o and says why', (given, why) => {
    const error = thrownBy(() => assertName(given));
    expect(error).toBeInstanceOf(NameError);
    expect((error as NameError).message).toMatch(why);
    expect((error as NameError).given).toBe(given);
  });

  test('takes every other string', () => {
    for (const name of ['', '😀', 'a?b#c', '..', '\ufffd', 'e\u0301']) assertName(name);
  });
});

describe('pathUnder', () => {
  const root = resolve('static');

  test('answers a path below the root, made of the safe name', () => {
    expect(pathUnder(root, '/a/./b.css')).toBe(join(root, 'a', 'b.css'));
    expect(pathUnder(root, '')).toBe(root);
  });

  test('never leaves the root', () => {
    for (const name of ['../static-secret/a', '..', 'a/../../b', '..\\a']) {
      expect(() => pathUnder(root, name), name).toThrow(NameError);
    }
  });

  const elsewhere = sep === '/' ? 'takes' : 'refuses';
  test.each([
    'C:/a',
    'a.css:stream',
    'con',
    'a/NUL.txt',
    'aux/b',
    'a.',
    'a /b',
    'COM1',
    'lpt9.css',
  ])(`${elsewhere} %j, which means something else on Windows`, (name) => {
    if (sep === '/') expect(pathUnder(root, name)).toBe(join(root, name));
    else expect(() => pathUnder(root, name)).toThrow(/cannot be a file on Windows/);
  });
});

describe('isInside', () => {
  test.each([
    ['a', 'a', true],
    ['a/b', 'a', true],
    ['a/..b', 'a', true],
    ['a', 'a/b', false],
    ['ab', 'a', false],
    ['b', 'a', false],
    ['..', '.', false],
  ])('%j in %j: %j', (inner, outer, inside) => {
    expect(isInside(resolve(inner), resolve(outer))).toBe(inside);
  });
});

describe('compareNames', () => {
  test('orders by code point, as Python does', () => {
    // The emoji's UTF-16 units are below U+FF01, its code point is above.
    const sorted = [
      '',
      'A',
      'a',
      'a-b',
      'a.b',
      'a/b',
      'aa',
      'b',
      'é',
      '\ud7ff',
      '\ue000',
      '！',
      '😀',
    ];
    expect(sorted.toReversed().sort(compareNames)).toEqual(sorted);
    expect(compareNames('same', 'same')).toBe(0);
    expect(compareNames('a😀', 'a😁')).toBeLessThan(0);
  });
});
