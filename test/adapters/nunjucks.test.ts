import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import nunjucks from 'nunjucks';
import { describe, expect, it } from 'vitest';
import { type NunjucksOptions, registerStatic } from '../../adapters/nunjucks.js';
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
    attach: () => storage,
    url(name) {
      asked.push(name);
      return `/static/${encodeURI(name)}`;
    },
  };
  return { storage, asked };
}

/** Collected files: a manifest on this machine. */
function collected(paths: Readonly<Record<string, string>>, settings: Settings = {}): StaticFiles {
  const staticRoot = project({ 'staticfiles.json': JSON.stringify({ paths, version: '1.0' }) });
  return filesOf({ staticRoot, storage: hashedStorage(), ...settings });
}

type Templates = Readonly<Record<string, string>>;

function loaderOf(templates: Templates): nunjucks.ILoader {
  const source = (name: string) => ({ src: templates[name] ?? '', path: name, noCache: false });
  return { getSource: (name) => (name in templates ? source(name) : (undefined as never)) };
}

interface Setup extends nunjucks.ConfigureOptions, NunjucksOptions {
  readonly files?: StaticFiles;
  readonly templates?: Templates;
}

function environment({
  files = filesOf(),
  templates = {},
  angleTags,
  media,
  ...options
}: Setup = {}) {
  const env = new nunjucks.Environment(loaderOf(templates), options);
  registerStatic(env, files, { angleTags, media });
  return env;
}

function render(template: string, context: object = {}, setup: Setup = {}): string {
  return environment(setup).renderString(template, context);
}

function messageOf(template: string, context: object = {}, setup: Setup = {}): string {
  return String(thrownBy(() => render(template, context, setup)));
}

const angles = { blockStart: '<%', blockEnd: '%>' };

