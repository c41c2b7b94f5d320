import { createRequire } from 'node:module';
import Handlebars from 'handlebars';
import { describe, expect, it } from 'vitest';
import { type HandlebarsOptions, registerStatic } from '../../adapters/handlebars.js';
import {
  createStaticFiles,
  hashedStorage,
  memoryStorage,
  type Settings,
  type StaticFiles,
  type Storage,
} from '../../src/index.js';
import { project } from '../project.js';
import { thrownBy } from '../thrown.js';

const require = createRequire(import.meta.url);

function filesOf(settings: Settings = {}): StaticFiles {
  const storage = memoryStorage();
  return createStaticFiles({ debug: false, mediaUrl: '/media/', storage, ...settings });
}

/** A storage that writes down what it was asked for. */
function countingStorage(stable = false): { storage: Storage; asked: string[] } {
  const asked: string[] = [];
  const storage: Storage = {
    ...memoryStorage(),
    stable,
    attach: ({ settings }) => ({
      ...storage,
      url(name) {
        asked.push(name);
        return settings.staticUrl + encodeURI(name);
      },
    }),
  };
  return { storage, asked };
}

/** The same settings with a storage whose URLs stay, and with one whose URLs may change. */
const kinds = [
  ['stay', (settings?: Settings) => filesOf(settings)],
  [
    'may change',
    (settings?: Settings) => filesOf({ storage: countingStorage().storage, ...settings }),
  ],
] as const;

/** Collected files: a manifest on this machine. */
function collected(paths: Readonly<Record<string, string>>): StaticFiles {
  const staticRoot = project({ 'staticfiles.json': JSON.stringify({ paths, version: '1.0' }) });
  return filesOf({ staticRoot, storage: hashedStorage() });
}

type Instance = typeof Handlebars;

function instance(files: StaticFiles = filesOf(), options?: HandlebarsOptions): Instance {
  const handlebars = Handlebars.create();
  registerStatic(handlebars, files, options);
  handlebars.registerHelper('eq', (a, b) => a === b);
  handlebars.registerHelper('concat', (...args) => args.slice(0, -1).join(''));
  handlebars.registerHelper('show', (...args) => JSON.stringify(args.slice(0, -1)));
  handlebars.registerHelper('hash', ({ hash }) => JSON.stringify(hash));
  handlebars.registerHelper('wrap', function (this: unknown, ...args) {
    const options = args.at(-1) as Handlebars.HelperOptions;
    return `(${options.fn(this)})`;
  });
  return handlebars;
}

interface Setup {
  readonly files?: StaticFiles;
  readonly compile?: CompileOptions;
  readonly partials?: Readonly<Record<string, string>>;
}

function render(template: string, context: object = {}, setup: Setup = {}): string {
  const handlebars = instance(setup.files);
  handlebars.registerPartial(setup.partials ?? {});
  return handlebars.compile(template, setup.compile)(context);
}

function messageOf(template: string, context: object = {}, setup: Setup = {}): string {
  return String(thrownBy(() => render(template, context, setup)));
}

const VARIABLE = { path: 'my_app/example.jpg' };

