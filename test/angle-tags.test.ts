import { describe, expect, it } from 'vitest';
import { type Delimiters, findAngleTags, replaceAngleTags } from '../src/angle-tags.js';
import { cpuTimeOf } from './cpu-time.js';

const usual: Delimiters = {
  blockStart: '{%',
  blockEnd: '%}',
  variableStart: '{{',
  variableEnd: '}}',
  commentStart: '{#',
  commentEnd: '#}',
};

const custom: Delimiters = {
  blockStart: '[%',
  blockEnd: '%]',
  variableStart: '[[',
  variableEnd: ']]',
  commentStart: '[#',
  commentEnd: '#]',
};

describe('<% static %>', () => {
  it.each([
    ["<% static 'a.png' %>", "{% static 'a.png' %}"],
    ['<% static "a.png" %>', '{% static "a.png" %}'],
    ["<%static 'a.png'%>", "{%static 'a.png'%}"],
    ["<%static'a.png'%>", "{%static'a.png'%}"],
    ["<%- static 'a.png' -%>", "{%- static 'a.png' -%}"],
    ["<%\n  static\n  'a.png'\n%>", "{%\n  static\n  'a.png'\n%}"],
    ["<% static('a.png') %>", "{% static('a.png') %}"],
    ["<% static 'a/' ~ name as url %>", "{% static 'a/' ~ name as url %}"],
    ["<% static 'a%>b' %>", "{% static 'a%>b' %}"],
    ["<% static 'it\\'s %> here' %>", "{% static 'it\\'s %> here' %}"],
    ['<% static n % 2 %>', '{% static n % 2 %}'],
    ["<% static x|replace(r/'/g, '%>') %>", "{% static x|replace(r/'/g, '%>') %}"],
    ['<% static %>', '{% static %}'],
    ['<% get_static_prefix %>', '{% get_static_prefix %}'],
    ['<% get_static_prefix-%>', '{% get_static_prefix-%}'],
    ['<% get_media_prefix as media %>', '{% get_media_prefix as media %}'],
    ['<% load static %>', '{% load static %}'],
    ["<% media 'a.png' %>", "{% media 'a.png' %}"],
    ["<%-media('a.png')-%>", "{%-media('a.png')-%}"],
    ['<% media user.picture as url %>', '{% media user.picture as url %}'],
    ["<% media _a ~ 'b' %>", "{% media _a ~ 'b' %}"],
    ['<% media über %>', '{% media über %}'],
    ["<% static 'a' %><% static 'b' %>", "{% static 'a' %}{% static 'b' %}"],
    ["{{ x }}<% static 'a' %>{% if y %}", "{{ x }}{% static 'a' %}{% if y %}"],
    ["<% if (x) { %><% static 'a' %><% } %>", "<% if (x) { %>{% static 'a' %}<% } %>"],
    ["don't <% static 'a' %>", "don't {% static 'a' %}"],
    [
      "{{ x|replace(r/'/g, \"\") }}<% static 'a' %>",
      "{{ x|replace(r/'/g, \"\") }}{% static 'a' %}",
    ],
    ["{{ a_r/2 }}/<% static 'a' %>", "{{ a_r/2 }}/{% static 'a' %}"],
    ["{{ it's }}<% static 'a' %>", "{{ it's }}{% static 'a' %}"],
  ])('takes %j for a tag', (source, expected) => {
    expect(replaceAngleTags(source, usual)).toBe(expected);
  });

  it.each([
    '<% if (user) { %>',
    '<%= static %>',
    "<%= static('a') %>",
    '<%# static %>',
    "<% statics 'a' %>",
    "<% static_url 'a' %>",
    '<% static.url %>',
    '<% static-files %>',
    '<% staticUrl() %>',
    '<% static int count; %>',
    '<% static String name = "x"; %>',
    '<% media %>',
    '<% media -%>',
    '<% media = 5 %>',
    '<% media ? 1 : 2 %>',
    '<% media && x %>',
    '<% media, x %>',
    '<% media.each do |m| %>',
    '<% media.forEach((m) => { %>',
    '<% medium %>',
    '<%= media %>',
    '<% media foo; %>',
    '<% load i18n %>',
    '<% load static i18n %>',
    "<% static 'a'",
    'The <% static tag, and {{ x }} %>',
    'The <% static tag, and {# a comment #} %>',
    "{# <% static 'a' %> #}",
    "{#- <% static 'a' %> -#}",
    "{# don't <% static 'a' %>",
    "{% raw %}<% static 'a' %>{% endraw %}",
    "{%- raw -%}<% static 'a' %>{% endraw %}",
    "{% raw %}{% raw %}{% endraw %}<% static 'a' %>{% endraw %}",
    "{% raw %}{%- endraw %}<% static 'a' %>{% endraw %}",
    "{% verbatim %}{% raw %}{% endraw %}<% static 'a' %>{% endverbatim %}",
    '{{ "<% static \'a\' %>" }}',
    '{% set x = "<% static \'a\' %>" %}',
    '{{ "%}" ~ "<% static \'a\' %>" }}',
    '{{ "\\"}}<% static \'a\' %>" }}',
    "{{ x|replace(r/<% static 'a' %>/, '') }}",
  ])('leaves %j alone', (source) => {
    expect(replaceAngleTags(source, usual)).toBe(source);
  });

  it('leaves media alone where that is no tag', () => {
    const source = "<% media 'a' %><% static 'b' %>";
    expect(replaceAngleTags(source, usual, false)).toBe("<% media 'a' %>{% static 'b' %}");
  });

  it('is a tag again behind a raw block, a comment and a string', () => {
    const before = "{% raw %}<% static 'r' %>{% endraw %}{# <% #}{{ '<%' }}";
    expect(replaceAngleTags(`${before}<% static 'a' %>`, usual)).toBe(`${before}{% static 'a' %}`);
  });

  it('gets the delimiters that the environment has', () => {
    const source = "[# <% static 'c' %> #][[ '<% static 1 %>' ]]{% raw %}<% static 'a' %>";
    expect(replaceAngleTags(source, custom)).toBe(
      "[# <% static 'c' %> #][[ '<% static 1 %>' ]]{% raw %}[% static 'a' %]",
    );
  });

  it.each([
    [
      'variableStart',
      "<%= '<% static 1 %>' %><% static 'a' %>",
      "<%= '<% static 1 %>' %>{% static 'a' %}",
    ],
    ['commentStart', "<%# <% static 1 #}<% static 'a' %>", "<%# <% static 1 #}{% static 'a' %}"],
  ])('keeps out of a %s that begins with an angle', (key, source, expected) => {
    const start = source.slice(0, 3);
    const delimiters = { ...usual, [key]: start, ...(start === '<%=' && { variableEnd: '%>' }) };
    expect(replaceAngleTags(source, delimiters)).toBe(expected);
  });

  it('keeps the length of the text, and each line where it was', () => {
    const source = "a\n <% static 'x' %>\r\n<%- get_media_prefix -%> {# <% #}\n<% load static %>";
    const replaced = replaceAngleTags(source, usual);
    expect(replaced).not.toBe(source);
    expect(replaced).toHaveLength(source.length);
    expect(replaced.split('\n').map((line) => line.length)).toEqual(
      source.split('\n').map((line) => line.length),
    );
  });

  it.each([
    ["<% static 'a' ", 100_000],
    ["<% static '", 100_000],
    ['{{ r/', 20_000],
    ['{% raw %}', 20_000],
    ['<% static "a\\\'', 50_000],
  ])('takes no long time over a torn text: %j %i times', (piece, times) => {
    const replace = () => replaceAngleTags(`<%${piece.repeat(times)}`, usual);
    expect(cpuTimeOf(replace)).toBeLessThan(5000);
  });
});

