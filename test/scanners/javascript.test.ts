// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the strings are the JavaScript to be read.
import { describe, expect, test } from 'vitest';
import { ScanError } from '../../src/scanner.js';
import { scanJavaScript } from '../../src/scanners/javascript.js';
import { thrownBy } from '../thrown.js';

/** The references of a text without escapes, as `kind value`: each is spelled as it is meant. */
function found(text: string): string[] {
  const references = scanJavaScript(text);
  expect(references.map(({ start, end }) => text.slice(start, end))).toEqual(
    references.map(({ value }) => value),
  );
  return references.map(({ kind, value }) => `${kind} ${value}`);
}

describe('ECMAScript, "Imports", "Exports" and "Import Calls"', () => {
  test.each([
    ["import './a.js'", ['./a.js']],
    ["import\n'./a.js'", ['./a.js']],
    ['import a from "../a.js"', ['../a.js']],
    ["import*as a from'./a.js';import{b as c,default as d}from'/b.js'", ['./a.js', '/b.js']],
    ["import { 'x y' as b } from './a.js'", ['./a.js']],
    ["import /* './b.js' */ a // './c.js'\nfrom /**/ './a.js'", ['./a.js']],
    ["import a, { b, // it's\n c /* './b.js' */ } from './a.js'", ['./a.js']],
    ["/* import a // */ import a // it's\nfrom './a.js'", ['./a.js']],
    ["import j from './a.json' with { type: 'json' }", ['./a.json']],
    ["import j from'./a.json'with{type:'json'};import './b.js'", ['./a.json', './b.js']],
    ["import source x from './a.wasm'; import source from './b.js'", ['./a.wasm', './b.js']],
    ["import defer * as x from './a.js'; import defer from './b.js'", ['./a.js', './b.js']],
    ["export*from'./a.js';export{a}from'./b.js'", ['./a.js', './b.js']],
    ["export * as a from './a.js'\nexport { 'x y' as b }\nfrom\n'./b.js'", ['./a.js', './b.js']],
    ["import('./a.js')", ['./a.js']],
    ['x=>import(`./a.js`)', ['./a.js']],
    ["import( /* './b.js' */ './a.js' // c\n ,)", ['./a.js']],
    ["import('./a.js', { with: { type: 'json' } })", ['./a.js']],
    [
      "import('./a.js', import('./b.js')).then(() => import('./c.js'))",
      ['./a.js', './b.js', './c.js'],
    ],
    ["import.source('./a.wasm'), import.defer('./a.js')", ['./a.wasm', './a.js']],
    ["`${import('./a.js')}${`${import('./b.js')}`}`", ['./a.js', './b.js']],
    ["a/import('./a.js')/b; if (a) /'/.test(b); import('./b.js')", ['./a.js', './b.js']],
    ["(function(f){'use strict';f(import('./a.js'))})(window)", ['./a.js']],
    ["class A { import(x) { return import('./a.js') } }", ['./a.js']],
  ])('%j names %j', (text, values) => {
    expect(found(text)).toEqual(values.map((value) => `specifier ${value}`));
  });

  test.each([
    ["// import './a.js'\n/* import './a.js' */"],
    ["#!/usr/bin/env node import './a.js'"],
    ['"import \'./a.js\'"; \'import("./a.js")\''],
    ["`import('./a.js') \\${import('./a.js')}`"],
    ["/import('.\\/a.js')/; /[/'\"`]import('x')/"],
    ["import(a); import('./a' + b); import('./a'.b); import(a ? './a' : './b')"],
    ['import(`./a${b}.js`); import(`./a.js`.b); import(`${a}`)'],
    ["a.import('./a.js'); a?.import('./a.js'); this.#import('./a.js'); a./**/import('./a.js')"],
    ["({ import: './a.js' }); ({ import(a) {} })"],
    ["const important = './a.js', $import = './b.js'; module.exports = './c.js'"],
    ["export { from }; './a.js'"],
    ["new Worker('./a.js'); importScripts('./a.js')"],
    ["\\u0069mport('./a.js')"],
    [''],
  ])('%j names nothing', (text) => {
    expect(found(text)).toEqual([]);
  });

  test.each([
    ['a BOM', "\uFEFFimport './a.js'"],
    ['a hashbang', "#!/usr/bin/env node's\nimport './a.js'"],
    ['a BOM and a hashbang', "\uFEFF#!/usr/bin/env node's\nimport './a.js'"],
    ['white space of Unicode', "a();\u2028\u3000import('./a.js')"],
    ['characters of two units', "'😀'; import './a.js'"],
  ])('references are where they stand behind %s', (_, text) => {
    expect(found(text)).toEqual(['specifier ./a.js']);
  });
});