describe.each([
  ['a storage whose URLs stay', () => filesOf()],
  ['a storage whose URLs may change', () => filesOf({ storage: countingStorage().storage })],
])('with %s', (_, files) => {
  it.each([
    ["{% static 'my_app/example.jpg' %}", {}, '/static/my_app/example.jpg'],
    ['{% static "a b.jpg" %}', {}, '/static/a%20b.jpg'],
    ["{%- static 'a' -%}", {}, '/static/a'],
    ["x {%- static 'a' -%} y", {}, 'x/static/ay'],
    ["x {% static 'a' %} y", {}, 'x /static/a y'],
    ['{% static path %}', { path: 'a.png' }, '/static/a.png'],
    ['{% static img.path %}', { img: { path: 'a.png' } }, '/static/a.png'],
    ['{% static list[1] %}', { list: ['a', 'b'] }, '/static/b'],
    ["{% static 'a/' ~ name %}", { name: 'b.png' }, '/static/a/b.png'],
    ["{% static 'a/' + name + '.png' %}", { name: 'b' }, '/static/a/b.png'],
    ["{% static 'a.png' if on else 'b.png' %}", { on: false }, '/static/b.png'],
    ["{% static ('a.png') %}", {}, '/static/a.png'],
    ["{% static 'A.PNG' | lower %}", {}, '/static/a.png'],
    ["{% static name or 'none.png' %}", {}, '/static/none.png'],
    ['{% static pick() %}', { pick: () => 'a.png' }, '/static/a.png'],
    ["{% static '' %}", {}, '/static/'],
    ["{% static 'sprite.svg#icon' %}", {}, '/static/sprite.svg#icon'],
    ["{% static 'a' as url %}[{{ url }}]", {}, '[/static/a]'],
    ["{% static 'a/' ~ n as url %}[{{ url }}]", { n: 1 }, '[/static/a/1]'],
    ['{% get_static_prefix %}', {}, '/static/'],
    ['{% get_static_prefix as p %}[{{ p }}]', {}, '[/static/]'],
    ['{% get_media_prefix %}', {}, '/media/'],
    ['{% get_media_prefix as p %}[{{ p }}]', {}, '[/media/]'],
    ["{% load static %}{% static 'a' %}", {}, '/static/a'],
    ['x {%- load static -%} y', {}, 'xy'],
    ['{% load get_static_prefix from static %}{% get_static_prefix %}', {}, '/static/'],
    ["{{ static('a.png') }}", {}, '/static/a.png'],
    ['{{ static(path) }}', { path: 'a.png' }, '/static/a.png'],
    ["{{ 'a.png' | static }}", {}, '/static/a.png'],
    ["{{ ('a/' ~ n) | static | upper }}", { n: 1 }, '/STATIC/A/1'],
    ["{% for i in [1, 2] %}{% static 'a/' ~ i %},{% endfor %}", {}, '/static/a/1,/static/a/2,'],
    ["{% if url %}{% else %}{% static 'a' %}{% endif %}", {}, '/static/a'],
    ["{% set x %}{% static 'a' %}{% endset %}{{ x }}", {}, '/static/a'],
    ["{% filter upper %}{% static 'a' %}{% endfilter %}", {}, '/STATIC/A'],
    ["{% block x %}{% static 'a' %}{% endblock %}", {}, '/static/a'],
    ["{% macro m(n) %}{% static n %}{% endmacro %}{{ m('a') }}", {}, '/static/a'],
    ["{% switch 1 %}{% case 1 %}{% static 'a' %}{% endswitch %}", {}, '/static/a'],
    ["{% raw %}{% static 'a' %}{% endraw %}", {}, "{% static 'a' %}"],
    ["{# {% static 'a' %} #}", {}, ''],
  ])('renders %s', (template, context, expected) => {
    expect(render(template, context, { files: files() })).toBe(expected);
  });

  it('is not misled by a variable of the context that is named static', () => {
    const template = "{% static 'a' %} {% static path %} {{ 'a' | static }} {{ static }}";
    const context = { static: 'mine', staticfiles_tag: 'mine', path: 'b' };
    expect(render(template, context, { files: files() })).toBe(
      '/static/a /static/b /static/a mine',
    );
  });

  it('is not misled by a variable of the template that is named static', () => {
    const template = "{% set static = 'mine' %}{% static 'a' %} {% static path %}";
    expect(render(template, { path: 'b' }, { files: files() })).toBe('/static/a /static/b');
  });

  it('takes a name that is marked as safe', () => {
    const template = "{% static 'a' | safe %} {{ static('a' | safe) }} {{ 'a' | safe | static }}";
    expect(render(template, {}, { files: files() })).toBe('/static/a /static/a /static/a');
  });

  it('renders for a callback', async () => {
    const env = environment({
      files: files(),
      templates: { 'page.html': "{% static 'a' %} {% static path %}" },
    });
    const html = await new Promise((resolve, reject) => {
      env.render('page.html', { path: 'b' }, (error, text) =>
        error ? reject(error) : resolve(text),
      );
    });
    expect(html).toBe('/static/a /static/b');
  });

  it('renders in asynchronous loops', async () => {
    const template = "{% asyncAll i in [1, 2] %}{% static 'a/' ~ i %},{% endall %}{% static 'b' %}";
    const html = await new Promise((resolve, reject) => {
      environment({ files: files() }).renderString(template, {}, (error, text) =>
        error ? reject(error) : resolve(text),
      );
    });
    expect(html).toBe('/static/a/1,/static/a/2,/static/b');
  });

  it('is there in included, imported and extended templates', () => {
    const templates = {
      'base.html': "{% load static %}{% static 'base' %}{% block body %}{% endblock %}",
      'part.html': "({% static 'part' %}|{% static path %})",
      'macros.html': "{% macro img(n) %}[{% static 'm' %}|{% static n %}]{% endmacro %}",
      'page.html': `{% extends 'base.html' %}{% block body %}{% import 'macros.html' as m %}
        {%- from 'macros.html' import img -%}
        {% include 'part.html' %}{{ m.img('n') }}{{ img('o') }}{% endblock %}`,
    };
    const env = environment({ files: files(), templates });
    expect(env.render('page.html', { path: 'p' })).toBe(
      '/static/base(/static/part|/static/p)[/static/m|/static/n][/static/m|/static/o]',
    );
  });

  it('is there in precompiled templates', () => {
    const name = 'page.html';
    const template = "{% static 'a' %} <% static path %> {% get_media_prefix %}";
    const compiling = environment({ files: files() });
    const code = nunjucks.precompileString(template, { name, env: compiling });
    const window: { nunjucksPrecompiled?: Record<string, unknown> } = {};
    new Function('window', code)(window);
    const loader = new nunjucks.PrecompiledLoader(window.nunjucksPrecompiled as never);
    const env = new nunjucks.Environment(loader as never);
    registerStatic(env, files());
    expect(env.render(name, { path: 'b' })).toBe('/static/a /static/b /media/');
  });
});

describe('escaping', () => {
  const files = filesOf({ staticUrl: "https://cdn.example.com/it's/" });

  it.each([
    ["{% static 'a&b.png' %}", 'https://cdn.example.com/it&#39;s/a&amp;b.png'],
    ["{% static 'x.css?a=1&b=2' %}", 'https://cdn.example.com/it&#39;s/x.css?a=1&amp;b=2'],
    ['{% static name %}', 'https://cdn.example.com/it&#39;s/a&amp;b.png'],
    ["{% static 'a&b.png' as url %}{{ url }}", 'https://cdn.example.com/it&#39;s/a&amp;b.png'],
    ['{% static name as url %}{{ url }}', 'https://cdn.example.com/it&#39;s/a&amp;b.png'],
    ['{% static name as url %}{{ url | safe }}', "https://cdn.example.com/it's/a&b.png"],
    ["{{ static('a&b.png') }}", 'https://cdn.example.com/it&#39;s/a&amp;b.png'],
    ["{{ 'a&b.png' | static }}", 'https://cdn.example.com/it&#39;s/a&amp;b.png'],
    ['{{ name | safe | static }}', 'https://cdn.example.com/it&#39;s/a&amp;b.png'],
    ["{% static 'a&b.png' | safe %}", 'https://cdn.example.com/it&#39;s/a&amp;b.png'],
    ['{% get_static_prefix %}', 'https://cdn.example.com/it&#39;s/'],
    ['{% get_static_prefix as p %}{{ p }}', 'https://cdn.example.com/it&#39;s/'],
  ])('is done once in %s', (template, expected) => {
    expect(render(template, { name: 'a&b.png' }, { files })).toBe(expected);
  });

  it('is done once for a media prefix', () => {
    const media = filesOf({ mediaUrl: "/it's/" });
    const template = '{% get_media_prefix %} {% get_media_prefix as p %}{{ p }}';
    expect(render(template, {}, { files: media })).toBe('/it&#39;s/ /it&#39;s/');
  });

  it.each([
    "{% static 'a&b.png' %}",
    '{% static name %}',
    "{% static 'a&b.png' as url %}{{ url }}",
    "{{ static('a&b.png') }}",
    "{{ 'a&b.png' | static }}",
  ])('is left out where autoescape is off: %s', (template) => {
    const html = render(template, { name: 'a&b.png' }, { files, autoescape: false });
    expect(html).toBe("https://cdn.example.com/it's/a&b.png");
  });
});

