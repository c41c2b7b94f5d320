import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Handlebars from 'handlebars';
import nunjucks from 'nunjucks';
import { createStaticFiles, loadConfig } from 'staticfiles';
import { registerStatic as registerStaticHelpers } from 'staticfiles/handlebars';
import { registerStatic as registerStaticTags } from 'staticfiles/nunjucks';
import { comments, poll } from './data.js';

export const files = createStaticFiles(await loadConfig({ cwd: import.meta.dirname }));
await files.ready(); // reads the manifest, which in production may be in an object store

// In development `files` serves uploaded files too. In production that is the work of the web server
// in front; this example has none, and serves their folder itself.
const { mediaUrl, mediaRoot } = files.settings;
export const uploads = createStaticFiles({
  staticUrl: mediaUrl,
  staticRoot: mediaRoot,
  debug: false,
});

const templates = join(import.meta.dirname, 'templates');

const env = new nunjucks.Environment(new nunjucks.FileSystemLoader(templates));
registerStaticTags(env, files);

const handlebars = Handlebars.create();
registerStaticHelpers(handlebars, files);
const handlebarsPage = handlebars.compile(readFileSync(join(templates, 'poll.hbs'), 'utf8'));

/** The same page twice, once by each engine. */
export const pages = [
  { engine: 'Nunjucks', path: '/nunjucks/', render: (context) => env.render('poll.njk', context) },
  { engine: 'Handlebars', path: '/handlebars/', render: handlebarsPage },
];

/** The application alone, a listener of `node:http`: static files are served in front of it. */
export default function app(request, response) {
  const [pathname] = request.url.split('?');
  const page = pages.find(({ path }) => path === pathname);
  if (page) return send(response, 200, 'text/html', render(page));
  if (pathname !== '/') return send(response, 404, 'text/plain', 'Not found\n');
  response.writeHead(302, { Location: pages[0].path }).end();
}

/** The HTML of a page. */
export function render(page) {
  return page.render({
    poll,
    comments,
    total: poll.choices.reduce((sum, { votes }) => sum + votes, 0),
    pages: pages.map(({ engine, path }) => ({ engine, path, current: path === page.path })),
  });
}

function send(response, status, type, text) {
  response.writeHead(status, { 'Content-Type': `${type}; charset=utf-8` }).end(text);
}
