import { serve } from '@hono/node-server';
import { Hono } from 'hono';
import { serveStatic } from 'staticfiles/hono';
import { files, pages, render, uploads } from '../app.js';

const app = new Hono();
app.use(serveStatic(files), serveStatic(uploads));
app.get('/', (c) => c.redirect(pages[0].path));
for (const page of pages) app.get(page.path, (c) => c.html(render(page)));

const port = Number(process.env.PORT ?? 8000);
serve({ fetch: app.fetch, hostname: '127.0.0.1', port }, (address) => {
  console.log(`http://127.0.0.1:${address.port}/`);
});
