import { existsSync, lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { CollectEvent } from '../../src/collect/run.js';
import type { Settings } from '../../src/settings.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { hashedSite, hashOf, settle, tree } from './hashed-site.js';

/** What every picture holds, and so the hash in its name. */
const X = 'x';
const H = hashOf(X);

/** The targets of the references below. */
const TARGETS = Object.fromEntries(
  [
    'a.png',
    'img/a.png',
    'img/b.tar.gz',
    'img/noext',
    'img/.dot',
    'img/two words.png',
    'img/ünï ⊗.png',
    'img/50%.png',
    'img/%20.png',
    'img/what?.png',
    'img/c#.png',
    "img/o'brien (1).png",
    'img/1',
    'img/x.y/z',
    'css/b.png',
    'js/m.js',
    'js/dir/m.js',
    'js/m.wasm',
  ].map((name) => [name, X]),
);

async function rewritten(name: string, text: string, settings: Settings = {}) {
  const site = hashedSite({ ...TARGETS, [name]: text }, { ignore: [], ...settings });
  const { warnings, missing } = await site.collect();
  return {
    text: site.text(name),
    missing,
    warnings: warnings.filter((w) => !/holds '\?'/.test(w)),
  };
}

describe('a hash in a reference', () => {
  const NL = '\n';
  it.each<[what: string, spelled: string, becomes: string]>([
    ['a relative one stays relative', 'url(../img/a.png)', `url(../img/a.${H}.png)`],
    ['beside the file', 'url(b.png)', `url(b.${H}.png)`],
    ['with a dot', 'url("./b.png")', `url("./b.${H}.png")`],
    ['with spaces in quotes', "url( ' b.png ' )", `url( ' b.${H}.png ' )`],
    ['with a query', 'url(b.png?v=1.5)', `url(b.${H}.png?v=1.5)`],
    ['with a fragment', 'url(b.png#a.b/c.d)', `url(b.${H}.png#a.b/c.d)`],
    ['with ?#iefix', 'url(b.png?#iefix)', `url(b.${H}.png?#iefix)`],
    ['several dots', 'url(../img/b.tar.gz)', `url(../img/b.tar.${H}.gz)`],
    ['no extension', 'url(../img/noext)', `url(../img/noext.${H})`],
    ['no extension, and a query', 'url(../img/noext?a.b)', `url(../img/noext.${H}?a.b)`],
    ['a dot in a folder only', 'url(../img/x.y/z)', `url(../img/x.y/z.${H})`],
    ['a dot file', 'url(../img/.dot)', `url(../img/.dot.${H})`],
    ['a number', 'url(../img/1)', `url(../img/1.${H})`],
    ['percent-encoded', 'url(../img/two%20words.png)', `url(../img/two%20words.${H}.png)`],
    ['a raw space', 'url("../img/two words.png")', `url("../img/two words.${H}.png")`],
    ['an escaped space', 'url(../img/two\\ words.png)', `url(../img/two\\ words.${H}.png)`],
    ['an escape by number', 'url(../img/two\\20words.png)', `url(../img/two\\20words.${H}.png)`],
    ['an escaped dot', 'url(b\\.png)', `url(b.${H}\\.png)`],
    ['an escaped dot by number', 'url("b\\2e png")', `url("b.${H}\\2e png")`],
    ['an escaped line break', 'url("b.\\\npng")', `url("b.${H}.\\\npng")`],
    ['a percent-encoded dot', 'url(b%2Epng)', `url(b.${H}%2Epng)`],
    ['percent-encoded letters', 'url(%62.%70ng)', `url(%62.${H}.%70ng)`],
    ['escaped percent-encoding', 'url(b\\%2epng)', `url(b.${H}\\%2epng)`],
    ['non-ASCII', 'url("../img/ünï ⊗.png")', `url("../img/ünï ⊗.${H}.png")`],
    [
      'non-ASCII escaped',
      'url("../img/\\fc n\\ef  ⊗.png")',
      `url("../img/\\fc n\\ef  ⊗.${H}.png")`,
    ],
    [
      'non-ASCII encoded',
      'url(../img/%C3%BCn%c3%af%20%E2%8A%97.png)',
      `url(../img/%C3%BCn%c3%af%20%E2%8A%97.${H}.png)`,
    ],
    ['behind non-ASCII', '/* 😀 ⊗ ü */ url(b.png)', `/* 😀 ⊗ ü */ url(b.${H}.png)`],
    ['behind a BOM', '\uFEFFa{b:url(b.png)}', `\uFEFFa{b:url(b.${H}.png)}`],
    ['two in one line', 'url(b.png),ü url(b.png)', `url(b.${H}.png),ü url(b.${H}.png)`],
    ['a percent sign in a name', 'url(../img/50%25.png)', `url(../img/50%25.${H}.png)`],
    ['a name that looks encoded', 'url(../img/%2520.png)', `url(../img/%2520.${H}.png)`],
    ['? in a name', 'url(../img/what%3F.png?v)', `url(../img/what%3F.${H}.png?v)`],
    ['# in a name', 'url(../img/c%23.png#c)', `url(../img/c%23.${H}.png#c)`],
    ['brackets', `url("../img/o'brien (1).png")`, `url("../img/o'brien (1).${H}.png")`],
    ['from staticUrl', 'url(/static/img/a.png)', `url(/static/img/a.${H}.png)`],
    ['dots on the way', 'url(../img/../css/./b.png)', `url(../img/../css/./b.${H}.png)`],
    ['round about the root', 'url(../../static/a.png)', `url(../../static/a.${H}.png)`],
    ['encoded dots', 'url(%2e%2E/a.png)', `url(%2e%2E/a.${H}.png)`],
    ['a backslash', 'url("..\\\\img\\\\a.png")', `url("..\\\\img\\\\a.${H}.png")`],
    ['in an import', '@import "b.png"layer;', `@import "b.${H}.png"layer;`],
    ['in an image-set', 'image-set("b.png" 1x)', `image-set("b.${H}.png" 1x)`],
  ])('goes in as it is spelled: %s', async (_, spelled, becomes) => {
    const parts = (text: string) => `${text}${NL}.ü::after { content: "url(a.png)" }${NL}`;
    expect(await rewritten('css/a.css', parts(spelled))).toEqual({
      text: parts(becomes),
      missing: [],
      warnings: [],
    });
  });

  it.each<[what: string, spelled: string, becomes: string]>([
    ['an import', "import './m.js';", `import './m.${H}.js';`],
    ['minified', 'import{a}from"./m.js";b', `import{a}from"./m.${H}.js";b`],
    ['an export', "export * from '../js/m.js'", `export * from '../js/m.${H}.js'`],
    ['a dynamic import', "import('./m.js')", `import('./m.${H}.js')`],
    ['a constant template', 'import(`./m.js`)', `import(\`./m.${H}.js\`)`],
    ['an escape', "import './\\u006d\\x2ejs'", `import './\\u006d.${H}\\x2ejs'`],
    ['from staticUrl', "import '/static/js/m.js'", `import '/static/js/m.${H}.js'`],
    [
      'a worker',
      "new Worker(new URL('dir/m.js?x', import.meta.url))",
      `new Worker(new URL('dir/m.${H}.js?x', import.meta.url))`,
    ],
    [
      'behind non-ASCII',
      "const a = '⊗😀'; new URL('m.wasm', import.meta.url)",
      `const a = '⊗😀'; new URL('m.${H}.wasm', import.meta.url)`,
    ],
    ['a BOM and a hashbang', "\uFEFF#!x ⊗\nimport './m.js'", `\uFEFF#!x ⊗\nimport './m.${H}.js'`],
    [
      'two that are nested',
      "/* ⊗ */ import('./m.js', import('./dir/m.js'))",
      `/* ⊗ */ import('./m.${H}.js', import('./dir/m.${H}.js'))`,
    ],
  ])('goes into a script: %s', async (_, spelled, becomes) => {
    expect(await rewritten('js/a.js', spelled)).toEqual({
      text: becomes,
      missing: [],
      warnings: [],
    });
  });

  it.each<[what: string, name: string, text: string]>([
    ['bare imports', 'js/a.js', "import 'm.js'; import('lodash/m.js'); import '#m.js';"],
    ['a folder', 'js/a.js', "new URL('./', import.meta.url); new URL('dir/', import.meta.url)"],
    ['a folder without a slash', 'js/a.js', "new URL('./dir', import.meta.url)"],
    [
      'the base itself',
      'js/a.js',
      "new URL('..', import.meta.url); new URL('../', import.meta.url)",
    ],
    ['other hosts', 'css/a.css', 'url(//x.test/static/a.png) url(HTTPS://x.test/static/a.png)'],
    ['data and other schemes', 'css/a.css', 'url(data:image/png,a.png) url(blob:a.png)'],
    ['the page and the file itself', 'css/a.css', 'url(#a.png) url("") url(?b.png)'],
    ['a site’s other paths', 'css/a.css', 'url(/a.png) url(/media/../a.png) url(/statics/a.png)'],
    ['folders', 'css/a.css', 'url(/static/) url(../img/) url(.) url(/static/img)'],
    ['a comment and a string', 'css/a.css', '/* url(b.png) */ a { content: "url(b.png)" }'],
    ['what is switched off', 'css/a.css', '/* staticfiles: ignore */ a { b: url(b.png) }'],
  ])('goes not into %s, without a warning', async (_, name, text) => {
    expect(await rewritten(name, text)).toEqual({ text, missing: [], warnings: [] });
  });

  it.each<[staticUrl: string, scriptName: string, spelled: string, becomes: string]>([
    ['https://cdn.test/s/', '/', 'https://cdn.test/s/a.png', `https://cdn.test/s/a.${H}.png`],
    ['https://cdn.test/s/', '/', '/s/a.png?1', `/s/a.${H}.png?1`],
    ['https://cdn.test/s/', '/', '//cdn.test/s/a.png', '//cdn.test/s/a.png'],
    ['https://cdn.test/s/', '/', 'https://cdn.test/a.png', 'https://cdn.test/a.png'],
    ['https://cdn.test/', '/', '/a.png', `/a.${H}.png`],
    ['//cdn.test/s/', '/', '//cdn.test/s/a.png#a.b', `//cdn.test/s/a.${H}.png#a.b`],
    ['//cdn.test/s/', '/', '../a.png', `../a.${H}.png`],
    ['/', '/', '/a.png', `/a.${H}.png`],
    ['/', '/', '../../../a.png', `../../../a.${H}.png`],
    ['s/', '/app', '/app/s/a.png', `/app/s/a.${H}.png`],
    ['s/', '/app', '/s/a.png', '/s/a.png'],
    [
      '/ståtic files/'.replace(' ', '%20'),
      '/',
      '/ståtic%20files/a.png',
      `/ståtic%20files/a.${H}.png`,
    ],
    ['/ståtic/', '/', '/st%C3%A5tic/a.png', `/st%C3%A5tic/a.${H}.png`],
  ])('under the base URL %s (in %s): %s', async (staticUrl, scriptName, spelled, becomes) => {
    const { text, warnings } = await rewritten('css/a.css', `a{b:url(${spelled})}`, {
      staticUrl,
      scriptName,
    });
    expect({ text, warnings }).toEqual({ text: `a{b:url(${becomes})}`, warnings: [] });
  });

  it('goes into source map comments', async () => {
    const site = hashedSite({
      'a.js': 'a()\n//# sourceMappingURL=a.js.map\n',
      'a.js.map': X,
      'a.css': 'a{}/*# sourceMappingURL=a.css.map */',
      'a.css.map': X,
    });
    await site.collect();
    expect(site.text('a.js')).toBe(`a()\n//# sourceMappingURL=a.js.${H}.map\n`);
    expect(site.text('a.css')).toBe(`a{}/*# sourceMappingURL=a.css.${H}.map */`);
  });
});

describe('hashed names', () => {
  it.each([
    ['a.css', `a.${H}.css`],
    ['a/b.min.css', `a/b.min.${H}.css`],
    ['LICENSE', `LICENSE.${H}`],
    ['a.b/c', `a.b/c.${H}`],
    ['.htaccess', `.htaccess.${H}`],
    ['..a.b', `..a.${H}.b`],
    ['...', `....${H}`],
    ['a.', `a.${H}.`],
    ['1', `1.${H}`],
    ['1.css', `1.${H}.css`],
    ['__proto__', `__proto__.${H}`],
    ['constructor', `constructor.${H}`],
    ['toString/hasOwnProperty.js', `toString/hasOwnProperty.${H}.js`],
    ['two words.png', `two words.${H}.png`],
    ['100%.png', `100%.${H}.png`],
    ['%2e%2e.png', `%2e%2e.${H}.png`],
    ['a#b?c.png', `a#b?c.${H}.png`],
    ['ünï-😀.png', `ünï-😀.${H}.png`],
    ['"q\'u`o.png', `"q'u\`o.${H}.png`],
    ['line\nbreak\ttab.png', `line\nbreak\ttab.${H}.png`],
    ['a:b.png', `a:b.${H}.png`],
    ['backup~', `backup~.${H}`],
  ])('%j is published, answered, and there', async (name, hashedName) => {
    const site = hashedSite({ [name]: X, 'other.txt': '' }, { ignore: [] });
    const report = await site.collect();
    expect(report.copied.toSorted()).toEqual([name, 'other.txt'].sort());
    expect(Object.entries(site.names())).toContainEqual([name, hashedName]);
    expect(readFileSync(site.out(hashedName), 'utf8')).toBe(X);
    expect(readFileSync(site.out(name), 'utf8')).toBe(X);
    const url = site.files.staticUrl(name);
    expect(url.startsWith('/static/') && decodeURIComponent(url.slice(8))).toBe(hashedName);
  });

  it('hash what is written, with the references that it has then', async () => {
    const css = 'a{b:url(b.png)}';
    const site = hashedSite({ 'a.css': css, 'b.png': X });
    const { hashed, bytes } = await site.collect();
    const body = `a{b:url(b.${H}.png)}`;
    expect(site.names()).toEqual({ 'a.css': `a.${hashOf(body)}.css`, 'b.png': `b.${H}.png` });
    expect(hashed).toEqual([
      { name: 'a.css', hashedName: `a.${hashOf(body)}.css` },
      { name: 'b.png', hashedName: `b.${H}.png` },
    ]);
    expect(bytes).toBe(body.length + X.length);
    expect(site.text('a.css')).toBe(body);
    expect(readFileSync(site.out('a.css'), 'utf8')).toBe(css);
  });

  it('hash large files part by part', async () => {
    const film = Buffer.alloc(2_500_000, 'film');
    const text = `import './m.js';${'//'.padEnd(1_200_000, 'é')}`;
    const site = hashedSite({ 'film.mp4': film, 'large.js': text, 'm.js': X, 'empty.css': '' });
    await site.collect();
    const rewrittenText = text.replace('m.js', `m.${H}.js`);
    expect(site.names()).toEqual({
      'empty.css': `empty.${hashOf('')}.css`,
      'film.mp4': `film.${hashOf(film)}.mp4`,
      'large.js': `large.${hashOf(rewrittenText)}.js`,
      'm.js': `m.${H}.js`,
    });
    expect(readFileSync(site.out(`film.${hashOf(film)}.mp4`)).equals(film)).toBe(true);
    expect(site.text('large.js')).toBe(rewrittenText);
  });

  it('leave what cannot be read as it is, with one warning each at every run', async () => {
    const latin1 = Buffer.from('a{b:url(b.png)}/* \xfc */', 'latin1');
    const broken = 'import "./m.js"; import {';
    const site = hashedSite({ 'a.css': latin1, 'a.js': broken, 'b.png': X, 'm.js': X });
    for (let run = 0; run < 2; run++) {
      expect((await site.collect()).warnings).toEqual([
        'a.css: references in it are left as they are, for it is not UTF-8. Its name is hashed.',
        expect.stringMatching(
          /^a\.js: references in it are left as they are, for it does not parse: .*\(line 1, column \d+\)\. Its name is hashed\.$/,
        ),
      ]);
    }
    expect(site.names()).toMatchObject({
      'a.css': `a.${hashOf(latin1)}.css`,
      'a.js': `a.${hashOf(broken)}.js`,
    });
  });

  it('are refused where a source has that name and other bytes', async () => {
    const site = hashedSite({ 'a.png': X, [`a.${H}.png`]: 'other' });
    await expect(site.collect()).rejects.toThrow(
      `'a.png' (${site.root}/src/a.png) gets the hashed name 'a.${H}.png', which is the name of another source`,
    );
    expect(existsSync(site.out('staticfiles.json'))).toBe(false);
    const same = hashedSite({ 'a.png': X, [`a.${H}.png`]: X });
    await same.collect();
    expect(same.names()).toEqual({ 'a.png': `a.${H}.png`, [`a.${H}.png`]: `a.${H}.${H}.png` });
  });

  it('are answered by staticUrl()', async () => {
    const site = hashedSite({ 'a b.png': X, 'c#.png': X });
    await site.collect();
    const { staticUrl } = site.files;
    expect(staticUrl('a b.png')).toBe(`/static/a%20b.${H}.png`);
    expect(staticUrl('a b.png?v#i')).toBe(`/static/a%20b.${H}.png?v#i`);
    expect(staticUrl('c#.png')).toBe(`/static/c%23.${H}.png`);
    expect(() => staticUrl('d.png')).toThrow("'d.png' is not in the manifest");
  });

  it('are collected in development as in production, and answered in production', async () => {
    const site = hashedSite({ 'a.png': X }, { debug: true });
    await site.collect();
    expect(site.names()).toEqual({ 'a.png': `a.${H}.png` });
    expect(site.files.staticUrl('a.png')).toBe('/static/a.png');
  });

  it('are not made with postProcess: false', async () => {
    const site = hashedSite({ 'a.png': X });
    expect(await site.collect({ postProcess: false })).toMatchObject({
      hashed: [],
      copied: ['a.png'],
    });
    expect(tree(site.out(''))).toEqual({ 'a.png': X });
    await site.collect();
    expect(Object.keys(tree(site.out(''))).sort()).toEqual([
      `a.${H}.png`,
      'a.png',
      'staticfiles.json',
    ]);
  });
});

describe('cycles', () => {
  const css = (...names: string[]) => names.map((name) => `@import "${name}";`).join('');
  const THREE = { 'a.css': css('b.css'), 'b.css': css('c.css'), 'c.css': css('a.css', 'p.png') };

  /** The hash of each name. */
  const hashes = (names: Record<string, string>) =>
    Object.fromEntries(
      Object.entries(names).map(([name, hashed]) => [name, /\.([\da-f]{12})\./.exec(hashed)?.[1]]),
    );

  async function hashesOf(sources: Record<string, string>) {
    const site = hashedSite(sources);
    await site.collect();
    return hashes(site.names());
  }

  it.each<[string, Record<string, string>, string[]]>([
    ['a file that imports itself', { 'a.css': css('a.css') }, ['a.css']],
    ['two files', { 'a.css': css('b.css'), 'b.css': css('a.css') }, ['a.css', 'b.css']],
    ['three files', { ...THREE, 'p.png': X }, ['a.css', 'b.css', 'c.css']],
    [
      'two rings that touch',
      { 'a.css': css('b.css'), 'b.css': css('a.css', 'c.css'), 'c.css': css('b.css') },
      ['a.css', 'b.css', 'c.css'],
    ],
    [
      'scripts',
      { 'a.js': "import './b.js'", 'b.js': "new URL('a.js', import.meta.url)" },
      ['a.js', 'b.js'],
    ],
  ])('share a hash: %s', async (_, sources, members) => {
    const site = hashedSite(sources);
    const { warnings } = await site.collect();
    expect(warnings).toEqual([]);
    const names = site.names();
    const [first, ...others] = members.map((name) => hashes(names)[name]);
    expect(first).toMatch(/^[\da-f]{12}$/);
    for (const hash of others) expect(hash).toBe(first);
    for (const name of members) {
      const expected = (sources[name] ?? '').replace(
        /([a-z])\.(css|js|png)/g,
        (_, stem, extension) => names[`${stem}.${extension}`] ?? '',
      );
      expect(site.text(name)).toBe(expected);
    }
  });

  it('do not share it with what only points at them or is pointed at', async () => {
    const found = await hashesOf({ ...THREE, 'p.png': X, 'top.css': css('a.css') });
    expect(new Set(Object.values(found)).size).toBe(3);
  });

  it.each<[string, Record<string, string>]>([
    ['a member', { 'b.css': `${css('c.css')}/**/` }],
    ['what it points to', { 'p.png': 'y' }],
  ])('get another hash with a change in %s', async (_, change) => {
    const before = await hashesOf({ ...THREE, 'p.png': X });
    const after = await hashesOf({ ...THREE, 'p.png': X, ...change });
    for (const name of Object.keys(THREE)) expect(after[name]).not.toBe(before[name]);
    expect(after['a.css']).toBe(after['b.css']);
  });

  it('get another name whenever other bytes are written, by a setting too', async () => {
    // With and without the chord a → c; the ring a → b → c → a stays.
    const sources = { ...THREE, 'a.css': css('b.css', '/s/c.css'), 'p.png': X };
    const [chord, none] = [{ staticUrl: '/s/' }, { staticUrl: '/t/' }].map((settings) =>
      hashedSite(sources, settings),
    );
    await chord?.collect();
    await none?.collect();
    expect(chord?.text('a.css')).not.toBe(none?.text('a.css'));
    expect(chord?.names()['a.css']).not.toBe(none?.names()['a.css']);
  });

  it('with the same contents under other names have other hashes', async () => {
    const found = await hashesOf({
      'x/a.css': css('b.css'),
      'x/b.css': css('a.css'),
      'y/a.css': css('b.css'),
      'y/b.css': css('a.css'),
    });
    expect(found['x/a.css']).toBe(found['x/b.css']);
    expect(found['x/a.css']).not.toBe(found['y/a.css']);
  });
});

describe('missing references', () => {
  const SOURCES = {
    'css/a.css': 'a{}\nb { c: url(gone.png) }\n.ü { d: url(../img/Logo.png), url(../../up.png) }',
    'css/b.css': '@import "colors.css";',
    'css/colours.css': '',
    'img/logo.png': X,
    'js/a.js': "import './nope.js';\n//# sourceMappingURL=a.js.map",
  };
  const LINES = [
    "css/a.css:2:12: gone.png is not found: there is no file 'css/gone.png'.",
    "css/a.css:3:13: ../img/Logo.png is not found in this spelling: the file is 'img/logo.png', and upper and lower case differ.",
    'css/a.css:3:35: ../../up.png leads out of the static files.',
    "css/b.css:1:10: colors.css is not found: there is no file 'css/colors.css'. Did you mean 'css/colours.css'?",
    "js/a.js:1:9: ./nope.js is not found: there is no file 'js/nope.js'.",
  ];
  const MAP = "js/a.js:2:22: a.js.map is not found: there is no source map 'js/a.js.map'.";

  it('are told in one run, each with its place, and left as they are', async () => {
    const site = hashedSite(SOURCES);
    const told: string[] = [];
    const onEvent = (event: CollectEvent) => {
      if (event.type === 'warning') told.push(event.message);
    };
    const { warnings, missing } = await site.collect({ onEvent });
    expect(warnings).toEqual([...LINES, MAP]);
    expect(told).toEqual(warnings);
    expect(missing.map(({ message }) => message)).toEqual(warnings);
    expect(missing[0]).toMatchObject({
      name: 'css/a.css',
      line: 2,
      column: 12,
      reference: 'gone.png',
      target: 'css/gone.png',
      sourceMap: false,
    });
    expect(missing[2]).toMatchObject({ reference: '../../up.png', target: undefined });
    expect(missing.map(({ sourceMap }) => sourceMap)).toEqual([...LINES.map(() => false), true]);
    for (const [name, text] of Object.entries(SOURCES)) expect(site.text(name)).toBe(text);
    expect((await site.collect()).warnings).toEqual(warnings);
  });

  it.each<[string, Settings, object]>([
    ['strict', {}, { strict: true }],
    ['references.missing', { references: { missing: 'error' } }, {}],
  ])('are an error by %s, all of them, and nothing is published', async (_, settings, options) => {
    const site = hashedSite({ 'css/a.css': 'a{}' }, settings);
    await site.collect(options);
    const published = readFileSync(site.out('staticfiles.json'), 'utf8');
    site.put(SOURCES);
    const error: unknown = await site.collect(options).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'ERR_STATICFILES_COLLECT',
      message: `5 references lead to no file, and that is an error by references.missing or --strict:\n${LINES.map((line) => `  ${line}`).join('\n')}`,
    });
    expect(readFileSync(site.out('staticfiles.json'), 'utf8')).toBe(published);
    expect(site.text('css/a.css')).toBe('a{}');
    await expect(site.collect({ ...options, dryRun: true })).rejects.toThrow('5 references lead');
    // What was read by then is not forgotten wrongly: the next run has all of them again.
    const { warnings } = await site.collect({ strict: false });
    expect(warnings).toEqual([...LINES, MAP]);
    expect(site.text('css/a.css')).toBe(SOURCES['css/a.css']);
    await expect(site.collect({ strict: true })).rejects.toThrow('5 references lead');
  });

  it('of source maps alone are no error', async () => {
    const site = hashedSite({ 'js/a.js': '//# sourceMappingURL=a.js.map' });
    expect((await site.collect({ strict: true })).warnings).toHaveLength(1);
  });

  it.each<[string, string[], number]>([
    ['css/*.css:*.png', ['css/b.css'], 3],
    ['*.css:css/*', ['js/a.js'], 4],
    ['**:**', [], 0],
    ['css/a.css:../../up.png', [], 5],
    ['*.js:*.map', [], 5],
    ['b.css:colors.css', [], 5],
    ['b.css:colours.css', [], 6],
  ])('are left out where references.ignore says %s', async (entry, _, count) => {
    const site = hashedSite(SOURCES, { references: { ignore: [entry] } });
    expect((await site.collect()).missing).toHaveLength(count);
  });

  it('are found again when the file is there, and lost when it goes', async () => {
    const site = hashedSite({ 'a.css': 'url(b.png)' });
    expect((await site.collect()).missing).toHaveLength(1);
    expect(site.names()['a.css']).toBe(`a.${hashOf('url(b.png)')}.css`);
    site.put({ 'b.png': X });
    expect((await site.collect()).missing).toEqual([]);
    expect(site.text('a.css')).toBe(`url(b.${H}.png)`);
    site.drop('b.png');
    expect((await site.collect()).missing).toHaveLength(1);
    expect(site.text('a.css')).toBe('url(b.png)');
  });

  it('that are ignored are not rewritten either, though the file is there', async () => {
    const sources = { 'a.css': 'url(b.png)url(c.png)', 'b.png': X, 'c.png': X };
    const site = hashedSite(sources, { references: { ignore: ['*.css:b.png'] } });
    await site.collect();
    expect(site.text('a.css')).toBe(`url(b.png)url(c.${H}.png)`);
  });

  it('have suggestions for the first five, and are all told', async () => {
    const text = Array.from({ length: 30 }, (_, index) => `url(pictur${index}.png)`).join('\n');
    const site = hashedSite({ 'a.css': text, 'picture.png': X });
    const { warnings } = await site.collect();
    expect(warnings).toHaveLength(30);
    expect(warnings.filter((warning) => warning.includes('Did you mean'))).toHaveLength(5);
  });
});