describe('angle tags', () => {
  it.each([
    ["<% static 'a.png' %>", '/static/a.png'],
    ['<% static img.path %>', '/static/b.png'],
    ["x <%- static 'a' -%> y", 'x/static/ay'],
    ["<% static 'a/' ~ img.path as url %>[{{ url }}]", '[/static/a/b.png]'],
    ['<% get_static_prefix %> <% get_media_prefix as p %>{{ p }}', '/static/ /media/'],
    ["<% load static %><% static 'a' %>{% static 'b' %}", '/static/a/static/b'],
    ["{% if img %}<% static 'a' %>{% endif %}", '/static/a'],
    ["{% for i in [1, 2] %}<% static 'a/' ~ i %>{% endfor %}", '/static/a/1/static/a/2'],
    ["<% if (x) { %><% static 'a' %><% } %>", '<% if (x) { %>/static/a<% } %>'],
    ["<%= static %><% var a = '<% static'; %>", "<%= static %><% var a = '<% static'; %>"],
    ["{% raw %}<% static 'a' %>{% endraw %}", "<% static 'a' %>"],
    [
      "{% raw %}{% raw %}<% static 'a' %>{% endraw %}<% static 'b' %>{% endraw %}<% static 'c' %>",
      "{% raw %}<% static 'a' %>{% endraw %}<% static 'b' %>/static/c",
    ],
    ["{% verbatim %}<% static 'a' %>{% endverbatim %}", "<% static 'a' %>"],
    ["{# <% static 'a' %> #}<% static 'b' %>", '/static/b'],
    ['{{ "<% static \'a\' %>" | safe }}', "<% static 'a' %>"],
    ['{% set x = "<% static \'a\' %>" %}{{ x | safe }}', "<% static 'a' %>"],
    ["{{ 'it' | replace(r/it/, \"<% static 'a' %>\") | safe }}", "<% static 'a' %>"],
  ])('renders %s', (template, expected) => {
    expect(render(template, { img: { path: 'b.png' } })).toBe(expected);
  });

  it.each([
    ["<% static 'a' %> <%- static path -%> ", '/static/a/static/b'],
    ["<% if path %><% static 'a' as u %>{{ u }}<% endif %>", '/static/a'],
    ['<% load static %><% get_static_prefix %>', '/static/'],
  ])('are the tags themselves where the delimiters are so: %s', (template, expected) => {
    const context = { path: 'b' };
    expect(render(template, context, { tags: angles })).toBe(expected);
    expect(render(template, context, { tags: angles, angleTags: false })).toBe(expected);
  });

  it('stand beside other delimiters too', () => {
    const tags = { blockStart: '[[%', blockEnd: '%]]', variableStart: '[[', variableEnd: ']]' };
    const template =
      "<% static 'a' %> [[% static 'b' %]] [[ '<% static 1 %>' | safe ]] {% static %}";
    expect(render(template, {}, { tags })).toBe('/static/a /static/b <% static 1 %> {% static %}');
  });

  it('give way to a variable that is written so', () => {
    const tags = { variableStart: '<%', variableEnd: '%>' };
    expect(render("<% path %> {% static 'a' %}", { path: 'b' }, { tags })).toBe('b /static/a');
  });

  it('stay text where they are switched off', () => {
    const template = "<% static 'a' %> {% static 'b' %}";
    expect(render(template, {}, { angleTags: false })).toBe("<% static 'a' %> /static/b");
  });

  it('are there in included, imported and extended templates', () => {
    const templates = {
      'base.html': "<% static 'base' %>{% block body %}{% endblock %}",
      'part.html': "<% static 'part' %>",
      'macros.html': '{% macro img(n) %}<% static n %>{% endmacro %}',
      'page.html':
        "{% extends 'base.html' %}{% block body %}{% include 'part.html' %}{% from 'macros.html' import img %}{{ img('n') }}{% endblock %}",
    };
    expect(environment({ templates }).render('page.html')).toBe(
      '/static/base/static/part/static/n',
    );
  });

  it('trim blocks as others do', () => {
    const template = "a\n  <% static 'x' %>\nb";
    const usual = template.replace('<%', '{%').replace('%>', '%}');
    const options = { trimBlocks: true, lstripBlocks: true };
    expect(render(template, {}, options)).toBe(render(usual, {}, options));
    expect(render(template, {}, options)).toBe('a\n/static/xb');
  });

  it('are found in any mixture of texts, and nowhere else', () => {
    const pieces: readonly (readonly [string, string])[] = [
      ["<% static 'a.css' %>", '/static/a.css'],
      ['<% static path %>', '/static/b'],
      ["{% static 'c' %}", '/static/c'],
      ["{# <% static 'a' %> ' \" #}", ''],
      ["{% raw %}<% static 'a' %> {{ ' {# {% endraw %}", "<% static 'a' %> {{ ' {# "],
      ["{% verbatim %}<% static 'a' %>{% endverbatim %}", "<% static 'a' %>"],
      ['{{ "<% static \'a\' %> %} #}" | safe }}', "<% static 'a' %> %} #}"],
      ["{{ '\\'<% static 1 %>' | safe }}", "'<% static 1 %>"],
      ["{{ 'x'|replace(r/['\"]/g, '') }}", 'x'],
      ['{% if path == "%}" %}no{% endif %}', ''],
      ['<% other %>', '<% other %>'],
      ['<%= static %>', '<%= static %>'],
      ["it's ", "it's "],
      ['"', '"'],
      ['<', '<'],
      ['%> ', '%> '],
      ['\n', '\n'],
    ];
    const env = environment();
    let seed = 1;
    const next = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return pieces[seed % pieces.length] as readonly [string, string];
    };
    for (let round = 0; round < 500; round++) {
      const chosen = Array.from({ length: 10 }, next);
      const template = chosen.map(([source]) => source).join('');
      const expected = chosen.map(([, text]) => text).join('');
      expect(env.renderString(template, { path: 'b' }), template).toBe(expected);
    }
  });
});