describe('<<static>>', () => {
  it.each([
    ["<<static 'a.png'>>", "static 'a.png'"],
    ['<<static "a.png">>', 'static "a.png"'],
    ["<< static 'a.png' >>", "static 'a.png' "],
    ['<<static path>>', 'static path'],
    ['<<static image.path>>', 'static image.path'],
    ['<<static ../path>>', 'static ../path'],
    ['<<static @root.path>>', 'static @root.path'],
    ["<<static (concat 'a/' name)>>", "static (concat 'a/' name)"],
    ["<<static 'a>>b'>>", "static 'a>>b'"],
    ["<<static 'a}}b'>>", "static 'a}}b'"],
    ["<<static 'it\\'s'>>", "static 'it\\'s'"],
    ["<<static 'a\\b'>>", "static 'a\\b'"],
    ["<<media 'a.png'>>", "media 'a.png'"],
    ['<< media user.picture >>', 'media user.picture '],
    ['<<get_static_prefix>>', 'get_static_prefix'],
    ['<< get_media_prefix >>', 'get_media_prefix '],
    ["<<<static 'a'>>>", "static 'a'"],
  ])('finds a tag in %j', (text, code) => {
    const [tag, ...others] = findAngleTags(text);
    expect(others).toEqual([]);
    expect(tag?.code).toBe(code);
    expect(text.slice(tag?.start, tag?.end)).toMatch(/^<<[^<].*[^>]>>$/);
  });

  it.each([
    '<<static>>',
    '<< static >>',
    '1<<static>>2',
    'a<<static)',
    'a << static',
    "a<<static 'b')",
    'cout << static_cast<int>(x) << y;',
    'cout << static_cast<int>(x) >> y;',
    'cat <<static > file',
    'cat <<static\nhello\nstatic\necho x >> log',
    "cat <<'static' >> log",
    'cat <<static >> log',
    "<<static 'a'>",
    "<static 'a'>",
    "<<static 'a' >",
    "<<static 'a>>",
    "<<statics 'a'>>",
    '<<static.a>>',
    "<<static\n'a'>>",
    "<<static 'a\n'>>",
    '<<static {a}>>',
    '<<static a<b>>',
    "<<static 'a'~>>",
    "<<static 'a<b'>>",
    '<<get_static_prefix x>>',
    '<<get_static_prefixes>>',
    '<<interface>>',
    '<<media>>',
    'cin << media >> x',
    "<<medias 'a'>>",
    '<<media.a>>',
  ])('finds none in %j', (text) => {
    expect(findAngleTags(text)).toEqual([]);
  });

  it('finds each of several where it stands', () => {
    const text = "a <<static 'b'>> << <<static c>>";
    expect(findAngleTags(text)).toEqual([
      { start: 2, end: 16, code: "static 'b'" },
      { start: 20, end: 32, code: 'static c' },
    ]);
  });

  it.each([
    ['<<static ', 100_000],
    ["<<static '", 50_000],
    ['<<static "\\"', 50_000],
    ['\\"', 100_000],
    [' ', 100_000],
    ['a ', 100_000],
  ])('takes no long time over a torn text: %j %i times', (piece, times) => {
    const find = () => {
      findAngleTags(`<<static "${piece.repeat(times)}`);
      findAngleTags(`<<static ${piece.repeat(times)}`);
    };
    expect(cpuTimeOf(find)).toBeLessThan(5000);
  });
});
