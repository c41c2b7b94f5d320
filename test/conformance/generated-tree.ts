import { posix } from 'node:path';

/** Names as sites have them, with what URLs encode, and in several scripts. */
const ASSETS = [
  'img/logo.png',
  'img/logo.min.svg',
  'img/two words.png',
  'img/ünï ⊗.png',
  'img/emoji-😀.svg',
  "img/o'brien.png",
  'img/a+b&c@d,e;f=g$h!.png',
  'fonts/icons.eot',
  'css/theme/dark/deep/texture.tar.gz',
  'Größe/no-extension',
];

const FOLDERS = ['', 'css', 'css/theme/dark', 'with space/Größe'];

const SUFFIXES = ['', '?v=1', '#icon', '?#iefix', '?v=1#icon'];

/** The ways to name a file that Django, too, takes for what they are. */
const FORMS: ((url: string) => string)[] = [
  (url) => `url("${url}")`,
  (url) => `url('${url}')`,
  (url) => `url(${url})`,
  (url) => `URL("${url}")`,
  (url) => `image-set(url("${url}") 1x, url('${url}') 2x)`,
];

/**
 * Files of which each stylesheet names every asset in every way, with chains of `@import`, and text
 * that only looks like references.
 */
export function generatedTree(): Record<string, string> {
  const files: Record<string, string> = Object.fromEntries(
    ASSETS.map((name) => [name, `the bytes of ${name}`]),
  );
  for (const folder of FOLDERS) files[posix.join(folder, 'all.css')] = everyReference(folder);
  return { ...files, ...LOOKALIKES, ...IMPORTS, ...SOURCE_MAPS, ...SCRIPTS };
}

function everyReference(folder: string): string {
  const urls = ASSETS.flatMap((name) => {
    const path = posix.relative(folder, name);
    return [path, encodeURI(path), `./${encodeURI(path)}`, `/static/${encodeURI(name)}`];
  });
  const rules: string[] = [];
  for (const url of new Set(urls)) {
    for (const suffix of SUFFIXES) {
      for (const form of FORMS) {
        const value = form(url + suffix);
        if (isValid(value)) rules.push(`.r${rules.length} { background: ${value} }`);
      }
    }
  }
  return `${rules.join('\n')}\n`;
}

/** Whether the quotes do not end too early, and without quotes no character needs them. */
function isValid(value: string): boolean {
  return /^(?:[\w-]*\()?(?:url\((?:"[^"]*"|'[^']*'|[^\s"'()]*)\)[ \dx,]*)+\)?$/i.test(value);
}

const LOOKALIKES = {
  'lookalikes.css': `
/* url(img/logo.png) and @import "css/all.css"; */
.a { color: red /* url('img/logo.png') */; background: url(img/logo.png) }
.b::before { content: 'url(img/logo.png)' }
.c::before { content: "it's \\" url(img/logo.png)" }
.d { background: url(data:image/svg+xml;utf8,<svg/>), url("https://example.com/img/logo.png") }
.e { background: url(//example.com/img/logo.png), url(/elsewhere/logo.png) }
.f { background: url("img/logo.png"), url("data:image/png;base64,AAAA") }
`,
};

/** Down, up, across and twice to the same. */
const IMPORTS = {
  'site.css': `@charset "utf-8";
@import "css/base.css";
@import 'css/theme/dark/skin.css' screen and (min-width: 10em);
@import url(css/print.css) print;
@import url("css/theme/../base.css") layer(base) supports(display: grid);
.site { background: url(img/logo.png) }
`,
  'css/base.css': `@import "./theme/dark/skin.css";
.base { background: url("../img/two%20words.png") }
`,
  'css/print.css': '.print { color: black }\n',
  'css/theme/dark/skin.css': `@import url('../../print.css');
@IMPORT "deep/more.css";
.skin { background: url(deep/texture.tar.gz) }
`,
  'css/theme/dark/deep/more.css': '.more { background: url(/static/img/logo.png) }\n',
};

const SOURCE_MAPS = {
  'built/app.css': '.app { color: red }\n/*# sourceMappingURL=app.css.map */\n',
  'built/app.css.map': '{"version":3,"file":"app.css","sources":[],"mappings":""}\n',
  'built/app.js': 'console.log(1);\n//# sourceMappingURL=app.js.map\n',
  'built/app.js.map': '{"version":3,"file":"app.js","sources":[],"mappings":""}\n',
};

const SCRIPTS = {
  'js/plain.js': 'window.greeting = "hello";\n',
  'js/main.js': "import { part } from './part.js';\npart();\n",
  'js/part.js': 'export const part = () => {};\n',
};