describe.each(kinds)('where URLs %s', (_, filesWith) => {
  const files = filesWith();

  it.each([
    ["{{static 'my_app/example.jpg'}}", '/static/my_app/example.jpg'],
    ['{{static "a b.jpg"}}', '/static/a%20b.jpg'],
    ["{{ static 'a' }}", '/static/a'],
    ["{{static\n  'a'\n}}", '/static/a'],
    ["{{[static] 'a'}}", '/static/a'],
    ["{{&static 'a'}} {{{static 'a'}}}", '/static/a /static/a'],
    ["{{static ''}}", '/static/'],
    ["{{static 'sprite.svg#icon'}}", '/static/sprite.svg#icon'],
    ['{{static path}}', '/static/b.png'],
    ['{{static image.path}}', '/static/c.png'],
    ['{{static @root.path}}', '/static/b.png'],
    ["{{static (concat 'a/' path)}}", '/static/a/b.png'],
    ['{{#with image}}{{static path}} {{static ../path}}{{/with}}', '/static/c.png /static/b.png'],
    ["{{{show (static 'a') (static path)}}}", '["/static/a","/static/b.png"]'],
    ["{{concat '[' (static 'a') ']'}}", '[/static/a]'],
    ["{{concat (concat (static 'a') '!') '?'}}", '/static/a!?'],
    ["{{{hash src=(static 'a') big=(static path)}}}", '{"big":"/static/b.png","src":"/static/a"}'],
    ["{{{hash src=(concat (static 'a') '!')}}}", '{"src":"/static/a!"}'],
    ["{{#if (eq (static 'x') '/static/x')}}same{{else}}different{{/if}}", 'same'],
    ["{{#if (eq (static path) '/static/b.png')}}same{{else}}different{{/if}}", 'same'],
    ["{{#if (static 'x')}}<{{static 'x'}}>{{/if}}", '</static/x>'],
    ["{{#if no}}{{else}}{{static 'x'}}{{/if}}", '/static/x'],
    ["{{#if no}}{{else if path}}{{static 'x'}}{{/if}}", '/static/x'],
    ["{{^no}}{{static 'x'}}{{/no}}", '/static/x'],
    ["{{#wrap}}{{static 'x'}}{{/wrap}}", '(/static/x)'],
    ['{{#each list}}{{static this}} {{/each}}', '/static/1.png /static/2.png '],
    [
      "{{#each list as |item|}}{{static item}} {{static 'x'}} {{/each}}",
      '/static/1.png /static/x /static/2.png /static/x ',
    ],
    ["{{#static 'x' as |url|}}[{{url}}|{{url}}]{{/static}}", '[/static/x|/static/x]'],
    [
      '{{#static path as |url|}}[{{url}}|{{../path}}|{{path}}]{{/static}}',
      '[/static/b.png||b.png]',
    ],
    ["{{#static 'x' as |url|}}{{@root.path}} {{static url}}{{/static}}", 'b.png /static/static/x'],
    ['{{get_static_prefix}}', '/static/'],
    ['{{get_media_prefix}}', '/media/'],
    ['{{concat (get_static_prefix) (get_media_prefix)}}', '/static//media/'],
    ["{{#*inline 'p'}}{{static 'i'}}{{/inline}}{{> p}}", '/static/i'],
    ["{{#> missing}}{{static 'fallback'}}{{/missing}}", '/static/fallback'],
    ["{{! {{static 'x'}} }}{{!-- {{static 'y'}} --}}", ' }}'],
    ["\\{{static 'x'}}", "{{static 'x'}}"],
    ['{{static.name}} {{this.static.name}}', 'own own'],
    ['{{#each static}}{{this}}{{/each}}', 'own'],
    ['{{#each names as |static|}}{{static}}{{/each}}', 'n'],
    [
      "{{#each names as |static|}}{{static 'x'}}{{#if static}}{{static 'y'}}{{/if}}{{/each}}{{static 'z'}}",
      'nn/static/z',
    ],
    ['{{#each names as |get_static_prefix|}}{{get_static_prefix}}{{/each}}', 'n'],
  ])('renders %s', (template, expected) => {
    const context = {
      path: 'b.png',
      image: { path: 'c.png' },
      list: ['1.png', '2.png'],
      names: ['n'],
      static: { name: 'own' },
    };
    expect(render(template, context, { files })).toBe(expected);
  });

  it.each([
    ["a {{~static 'x'~}} b", 'a/static/xb'],
    ["a {{~static 'x'}} b", 'a/static/x b'],
    ["a {{static 'x'~}} b", 'a /static/xb'],
    ["{{#if true~}} {{static 'x'}} {{~/if}}", '/static/x'],
    ["{{#if true}}\n  {{static 'x'}}\n{{/if}}\nend", '  /static/x\nend'],
    ["  {{static 'x'}}\n  {{static path}}\n", '  /static/x\n  /static/my_app/example.jpg\n'],
    ['<ul>\n  {{> part}}\n</ul>', '<ul>\n  /static/x\n  /static/my_app/example.jpg\n</ul>'],
    ['{{~> part~}}', '/static/x\n/static/my_app/example.jpg\n'],
  ])('keeps the whitespace of %j as the engine would', (template, expected) => {
    const partials = { part: "{{static 'x'}}\n{{static path}}\n" };
    expect(render(template, VARIABLE, { files, partials })).toBe(expected);
  });

  it.each([
    ['/static/', 'a&b.png'],
    ['/static/', 'x.css?v=1&w=`2`'],
    ["https://cdn.example.com/it's/", 'a.png'],
    ['/a=b/', "it's.png"],
  ])('escapes a literal as it does a variable, and both once: %s%s', (staticUrl, name) => {
    const setup = { files: filesWith({ staticUrl }) };
    const literal = `"${name}"`;
    const url = setup.files.staticUrl(name);
    for (const form of [
      '{{static NAME}}',
      '{{#static NAME as |u|}}{{u}}{{/static}}',
      '{{concat (static NAME)}}',
      '<<static NAME>>',
    ]) {
      const [asLiteral, asVariable] = [literal, 'path'].map((given) => form.replace('NAME', given));
      expect(render(asLiteral as string, {}, setup)).toBe(Handlebars.escapeExpression(url));
      expect(render(asVariable as string, { path: name }, setup)).toBe(
        Handlebars.escapeExpression(url),
      );
    }
    for (const form of ['{{{static NAME}}}', '{{&static NAME}}', '{{{concat (static NAME)}}}']) {
      const [asLiteral, asVariable] = [literal, 'path'].map((given) => form.replace('NAME', given));
      expect(render(asLiteral as string, {}, setup)).toBe(url);
      expect(render(asVariable as string, { path: name }, setup)).toBe(url);
    }
    const compile = { noEscape: true };
    const both = `{{static ${literal}}} {{static path}} <<static ${literal}>> <<static path>>`;
    expect(render(both, { path: name }, { ...setup, compile })).toBe(`${url} ${url} ${url} ${url}`);
  });

  it('escapes the prefixes as any other value', () => {
    const setup = { files: filesWith({ staticUrl: '/a=b/', mediaUrl: "/it's/" }) };
    expect(render('{{get_static_prefix}} {{get_media_prefix}}', {}, setup)).toBe(
      '/a&#x3D;b/ /it&#x27;s/',
    );
    expect(render('{{{get_static_prefix}}} {{{get_media_prefix}}}', {}, setup)).toBe(
      "/a=b/ /it's/",
    );
  });

  it('answers strings to other helpers, for literals as for variables', () => {
    const handlebars = instance(files);
    handlebars.registerHelper('type', (value) => typeof value);
    expect(handlebars.compile("{{type (static 'x')}} {{type (static path)}}")(VARIABLE)).toBe(
      'string string',
    );
  });

  it('takes a name that is marked as safe', () => {
    const path = new Handlebars.SafeString('a&b.png');
    expect(render('{{{static path}}}', { path }, { files })).toBe('/static/a&b.png');
  });

  it.each([
    ['strict', { strict: true }],
    ['compat', { compat: true }],
    ['assumeObjects', { assumeObjects: true }],
    ['without data', { data: false }],
    ['known', { knownHelpers: { static: true, get_static_prefix: true } }],
    [
      'known only',
      { knownHelpersOnly: true, knownHelpers: { static: true, get_static_prefix: true } },
    ],
    ['preventIndent', { preventIndent: true }],
    ['ignoreStandalone', { ignoreStandalone: true }],
    ['explicitPartialContext', { explicitPartialContext: true }],
  ] as [string, CompileOptions][])('renders in a template that is compiled %s', (_, compile) => {
    const template = "{{static 'x'}} {{static path}} {{get_static_prefix}} <<static path>>";
    expect(render(template, VARIABLE, { files, compile })).toBe(
      '/static/x /static/my_app/example.jpg /static/ /static/my_app/example.jpg',
    );
  });

  it('is in partials: as text, compiled, with a context, with a block, and nested', () => {
    const handlebars = instance(files);
    handlebars.registerPartial('text', "{{static 'a'}} <<static path>>");
    handlebars.registerPartial('compiled', handlebars.compile("{{static 'b'}} <<static path>>"));
    handlebars.registerPartial('outer', '[{{> text}}|{{> @partial-block}}]');
    const template =
      "{{> text}} {{> compiled path='n'}} {{#> outer}}<<static 'c'>>{{/outer}} {{> (concat 'te' 'xt')}}";
    expect(handlebars.compile(template)({ path: 'm' })).toBe(
      '/static/a /static/m /static/b /static/n [/static/a /static/m|/static/c] /static/a /static/m',
    );
  });

  it('is in precompiled templates, which the runtime alone renders', () => {
    const runtime = (require('handlebars/runtime') as Instance).create();
    registerStatic(runtime, files);
    const source =
      "{{static 'a'}} {{static path}} <<static 'b'>> {{#static 'c' as |u|}}{{u}}{{/static}} {{> part}}";
    const load = (template: string) => runtime.template(new Function(`return ${template}`)());
    const part = '{{get_static_prefix}}<<static path>>';
    runtime.registerPartial('part', load(instance(files).precompile(part) as string));
    expect(load(instance(files).precompile(source) as string)({ path: 'p' })).toBe(
      '/static/a /static/p /static/b /static/c /static//static/p',
    );
  });

  it('is in templates that Handlebars alone has precompiled', () => {
    const runtime = (require('handlebars/runtime') as Instance).create();
    registerStatic(runtime, files);
    const code = Handlebars.create().precompile(
      "{{static 'a'}} {{static path}} {{get_media_prefix}}",
    );
    expect(runtime.template(new Function(`return ${code}`)())({ path: 'p' })).toBe(
      '/static/a /static/p /media/',
    );
  });
});

