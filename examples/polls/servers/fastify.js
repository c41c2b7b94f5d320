import Fastify from 'fastify';
import staticfiles from 'staticfiles/fastify';
import { files, pages, render, uploads } from '../app.js';

const app = Fastify();
await app.register(staticfiles, { files });
app.addHook('onRequest', ({ raw }, reply, done) => uploads.handler(raw, reply.raw, done));
app.get('/', (_request, reply) => reply.redirect(pages[0].path));
for (const page of pages) {
  app.get(page.path, (_request, reply) =>
    reply.type('text/html; charset=utf-8').send(render(page)),
  );
}

const port = Number(process.env.PORT ?? 8000);
console.log(`${await app.listen({ host: '127.0.0.1', port })}/`);
