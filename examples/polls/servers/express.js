import express from 'express';
import { serveStatic } from 'staticfiles/express';
import { files, pages, render, uploads } from '../app.js';

const app = express();
app.use(serveStatic(files), serveStatic(uploads));
app.get('/', (_request, response) => response.redirect(pages[0].path));
for (const page of pages) {
  app.get(page.path, (_request, response) => response.send(render(page)));
}

const server = app.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