describe('names that are hashed already', () => {
  const SOURCES = {
    'dist/app.abc.js': "import './chunk.def.js'; import './gone.js'",
    'dist/chunk.def.js': X,
    'page.js': "import './dist/app.abc.js'; import './own.js'",
    'own.js': X,
  };
  it.each<[string, Settings['prehashed']]>([
    ['a glob', 'dist/*'],
    ['globs', ['app.abc.js', 'chunk.*.js']],
    ['a predicate', (name) => /\.(abc|def)\./.test(name)],
    ['a predicate that answers a match', ((name: string) => name.match(/dist/)) as never],
  ])('are kept, by %s: neither scanned nor renamed', async (_, prehashed) => {
    const site = hashedSite(SOURCES, { prehashed });
    await settle();
    const { warnings, missing } = await site.collect();
    expect({ warnings, missing }).toEqual({ warnings: [], missing: [] });
    const page = `import './dist/app.abc.js'; import './own.${H}.js'`;
    expect(site.names()).toEqual({
      'dist/app.abc.js': 'dist/app.abc.js',
      'dist/chunk.def.js': 'dist/chunk.def.js',
      'own.js': `own.${H}.js`,
      'page.js': `page.${hashOf(page)}.js`,
    });
    expect(site.text('dist/app.abc.js')).toBe(SOURCES['dist/app.abc.js']);
    expect(site.text('page.js')).toBe(page);
    expect(Object.keys(tree(site.out(''))).filter((name) => name.startsWith('dist'))).toHaveLength(
      2,
    );
    expect(site.files.staticUrl('dist/app.abc.js')).toBe('/static/dist/app.abc.js');
    const read = new Set<string>();
    const again = await site.collect({ onEvent: ({ type }) => read.add(type) });
    expect(again).toMatchObject({ copied: [], warnings: [] });
    expect([...read].sort()).toEqual(['hash', 'skip']);
  });

  it('are kept without plain names too, on this machine and elsewhere', async () => {
    const site = hashedSite(SOURCES, { prehashed: 'dist/*', hashed: { keepOriginals: false } });
    await site.collect();
    expect(site.text('dist/chunk.def.js')).toBe(X);
    const storage = memoryStorage();
    const elsewhere = hashedSite(SOURCES, {
      prehashed: 'dist/*',
      hashed: { keepOriginals: false, over: storage },
    });
    await elsewhere.collect();
    expect(await storage.read('dist/chunk.def.js')).toEqual(new Uint8Array(Buffer.from(X)));
    expect(await storage.exists('own.js')).toBe(false);
  });

  it('follow a change of their content, and of the setting', async () => {
    const site = hashedSite(SOURCES, { prehashed: 'dist/*' });
    await site.collect();
    site.put({ 'dist/chunk.def.js': 'y' });
    expect((await site.collect()).copied).toEqual(['dist/chunk.def.js']);
    expect(site.text('dist/chunk.def.js')).toBe('y');
  });
});