describe('media', () => {
  it.each([
    ["{{media 'avatars/ada.jpg'}}", '/media/avatars/ada.jpg'],
    ['{{media "a b.jpg"}}', '/media/a%20b.jpg'],
    ["{{&media 'a'}} {{{media 'a'}}}", '/media/a /media/a'],
    ["{{media ''}}", '/media/'],
    ["{{{media 'a.pdf#page=2'}}}", '/media/a.pdf#page=2'],
    ['{{media path}} {{media user.picture}}', '/media/b.png /media/c.png'],
    ["{{media (concat 'a/' path)}}", '/media/a/b.png'],
    ["{{concat '[' (media 'a') (media path) ']'}}", '[/media/a/media/b.png]'],
    ["{{#if (eq (media 'x') '/media/x')}}same{{/if}}", 'same'],
    ["{{{hash src=(media 'a')}}}", '{"src":"/media/a"}'],
    ["{{#media 'x' as |url|}}[{{url}}|{{url}}|{{path}}]{{/media}}", '[/media/x|/media/x|b.png]'],
    ['{{#media path as |url|}}[{{url}}]{{/media}}', '[/media/b.png]'],
    [
      "<<media 'a.png'>> <<media path>> << media user.picture >>",
      '/media/a.png /media/b.png /media/c.png',
    ],
    ["a {{~media 'x'~}} b<<media 'y'>>{{static 'z'}}", 'a/media/xb/media/y/static/z'],
    ["{{#*inline 'p'}}{{media 'i'}}<<media 'j'>>{{/inline}}{{> p}}", '/media/i/media/j'],
    ['{{#each list}}{{media this}} {{/each}}', '/media/1.png /media/2.png '],
    ["{{#each names as |media|}}{{media}}{{media 'x'}}{{/each}}", 'nn'],
    ["\\{{media 'x'}}{{!-- {{media 'x'}} --}}", "{{media 'x'}}"],
    ['cout << media >> x; <<media>> <<medias a>>', 'cout << media >> x; <<media>> <<medias a>>'],
  ])('is what static is, for uploaded files: %s', (template, expected) => {
    const context = {
      path: 'b.png',
      user: { picture: 'c.png' },
      list: ['1.png', '2.png'],
      names: ['n'],
    };
    expect(render(template, context)).toBe(expected);
  });

  it('is escaped by the engine, once', () => {
    const files = filesOf({ mediaUrl: "/it's/" });
    const forms = ["{{media 'a&b'}}", '{{media n}}', "<<media 'a&b'>>", '{{concat (media n)}}'];
    for (const form of [...forms, '{{#media n as |u|}}{{u}}{{/media}}']) {
      expect(render(form, { n: 'a&b' }, { files }), form).toBe('/it&#x27;s/a&amp;b');
      const compile = { noEscape: true };
      expect(render(form, { n: 'a&b' }, { files, compile }), form).toBe("/it's/a&b");
    }
    expect(render("{{{media 'a&b'}}}", {}, { files })).toBe("/it's/a&b");
  });

  it('takes a name that is marked as safe', () => {
    const path = new Handlebars.SafeString('a&b.png');
    expect(render('{{{media path}}}', { path })).toBe('/media/a&b.png');
  });

  it('has an empty prefix where there is no mediaUrl, as Django', () => {
    const files = createStaticFiles();
    const template = "{{media 'a.jpg'}} <<media n>> [{{get_media_prefix}}]";
    expect(render(template, { n: 'b.jpg' }, { files })).toBe('a.jpg b.jpg []');
  });

  it.each([
    ["{{media 'a' 'b'}}", "media takes one name, not 2: {{media 'avatars/ada.jpg'}}"],
    ["{{media 'a' size=1}}", "media takes no 'size='. Leave it out."],
    ['{{media size=1}}', "media takes no 'size='"],
    ["<<media 'a' size=1>>", "media takes no 'size='"],
    ['{{media missing}}', 'must be a string, not undefined'],
    ['{{media 5}}', 'must be a string, not the number 5'],
    ["{{media '../a'}}", 'leaves its folder'],
    ["<<media '../a'>>", 'leaves its folder'],
    ["{{#media 'a'}}{{/media}}", '{{#media}} needs a name for the URL: {{#media'],
  ])('says what is wrong and where: %s', (template, reason) => {
    const message = messageOf(`first line\n  ${template}`);
    expect(message).toContain('template, line 2, column 3: ');
    expect(message).toContain(reason);
    expect(render(`{{#if on}}${template}{{/if}}`)).toBe('');
  });

  it.each([
    ['nothing', {}],
    ['null', { media: null }],
    ['false', { media: false }],
    ['true', { media: true }],
    ['a text', { media: 'a & b' }],
    ['an object', { media: { url: 'u', media: 'inner' } }],
    ['a list', { media: [{ url: 'u' }, { url: 'v' }] }],
    ['an empty list', { media: [] }],
    ['a function', { media: () => 'called', url: 'outer' }],
    ['a list in a list', { media: [{ url: 'u', media: [{ url: 'v' }] }] }],
    ['a text among items', { items: [{ media: 'x' }, { media: ['y'] }, 'text', {}] }],
  ])('leaves a variable of that name alone: %s', (_, context) => {
    const templates = [
      '{{media}} {{{media}}} {{&media}} {{media.url}} {{this.media}}',
      '{{#media}}({{url}}{{this}}{{#media}}{{url}}{{/media}}){{else}}none{{/media}}',
      '{{^media}}none{{/media}}',
      '{{#if media}}yes{{/if}}{{#each media}}{{url}}{{/each}}{{#with media}}{{url}}{{/with}}',
      '{{#with media as |media|}}{{media}}{{media.url}}{{/with}}',
      '{{#each items}}[{{media}}{{#media}}{{this}}{{/media}}{{^media}}-{{/media}}]{{/each}}',
      '{{#*inline "p"}}{{media}}{{#if media}}!{{/if}}{{/inline}}{{> p}}{{> p media=5}}',
    ];
    const plain = Handlebars.create();
    for (const line of templates) {
      for (const compile of [{}, { noEscape: true }, { data: false }, { knownHelpersOnly: true }]) {
        const expected = plain.compile(line, compile)(context);
        expect(render(line, context, { compile }), line).toBe(expected);
      }
    }
    expect(render("{{media 'a'}} <<media 'b'>>", context)).toBe('/media/a /media/b');
  });

  it('leaves what the application calls so', () => {
    for (const when of ['before', 'after']) {
      const handlebars = Handlebars.create();
      if (when === 'after') registerStatic(handlebars, filesOf());
      handlebars.registerHelper('media', (...args) => `their ${args.slice(0, -1).join(' and ')}`);
      if (when === 'before') registerStatic(handlebars, filesOf());
      const template =
        "{{media 'a' 'b' size=3}}, {{media}}, {{concat (media 'c')}}, {{static 'a'}}";
      handlebars.registerHelper('concat', (value) => value);
      expect(handlebars.compile(template)({})).toBe('their a and b, their , their c, /static/a');
    }
  });

  it('gives way to a helper that is handed over at rendering, as hosts do', () => {
    const render = instance().compile("{{media 'a' size=3}} {{{show (media 'b')}}}");
    const media = (name: string) => `their ${name}`;
    expect(render({}, { helpers: { media } })).toBe('their a ["their b"]');
  });

  it('is switched off by an option, also later', () => {
    const handlebars = instance();
    registerStatic(handlebars, filesOf(), { media: false });
    expect(handlebars.compile("<<media 'a'>> {{static 'a'}} {{get_media_prefix}}")({})).toBe(
      "<<media 'a'>> /static/a /media/",
    );
    expect(() => handlebars.compile("{{media 'a'}}")({})).toThrow('Missing helper: "media"');
    registerStatic(handlebars, filesOf({ mediaUrl: '/new/' }));
    expect(handlebars.compile("{{media 'a'}} <<media 'a'>>")({})).toBe('/new/a /new/a');
    registerStatic(handlebars, filesOf({ mediaUrl: '/newer/' }));
    expect(handlebars.compile("{{media 'a'}} <<media 'a'>>")({})).toBe('/newer/a /newer/a');
  });

  it('is in precompiled templates, which the runtime alone renders', () => {
    const runtime = (require('handlebars/runtime') as Instance).create();
    registerStatic(runtime, filesOf());
    const source = "{{media 'a'}} {{media path}} {{#media}}({{url}}){{/media}}";
    for (const compiler of [instance(), Handlebars.create()]) {
      const code = compiler.precompile(source);
      const template = runtime.template(new Function(`return ${code}`)());
      expect(template({ path: 'p', media: [{ url: 1 }, { url: 2 }] })).toBe(
        '/media/a /media/p (1)(2)',
      );
    }
  });
});

