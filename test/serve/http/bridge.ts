import { createServer, type RequestListener, type ServerOptions } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import type { HttpServer } from '../../contracts/http.js';
import { APPLICATION } from './answers.js';

/** Listens on a free port of this machine. */
export async function listen(
  listener: RequestListener,
  options: ServerOptions = {},
): Promise<HttpServer> {
  const server = createServer(options, listener).listen(0, '127.0.0.1');
  await new Promise((resolve, reject) => server.once('listening', resolve).once('error', reject));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error ? reject(error) : resolve()));
        server.closeAllConnections();
      }),
  };
}

/** A function from request to response, as Bun, Deno and workers have them, behind a server of Node's. */
export function listenFetch(
  answer: (request: Request) => Promise<Response | undefined>,
  options: ServerOptions = {},
): Promise<HttpServer> {
  return listen(
    getRequestListener(async (request) => (await answer(request)) ?? new Response(APPLICATION)),
    options,
  );
}
