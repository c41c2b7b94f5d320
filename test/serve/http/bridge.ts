import type { ServerOptions } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { type HttpServer, listen } from '../../listen.js';
import { APPLICATION } from './answers.js';

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
