import { createRequire } from 'node:module';
import { join } from 'node:path';
import fastifyView from '@fastify/view';
import express, { type Express } from 'express';
import { create as expressHandlebars } from 'express-handlebars';
import Fastify from 'fastify';
import Handlebars from 'handlebars';
import nunjucks from 'nunjucks';
import { describe, expect, it, onTestFinished } from 'vitest';
import { registerStatic as registerHelpers } from '../../adapters/handlebars.js';
import { registerStatic as registerTags } from '../../adapters/nunjucks.js';
import { createStaticFiles, type StaticFiles } from '../../src/index.js';
import { serve } from '../listen.js';
import { project } from '../project.js';

/** What is used of hbs, which has no types. */
interface Hbs {
  create(handlebars: typeof Handlebars): {
    __express: (
      path: string,
      options: object,
      done: (error: unknown, html?: string) => void,
    ) => void;
    registerPartials(folder: string, done: () => void): void;
  };
}

const hbs = createRequire(import.meta.url)('hbs') as Hbs;

const PICTURE = Buffer.from('ffd8ffe000104a46494600', 'hex');

const sources = {
  'site/my_app/example.jpg': PICTURE,
  'site/my_app/base.css': 'body { margin: 0 }',
};

const views = {
  'layout.njk': `<link href="<% static 'my_app/base.css' %>">{% block body %}{% endblock %}`,
  'page.njk': `{% extends 'layout.njk' %}{% block body %}{% include 'part/picture.njk' %}
    <img src="{% static 'my_app/example.jpg' %}"><img src="{% static picture %}">{% endblock %}`,
  'part/picture.njk': `<img src="<% static picture %>">`,
  'broken.njk': '\n  {% static missing %}',
  'layouts/layout.hbs': `<link href="<<static 'my_app/base.css'>>">{{{body}}}`,
  'page.hbs': `{{> picture}}
    <img src="{{static 'my_app/example.jpg'}}"><img src="{{static picture}}">`,
  'part/picture.hbs': `<img src="<<static picture>>">`,
  'broken.hbs': '<p>\n  {{static missing}}',
};

const context = { picture: 'my_app/example.jpg' };

function handlebars(files: StaticFiles): typeof Handlebars {
  const instance = Handlebars.create();
  registerHelpers(instance, files);
  return instance;
}

/** An application whose static files are served in front of it, with a page for each view. */
function expressApp(files: StaticFiles, folder: string): Express {
  const app = express();
  app.set('views', folder);
  app.use(files.handler);
  for (const view of ['page', 'broken']) {
    app.get(`/${view}`, (_request, response) => response.render(view, context));
  }
  return app;
}

/** Each answers the origin of a server that renders the views in `folder`. */
type Host = (files: StaticFiles, folder: string) => Promise<string>;

const expressWithNunjucks: Host = (files, folder) => {
  const app = expressApp(files, folder);
  const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(folder));
  registerTags(env, files);
  env.express(app);
  app.set('view engine', 'njk');
  return serve(app);
};

const expressWithExpressHandlebars: Host = (files, folder) => {
  const app = expressApp(files, folder);
  const engine = expressHandlebars({
    handlebars: handlebars(files),
    extname: '.hbs',
    defaultLayout: 'layout',
    partialsDir: join(folder, 'part'),
  });
  app.engine('hbs', engine.engine);
  app.set('view engine', 'hbs');
  return serve(app);
};

const expressWithHbs: Host = async (files, folder) => {
  const app = expressApp(files, folder);
  const engine = hbs.create(handlebars(files));
  await new Promise<void>((done) => engine.registerPartials(join(folder, 'part'), done));
  app.engine('hbs', engine.__express);
  app.set('view engine', 'hbs');
  app.set('view options', { layout: 'layouts/layout' });
  return serve(app);
};

function fastifyApp(files: StaticFiles, options: Parameters<typeof fastifyView>[1]) {
  const app = Fastify();
  app.addHook('onRequest', (request, reply, done) => {
    files.handler(request.raw, reply.raw, (error) => done(error as Error));
  });
  app.register(fastifyView, options);
  onTestFinished(() => app.close());
  return app;
}