describe('HTML, "resolve a module specifier"', () => {
  test.each([
    ['./a.js'],
    ['../a.js?b#c'],
    ['/a.js'],
    ['//example.com/a.js'],
    ['https://example.com/a.js'],
    ['HTTP://example.com/a.js'],
    ['./%61%20b.js'],
    ['./ü.js'],
  ])('%j is a path or a URL', (specifier) => {
    expect(found(`import '${specifier}'`)).toEqual([`specifier ${specifier}`]);
    expect(found(`import("${specifier}")`)).toEqual([`specifier ${specifier}`]);
  });

  test.each([
    ['a'],
    ['a/b.js'],
    ['@a/b'],
    ['#a'],
    ['.'],
    ['..'],
    ['.a/b.js'],
    [' ./a.js'],
    ['node:fs'],
    ['data:text/javascript,1'],
    ['blob:https://example.com/1'],
    [''],
  ])('%j is a bare one, or no file', (specifier) => {
    expect(found(`import '${specifier}'; import("${specifier}")`)).toEqual([]);
  });
});

describe('HTML, "import.meta"', () => {
  test.each([
    ["new URL('a.png', import.meta.url)", ['url a.png']],
    ['new URL(`./a.png`,import.meta.url).href', ['url ./a.png']],
    ["new Worker(new URL('w.js', import.meta.url), { type: 'module' })", ['url w.js']],
    ["new URL\n(\n'a.png',\nimport.meta.url,\n)", ['url a.png']],
    [
      "new/*a*/URL/*b*/(/*c*/'x'/*d*/,/*e*/import/*f*/./*g*/meta/*h*/./*i*/url/*j*/,/*k*/)",
      ['url x'],
    ],
    ["new // a\n URL ( // b\n 'x', // c\n import.meta.url // d\n)", ['url x']],
    ["new URL('//example.com/a.png', import.meta.url)", ['url //example.com/a.png']],
    ["new URL('http://example.com/a', import.meta.url)", ['url http://example.com/a']],
    ["new URL('.', import.meta.url)", ['url .']],
    ["new URL(new URL('a', import.meta.url), import.meta.url)", ['url a']],
    ["`${new URL('a', import.meta.url)}`", ['url a']],
    ["import.meta.resolve('./a.js')", ['specifier ./a.js']],
    ['import /**/ . meta . resolve ( `./a.js` , )', ['specifier ./a.js']],
    [
      "import './a.js'; new URL('b', import.meta.url); import('./c.js')",
      ['specifier ./a.js', 'url b', 'specifier ./c.js'],
    ],
    ["import('./new URL(a).js', import.meta.url)", ['specifier ./new URL(a).js']],
  ])('%j names %j', (text, references) => {
    expect(found(text)).toEqual(references);
  });

  test.each([
    ['import.meta.url; import.meta.resolve; import.meta.env'],
    ["new URL(a, import.meta.url); new URL('a' + b, import.meta.url)"],
    ['new URL(`a${b}`, import.meta.url)'],
    ["new URL('a', import.meta.url + b); new URL('a', import.meta.url.b)"],
    ["new URL('a', import.meta.dirname); new URL('a', import.meta.urls)"],
    ["new URL('a'); new URL('a', b); URL('a', import.meta.url)"],
    ["new URLs('a', import.meta.url); new A.URL('a', import.meta.url)"],
    ["newURL('a', import.meta.url); a.new\nURL('a', import.meta.url)"],
    ["new URL('data:,a', import.meta.url); new URL('blob:a', import.meta.url)"],
    [
      "new URL('', import.meta.url); new URL('#a', import.meta.url); new URL('?a', import.meta.url)",
    ],
    ["// new URL('a', import.meta.url)\nimport.meta"],
    ["f(a, // new URL('a',\nimport.meta.url)"],
    ["f(// new URL(\n'a', import.meta.url)"],
    ["`new URL('a', import.meta.url)`; '\\'new URL(\\'a\\', import.meta.url)'; import.meta"],
    ["/new URL('a', import.meta.url)/; import.meta"],
    ["import.meta.resolve('a'); import.meta.resolve(a); a.import.meta.resolve('./a')"],
  ])('%j names nothing', (text) => {
    expect(found(text)).toEqual([]);
  });
});