describe('<<static>>', () => {
  it.each([
    ["<<static 'a.png'>>", '/static/a.png'],
    ['<<static "a.png">>', '/static/a.png'],
    ["<< static 'a.png' >>", '/static/a.png'],
    ['<<static path>>', '/static/b.png'],
    ['<<static image.path>>', '/static/c.png'],
    ["<<static (concat 'a/' path)>>", '/static/a/b.png'],
    ['<<get_static_prefix>><<get_media_prefix>>', '/static//media/'],
    ['<img src="<<static \'a.png\'>>">', '<img src="/static/a.png">'],
    ['<img src=\'<<static "a.png">>\'>', "<img src='/static/a.png'>"],
    ["<<<static 'a'>>>", '</static/a>'],
    ["{{#if path}}<<static 'a'>>{{else}}<<static 'b'>>{{/if}}", '/static/a'],
    ["{{#if no}}<<static 'a'>>{{else}}<<static 'b'>>{{/if}}", '/static/b'],
    ['{{#each list}}<<static this>> {{/each}}', '/static/1.png /static/2.png '],
    ['{{#with image}}<<static path>> <<static ../path>>{{/with}}', '/static/c.png /static/b.png'],
    ['{{#each list as |item|}}<<static item>> {{/each}}', '/static/1.png /static/2.png '],
    ["{{#*inline 'p'}}<<static 'i'>>{{/inline}}{{> p}}", '/static/i'],
    ["{{static 'a'}}<<static 'b'>>{{static 'c'}}", '/static/a/static/b/static/c'],
    ["{{~#if path~}}  <<static 'a'>>  {{~/if~}}", '/static/a'],
    ["<<static 'it\\'s'>>", '/static/it&#x27;s'],
    ["<<static 'a}}b'>>", '/static/a%7D%7Db'],
    ["a<<static)<<static 'b'>>", 'a<<static)/static/b'],
    ["{{#each names as |static|}}<<static 'x'>>{{/each}}", 'n'],
  ])('renders %s', (template, expected) => {
    const context = {
      path: 'b.png',
      image: { path: 'c.png' },
      list: ['1.png', '2.png'],
      names: ['n'],
    };
    expect(render(template, context)).toBe(expected);
  });

  it.each([
    'cout << static_cast<int>(x) << y;',
    'cout << static_cast<int>(x) >> y;',
    'cat <<static\nhello\nstatic\necho x >> log',
    "cat <<'static' >> log",
    'if (a<<static) b>>c',
    'x = 1<<static>>2;',
    'class A <<static>> {',
    'a << static',
    "<<static 'a'>",
    "<<static 'a>>",
    "<<static 'a' as |u|>>",
    '<<static a=>>',
    '<<static ; drop>>',
    "<<static\n'a'>>",
    "<<static 'a'~>>",
    "<< statics 'a' >>",
    '<<static {path}>>',
    '<<else>> <<#if a>> <<! b>>',
  ])('leaves %j alone', (text) => {
    expect(render(text, { path: 'p' })).toBe(text);
    expect(render(`{{#if path}}${text} {{/if}}`, { path: 'p' })).toBe(`${text} `);
  });

  it.each([
    ["{{! <<static 'a'>> }}", ''],
    ["{{!-- <<static 'a'>> --}}", ''],
    ['{{{concat "<<static \'a\'>>"}}}', "<<static 'a'>>"],
    ["{{{{keep}}}}<<static 'a'>> {{static 'b'}}{{{{/keep}}}}", "<<static 'a'>> {{static 'b'}}"],
    ['\\{{static "<<static \'a\'>>"}}', '{{static "/static/a"}}'],
  ])('keeps out of code, comments and raw blocks: %s', (template, expected) => {
    const handlebars = instance();
    handlebars.registerHelper('keep', (options) => options.fn());
    expect(handlebars.compile(template)({})).toBe(expected);
  });

  it('stays text where it is switched off', () => {
    const handlebars = instance(filesOf(), { angleTags: false });
    const template = "<<static 'a'>> {{static 'b'}}";
    expect(handlebars.compile(template)({})).toBe("<<static 'a'>> /static/b");
  });

  it('is found in any mixture of texts, and nowhere else', () => {
    const pieces: readonly (readonly [string, string])[] = [
      ["<<static 'a.css'>>", '/static/a.css'],
      ['<<static path>>', '/static/b'],
      ["{{static 'c'}}", '/static/c'],
      ['{{path}}', 'b'],
      ["{{#if path}}<<static 'd'>>{{/if}}", '/static/d'],
      ["{{!-- <<static 'a'>> ' \" --}}", ''],
      ["{{{{keep}}}}<<static 'a'>> {{ ' {{{{/keep}}}}", "<<static 'a'>> {{ ' "],
      ['{{{concat "<<static \'a\'>>"}}}', "<<static 'a'>>"],
      ["it's ", "it's "],
      ['" ', '" '],
      ['<', '<'],
      ['>', '>'],
      ['<< ', '<< '],
      ['a<<static) ', 'a<<static) '],
      ['<<static>>', '<<static>>'],
      ['x, ', 'x, '],
    ];
    const handlebars = instance();
    handlebars.registerHelper('keep', (options) => options.fn());
    let seed = 1;
    const next = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return pieces[seed % pieces.length] as readonly [string, string];
    };
    for (let round = 0; round < 500; round++) {
      const chosen = Array.from({ length: 10 }, next);
      const template = chosen.map(([source]) => source).join('');
      const expected = chosen.map(([, text]) => text).join('');
      expect(handlebars.compile(template)({ path: 'b' }), template).toBe(expected);
    }
  });
});

