// node bench/tags.js: what a static tag costs in a template, in Nunjucks and in Handlebars.
import Handlebars from 'handlebars';
import nunjucks from 'nunjucks';
import { createStaticFiles, hashedStorage } from 'staticfiles';
import { registerStatic as registerHandlebars } from 'staticfiles/handlebars';
import { registerStatic as registerNunjucks } from 'staticfiles/nunjucks';
import { compare, keep, printTable, runApart } from './measure.js';
import { collectedFolder, hashedNameOf, namesUpTo } from './project.js';

const TAGS = 20;
const VARIABLES = 5;
const TYPED_IN = 'the URL typed in';

await runApart(import.meta.url, {
  nunjucksLiterals: () =>
    literals(inNunjucks, {
      "{% static 'x' %}": { tag: (name) => `{% static '${name}' %}`, bar: true },
      "<% static 'x' %>": { tag: (name) => `<% static '${name}' %>`, bar: true },
      "{{ static('x') }}": { tag: (name) => `{{ static('${name}') }}` },
      "{{ 'x' | static }}": { tag: (name) => `{{ '${name}' | static }}` },
      "by hand: {{ static('x') }}": { tag: (name) => `{{ static('${name}') }}`, byHand: true },
    }),
  handlebarsLiterals: () =>
    literals(inHandlebars, {
      "{{static 'x'}}": { tag: (name) => `{{static '${name}'}}`, bar: true },
      "<<static 'x'>>": { tag: (name) => `<<static '${name}'>>`, bar: true },
      "by hand: {{static 'x'}}": { tag: (name) => `{{static '${name}'}}`, byHand: true },
    }),
  nunjucksVariables: () =>
    variables(inNunjucks, {
      'by hand: {{ static(name) }}': { tag: (name) => `{{ static(${name}) }}`, byHand: true },
      'the same, for the noise': { tag: (name) => `{{ static(${name}) }}`, byHand: true },
      '{% static name %}': { tag: (name) => `{% static ${name} %}`, bar: true },
      '<% static name %>': { tag: (name) => `<% static ${name} %>`, bar: true },
      '{{ static(name) }}': { tag: (name) => `{{ static(${name}) }}` },
      '{{ name | static }}': { tag: (name) => `{{ ${name} | static }}` },
    }),
  handlebarsVariables: () =>
    variables(inHandlebars, {
      'by hand: {{static name}}': { tag: (name) => `{{static ${name}}}`, byHand: true },
      'the same, for the noise': { tag: (name) => `{{static ${name}}}`, byHand: true },
      '{{static name}}': { tag: (name) => `{{static ${name}}}`, bar: true },
      '<<static name>>': { tag: (name) => `<<static ${name}>>`, bar: true },
    }),
});

/** A template's rendering, with our tags or with what people write by hand. Both engines escape. */
function inNunjucks(source, { files, lookUp }, byHand) {
  const env = new nunjucks.Environment(null);
  if (byHand) env.addGlobal('static', lookUp);
  else registerNunjucks(env, files);
  const template = nunjucks.compile(source, env);
  return (context) => template.render(context);
}

function inHandlebars(source, { files, lookUp }, byHand) {
  const handlebars = Handlebars.create();
  if (byHand) handlebars.registerHelper('static', lookUp);
  else registerHandlebars(handlebars, files);
  return handlebars.compile(source);
}

/** Tags with literal names, beside the same page with the URLs typed in. */
async function literals(engine, forms) {
  const project = collected();
  const { names, urls, lookUp } = project;
  const typedIn = { tag: lookUp };
  const pages = rendered(engine, project, names, { title: 'A page' }, { typedIn, ...forms });
  const { typedIn: typed, ...others } = pages;
  const result = await compare(
    {
      [TYPED_IN]: typed,
      ...others,
      // As often as the page has tags; the cheapest it can be, for these few names stay at hand.
      'Map.get': () => {
        for (const name of names) keep(urls.get(name));
      },
    },
    { per: TAGS },
  );
  const bar = result['Map.get'].ns;
  printTable(
    [`${nameOf(engine)}, a page of ${TAGS} tags`, 'ns a tag', 'more than typed in', 'ratio', 'bar'],
    Object.entries(result).map(([label, { ns, ratio }]) => {
      const more = ns - result[TYPED_IN].ns;
      return label === 'Map.get'
        ? [label, ns.toFixed(1), '', '', '']
        : [
            `\`${label}\``,
            ns.toFixed(1),
            more.toFixed(1),
            ratio.toFixed(2),
            forms[label]?.bar ? `${bar.toFixed(1)}: ${more <= bar ? 'met' : 'MISSED'}` : '',
          ];
    }),
  );
}

/** Tags with the names of variables; the first form is what the others are compared with. */
async function variables(engine, forms) {
  const project = collected();
  const context = { title: 'A page' };
  for (let i = 0; i < VARIABLES; i++) {
    // As a database or a JSON file gives it: a string of its own.
    context[`name${i}`] = Buffer.from(project.names[i]).toString();
  }
  const names = project.names.map((_, i) => `name${i % VARIABLES}`);
  const result = await compare(rendered(engine, project, names, context, forms), { per: TAGS });
  printTable(
    [`${nameOf(engine)}, a page of ${TAGS} tags`, 'ns a tag', 'ratio (least..most)', 'bar'],
    Object.entries(result).map(([label, { ns, ratio, least, most }]) => [
      `\`${label}\``,
      ns.toFixed(1),
      `${ratio.toFixed(2)} (${least.toFixed(2)}..${most.toFixed(2)})`,
      forms[label].bar ? `1: ${ratio <= 1 ? 'met' : 'MISSED'}` : '',
    ]),
  );
}

/** A project of 1,000 files, and the names of those that the page asks for. */
function collected() {
  const all = namesUpTo(1000);
  const urls = new Map(all.map((name) => [name, `/static/${hashedNameOf(name)}`]));
  return {
    files: createStaticFiles({
      debug: false,
      staticRoot: collectedFolder(all.length),
      storage: hashedStorage(),
    }),
    names: Array.from({ length: TAGS }, (_, i) => all[i * 37]),
    urls,
    lookUp(name) {
      const url = urls.get(name);
      if (url === undefined) throw new Error(`not in the manifest: ${name}`);
      return url;
    },
  };
}

/** A function for each form, that renders the page with it; all must give the same page. */
function rendered(engine, project, names, context, forms) {
  let expected;
  return Object.fromEntries(
    Object.entries(forms).map(([label, { tag, byHand = false }]) => {
      const render = engine(page(names.map(tag)), project, byHand);
      expected ??= render(context);
      if (render(context) !== expected) throw new Error(`${label}: another page`);
      return [label, () => keep(render(context))];
    }),
  );
}

function page(tags) {
  const lines = tags.map((tag, i) =>
    i % 2 ? `<script src="${tag}" defer></script>` : `<link rel="stylesheet" href="${tag}">`,
  );
  return `<!doctype html>\n<html><head><title>{{ title }}</title>\n${lines.join('\n')}\n</head><body><p>Some text of the page.</p></body></html>\n`;
}

function nameOf(engine) {
  return engine === inNunjucks ? 'Nunjucks' : 'Handlebars';
}