describe('ECMAScript, "Static Semantics: SV" and "TV"', () => {
  const bs = '\\';
  test.each([
    [`'./${bs}u0061.js'`, './a.js', [0, 1, 2, 8, 9, 10]],
    [`"./${bs}x61${bs}u{61}.js"`, './aa.js', [0, 1, 2, 6, 12, 13, 14]],
    [`'./${bs}a${bs}'${bs}X61'`, "./a'X61", [0, 1, 2, 4, 6, 8, 9]],
    [`'./${bs}u{1F600}/a'`, './😀/a', [0, 1, 2, 2, 11, 12]],
    [`'./a${bs}\nb${bs}\r\nc${bs}\u2028d'`, './abcd', [0, 1, 2, 5, 9, 12]],
    [`'./${bs}n${bs}0'`, './\n\0', [0, 1, 2, 4]],
    [`'./${bs}${bs}%41'`, './\\%41', [0, 1, 2, 4, 5, 6]],
    [`\`./a\r\nb${bs}\`\``, './a\nb`', [0, 1, 2, 3, 5, 6]],
  ])('%j means %j', (literal, value, offsets) => {
    const text = `import(${literal})`;
    const start = 'import('.length + 1;
    const end = text.length - 2;
    expect(scanJavaScript(text)).toEqual([
      { kind: 'specifier', value, start, end, offsets: offsets.map((offset) => start + offset) },
    ]);
  });

  test.each([["import './a.js'"], ["import('./a.js')"], ["new URL('./a.js', import.meta.url)"]])(
    'what has no escapes has no offsets: %j',
    (text) => {
      expect(scanJavaScript(text)[0]).not.toHaveProperty('offsets');
    },
  );
});

describe('source map comments', () => {
  test('come last, and are no matter of imports', () => {
    expect(found("import './a.js'\n//# sourceMappingURL=a.js.map\n")).toEqual([
      'specifier ./a.js',
      'source-map a.js.map',
    ]);
    expect(found('var a\n//# sourceMappingURL=a.js.map')).toEqual(['source-map a.js.map']);
  });

  test.each([['data:application/json,{}'], ['webpack:///a.map'], [''], ['#a']])(
    '%j is no file of its own',
    (url) => {
      expect(found(`var a\n//# sourceMappingURL=${url}`)).toEqual([]);
    },
  );

  test.each([
    ["x = 'http://a'; //# sourceMappingURL=a.map", ['source-map a.map']],
    ['x = /[/*]/; /*# sourceMappingURL=a.map */', ['source-map a.map']],
    ["\uFEFF#!node's\nx = 1; //# sourceMappingURL=it's.map", ["source-map it's.map"]],
    ["x = 'http://a' // b //# sourceMappingURL=a.map", []],
    ['x = "//# sourceMappingURL="+a.map', []],
    ['x = `${1}//# sourceMappingURL=a.map`', []],
    ['x = `\n//# sourceMappingURL=a.map\n`', []],
    ["x = '//# sourceMappingURL=a.map'", []],
    ['x = /[//# sourceMappingURL=a.map]/', []],
    ['/* //# sourceMappingURL=a.map */', []],
    ['/* a /*# sourceMappingURL=a.map */', []],
  ])('the lexer decides whether there is one in %j', (text, references) => {
    expect(found(text)).toEqual(references);
  });
});