describe('an error', () => {
  const files = () => collected({ 'app/gone.jpg': 'app/gone.1.jpg' });

  it.each([
    ['{{static}}', 'static takes one name, not 0'],
    ["{{static 'a' 'b'}}", 'static takes one name, not 2'],
    ["{{static 'a' missing}}", 'static takes one name, not 2'],
    ["{{static 'a' 'b' 'c'}}", 'static takes one name, not 3'],
    ["{{static 'a' link}}", 'static takes one name, not 2'],
    ["{{static 'a' v=1}}", "static takes no 'v='"],
    ["{{{static 'a' v=1}}}", "static takes no 'v='"],
    ["{{static name='a'}}", "static takes no 'name='"],
    ["{{concat (static 'a' v=1)}}", "static takes no 'v='"],
    ["{{#static 'a' v=1 as |u|}}{{/static}}", "static takes no 'v='"],
    ["<<static 'a' v=1>>", "static takes no 'v='"],
    ['{{get_static_prefix v=1}}', "get_static_prefix takes no 'v='"],
    ['{{#static}}{{/static}}', 'static takes one name, not 0'],
    ["{{#static 'app/gone.jpg'}}{{/static}}", '{{#static}} needs a name for the URL'],
    ['{{static 5}}', 'must be a string, not the number 5'],
    ['{{static true}}', 'must be a string, not the boolean true'],
    ['{{static null}}', 'must be a string, not null'],
    ['{{static undefined}}', 'must be a string, not undefined'],
    ['{{static missing}}', 'must be a string, not undefined. Is a variable misspelt'],
    ['{{static list}}', 'must be a string, not an array'],
    ['<<static missing>>', 'must be a string, not undefined. Is a variable misspelt'],
    ['<<static 5>>', 'must be a string, not the number 5'],
    ["<<static 'a' 'b'>>", 'static takes one name, not 2'],
    ["{{static '../a'}}", 'leaves its folder'],
    ["{{static 'app/gone.png'}}", "Did you mean 'app/gone.jpg'?"],
    ["<<static 'app/gone.png'>>", "Did you mean 'app/gone.jpg'?"],
    ['{{static gone}}', "Did you mean 'app/gone.jpg'?"],
    ["{{#static 'app/gone.png' as |u|}}{{u}}{{/static}}", "Did you mean 'app/gone.jpg'?"],
  ])('of %s says what and where', (template, reason) => {
    const context = { list: ['a'], gone: 'app/gone.png', link: new URL('http://localhost/#x') };
    const compile = { srcName: 'views/page.hbs' } as CompileOptions;
    const message = messageOf(`first line\n  ${template}`, context, { files: files(), compile });
    const column = template.includes('(static') ? 12 : 3;
    expect(message).toMatch(`Error: views/page.hbs, line 2, column ${column}: `);
    expect(message).toContain(reason);
  });

  it.each([
    ['<<static missing>>', 'line 1, column 1'],
    ['a <<static missing>>', 'line 1, column 3'],
    ['a\n<<static missing>>', 'line 2, column 1'],
    ['a\r\n\r\n <<static missing>>', 'line 3, column 2'],
    ["{{static 'x'}}<<static missing>>", 'line 1, column 15'],
    ["{{static 'x'}} a\n  <<static 'x'>> <<static missing>>", 'line 2, column 18'],
    ['{{#if true}}\n  <<static missing>>{{/if}}', 'line 2, column 3'],
    ['{{#if true~}}\n  <<static missing>>{{/if}}', 'line 2, column 3'],
    ['a\n{{~#if true}}\n\n  <<static missing>>{{/if}}', 'line 4, column 3'],
    ['{{! a comment\n}}\n  <<static missing>>', 'line 3, column 3'],
  ])('of %j has the place of the angles', (template, place) => {
    expect(messageOf(template)).toContain(`template, ${place}: `);
  });

  it('names a partial that was registered as text, and its line', () => {
    const partials = { outer: '\n\n{{> inner}}', inner: '\n {{static missing}}' };
    const compile = { srcName: 'page.hbs' } as CompileOptions;
    expect(messageOf('{{> outer}}', {}, { partials, compile })).toContain(
      "partial 'inner', line 2, column 2: ",
    );
  });

  it('has the cause with its code, and the near names', () => {
    const error = thrownBy(() => render("{{static 'app/gone.png'}}", {}, { files: files() }));
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).cause).toMatchObject({
      code: 'ERR_STATICFILES_UNKNOWN_NAME',
      given: 'app/gone.png',
      near: ['app/gone.jpg'],
    });
  });

  it('has what was given as its cause', () => {
    const error = thrownBy(() => render('{{static 5}}'));
    expect((error as Error).cause).toMatchObject({ code: 'ERR_STATICFILES_NAME', given: 5 });
  });

  it('comes when it is rendered, not before: a branch that is never taken harms nobody', () => {
    const template = instance(files()).compile(
      "{{#if on}}{{static 'gone'}}<<static 'gone'>>{{else}}{{static 'app/gone.jpg'}}{{/if}}",
    );
    expect(template({ on: false })).toBe('/static/app/gone.1.jpg');
    expect(() => template({ on: true })).toThrow("template, line 1, column 11: 'gone' is not in");
  });

  it('says that there is no manifest, at the tag', () => {
    const none = filesOf({ staticRoot: project({}), storage: hashedStorage() });
    for (const template of ["{{static 'a'}}", '{{static n}}', "<<static 'a'>>"]) {
      expect(messageOf(template, { n: 'a' }, { files: none })).toContain(
        'template, line 1, column 1: There is no manifest at ',
      );
    }
  });

  it('of an unknown helper stays the engine’s where only known ones are allowed', () => {
    const compile = { knownHelpersOnly: true };
    for (const template of ["{{static 'a'}}", '{{static path}}', "<<static 'a'>>"]) {
      expect(messageOf(template, {}, { compile })).toContain('unknown helper static');
    }
    expect(render('{{get_static_prefix}}', { get_static_prefix: 'own' }, { compile })).toBe('own');
  });
});