const fastifyWithNunjucks: Host = async (files, folder) => {
  const app = fastifyApp(files, {
    engine: { nunjucks },
    templates: folder,
    options: { onConfigure: (env: nunjucks.Environment) => registerTags(env, files) },
  });
  for (const view of ['page', 'broken']) {
    app.get(`/${view}`, (_request, reply) => reply.viewAsync(`${view}.njk`, context));
  }
  return app.listen({ host: '127.0.0.1', port: 0 });
};

const fastifyWithHandlebars: Host = async (files, folder) => {
  const app = fastifyApp(files, {
    engine: { handlebars: handlebars(files) },
    root: folder,
    layout: 'layouts/layout.hbs',
    options: { partials: { picture: 'part/picture.hbs' } },
  });
  for (const view of ['page', 'broken']) {
    app.get(`/${view}`, (_request, reply) => reply.viewAsync(`${view}.hbs`, context));
  }
  return app.listen({ host: '127.0.0.1', port: 0 });
};

interface Answer {
  readonly status: number;
  readonly type: string | null;
  readonly body: Buffer;
}

async function get(url: string): Promise<Answer> {
  const response = await fetch(url);
  const body = Buffer.from(await response.arrayBuffer());
  return { status: response.status, type: response.headers.get('content-type'), body };
}

describe.each([
  ['Express and Nunjucks', expressWithNunjucks, 'broken.njk) [Line 2, Column 6]'],
  [
    'express-handlebars',
    expressWithExpressHandlebars,
    'broken.hbs or a partial in it, line 2, column 3',
  ],
  ['Express and hbs', expressWithHbs, 'broken.hbs: template, line 2, column 3'],
  ['@fastify/view and Nunjucks', fastifyWithNunjucks, 'broken.njk) [Line 2, Column 6]'],
  ['@fastify/view and Handlebars', fastifyWithHandlebars, 'template, line 2, column 3'],
])('with %s', (_, host, place) => {
  async function start({ debug }: { readonly debug: boolean }): Promise<string> {
    const folder = project({ ...sources, ...views });
    const settings = { dirs: [join(folder, 'site')], staticRoot: join(folder, 'collected') };
    if (!debug) await createStaticFiles({ ...settings, debug: true }).collect();
    return host(createStaticFiles({ ...settings, debug }), folder);
  }

  it.each([
    ['from their sources', { debug: true }],
    ['as they were collected', { debug: false }],
  ])('a page names its files, which are served %s', async (_, settings) => {
    const origin = await start(settings);
    const page = await get(`${origin}/page`);
    expect(page.status).toBe(200);
    const urls = [...page.body.toString().matchAll(/(?:src|href)="([^"]*)"/g)].map(
      ([, url]) => url,
    );
    const picture = '/static/my_app/example.jpg';
    expect(urls).toEqual(['/static/my_app/base.css', picture, picture, picture]);
    expect(await get(`${origin}${picture}`)).toEqual({
      status: 200,
      type: 'image/jpeg',
      body: PICTURE,
    });
    expect(await get(`${origin}/static/my_app/base.css`)).toMatchObject({
      status: 200,
      type: 'text/css; charset=utf-8',
    });
    expect(await get(`${origin}/static/my_app/gone.jpg`)).toMatchObject({ status: 404 });
    expect((await get(`${origin}/page`)).body).toEqual(page.body);
  });

  it('an error in a tag is answered with 500, and says what and where', async () => {
    const origin = await start({ debug: true });
    const { status, body } = await get(`${origin}/broken`);
    expect(status).toBe(500);
    const text = body
      .toString()
      .replaceAll('&#39;', "'")
      .replaceAll(/&nbsp;|<br>/g, ' ');
    expect(text).toContain(place);
    expect(text).toContain("A static file's name must be a string, not undefined");
  });
});