describe('staticfiles: ignore', () => {
  test.each([
    ['/* staticfiles: ignore */'],
    ['/*staticfiles:ignore*/'],
    ['// staticfiles: ignore\r\n'],
    ["\uFEFF#!/usr/bin/env node\n\n/*! licence */ // it's\n/*\n staticfiles: ignore\n*/"],
  ])('%j before everything else switches the file off', (comment) => {
    expect(found(`${comment}import './a.js'\n//# sourceMappingURL=a.map`)).toEqual([]);
  });

  test.each([
    ["'use strict'; /* staticfiles: ignore */"],
    ["'/* staticfiles: ignore */';"],
    ['/* staticfiles: ignored */'],
    ['/* not staticfiles: ignore */'],
    ['// staticfiles: ignore it\n'],
  ])('%j does not', (comment) => {
    expect(found(`${comment}import './a.js'`)).toEqual(['specifier ./a.js']);
  });

  test('a file that is switched off is not even parsed', () => {
    expect(found('// staticfiles: ignore\nimport {')).toEqual([]);
  });

  test.each([
    ["/* staticfiles: ignore-next */ import './a.js'; import './b.js'", ['specifier ./b.js']],
    ["import './a.js'; // staticfiles: ignore-next\r\nimport './b.js'", ['specifier ./a.js']],
    ["import(/*staticfiles:ignore-next*/ './a.js'); import('./b.js')", ['specifier ./b.js']],
    [
      "//staticfiles: ignore-next\n/* staticfiles: ignore-next */import './a.js'; import './b.js'",
      ['specifier ./b.js'],
    ],
    ['/* staticfiles: ignore-next */\n//# sourceMappingURL=a.map', []],
    ["import './a.js' /* staticfiles: ignore-next */", ['specifier ./a.js']],
    ["// staticfiles: ignore-next one\nimport './a.js'", ['specifier ./a.js']],
  ])('of %j is left %j', (text, references) => {
    expect(found(text)).toEqual(references);
  });
});

describe('a text that is no JavaScript', () => {
  test.each([
    ['an open string', "import './a.js'\n'", 17],
    ['an import that ends early', "import { a from './a.js'", 24],
    ['a bad escape', "import './\\u00.js'", 8],
    ['an open bracket', "import './a.js'; {", 0],
    ['brackets 1,025 deep', `import './a.js';${'('.repeat(1025)}${')'.repeat(1025)}`, 1040],
  ])('with %s is refused', (_, text, offset) => {
    const error = thrownBy(() => scanJavaScript(text));
    expect(error).toBeInstanceOf(ScanError);
    expect(error).toMatchObject({ message: 'this does not parse as JavaScript', offset });
  });

  test('is of no interest where nothing is imported', () => {
    expect(found("'\n//# sourceMappingURL=a.map")).toEqual(['source-map a.map']);
  });
});

describe('any text is read in linear time', () => {
  // Ten million characters each: what is quadratic takes hours.
  test.each([
    ['import', 0, 1],
    ['import ', 'refused', 'refused'],
    ['import(', 'refused', 'refused'],
    ["import('", 'refused', 'refused'],
    ["import('./a'", 'refused', 'refused'],
    ['import a, /*', 'refused', 'refused'],
    ['import a //\n', 'refused', 'refused'],
    ['import.meta', 0, 1],
    ['import.meta.resolve(', 'refused', 'refused'],
    ['new URL(', 0, 'refused'],
    ["new URL('x',import.meta.url", 'refused', 'refused'],
    ["new URL('x',import.meta.url);", 344827, 344828],
    ['new/*', 0, 1],
    ['export{', 'refused', 'refused'],
    ['\\', 0, 1],
    ['`', 0, 1],
    ['${', 0, 'refused'],
    ['/', 0, 1],
    ['/*', 0, 1],
    ['//', 0, 1],
    ["'", 0, 1],
    ['"', 0, 1],
    ['(', 0, 'refused'],
    ['{', 0, 'refused'],
    ['\n', 0, 1],
    ['//# sourceMappingURL=', 0, 1],
    ['//# sourceMappingURL=a b\n', 0, 1],
    ['// //# sourceMappingURL=a\n', 0, 1],
    ['/*# sourceMappingURL=', 0, 1],
    ['//# sourceMappingURL=a\n', 1, 2],
    ['/* staticfiles: ignore-next */', 0, 1],
  ])('%j, over and over', { timeout: 60_000 }, (unit, alone, imported) => {
    const text = unit.repeat(10_000_000 / unit.length);
    expect(outcomeOf(text)).toBe(alone);
    expect(outcomeOf(`import './a.js';${text}`)).toBe(imported);
  });
});

function outcomeOf(text: string): number | 'refused' {
  try {
    return scanJavaScript(text).length;
  } catch (error) {
    expect(error).toBeInstanceOf(ScanError);
    return 'refused';
  }
}