describe('a literal name', () => {
  const template =
    "{{static 'a'}}{{{static 'b&c'}}}<<static 'd'>>{{concat (static 'e')}}{{{hash f=(static 'f')}}}";
  const html = '/static/a/static/b&c/static/d/static/e{"f":"/static/f"}';
  const names = ['a', 'b&c', 'd', 'e', 'f'];

  it('is resolved once, when the template is compiled, where URLs stay', () => {
    const { storage, asked } = countingStorage(true);
    const render = instance(filesOf({ storage })).compile(template);
    expect(render({})).toBe(html);
    expect(asked).toEqual(names);
    expect(render({})).toBe(html);
    expect(asked).toEqual(names);
  });

  it('is asked for at each rendering where URLs may change', () => {
    const { storage, asked } = countingStorage();
    const handlebars = instance(filesOf({ storage }));
    handlebars.precompile(template);
    expect(asked).toEqual([]);
    const render = handlebars.compile(template);
    expect(render({})).toBe(html);
    expect(render({})).toBe(html);
    expect(asked).toEqual([...names, ...names]);
  });

  it('costs what text costs where URLs stay', () => {
    const handlebars = instance(collected({ 'a.png': 'a.1.png' }));
    const typed = handlebars.precompile('<img src="/static/a.1.png">');
    expect(handlebars.precompile('<img src="{{static \'gone\'}}">')).toContain('"static"');
    const code = String(handlebars.precompile('<img src="{{static \'a.png\'}}">'));
    expect(code).not.toContain('"static"');
    expect(code.replaceAll('"\n    + "', '')).toBe(typed);
  });

  it('renders as one that is not written down, whatever stands around it', () => {
    const pieces = [
      "{{static 'a'}}",
      "{{~static 'a'}}",
      "{{static 'a'~}}",
      "{{{static 'a&b=c'}}}",
      "{{static 'a&b=c'}}",
      "{{~static 'a&b=c'~}}",
      "<<static 'a'>>",
      '<<static path>>',
      "{{~media 'a'~}}",
      "<<media 'a&b'>>",
      "{{concat (static 'a') '!'}}",
      '{{static path}}',
      '{{get_static_prefix}}',
      '{{~get_media_prefix~}}',
      "{{#static 'a' as |u|}}\n {{u}} {{/static}}",
      "{{#if (static 'a')}}\n{{static 'b'}}\n{{else}}\n{{/if}}",
      "{{#if path~}} <<static 'a'>> {{~/if}}",
      "{{#each list as |static|}}{{static 'a'}}{{/each}}",
      "{{#each list as |item|}}\n{{static item}}{{static 'a'}}\n{{/each}}",
      '{{> part}}',
      "{{> part path=(static 'a')}}",
      '{{!-- c --}}',
      '{{~! c ~}}',
      "\\{{static 'a'}}",
      ' ',
      '  \n',
      '\r\n',
      '\n  ',
      'text',
      "{{static '../a'}}",
      '{{static missing}}',
    ];
    let seed = 7;
    const next = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return pieces[seed % pieces.length];
    };
    const [folding, asking] = [filesOf(), filesOf({ storage: countingStorage().storage })].map(
      (files) => {
        const handlebars = instance(files);
        const part = "{{static 'p'}}\n  <<static path>>\n";
        handlebars.registerPartial('part', handlebars.compile(part));
        return handlebars;
      },
    ) as [Instance, Instance];
    const outcome = (handlebars: Instance, template: string, options: CompileOptions) => {
      try {
        return handlebars.compile(template, options)({ path: 'p', list: ['1', '2'] });
      } catch (error) {
        return String(error);
      }
    };
    for (const options of [{}, { noEscape: true }, { preventIndent: true }]) {
      for (let round = 0; round < 300; round++) {
        const template = Array.from({ length: 8 }, next).join('');
        const expected = outcome(asking, template, options);
        expect(outcome(folding, template, options), template).toBe(expected);
      }
    }
  });

  it('gives way to a helper that has replaced ours since', () => {
    const handlebars = instance();
    for (const name of ['static', 'get_static_prefix', 'get_media_prefix']) {
      handlebars.registerHelper(name, (...args) => `own ${args.length - 1}`);
    }
    const template =
      "{{static 'a'}} {{static 'a' v=1}} <<static 'a'>> {{get_static_prefix}} {{get_media_prefix}}";
    expect(handlebars.compile(template)({})).toBe('own 1 own 1 own 1 own 0 own 0');
  });

  it('is no longer one where the helper was taken away', () => {
    const handlebars = instance();
    handlebars.unregisterHelper('static');
    expect(() => handlebars.compile("{{static 'a'}}")({})).toThrow('Missing helper: "static"');
  });
});

