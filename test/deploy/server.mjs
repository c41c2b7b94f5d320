// A process of the application: the release in its working directory, with the files of the store.
import { readFile } from 'node:fs/promises';
import express from 'express';
import Handlebars from 'handlebars';
import nunjucks from 'nunjucks';
import { createStaticFiles, loadConfig } from 'staticfiles';
import { registerStatic as registerHandlebars } from 'staticfiles/handlebars';
import { registerStatic as registerNunjucks } from 'staticfiles/nunjucks';

const { release } = JSON.parse(await readFile('release.json', 'utf8'));
const files = createStaticFiles(await loadConfig());
await files.ready();

const templates = nunjucks.configure('templates', { autoescape: true });
registerNunjucks(templates, files);
registerHandlebars(Handlebars, files);
const about = Handlebars.compile(await readFile('templates/about.hbs', 'utf8'));

const app = express();
app.use((_request, response, next) => {
  response.set('X-Release', String(release));
  next();
});
app.get('/', (_request, response) => response.send(templates.render('home.njk')));
app.get('/gallery', (_request, response) => response.send(templates.render('gallery.njk')));
app.get('/about', (_request, response) => response.send(about({})));
// Tells the tests which manifest it has by now.
app.get('/url', ({ query }, response) => response.send(files.staticUrl(query.name)));
app.use((error, _request, response, _next) => {
  response.status(500).send(String(error.message));
});

const server = app.listen(0, '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`);
});
process.on('SIGTERM', () => server.close());