describe('plain names', () => {
  const SOURCES = {
    'a.css': 'url(b.png)',
    'b.png': X,
    'robots.txt': X,
    'x/gone.css': 'url(c.png)',
  };
  const [A, B] = [hashOf(`url(b.${H}.png)`), hashOf('url(c.png)')];
  const hashedNames = [`a.${A}.css`, `b.${H}.png`, `robots.${H}.txt`, `x/gone.${B}.css`];

  it.each<[boolean | string[], string[]]>([
    [true, Object.keys(SOURCES)],
    [false, []],
    [
      ['robots.txt', '*.png'],
      ['b.png', 'robots.txt'],
    ],
    [['x/*'], ['x/gone.css']],
  ])('are kept by keepOriginals: %j', async (keepOriginals, kept) => {
    const site = hashedSite(SOURCES, { hashed: { keepOriginals } });
    await site.collect();
    const expected = ['staticfiles.json', ...hashedNames, ...kept].sort();
    expect(Object.keys(tree(site.out(''))).sort()).toEqual(expected);
    for (const name of kept) {
      expect(readFileSync(site.out(name), 'utf8')).toBe(SOURCES[name as keyof typeof SOURCES]);
    }
    expect(await site.collect()).toMatchObject({ copied: [] });
    expect((await site.collect({ clear: true })).deleted).toEqual([]);
  });

  it('are one file with the hashed name where nothing was rewritten', async () => {
    const site = hashedSite(SOURCES);
    await site.collect();
    const isOne = (name: string) =>
      statSync(site.out(name)).ino === statSync(site.out(site.names()[name] ?? '')).ino;
    expect(Object.keys(SOURCES).map((name) => [name, isOne(name)])).toEqual([
      ['a.css', false],
      ['b.png', true],
      ['robots.txt', true],
      ['x/gone.css', true],
    ]);
    for (const name of Object.keys(SOURCES)) {
      expect(statSync(site.out(name)).ino).not.toBe(statSync(`${site.root}/src/${name}`).ino);
    }
  });

  it('come and go with keepOriginals', async () => {
    const site = hashedSite(SOURCES);
    await site.collect();
    const { root } = site;
    const settings = { baseDir: root, dirs: ['src'], staticRoot: 'out', debug: false };
    const { createStaticFiles, hashedStorage } = await import('../../src/index.js');
    const bare = createStaticFiles({
      ...settings,
      storage: hashedStorage({ keepOriginals: false }),
    });
    expect((await bare.collect({ clear: true })).deleted.toSorted()).toEqual(
      Object.keys(SOURCES).sort(),
    );
    expect((await site.collect()).copied.toSorted()).toEqual(Object.keys(SOURCES).sort());
    expect(readFileSync(site.out('a.css'), 'utf8')).toBe('url(b.png)');
    expect(statSync(site.out('b.png')).ino).toBe(statSync(site.out(`b.${H}.png`)).ino);
  });

  it('are links with --link, and hashed names copies', async () => {
    const site = hashedSite(SOURCES);
    const report = await site.collect({ link: true });
    expect(report).toMatchObject({ linked: ['a.css', 'b.png', 'robots.txt', 'x/gone.css'] });
    for (const name of Object.keys(SOURCES)) {
      expect(lstatSync(site.out(name)).isSymbolicLink()).toBe(true);
      expect(lstatSync(site.out(site.names()[name] ?? '')).isFile()).toBe(true);
    }
    expect(site.text('a.css')).toBe(`url(b.${H}.png)`);
    const again = await site.collect({ link: true });
    expect(again).toMatchObject({ linked: [], unmodified: report.linked });
    site.put({ 'b.png': 'y' });
    expect((await site.collect({ link: true })).linked.toSorted()).toEqual(['a.css', 'b.png']);
    expect((await site.collect()).copied.toSorted()).toEqual([...report.linked].sort());
    expect(lstatSync(site.out('a.css')).isFile()).toBe(true);
    expect(readFileSync(`${site.root}/src/a.css`, 'utf8')).toBe('url(b.png)');
    expect((await site.collect({ link: true })).linked.toSorted()).toEqual(
      [...report.linked].sort(),
    );
  });
});

