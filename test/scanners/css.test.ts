import { describe, expect, it } from 'vitest';
import type { Reference } from '../../src/scanner.js';
import { scanCss } from '../../src/scanners/css.js';

/** A value; and how it is spelt, where that differs. */
type Expected = string | readonly [value: string, spelling: string];

const raw = String.raw;

/**
 * A stylesheet and the URLs in it. Numbers are sections of CSS Syntax Level 3 (the Candidate
 * Recommendation Draft of 24 December 2021); other specifications are named.
 */
const urls: readonly [text: string, ...expected: Expected[]][] = [
  // 4.3.6, url tokens: spaces around are none of it; 4.3.4: any case, quotes make it a function.
  ['a{b:url(a.png)}', 'a.png'],
  ['a{b:url( \t\r\n\fa.png \t\r\n\f)}', 'a.png'],
  ['a{b:URL(a.png) Url("b.png")}', 'a.png', 'b.png'],
  [`a{b:url("a b.png") url('c.png') url( "d.png" )}`, 'a b.png', 'c.png', 'd.png'],
  ['a{b:url(a.png)url(b.png),url(c.png)}', 'a.png', 'b.png', 'c.png'],
  [
    'a{b:url(a.eot?#iefix),url(/a.svg#b),url(//h/c),url(http://h/d)}',
    ...['a.eot?#iefix', '/a.svg#b', '//h/c', 'http://h/d'],
  ],
  ['a{b:url(ä/😀.png)}', 'ä/😀.png'],
  ['a{b:url(/*c*/x.png)}', '/*c*/x.png'],
  // 4.3.6 and 4.3.5: the end of the text ends a URL and a string.
  ['a{b:url(a.png', 'a.png'],
  ['a{b:url(a.png ', 'a.png'],
  ['a{b:url("a.png', 'a.png'],
  ['a{b:url("a.png\\', 'a.png'],
  [''],
  // CSS Values 4, 4.5: no URL, a fragment of this document, or data.
  ['a{b:url() url( ) url("") url(" ")}'],
  ['a{b:url(#a) url("#b") url(" #c") url(data:x) url(DATA:x) url("data:,a.png")}'],
  // CSS Values 4, 4.5: what follows the string is no URL.
  ['a{b:url("a.png" crossorigin(anonymous) integrity("sha384-b"))}', 'a.png'],
  // CSS Values 4, 4.5: src() takes a string only, and is an ordinary function.
  [`a{b:src("a.png") SRC( /*c*/ 'b.png' )}`, 'a.png', 'b.png'],
  ['a{b:src(a.png) src(var(--c)) src(var(--c, "d.png"))}'],
  // CSS Cascade 5, 2: @import, with layer(), supports() and media.
  [`@import "a.css";@import 'b.css';@IMPORT "c.css"`, 'a.css', 'b.css', 'c.css'],
  ['@import url(a.css);@import url("b.css");@import src("c.css")', 'a.css', 'b.css', 'c.css'],
  ['@import"a.css"layer(b)supports(display:grid)screen and (width>1px);', 'a.css'],
  ['@import url(a.css) layer supports(not (b:"c.css"));', 'a.css'],
  ['@import "a.css" supports(background: url(b.png));', 'a.css', 'b.png'],
  ['@import/*c*/ /*d*/"a.css";', 'a.css'],
  [raw`@\69mport "a.css";@i\mport "b.css"`, 'a.css', 'b.css'],
  // 5.4.1: an at-rule begins behind `;`, a block, spaces, comments, <!-- and -->.
  ['a{}@import "b.css"', 'b.css'],
  ['\uFEFF@import "a.css"', 'a.css'],
  ['/*a*/ @import "b.css"; /*c*/ @import "d.css"', 'b.css', 'd.css'],
  ['<!-- @import "a.css"; --> @import "b.css";', 'a.css', 'b.css'],
  ['@layer a; @import "b.css"', 'b.css'],
  ['a @import "b.css"{}'],
  ['a{--b:@import "c.css"}'],
  ['@imports "a.css";@-import "b.css";@ import "c.css";#import "d.css";import "e.css"'],
  ['@import a "b.css"'],
  // CSS Namespaces 3, 2: a namespace is a name, though it looks like a URL.
  ['@namespace url(a);@namespace b "c";@NAMESPACE d url("e");@import "f.css"', 'f.css'],
  [raw`@n\61mespace url(a);b{c:url(d.png)}`, 'd.png'],
  // CSS Images 4, 2.4: strings of image-set() are images, those of type() within it are not.
  ['a{b:image-set("a.png" 1x, url(b.png) 2x, url("c.png") 3x)}', 'a.png', 'b.png', 'c.png'],
  [`a{b:-webkit-image-set("a.png" 1x, 'b.png' 2x)}`, 'a.png', 'b.png'],
  ['a{b:IMAGE-SET(/*c*/"a.png" type("image/png"),"d.avif" type("e"))}', 'a.png', 'd.avif'],
  ['a{b:cross-fade(image-set("a.png" 1x), url(b.png))}', 'a.png', 'b.png'],
  ['a{b:image-set(f(g(")"), (1)) 1x, "a.png" 2x) "h.png"}', 'a.png'],
  ['a{b:image-set(image-set("a.png" 1x) 2x, "b.png" 3x)}', 'a.png', 'b.png'],
  ['a{b:-moz-image-set("a.png" 1x) image-sets("b.png")}'],
  // 9: a brace that closes the declaration closes what was open, so that one slip costs one rule.
  ['a{b:image-set("a.png" 1x;c:f()}d{content:"e.png"}', 'a.png'],
  ['a{b:f(((;c:image-set("a.png" 1x)}', 'a.png'],
  ['a{b:)))image-set("a.png" 1x)) "b.png"}', 'a.png'],
  // CSS Fonts 4, 4.3: format() and local() name no files.
  ['@font-face{src:local("a"),url(b.woff2) format("woff2") tech(variations)}', 'b.woff2'],
  // CSS Variables 1, 2: any value, thus URLs too.
  [':root{--a:url(b.png);--c: url("d.png")}', 'b.png', 'd.png'],
  ['@media x{@supports (a:url(b.png)){c{d:url(e.png)}}}', 'b.png', 'e.png'],
  // 4.3.5: other strings.
  ['a{content:"url(a.png)";quotes:\'@import "b"\'}'],
  ['@charset "url(a.png)";a{b:"c.png"}'],
  // 4.3.2: comments, also those that are never closed; `/*/` is open.
  ['/* url(a.png) @import "b.css"; */a{/*"*/b:url(c.png)/*"*/}', 'c.png'],
  ['/*/url(a.png)/*/a{b:url(c.png)}', 'c.png'],
  ['a{b:url(c.png)}/* url(d.png)', 'c.png'],
  ['a{b:"/*" url(c.png) "*/"}', 'c.png'],
  // 4.3.4 and 4.3.12: the whole word is the function's name.
  ['a{b:xurl(a.png) -url(b.png) url-prefix(c) curl("d") u/**/rl(e) url (f) éurl(g) \0url(h)}'],
  ['a{b:\u00d7url(a.png) \u00a0url("b.png")}'],
  // 4.3.3, a dimension; 4.3.1, hash and at-keyword: the word is not a function's.
  ['a{b:1url(a.png) 1e3url("b.png") #url(c.png) @url(d.png) #-url(e)}'],
  [raw`a{b:1\75rl(a) #\75rl(b) @\75rl(c) @x\ url(d)}`],
  [
    'a{b:.url(a.png)+url(b.png)1%url(c.png)1.url(d.png)##/**/url(e.png)',
    ...['a.png', 'b.png', 'c.png', 'd.png', 'e.png'],
  ],
  // 4.3.1: <!-- is a token, and takes its dashes with it.
  ['a<!--url(b.png) c--url(d.png)', 'b.png'],
  // 4.3.6 and 4.3.14: quotes, parentheses, controls and spaces within make a bad URL, up to `)`.
  ['a{b:url(a b.png)}'],
  [`a{b:url(a"b.png) url(a'b.png) url(a(b.png) url(a\x01.png) url(a\x7f.png)}`],
  [raw`a{b:url(a b\)url(c.png) url(d.png)}`, 'd.png'],
  ['a{b:url(a\\\nb.png)}'],
  ['a{b:url(a"b) url(c.png)}', 'c.png'],
  ['a{b:url(a b url(c.png) url(d.png)}', 'd.png'],
  ['a{b:url( /*c*/ "d.png")}'],
  // 4.3.5: a newline ends a bad string; what follows is read anew.
  ['a{b:url("a\n.png url(c.png)}', 'c.png'],
  ['@import "a\r;b{c:url(d.png)}', 'd.png'],
  ['a{b:src("a\f) url(b.png)}', 'b.png'],
  // 4.3.7: escapes in names.
  [raw`a{b:\75rl(a.png) u\72 l("b.png") \55 \52\4c(c.png)}`, 'a.png', 'b.png', 'c.png'],
  ['a{b:u\\000072l(a.png) u\\0072\r\nl(b.png)}', 'a.png', 'b.png'],
  [raw`a{b:image\-set("a.png" 1x) s\rc("b.png")}`, 'a.png', 'b.png'],
  [raw`a{b:\url(a.png) url\28 b.png) \66url(c.png)}`, 'a.png'],
  ['a{b:url\\\n(a.png) -web\u212Ait-image-set("b.png")}'],
  // 4.3.7: escapes in URLs and strings.
  [raw`a{b:url(a\ b\(c\).png)}`, ['a b(c).png', raw`a\ b\(c\).png`]],
  [raw`a{b:url(\61 \000062c\64.png)}`, ['abcd.png', raw`\61 \000062c\64.png`]],
  [raw`a{b:url( \61 )}`, ['a', raw`\61 `]],
  [raw`a{b:url("a\"b\'c\).png")}`, [`a"b'c).png`, raw`a\"b\'c\).png`]],
  [raw`a{b:url(\1F600.png) url(\😀.png)}`, ['😀.png', raw`\1F600.png`], ['😀.png', raw`\😀.png`]],
  [raw`a{b:url(\0.\d800.\110000.png)}`, ['\uFFFD.\uFFFD.\uFFFD.png', raw`\0.\d800.\110000.png`]],
  ['a{b:url("\\61\r\nb\\63\fd.png")}', ['abcd.png', '\\61\r\nb\\63\fd.png']],
  [
    raw`@import "\61.css";a{b:image-set("\62.png" 1x)}`,
    ['a.css', raw`\61.css`],
    ['b.png', raw`\62.png`],
  ],
  [raw`a{b:url(\64 ata:x) url(\23 a)}`],
  // 4.3.5: an escaped newline in a string is nothing.
  ['a{b:url("a\\\nb\\\r\nc\\\rd\\\fe.png")}', ['abcde.png', 'a\\\nb\\\r\nc\\\rd\\\fe.png']],
  ['a{b:url("\\\n")}'],
  // 3.3: NUL is U+FFFD; CR LF, CR and FF are newlines, whatever stands before.
  ['a{b:url(a\0.png)}', ['a\uFFFD.png', 'a\0.png']],
  ['a{b:url("a\\\0.png")}', ['a\uFFFD.png', 'a\\\0.png']],
  ['\uFEFF/*a*/\r\na{\r\n b:url(a.png)\r\n}\0\f', 'a.png'],
  // `staticfiles: ignore` before the first rule: nothing else may stand there.
  ['/* staticfiles: ignore */@import "a.css";b{c:url(d.png)}'],
  ['\uFEFF\n/*a*/\n/*staticfiles:ignore*/a{b:url(c.png)}'],
  ['@charset "utf-8"; /* staticfiles: ignore */a{b:url(c.png)}/*# sourceMappingURL=a.map */'],
  ['@layer a;/* staticfiles: ignore */b{c:url(d.png)}', 'd.png'],
  ['a{/* staticfiles: ignore */b:url(c.png)}', 'c.png'],
  ['@charset "a";@charset "b";/* staticfiles: ignore */a{b:url(c.png)}', 'c.png'],
  ['@charset "a\n";/* staticfiles: ignore */a{b:url(c.png)}'],
  ['/* staticfiles: ignored */a{b:url(c.png)}', 'c.png'],
  ['/* not staticfiles: ignore */a{b:url(c.png)}', 'c.png'],
  // `staticfiles: ignore-next`: the next reference, be it of an import or far away.
  ['/* staticfiles: ignore-next */a{b:url(c.png) url(d.png)}', 'd.png'],
  ['a{b:url(c.png),/*staticfiles: ignore-next*/url(d.png),url(e.png)}', 'c.png', 'e.png'],
  ['@import /* staticfiles: ignore-next */ "a.css";@import "b.css"', 'b.css'],
  [
    'a{b:url(c.png)/* staticfiles: ignore-next */ url(#d) "e" url(f.png) url(g.png)}',
    'c.png',
    'g.png',
  ],
];

