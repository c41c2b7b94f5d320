import Koa from 'koa';
import { serveStatic } from 'staticfiles/koa';
import { files, pages, render, uploads } from '../app.js';

const app = new Koa();
app.use(serveStatic(files)).use(serveStatic(uploads));
app.use((context) => {
  const page = pages.find(({ path }) => path === context.path);
  if (page) context.body = render(page);
  else if (context.path === '/') context.redirect(pages[0].path);
});

const server = app.listen(Number(process.env.PORT ?? 8000), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}/`);
});