describe('media', () => {
  it.each([
    ["{% media 'avatars/ada.jpg' %}", '/media/avatars/ada.jpg'],
    ['{% media "a b.jpg" %}', '/media/a%20b.jpg'],
    ["x {%- media 'a' -%} y", 'x/media/ay'],
    ['{% media path %}', '/media/b.png'],
    ['{% media user.picture %}', '/media/c.png'],
    ["{% media 'a/' ~ path %}", '/media/a/b.png'],
    ["{% media user.gone or 'none.png' %}", '/media/none.png'],
    ["{% media 'A.PNG' | lower %}", '/media/a.png'],
    ["{% media '' %}", '/media/'],
    ["{% media 'a.pdf#page=2' %}", '/media/a.pdf#page=2'],
    ["{% media 'a' as url %}[{{ url }}]", '[/media/a]'],
    ['{% media path as url %}[{{ url }}]', '[/media/b.png]'],
    ["{{ media('a.png') }} {{ media(path) }}", '/media/a.png /media/b.png'],
    ["{{ 'a.png' | media }} {{ path | media | upper }}", '/media/a.png /MEDIA/B.PNG'],
    ["{{ 'a' | safe | media }} {% media 'a' | safe %}", '/media/a /media/a'],
    ["<% media 'a.png' %> <%- media path -%> ", '/media/a.png/media/b.png'],
    [
      "{% media 'a' %}{% static 'b' %}{% media 'c' %}d{% static 'e' %}",
      '/media/a/static/b/media/cd/static/e',
    ],
    ["{% for i in [1, 2] %}{% media 'a/' ~ i %},{% endfor %}", '/media/a/1,/media/a/2,'],
    ["{% macro m(n) %}{% media n %}{% endmacro %}{{ m('a') }}", '/media/a'],
    ["{% raw %}{% media 'a' %}{% endraw %}{# {% media 'a' %} #}", "{% media 'a' %}"],
    ['<% media = 5 %><% media %><%= media %>', '<% media = 5 %><% media %><%= media %>'],
  ])('is what static is, for uploaded files: %s', (template, expected) => {
    expect(render(template, { path: 'b.png', user: { picture: 'c.png' } })).toBe(expected);
  });

  it.each([
    "{% media 'a&b' %}",
    '{% media n %}',
    '{% media n as u %}{{ u }}',
    '{{ n | media }}',
    '{{ media(n) }}',
  ])('is escaped once, where autoescape is on: %s', (template) => {
    const files = filesOf({ mediaUrl: "/it's/" });
    const context = { n: 'a&b' };
    expect(render(template, context, { files })).toBe('/it&#39;s/a&amp;b');
    expect(render(template, context, { files, autoescape: false })).toBe("/it's/a&b");
  });

  it('has an empty prefix where there is no mediaUrl, as Django', () => {
    const files = createStaticFiles();
    const template = "{% media 'a.jpg' %} {% media n %} [{% get_media_prefix %}]";
    expect(render(template, { n: 'b.jpg' }, { files })).toBe('a.jpg b.jpg []');
  });

  it('costs what text costs where the name is literal', () => {
    const code = nunjucks.precompileString("{% media 'a' %}b{% media n %}", {
      name: 'x',
      env: environment(),
    });
    expect(code).toContain('output += "/media/ab";\n');
    expect(code.match(/staticfiles_media_tag/g)).toHaveLength(1);
  });

  it.each([
    ['{% media %}', "media needs a name: {% media 'avatars/ada.jpg' %}"],
    ["{% media 'a', 'b' %}", "media is written {% media 'avatars/ada.jpg' %} or"],
    ["{% media 'a' as 5 %}", 'media … as needs the name of a variable'],
    ['{% media missing %}', 'name must be a string, not undefined'],
    ["{% media '../a' %}", 'The name "../a" leaves its folder'],
    ["<% media '../a' %>", 'The name "../a" leaves its folder'],
  ])('says what is wrong and where: %s', (template, reason) => {
    const message = messageOf(`first line\n  ${template}`);
    expect(message).toMatch(/^Template render error: \(unknown path\) \[Line 2, Column 6\]\n {2}/);
    expect(message).toContain(reason);
  });

  it('that does not resolve harms nobody in a branch that is never taken', () => {
    expect(render("{% if on %}{% media '../a' %}{% endif %}", { on: false })).toBe('');
  });

  it.each([{ media: [{ url: 'mine' }] }, { media: false }, { media: 'text' }])(
    'leaves a variable of that name alone: %j',
    (context) => {
      const own = '{{ media | dump }}{% for m in media %}{{ m.url }}{% endfor %}{{ media[0].url }}';
      const tags = "{% media 'a' %} {% media p %} {{ p | media }} <% media p %>";
      const plain = new nunjucks.Environment(null).renderString(own, context);
      expect(render(own, context)).toBe(plain);
      expect(render(tags, { ...context, p: 'b' })).toBe('/media/a /media/b /media/b /media/b');
      expect(render(`{% set media = 'm' %}{{ media }} ${tags}`, { p: 'b' })).toBe(
        'm /media/a /media/b /media/b /media/b',
      );
    },
  );

  it.each(['before', 'after'])('leaves what the application calls so, %s it', (when) => {
    const env = new nunjucks.Environment(null);
    if (when === 'after') registerStatic(env, filesOf());
    env.addGlobal('media', 'their global');
    env.addFilter('media', (text: string) => `their filter of ${text}`);
    env.addExtension('theirs', {
      tags: ['media', 'other'],
      parse(parser, nodes) {
        const { value } = parser.nextToken();
        parser.advanceAfterBlockEnd(value);
        return new nodes.Output(0, 0, [new nodes.TemplateData(0, 0, `their ${value}`)]);
      },
    });
    if (when === 'before') registerStatic(env, filesOf());
    const template = "{{ media }}, {{ 'x' | media }}, {% media %}, {% other %}, {% static 'a' %}";
    expect(env.renderString(template, {})).toBe(
      'their global, their filter of x, their media, their other, /static/a',
    );
  });

  it('is switched off by an option, also later', () => {
    const env = environment();
    registerStatic(env, filesOf(), { media: false });
    const template =
      "{% if media %}no{% endif %}[{{ media }}] <% media 'a' %> {% static 'a' %} {% get_media_prefix %}";
    expect(env.renderString(template, {})).toBe("[] <% media 'a' %> /static/a /media/");
    expect(() => env.renderString("{% media 'a' %}", {})).toThrow('unknown block tag: media');
    expect(() => env.renderString("{{ 'a' | media }}", {})).toThrow('filter not found: media');
    registerStatic(env, filesOf({ mediaUrl: '/new/' }));
    expect(env.renderString("{% media 'a' %} {{ media('a') }}", {})).toBe('/new/a /new/a');
    registerStatic(env, filesOf({ mediaUrl: '/newer/' }));
    expect(env.renderString("{% media 'a' %} {{ media('a') }} {{ 'a' | media }}", {})).toBe(
      '/newer/a /newer/a /newer/a',
    );
  });
});