/** A stylesheet and its source map: ECMA-426, "CSSExtractSourceMapURL" and "MatchSourceMapURL". */
const sourceMaps: readonly [text: string, value?: string][] = [
  ['a{}\n/*# sourceMappingURL=a.css.map */', 'a.css.map'],
  ['a{}/*@ sourceMappingURL=a.css.map*/\n', 'a.css.map'],
  ['/*#sourceMappingURL=../a.map?b#c\n*/', '../a.map?b#c'],
  ['/*# sourceMappingURL=a.map', 'a.map'],
  ['\uFEFF/*# sourceMappingURL=ä.map */\r\n', 'ä.map'],
  // The last one counts, and one that code follows does not.
  ['/*# sourceMappingURL=a.map */ /*# sourceMappingURL=b.map */', 'b.map'],
  ['/*# sourceMappingURL=a.map */a{}/*# sourceMappingURL=b.map */', 'b.map'],
  ['/*# sourceMappingURL=a.map */ /*b*/\n/*c*/ ', 'a.map'],
  ['/*# sourceMappingURL=a.map */a{}'],
  ['/*# sourceMappingURL=a.map */a{}/*b*/'],
  ['/*# sourceMappingURL=a.map */;/*b*/'],
  // Only a comment, and only this form of it.
  ['/* # sourceMappingURL=a.map */'],
  ['/*# sourceMappingURL=a.map b */'],
  ['/*# sourceMappingUrl=a.map */'],
  ['/*# sourceMappingURL= */'],
  ['/*# sourceMappingURL=data:application/json,{} */'],
  ['//# sourceMappingURL=a.map'],
  ['a{content:"/*# sourceMappingURL=a.map */"}'],
  // The last one is what it is, though it names no file.
  ['/*# sourceMappingURL=a.map *//*# sourceMappingURL=data:, */'],
  ['/* staticfiles: ignore-next *//*# sourceMappingURL=a.map */'],
];