describe('clearing and dry runs', () => {
  it('clear what was not collected now, and nothing before the manifest is out', async () => {
    const site = hashedSite({ 'a.css': 'url(b.png)', 'b.png': X });
    await site.collect();
    const old = site.names()['a.css'] ?? '';
    site.put({ 'a.css': 'url(b.png)/**/' });
    site.drop('b.png');
    const events: CollectEvent['type'][] = [];
    const onEvent = ({ type }: CollectEvent) => events.push(type);
    const { deleted } = await site.collect({ clear: true, onEvent });
    expect(deleted.filter((name) => !name.startsWith('.staticfiles/')).sort()).toEqual(
      [old, 'b.png', `b.${H}.png`].sort(),
    );
    const steps = events.slice(events.lastIndexOf('hash') + 1, events.indexOf('delete') + 1);
    expect(steps).toEqual(['publish', 'published', 'warning', 'delete']); // b.png is missing
    expect(Object.keys(tree(site.out(''))).sort()).toEqual(
      ['a.css', site.names()['a.css'], 'staticfiles.json'].sort(),
    );
    events.length = 0;
    expect((await site.collect({ clear: true, onEvent })).deleted).toEqual([]);
    expect(events).not.toContain('publish');
    expect(await site.collect()).toMatchObject({ copied: [], unmodified: ['a.css'] });
  });

  it('repairs a damaged manifest, which is refused otherwise', async () => {
    const site = hashedSite({ 'a.png': X, ...{ '../out/staticfiles.json': '{"paths":' } });
    await expect(site.collect()).rejects.toThrow(
      /manifest of the last deploy cannot be read, and nothing was changed.*--clear/,
    );
    expect(Object.keys(tree(site.out('')))).toEqual(['staticfiles.json']);
    await site.collect({ clear: true });
    expect(site.names()).toEqual({ 'a.png': `a.${H}.png` });
  });

  it.each<[string, object]>([
    ['at first', {}],
    ['with links', { link: true }],
    ['clearing', { clear: true }],
  ])('write nothing in a dry run, and tell what a real one does: %s', async (_, options) => {
    const settings: Settings = { compress: true };
    const text = 'text '.repeat(100);
    const site = hashedSite({ 'a.css': 'url(b.png)', 'b.png': X, 'c.txt': text }, settings);
    await same(['a.css', 'b.png', 'c.txt']);
    await same([]);
    site.put({ 'b.png': 'y' });
    await same(['a.css', 'b.png']);
    site.put({ 'a.css': 'url(b.png)/**/' });
    await same(['a.css']);
    site.drop('b.png');
    await same(['a.css']);

    async function same(written: string[]) {
      const before = snapshot(site.root);
      const dry = await site.collect({ ...options, dryRun: true });
      expect(snapshot(site.root)).toEqual(before);
      const real = await site.collect(options);
      expect([...real.copied, ...real.linked]).toEqual(written);
      const essence = ({ copied, linked, unmodified, hashed, missing, bytes }: typeof real) => ({
        copied,
        linked,
        unmodified,
        hashed,
        missing,
        bytes,
      });
      expect(essence(dry)).toEqual(essence(real));
      const deleted = ({ deleted }: typeof real) =>
        deleted.filter((name) => !name.startsWith('.staticfiles/')).sort();
      expect(deleted(dry)).toEqual(deleted(real));
    }
  });
});

/** Every file and folder below a folder, with its inode and time. */
function snapshot(folder: string): Record<string, string> {
  return Object.fromEntries(
    everythingIn(folder).map((path) => {
      const { ino, mtimeNs } = lstatSync(path, { bigint: true });
      return [path, `${ino} ${mtimeNs}`];
    }),
  );
}

function everythingIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) =>
    join(folder, name),
  );
}