describe('a tree', () => {
  const template =
    "a {{~static 'x'~}} b <<static 'y'>> {{#if (eq (static 'x') p)}}{{static 'z'}}{{/if}}{{> (concat 'p') h=(static 'h')}}";

  it('that is given to compile() or precompile() stays as it is', () => {
    const plain = Handlebars.create();
    const tree = plain.parse(template);
    // The engine itself writes notes into any tree that it compiles.
    const notes = ['strict', 'falsy', 'leftStripped', 'rightStripped'];
    const look = () =>
      JSON.stringify(tree, (key, value) => (notes.includes(key) ? undefined : value));
    const before = look();
    const handlebars = instance();
    handlebars.registerPartial('p', '{{h}}');
    const expected = 'a/static/xb /static/y /static/z/static/h';
    expect(handlebars.compile(tree)({ p: '/static/x' })).toBe(expected);
    handlebars.precompile(tree);
    expect(handlebars.compile(tree)({ p: '/static/x' })).toBe(expected);
    expect(look()).toBe(before);
  });

  it('of parseWithoutProcessing() is rewritten too', () => {
    const handlebars = instance();
    const tree = handlebars.parseWithoutProcessing("a {{~static 'x'~}} b <<static 'y'>>");
    expect(handlebars.compile(tree)({})).toBe('a/static/xb /static/y');
  });

  it('that a program asks for itself can be compiled with and without escaping', () => {
    const handlebars = instance();
    const source = "{{static 'a&b'}} <<static 'a&b'>> {{static 'c'}}";
    expect(handlebars.compile(handlebars.parse(source))({})).toBe(
      '/static/a&amp;b /static/a&amp;b /static/c',
    );
    expect(handlebars.compile(handlebars.parse(source), { noEscape: true })({})).toBe(
      '/static/a&b /static/a&b /static/c',
    );
  });
});

