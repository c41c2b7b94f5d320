// node bench/tags.js: what a static tag costs in a template, in Nunjucks and in Handlebars.
import Handlebars from 'handlebars';
import nunjucks from 'nunjucks';
import { createStaticFiles, hashedStorage } from 'staticfiles';
import { registerStatic as registerHandlebars } from 'staticfiles/handlebars';
import { registerStatic as registerNunjucks } from 'staticfiles/nunjucks';
import { compare, keep, printTable } from './measure.js';
import { collectedFolder, hashedNameOf, namesUpTo } from './project.js';

const TAGS = 20;
const files = createStaticFiles({
  debug: false,
  staticRoot: collectedFolder(1000),
  storage: hashedStorage(),
});
const all = namesUpTo(1000);
const names = Array.from({ length: TAGS }, (_, i) => all[i * 37]);
const urls = new Map(all.map((name) => [name, `/static/${hashedNameOf(name)}`]));

/** What people write by hand. */
function lookUp(name) {
  const url = urls.get(name);
  if (url === undefined) throw new Error(`not in the manifest: ${name}`);
  return url;
}

const ours = { nunjucks: new nunjucks.Environment(null), handlebars: Handlebars.create() };
const byHand = { nunjucks: new nunjucks.Environment(null), handlebars: Handlebars.create() };
registerNunjucks(ours.nunjucks, files);
registerHandlebars(ours.handlebars, files);
byHand.nunjucks.addGlobal('static', lookUp);
byHand.handlebars.registerHelper('static', lookUp);

const compile = {
  nunjucks(env, source) {
    const template = nunjucks.compile(source, env);
    return (context) => template.render(context);
  },
  handlebars: (env, source) => env.compile(source),
};

/** A page of twenty tags and one variable. */
function page(tag) {
  const lines = names.map((name, i) =>
    i % 2
      ? `<script src="${tag(name, i)}" defer></script>`
      : `<link rel="stylesheet" href="${tag(name, i)}">`,
  );
  return `<!doctype html>\n<html><head><title>{{ title }}</title>\n${lines.join('\n')}\n</head><body><p>Some text of the page.</p></body></html>\n`;
}

/** As a database or a JSON file gives them: strings of their own. */
const own = names.map((name) => Buffer.from(name).toString());

/** Each renders the page with tags that `write` writes, in an environment. */
function renders(engine, context, variants) {
  let expected;
  return Object.fromEntries(
    Object.entries(variants).map(([label, [env, write]]) => {
      const render = compile[engine](env[engine], page(write));
      expected ??= render(context);
      if (render(context) !== expected) throw new Error(`${engine}, ${label}: another page`);
      return [label, () => keep(render(context))];
    }),
  );
}

const literalRows = [];
for (const [engine, tags] of Object.entries({
  nunjucks: {
    "{% static 'x' %}": [ours, (name) => `{% static '${name}' %}`],
    "<% static 'x' %>": [ours, (name) => `<% static '${name}' %>`],
    "{{ static('x') }}": [ours, (name) => `{{ static('${name}') }}`],
    "{{ 'x' | static }}": [ours, (name) => `{{ '${name}' | static }}`],
    "a global by hand, {{ static('x') }}": [byHand, (name) => `{{ static('${name}') }}`],
  },
  handlebars: {
    "{{static 'x'}}": [ours, (name) => `{{static '${name}'}}`],
    "<<static 'x'>>": [ours, (name) => `<<static '${name}'>>`],
    "a helper by hand, {{static 'x'}}": [byHand, (name) => `{{static '${name}'}}`],
  },
})) {
  const pages = renders(
    engine,
    { title: 'A page' },
    { 'the URL typed in': [ours, lookUp], ...tags },
  );
  const result = await compare(
    {
      ...pages,
      // As often as the page has tags, so that one bar holds for all rows.
      'Map.get': () => {
        for (const name of names) keep(urls.get(name));
      },
    },
    { per: TAGS },
  );
  const typed = result['the URL typed in'].ns;
  const bar = result['Map.get'].ns;
  for (const label of Object.keys(result)) {
    const { ns, ratio } = result[label];
    const more = ns - typed;
    literalRows.push([
      engine,
      label === 'Map.get' ? label : `\`${label}\``,
      ns.toFixed(1),
      label === 'Map.get' ? '' : more.toFixed(1),
      ratio.toFixed(2),
      /^[{<].(?!.*[|(])/.test(label) ? `${bar.toFixed(1)}: ${more <= bar ? 'met' : 'MISSED'}` : '',
    ]);
  }
}
printTable(
  ['engine', 'a page of 20 tags', 'ns a tag', 'more than typed in', 'times', 'bar'],
  literalRows,
);

const VARIABLES = 5;
const context = { title: 'A page' };
for (let i = 0; i < VARIABLES; i++) context[`name${i}`] = own[i];

const variableRows = [];
for (const [engine, variants] of Object.entries({
  nunjucks: {
    'by hand, {{ static(name) }}': [byHand, (_, i) => `{{ static(name${i % VARIABLES}) }}`],
    '{% static name %}': [ours, (_, i) => `{% static name${i % VARIABLES} %}`],
    '<% static name %>': [ours, (_, i) => `<% static name${i % VARIABLES} %>`],
    '{{ static(name) }}': [ours, (_, i) => `{{ static(name${i % VARIABLES}) }}`],
    '{{ name | static }}': [ours, (_, i) => `{{ name${i % VARIABLES} | static }}`],
  },
  handlebars: {
    'by hand, {{static name}}': [byHand, (_, i) => `{{static name${i % VARIABLES}}}`],
    '{{static name}}': [ours, (_, i) => `{{static name${i % VARIABLES}}}`],
    '<<static name>>': [ours, (_, i) => `<<static name${i % VARIABLES}>>`],
  },
})) {
  const result = await compare(renders(engine, context, variants), { per: TAGS });
  for (const [label, { ns, ratio, least, most }] of Object.entries(result)) {
    variableRows.push([
      engine,
      `\`${label}\``,
      ns.toFixed(1),
      `${ratio.toFixed(2)} (${least.toFixed(2)}..${most.toFixed(2)})`,
      /% static|^\{\{static|^<</.test(label) ? `1: ${ratio <= 1 ? 'met' : 'MISSED'}` : '',
    ]);
  }
}
printTable(['engine', 'a page of 20 tags', 'ns a tag', 'ratio (least..most)', 'bar'], variableRows);
