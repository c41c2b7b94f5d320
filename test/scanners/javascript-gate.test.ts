import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { mayRefer } from '../../src/scanners/javascript-gate.js';

describe('a script may refer to others', () => {
  test.each([
    ["import './a.js'"],
    ['import"/a.js"'],
    ['import a,{b}from`./a.js`'],
    ["export * from\u2028'../a.js'"],
    ["export {a} from 'https://example.com/a.js'"],
    ["import('\\u002e/a.js')"],
    ["import( // why\n /* where */ './a.js')"],
    ["import /* from */ a /* and */ from /* here */ './a.js'"],
    ["import { a } from // 'here'\r './a.js'"],
    [`import(/* ${'long '.repeat(100)} */ './a.js')`],
    ["import source a from './a.wasm'"],
    ["import.source('./a.wasm')"],
    ["import.defer('./a.js')"],
    ["new URL('a.png', import.meta.url)"],
    ['new URL(`a.png`,import.meta.url)'],
    ["new URL('a.png' /* here */ , import . meta . url)"],
    ["new URL('a.png', // here\n import.meta.url)"],
    ["new URL('a.png', import/* */.meta.url)"],
    ["new URL('a.png', import. /* */meta.url)"],
    ["import.meta.resolve('./a.js')"],
    ["/** @import a from './b.js' */ import c from './d.js'"],
    ['//# sourceMappingURL=a.js.map'],
    ['//# sourceMappingURL=a.js.map\n/* the end */ // of it'],
    ['/*# sourceMappingURL=a.js.map */'],
    ["import\u00a0a from\u00a0'./a.js'"],
    ["new URL('a.png',\u2028import.meta.url)"],
    ["export * from '.\\u002fa.js'"],
    ["import.meta /* */ .resolve('./a.js')"],
    ["from /* from 'bare' */ + import('./a.js')"],
  ])('%j', (text) => {
    expect(mayRefer(Buffer.from(text))).toBe(true);
    expect(mayRefer(Buffer.from(`let x = 1;\n${text}`))).toBe(true);
  });
});

describe('a script refers to no other', () => {
  test.each([
    [''],
    ['module.exports = require("./a.js")'],
    ["import React from 'react'"],
    ["import 'bare'; export * from 'node:fs';"],
    ['import(name)'],
    ['import(/* webpackChunkName */ name)'],
    ['Array.from("abc")'],
    ['const dir = import.meta.dirname;'],
    ['if (import.meta.env.DEV) start();'],
    ["where = 'import from somewhere else'"],
    ["'mode' should be either `require` or `import`."],
    ["/** @import Player from './player' */"],
    ["/** @import { TimeRange } from './time' */"],
    ['`import.defer` in `import.defer(...)`'],
    ['from “./here”'],
    ['a.mapURL = "x"; from / 2; import / 2'],
    ['//# sourceMappingURL=a.js.map\nlet x = 1;'],
    ['//# sourceMappingURL=data:application/json,{}'],
  ])('%j', (text) => {
    expect(mayRefer(Buffer.from(text))).toBe(false);
  });

  test('as vendors’ own scripts show', () => {
    const path = createRequire(import.meta.url).resolve('tinymce/tinymce.min.js');
    expect(mayRefer(readFileSync(path))).toBe(false);
  });
});
