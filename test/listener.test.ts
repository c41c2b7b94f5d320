import { once } from 'node:events';
import { createServer, request as httpRequest, Server } from 'node:http';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type Application, listenerOf } from '../src/listener.js';
import { get } from './adapters/site.js';
import { serve } from './listen.js';

afterEach(() => {
  vi.restoreAllMocks();
});

/** Serves an application until the test ends. */
async function serveApplication(application: Application): Promise<string> {
  const listener = await listenerOf(application);
  if (listener === undefined) throw new Error('It is taken for no application.');
  return serve(listener);
}

function koa(): Koa {
  return new Koa().use((context) => {
    context.body = `app ${context.url}`;
  });
}

describe('an application may be', () => {
  it.each<[string, () => Application]>([
    ['a function', () => (request, response) => response.end(`app ${request.url}`)],
    ['an Express application', () => express().use((q, r) => void r.send(`app ${q.originalUrl}`))],
    ['a Koa application', koa],
    ['a Fastify instance', () => Fastify().get('/*', async (request) => `app ${request.url}`)],
    ['a Hono application', () => new Hono().get('*', (c) => c.text(`app ${c.req.path}?x=1`))],
    [
      'an object with fetch',
      () => ({
        fetch: ({ url }) => new Response(`app ${new URL(url).pathname}${new URL(url).search}`),
      }),
    ],
    ['an http.Server', () => createServer((q, r) => r.end(`app ${q.url}`))],
  ])('%s', async (_, application) => {
    expect(await get(`${await serveApplication(application())}/page?x=1`)).toEqual([
      200,
      'app /page?x=1',
    ]);
  });

  it.each([undefined, null, 'app.js', 7, {}, [], { fetch: 'no function' }])(
    'no %j',
    async (value) => {
      expect(await listenerOf(value)).toBeUndefined();
    },
  );
});

describe('a fault of the application', () => {
  const fault = new Error('broken');

  it.each<[string, () => Application]>([
    [
      'a function throws',
      () => () => {
        throw fault;
      },
    ],
    [
      'a function rejects',
      () => async () => {
        throw fault;
      },
    ],
    [
      'fetch() throws',
      () => ({
        fetch() {
          throw fault;
        },
      }),
    ],
    ['fetch() rejects', () => ({ fetch: async () => Promise.reject(fault) })],
    [
      'an http.Server throws',
      () =>
        createServer(() => {
          throw fault;
        }),
    ],
  ])('is told and answered with 500 where %s', async (_, application) => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const [status, text] = await get(await serveApplication(application()));
    expect([status, text]).toEqual([500, 'Internal server error: the terminal has the details.\n']);
    expect(told.mock.calls).toEqual([[fault]]);
  });

  it('is told where fetch() answers no Response', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => {});
    const application = { fetch: () => 'text' } as unknown as Application;
    expect((await get(await serveApplication(application)))[0]).toBe(500);
    expect(String(told.mock.calls[0])).toContain(
      'fetch() must answer a Response, not a value of type string.',
    );
  });

  it('breaks the connection where the answer has begun', async () => {
    vi.spyOn(console, 'error').mockImplementation(() => {});
    const origin = await serveApplication(async (_request, response) => {
      response.write('half');
      throw fault;
    });
    await expect(get(origin)).rejects.toThrow('terminated');
  });
});

it('a stream of events ends when its reader goes away, and nothing is told', async () => {
  const told = vi.spyOn(console, 'error').mockImplementation(() => {});
  let isOver: () => void;
  const over = new Promise<void>((resolve) => {
    isOver = resolve;
  });
  const origin = await serveApplication({
    fetch: () =>
      new Response(
        new ReadableStream({
          start: (stream) => stream.enqueue(new TextEncoder().encode('data: 1\n\n')),
          cancel: () => isOver(),
        }),
      ),
  });
  const request = httpRequest(origin).end();
  request.on('error', () => {}); // it is the test's own doing
  const [response] = await once(request, 'response');
  await once(response, 'data');
  request.destroy();
  await over;
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).not.toHaveBeenCalled();
});

it('a server that is given is left alone: it does not listen', async () => {
  const server = createServer((_request, response) => response.end('app'));
  onTestFinished(() => void server.close());
  await get(await serveApplication(server));
  expect(server).toBeInstanceOf(Server);
  expect(server.listening).toBe(false);
});