describe('an error', () => {
  it.each([
    ['{% static %}', 'static needs a name'],
    ['<% static %>', 'static needs a name'],
    ['{% static', 'static needs a name'],
    ['{% static as url %}', "static is written {% static 'my_app/example.jpg' %}"],
    ["{% static 'a', 'b' %}", "static is written {% static 'my_app/example.jpg' %}"],
    ["{% static 'a' 'b' %}", "static is written {% static 'my_app/example.jpg' %}"],
    ["{% static name='a' %}", "static is written {% static 'my_app/example.jpg' %}"],
    ["{% static 'a'", "static is written {% static 'my_app/example.jpg' %}"],
    ["{% static 'a' as %}", 'static … as needs the name of a variable'],
    ["{% static 'a' as 5 %}", 'static … as needs the name of a variable'],
    ["{% static 'a' as 'url' %}", 'static … as needs the name of a variable'],
    ["{% static 'a' as x.y %}", 'static … as needs the name of a variable'],
    ["{% get_static_prefix 'a' %}", 'get_static_prefix is written {% get_static_prefix %} or'],
    ['{% get_media_prefix as %}', 'get_media_prefix … as needs the name of a variable'],
    ['{% load %}', 'only static can be loaded'],
    ['{% load', 'only static can be loaded'],
    ['{% load i18n %}', 'only static can be loaded'],
    ['{% load static i18n %}', 'only static can be loaded'],
    ['{% load static', 'load is written {% load static %}'],
    ["{% load 'static' %}", 'only static can be loaded'],
    ['{% static 5 %}', 'name must be a string, not the number 5'],
    ['{% static true %}', 'name must be a string, not the boolean true'],
    ['{% static none %}', 'name must be a string, not null'],
    ['{% static missing %}', 'name must be a string, not undefined. Is a variable misspelt'],
    ['{% static list %}', 'name must be a string, not an array'],
    ["{% static '../a' %}", 'The name "../a" leaves its folder'],
    ['{% static nul %}', 'contains NUL'],
  ])('of %s says what and where', (template, reason) => {
    const message = messageOf(`first line\n  ${template}`, { list: ['a'], nul: 'a\0b' });
    expect(message).toMatch(/^Template render error: \(unknown path\) \[Line 2, Column 6\]\n {2}/);
    expect(message).toContain(reason);
  });

  it.each(['{{ static() }}', '{{ static(missing) }}', '{{ missing | static }}'])(
    'of %s says what, and in which template',
    (template) => {
      const env = environment({ templates: { 'page.html': template } });
      expect(String(thrownBy(() => env.render('page.html')))).toMatch(
        /^Template render error: \(page\.html\).*\n {2}NameError: .* not undefined\. Is a variable/,
      );
    },
  );

  it.each([
    ["{% static 'app/gone.png' %}", 'Line 3, Column 6'],
    ['{% static gone %}', 'Line 3, Column 6'],
    ["<% static 'app/gone.png' %>", 'Line 3, Column 6'],
    ["{%- static 'app/gone.png' as url %}", 'Line 3, Column 7'],
  ])('of %s names the file, line and column, and near names', (tag, place) => {
    const views = project({ 'app/page.html': `<html>\n<body>\n  ${tag}` });
    const files = collected({ 'app/gone.jpg': 'app/gone.1.jpg' });
    const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(views));
    registerStatic(env, files);
    const message = String(thrownBy(() => env.render('app/page.html', { gone: 'app/gone.png' })));
    expect(message).toContain(`(${join(views, 'app/page.html')}) [${place}]\n`);
    expect(message).toContain("'app/gone.png' is not in the manifest");
    expect(message).toContain("Did you mean 'app/gone.jpg'?");
  });

  it.each([false, true])('in an included template names it and its line (dev: %s)', (dev) => {
    const templates = {
      'page.html': "\n\n {% include 'part.html' %}",
      'part.html': '\n {% static missing %}',
    };
    const env = environment({ dev, templates });
    const message = String(thrownBy(() => env.render('page.html')));
    expect(message).toMatch(
      /^(?:\s*(?:Template render error: )?\(page\.html\)\n)+ +(?:Template render error: )?\(part\.html\) \[Line 2, Column 5\]\n {2}A static/,
    );
    expect(message.match(/A static file/g)).toHaveLength(1);
  });

  it.each([
    ['a macro', "{% from 'm.html' import m %}{{ m() }}", 'page.html'],
    ['a block of the base', "{% extends 'base.html' %}", 'base.html'],
  ])('in %s of another template keeps the line', (_, page, named) => {
    const templates = {
      'page.html': page,
      'm.html': '{% macro m() %}\n{% static missing %}{% endmacro %}',
      'base.html': '\n{% block b %}{% static missing %}{% endblock %}',
    };
    const message = String(thrownBy(() => environment({ templates }).render('page.html')));
    expect(message).toMatch(/\[Line 2, Column (?:4|17)\]/);
    expect(message).toContain(templates['page.html'].includes('extends') ? 'page.html' : named);
  });

  it('keeps its cause and code where the environment is for development', () => {
    const error = thrownBy(() => render('\n{% static missing %}', {}, { dev: true }));
    expect(error).toBeInstanceOf(Error);
    expect((error as Error).cause).toMatchObject({
      name: 'NameError',
      code: 'ERR_STATICFILES_NAME',
      given: undefined,
    });
    expect((error as Error).stack).toMatch(/^Template render error: \(unknown path\) \[Line 2, /);
  });

  it('reaches a callback', async () => {
    const error = await new Promise((resolve) => {
      environment().renderString('{% static missing %}', {}, resolve);
    });
    expect(String(error)).toContain('[Line 1, Column 4]');
  });

  it('comes when it is rendered, not before: a branch that is never taken harms nobody', () => {
    const files = collected({ 'a.png': 'a.1.png' });
    const template = "{% if on %}{% static 'gone.png' %}{% else %}{% static 'a.png' %}{% endif %}";
    const env = environment({ files, templates: { 'page.html': template } });
    expect(env.render('page.html', { on: false })).toBe('/static/a.1.png');
    expect(() => env.render('page.html', { on: true })).toThrow(
      "'gone.png' is not in the manifest",
    );
  });

  it('says that there is no manifest, at the tag', () => {
    const files = filesOf({ staticRoot: project({}), storage: hashedStorage() });
    for (const template of ["{% static 'a' %}", '{% static n %}']) {
      const message = messageOf(template, { n: 'a' }, { files });
      expect(message).toContain('[Line 1, Column 4]\n  There is no manifest at ');
    }
  });
});

