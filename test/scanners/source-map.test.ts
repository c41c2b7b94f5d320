import { describe, expect, test } from 'vitest';
import { findScriptSourceMap, matchSourceMapComment } from '../../src/scanners/source-map.js';

describe('ECMA-426, "MatchSourceMapURL"', () => {
  test.each([
    ['# sourceMappingURL=x.js.map', 'x.js.map', 19],
    ['@ sourceMappingURL=x.js.map', 'x.js.map', 19],
    ['#sourceMappingURL=x.map', 'x.map', 18],
    ['# \t\n sourceMappingURL=x.map \n ', 'x.map', 22],
    ['# sourceMappingURL=a.map?b=c', 'a.map?b=c', 19],
    ['# sourceMappingURL=%20"\'`', '%20"\'`', 19],
    ['# sourceMappingURL=data:application/json,%7B%7D', 'data:application/json,%7B%7D', 19],
    ['# sourceMappingURL=', '', 19],
  ])('the comment %j names %j at %i', (inner, value, offset) => {
    expect(matchSourceMapComment(inner)).toEqual({ value, offset });
  });

  test.each([
    [' # sourceMappingURL=x.map'],
    ['! sourceMappingURL=x.map'],
    ['# sourceMappingURL=x y.map'],
    ['# sourceMappingURL =x.map'],
    ['# sourcemappingurl=x.map'],
    ['# sourceURL=x.js'],
    ['# see sourceMappingURL=x.map'],
    [''],
  ])('the comment %j names none', (inner) => {
    expect(matchSourceMapComment(inner)).toBeUndefined();
  });

  test('a comment of any length is read', () => {
    const url = `data:,${'a'.repeat(10_000_000)}`;
    expect(matchSourceMapComment(`# sourceMappingURL=${url}`)?.value).toBe(url);
    expect(matchSourceMapComment(`#${' '.repeat(10_000_000)}sourceMappingURL`)).toBeUndefined();
  });
});

describe('ECMA-426, "JavaScriptExtractSourceMapURL"', () => {
  /** What is found where nothing is left to `isCode`. */
  const found = (text: string) =>
    findScriptSourceMap(text, (offset) => {
      throw new Error(`It is asked about ${offset}.`);
    });

  test.each([
    ['a\n//# sourceMappingURL=a.map', 'a.map', 23],
    ['a\n//@ sourceMappingURL=a.map\n', 'a.map', 23],
    ['a\r\n \t//#sourceMappingURL=a.map \r\n\r\n', 'a.map', 25],
    ['a\u2028//# sourceMappingURL=a.map\u2029', 'a.map', 23],
    ['//# sourceMappingURL=a.map', 'a.map', 21],
    ['//# sourceMappingURL=a.map\n//# sourceMappingURL=b.map', 'b.map', 48],
    ['//# sourceMappingURL=a.map?sourceMappingURL=b', 'a.map?sourceMappingURL=b', 21],
    ['a // http://b\n//# sourceMappingURL=http://b/a.map', 'http://b/a.map', 35],
  ])('of %j is %j', (text, value, start) => {
    const end = start + value.length;
    expect(found(text)).toEqual({ kind: 'source-map', value, start, end });
  });

  test.each([
    [''],
    ['a'],
    ['sourceMappingURL=a.map'],
    ['# sourceMappingURL=a.map'],
    ['//# sourceMappingURL=a.map\na'],
    ['//# sourceMappingURL=a.map\n*/'],
    ['//# sourceMappingURL=a.map\n`'],
    ['//# sourceMappingURL=a b'],
    ['// see //# sourceMappingURL=a.map'],
    ['////# sourceMappingURL=a.map'],
    ['/*# sourceMappingURL=a.map'],
  ])('%j has none', (text) => {
    expect(found(text)).toBeUndefined();
  });

  test.each([
    ['a;//# sourceMappingURL=a.map', 2],
    ['a\n/*# sourceMappingURL=a.map\n*/', 2],
    ['//# sourceMappingURL=a.map\n// b', 0],
    ['//# sourceMappingURL=a.map\n// //# sourceMappingURL=b.map\n/* c */', 0],
    ['//# sourceMappingURL=a.map\n////# sourceMappingURL=b.map', 0],
    ["a\n//# sourceMappingURL='", 2],
    ['a\n//# sourceMappingURL=`', 2],
    ['/*\n//# sourceMappingURL=*/', 3],
  ])('whether there is one in %j is asked of what stands at %i', (text, offset) => {
    const asked: number[] = [];
    const answer = (isCode: boolean) =>
      findScriptSourceMap(text, (at) => {
        asked.push(at);
        return isCode;
      });
    expect(answer(true)).toMatchObject({ kind: 'source-map' });
    expect(answer(false)).toBeUndefined();
    expect(asked).toEqual([offset, offset]);
  });
});