describe('registerStatic()', () => {
  it('teaches the global Handlebars, and none that it creates', () => {
    registerStatic(Handlebars, filesOf({ staticUrl: '/global/' }));
    try {
      expect(Handlebars.compile("{{static 'a'}} <<static 'b'>>")({})).toBe('/global/a /global/b');
      expect(Handlebars.create().compile("<<static 'b'>>")({})).toBe("<<static 'b'>>");
      expect(instance().compile("{{static 'a'}} <<static 'b'>>")({})).toBe('/static/a /static/b');
    } finally {
      registerStatic(Handlebars, filesOf(), { angleTags: false });
      for (const name of ['static', 'media', 'get_static_prefix', 'get_media_prefix']) {
        Handlebars.unregisterHelper(name);
      }
    }
  });

  it('gives each instance its own files', () => {
    const template = "{{static 'a'}} {{static p}} <<static 'a'>> {{get_static_prefix}}";
    const [one, two] = ['/one/', '/two/'].map((staticUrl) =>
      instance(filesOf({ staticUrl })).compile(template)({ p: 'p' }),
    );
    expect(one).toBe('/one/a /one/p /one/a /one/');
    expect(two).toBe('/two/a /two/p /two/a /two/');
  });

  it('may be called again, and then speaks of the new files and options', () => {
    const handlebars = instance(filesOf({ staticUrl: '/old/' }));
    registerStatic(handlebars, filesOf({ staticUrl: '/new/' }));
    const template = "{{static 'a'}} {{static p}} <<static 'a'>>";
    expect(handlebars.compile(template)({ p: 'p' })).toBe('/new/a /new/p /new/a');
    registerStatic(handlebars, filesOf({ staticUrl: '/newer/' }), { angleTags: false });
    expect(handlebars.compile(template)({ p: 'p' })).toBe("/newer/a /newer/p <<static 'a'>>");
  });

  it('may be called again where another package has wrapped the parser meanwhile', () => {
    const handlebars = instance(filesOf({ staticUrl: '/old/' }));
    const { parse } = handlebars;
    handlebars.parse = (input, options) => parse(`${input}!`, options);
    registerStatic(handlebars, filesOf({ staticUrl: '/new/' }));
    expect(handlebars.compile("{{static 'a'}} <<static 'b'>>")({})).toBe('/new/a /new/b!');
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['something else', {}],
  ])('names the package and how to install it where it is given %s', (_, handlebars) => {
    const error = thrownBy(() => registerStatic(handlebars as never, filesOf()));
    expect(error).toMatchObject({ code: 'ERR_STATICFILES_PEER', peer: 'handlebars' });
    expect(String(error)).toMatch(
      /import Handlebars from 'handlebars'\. Install it: npm install handlebars$/,
    );
  });

  it.each([undefined, null, {}, { staticUrl: '/static/' }])(
    'says what it takes where it is given %j for files',
    (files) => {
      const error = thrownBy(() => registerStatic(Handlebars.create(), files as never));
      expect(error).toMatchObject({ code: 'ERR_STATICFILES_SETUP' });
      expect(String(error)).toContain('takes what createStaticFiles() answers');
    },
  );

  it('refuses an option that it does not know', () => {
    const options = { angleTag: false } as never;
    const error = thrownBy(() => registerStatic(Handlebars.create(), filesOf(), options));
    expect(String(error)).toContain(
      "'angleTag' is no option of registerStatic(). Did you mean 'angleTags'?",
    );
  });
});
