import { createServer } from 'node:http';
import app, { files, pages, uploads } from './app.js';

const HOST = '127.0.0.1';
const port = Number(process.env.PORT ?? 8000);
const { debug } = files.settings;

/** Each answers the request, or hands it to the next. */
const handlers = [files.handler, uploads.handler, app];

const server = createServer((request, response) => {
  const pass = (index) => (error) => {
    try {
      if (error) throw error;
      handlers[index](request, response, pass(index + 1));
    } catch (fault) {
      console.error(fault);
      response.writeHead(500, { 'Content-Type': 'text/plain' }).end('The console says why.\n');
    }
  };
  pass(0)();
});

server.once('error', (error) => {
  if (error.code !== 'EADDRINUSE') throw error;
  console.log(`Port ${port} is taken; here is a free one.`);
  server.listen(0, HOST);
});

server.once('listening', () => {
  console.log(`Static files are served ${debug ? 'from their sources' : 'as collected'}.`);
  for (const { engine, path } of pages) {
    console.log(`${engine.padEnd(10)}  http://${HOST}:${server.address().port}${path}`);
  }
});

server.listen(port, HOST);