describe('a literal name', () => {
  const template = "{% static 'a' %}{% static 'b&c' %}{% static 'd' as url %}{{ url }}";

  it('is resolved once, when the template is compiled, where URLs stay', () => {
    const { storage, asked } = countingStorage(true);
    const env = environment({ files: filesOf({ storage }), templates: { 'page.html': template } });
    env.getTemplate('page.html', true);
    expect(asked).toEqual(['a', 'b&c', 'd']);
    asked.length = 0;
    expect(env.render('page.html')).toBe('/static/a/static/b&amp;c/static/d');
    expect(env.render('page.html')).toBe('/static/a/static/b&amp;c/static/d');
    expect(asked).toEqual([]);
  });

  it('is asked for at each rendering where URLs may change', () => {
    const { storage, asked } = countingStorage();
    const env = environment({ files: filesOf({ storage }), templates: { 'page.html': template } });
    env.getTemplate('page.html', true);
    expect(asked).toEqual([]);
    env.render('page.html');
    env.render('page.html');
    expect(asked).toEqual(['a', 'b&c', 'd', 'a', 'b&c', 'd']);
  });

  it('costs what text costs where URLs stay', () => {
    const env = environment({ files: collected({ 'a.png': 'a.1.png' }) });
    const code = (source: string) => nunjucks.precompileString(source, { name: 'x', env });
    expect(code("a{% static 'a.png' %}b{% static 'a.png' %}{% static 'a.png' %}c")).toContain(
      'output += "a";\noutput += "/static/a.1.pngb/static/a.1.png/static/a.1.pngc";\n',
    );
    expect(code("{% static 'a.png' %}")).not.toContain('staticfiles_tag');
    expect(code("{% static 'gone.png' %}")).toContain('staticfiles_tag');
  });

  it('renders as one that is not written down, whatever stands around it', () => {
    const pieces = [
      "{% static 'a' %}",
      "{%- static 'a' %}",
      "{% static 'a' -%}",
      "{%- static 'a&b' -%}",
      "{% static 'a&b' %}",
      "<% static 'a' %>",
      "<%- static 'a' -%>",
      "{% media 'a' %}",
      "{%- media 'a&b' -%}",
      "{% media 'a' -%}",
      '{% static "gone/../a" %}',
      '{% static path %}',
      "{% static 'a' as u %}",
      '{{ u }}',
      '{{- u -}}',
      '{# c #}',
      '{#- c -#}',
      '{% if u %}',
      '{%- else -%}',
      '{% endif %}',
      "{% raw %}{% static 'a' %}{% endraw %}",
      ' ',
      '  \n',
      '\r\n',
      '\n  ',
      'text',
      '-',
    ];
    let seed = 7;
    const next = () => {
      seed = (seed * 48_271) % 2_147_483_647;
      return pieces[seed % pieces.length];
    };
    const lists = [
      {},
      { trimBlocks: true },
      { lstripBlocks: true },
      { trimBlocks: true, lstripBlocks: true },
    ];
    for (const options of lists) {
      const folding = environment(options);
      const asking = environment({
        ...options,
        files: filesOf({ storage: countingStorage().storage }),
      });
      const outcome = (env: nunjucks.Environment, template: string) => {
        try {
          return env.renderString(template, { path: 'p' });
        } catch (error) {
          return String(error);
        }
      };
      for (let round = 0; round < 1000; round++) {
        const template = `{% if path %}${Array.from({ length: 8 }, next).join('')}{% endif %}`;
        expect(outcome(folding, template), template).toBe(outcome(asking, template));
      }
    }
  });

  it('leaves the places of what follows it as they are', () => {
    const template = "{% static 'a' %}\n {% static 'b' %} {% static 'c' %} <% static missing %>";
    expect(messageOf(template)).toContain('[Line 2, Column 39]');
  });

  it('is not written down before a remote manifest is there', async () => {
    const manifests = memoryStorage();
    const manifest = JSON.stringify({ paths: { a: 'a.1' }, version: '1.0' });
    await manifests.write('staticfiles.json', new TextEncoder().encode(manifest));
    const files = filesOf({ storage: hashedStorage({ over: manifests }) });
    const env = environment({ files, templates: { 'page.html': "{% static 'a' %}" } });
    expect(() => env.render('page.html')).toThrow('await files.ready()');
    await files.ready();
    expect(env.render('page.html')).toBe('/static/a.1');
  });

  it('follows a manifest that is looked at again', async () => {
    const staticRoot = project({});
    const publish = (paths: object) =>
      writeFileSync(
        join(staticRoot, 'staticfiles.json'),
        JSON.stringify({ paths, version: '1.0' }),
      );
    publish({ a: 'a.1' });
    const files = filesOf({ staticRoot, storage: hashedStorage({ refresh: '1h' }) });
    const env = environment({ files, templates: { 'page.html': "{% static 'a' %}" } });
    expect(env.render('page.html')).toBe('/static/a.1');
    publish({ a: 'a.2' });
    await files.refresh();
    expect(env.render('page.html')).toBe('/static/a.2');
  });

  it('is found by the finders in development, and fails there as in production', () => {
    const dir = project({});
    mkdirSync(join(dir, 'app'));
    writeFileSync(join(dir, 'app/a.png'), '');
    const files = filesOf({ debug: true, dirs: [dir], storage: hashedStorage() });
    expect(render("{% static 'app/a.png' %}", {}, { files })).toBe('/static/app/a.png');
    const message = messageOf("{% static 'app/A.png' %}", {}, { files });
    expect(message).toContain('[Line 1, Column 4]');
    expect(message).toContain("Did you mean 'app/a.png'?");
  });
});