const INSERTED = '.HASH';

/** What a reference is after `.HASH` has been put before the unit `index` of its value. */
function insertAt(text: string, reference: Reference, index: number): string {
  const { value, start, end, offsets } = reference;
  const offset = index === value.length ? end : (offsets?.[index] ?? start + index);
  return text.slice(0, offset) + INSERTED + text.slice(offset);
}

/** Where the characters of a value begin, and its end. */
function indexesOf(value: string): number[] {
  const lengths = [...value].map((character) => character.length);
  return [0, ...lengths.map((_, index) => lengths.slice(0, index + 1).reduce((a, b) => a + b))];
}

describe('scanCss', () => {
  it.each(urls)('reads the URLs of %j', (text, ...expected) => {
    const references = scanCss(text);
    const pairs = expected.map((one) => (typeof one === 'string' ? [one, one] : [...one]));
    expect(references.map(({ value, start, end }) => [value, text.slice(start, end)])).toEqual(
      pairs,
    );
    expect(references.filter(({ kind }) => kind !== 'url')).toEqual([]);
    // Offsets exactly where spelling and value differ, one for each unit.
    expect(references.map(({ offsets }) => offsets?.length)).toEqual(
      pairs.map(([value, spelling]) => (value === spelling ? undefined : value?.length)),
    );
  });

  it.each(sourceMaps)('reads the source map of %j', (text, value) => {
    const start = value === undefined ? -1 : text.lastIndexOf(value);
    expect(scanCss(text)).toEqual(
      value === undefined ? [] : [{ value, start, end: start + value.length, kind: 'source-map' }],
    );
  });

  it('answers references in their order, the source map among them', () => {
    const text = '@import "a.css";b{c:url(d.png)}/*# sourceMappingURL=e.map */';
    expect(scanCss(text).map(({ value, kind }) => [value, kind])).toEqual([
      ['a.css', 'url'],
      ['d.png', 'url'],
      ['e.map', 'source-map'],
    ]);
  });

  it('answers where each unit of a value begins', () => {
    const text = raw`a{b:url(\1F600 x\2e p\
ng)}`;
    // An escaped newline makes a bad URL of it; in a string it is nothing.
    expect(scanCss(text)).toEqual([]);
    const quoted = text.replace('(', '("').replace(')', '")');
    expect(scanCss(quoted)).toEqual([
      {
        value: '😀x.png',
        start: 9,
        end: 26,
        kind: 'url',
        offsets: [9, 9, 16, 17, 21, 24, 25],
      },
    ]);
  });

  // 4.3.7: it is U+FFFD there, and nothing in a string (4.3.5).
  it('takes a backslash that ends the text', () => {
    expect(scanCss('a{b:url(c\\')).toEqual([
      { value: 'c\uFFFD', start: 8, end: 10, kind: 'url', offsets: [8, 9] },
    ]);
    expect(scanCss('@import "c\\')).toEqual([{ value: 'c', start: 9, end: 10, kind: 'url' }]);
    expect(scanCss('\\')).toEqual([]);
  });

  it.each(
    [...urls, ...sourceMaps].filter(([, value]) => value !== undefined).map(([text]) => text),
  )('lets text be put into each reference of %j, and nothing else change', (text) => {
    const references = scanCss(text);
    const values = references.map(({ value }) => value);
    for (const [which, reference] of references.entries()) {
      const { value } = reference;
      const inserted = indexesOf(value).map((index) =>
        scanCss(insertAt(text, reference, index)).map((after) => after.value),
      );
      expect(inserted).toEqual(
        indexesOf(value).map((index) =>
          values.with(which, value.slice(0, index) + INSERTED + value.slice(index)),
        ),
      );
    }
  });
});