describe('registerStatic()', () => {
  it('gives each environment its own files', () => {
    const one = environment({ files: filesOf({ staticUrl: '/one/' }) });
    const two = environment({ files: filesOf({ staticUrl: '/two/' }) });
    const template = "{% static 'a' %} {% static n %} {{ static('a') }} {{ 'a' | static }}";
    const context = { n: 'b' };
    expect(one.renderString(template, context)).toBe('/one/a /one/b /one/a /one/a');
    expect(two.renderString(template, context)).toBe('/two/a /two/b /two/a /two/a');
  });

  it('may be called again, and then speaks of the new files in old templates too', () => {
    const templates = { 'page.html': "{% static 'a' %} {% static n %} {{ static('a') }}" };
    const env = environment({ files: filesOf({ staticUrl: '/old/' }), templates });
    expect(env.render('page.html', { n: 'b' })).toBe('/old/a /old/b /old/a');
    registerStatic(env, filesOf({ staticUrl: '/new/' }));
    expect(env.render('page.html', { n: 'b' })).toBe('/new/a /new/b /new/a');
  });

  it('may be called again to switch angle tags off', () => {
    const env = environment();
    registerStatic(env, filesOf(), { angleTags: false });
    expect(env.renderString("<% static 'a' %>", {})).toBe("<% static 'a' %>");
  });

  it('leaves extensions, filters and globals of others alone', () => {
    const env = new nunjucks.Environment(null);
    env.addFilter('twice', (text: string) => text + text);
    env.addGlobal('mine', 'global');
    env.addExtension('mine', {
      tags: ['mine'],
      parse(parser, nodes) {
        const tag = parser.nextToken();
        parser.advanceAfterBlockEnd(tag.value);
        return new nodes.Output(0, 0, [new nodes.TemplateData(0, 0, 'tag')]);
      },
    });
    registerStatic(env, filesOf());
    expect(env.renderString("{% mine %} {{ 'a' | twice }} {{ mine }} {% static 'a' %}", {})).toBe(
      'tag aa global /static/a',
    );
  });

  it('works with an environment of nunjucks.configure()', () => {
    const views = project({ 'page.html': "<% static 'a' %>" });
    const env = nunjucks.configure(views);
    registerStatic(env, filesOf());
    expect(nunjucks.render('page.html')).toBe('/static/a');
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['the module itself', nunjucks],
    ['something else', { addGlobal() {} }],
  ])('names the package and how to install it where it is given %s', (_, env) => {
    const error = thrownBy(() => registerStatic(env as never, filesOf()));
    expect(error).toMatchObject({ code: 'ERR_STATICFILES_PEER', peer: 'nunjucks' });
    expect(String(error)).toMatch(/nunjucks\.configure\(\).* Install it: npm install nunjucks$/);
  });

  it.each([undefined, null, {}, { staticUrl: '/static/' }])(
    'says what it takes where it is given %j for files',
    (files) => {
      const error = thrownBy(() => registerStatic(new nunjucks.Environment(null), files as never));
      expect(error).toMatchObject({ code: 'ERR_STATICFILES_SETUP' });
      expect(String(error)).toContain('takes what createStaticFiles() answers');
    },
  );

  it('refuses an option that it does not know', () => {
    const options = { angelTags: false } as never;
    const error = thrownBy(() =>
      registerStatic(new nunjucks.Environment(null), filesOf(), options),
    );
    expect(String(error)).toContain(
      "'angelTags' is no option of registerStatic(). Did you mean 'angleTags'?",
    );
  });
});