describe('a scan of hostile text', () => {
  const size = 300_000;
  const beginnings = [
    '',
    'a{b:url(',
    'a{b:url("',
    'a{b:image-set(',
    '/*#',
    '/* staticfiles:',
    '\\',
  ];
  const repeated = [
    ...['url(', 'url("', 'url( ', 'url(\\', 'url(a)', 'src(', 'image-set(', 'image-set("a" '],
    ...['@import', '@import "', '@import/**/', '@', '@\\', '@charset "', '@namespace '],
    ...['/*', '/**/', '/*#  ', '/*# sourceMappingURL=a*/', '/*# sourceMappingURL=a*/ a'],
    ...['"', '"\\', '"\n', "'", '\\', 'a\\', '\\61 ', '\\a', '\\\n', '\0', '\uFEFF'],
    ...['(', ')', '[', '{', '}', ';', '<!--', '-->', '#', 'u', '-', '1', 'é', ' ', '\n', '\r'],
  ];

  // Work that grows with the square takes half a minute here; linear work, a tenth of a second.
  it.each(repeated)('takes no more than linear time: %j', { timeout: 5_000 }, (unit) => {
    const texts = beginnings.map((beginning) => beginning + unit.repeat(size / unit.length));
    for (const text of texts) expect(scanCss(text).length).toBeLessThan(size);
  });

  it.each(['(', 'image-set(', 'f(', '[', '{'])('nests it 5 million deep: %j', (unit) => {
    const text = `${unit.repeat(5_000_000)}url(a.png)`;
    expect(scanCss(text).map(({ value }) => value)).toEqual(['a.png']);
  });
});
