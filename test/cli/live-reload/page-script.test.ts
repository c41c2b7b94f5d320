import { request as httpRequest, type RequestListener } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { gzipSync } from 'node:zlib';
import { getRequestListener } from '@hono/node-server';
import express from 'express';
// @ts-expect-error The alias has no types of its own.
import express4 from 'express4';
import fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { describe, expect, it, onTestFinished } from 'vitest';
import { addScript } from '../../../src/cli/live-reload/page-script.js';
import { serve } from '../../listen.js';

const TAG = '<script src="/r.js" async></script>\n';
const HTML = { 'Content-Type': 'text/html; charset=utf-8' };
const PAGE = '<h1>Grüße ⊗</h1>';
const LENGTH = Buffer.byteLength(PAGE);

async function servePages(application: RequestListener): Promise<URL> {
  const origin = await serve((request, response) => {
    addScript('/r.js', request, response);
    return application(request, response);
  });
  return new URL(origin);
}

interface Answer {
  readonly status: number;
  readonly message: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

function ask(url: URL, headers: Record<string, string> = {}, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const all = { 'Sec-Fetch-Dest': 'document', ...headers };
    httpRequest(url, { method, headers: all }, async (response) => {
      const body = Buffer.concat(await response.toArray());
      const { statusCode: status = 0, statusMessage: message = '' } = response;
      resolve({ status, message, headers: response.headers, body });
    })
      .on('error', reject)
      .end();
  });
}

const get = async (application: RequestListener, headers = {}, method = 'GET') =>
  ask(await servePages(application), headers, method);

describe('a page', () => {
  it.each<[string, RequestListener]>([
    ['end(text)', (_, r) => r.writeHead(200, HTML).end(PAGE)],
    ['end(text, encoding)', (_, r) => r.writeHead(200, HTML).end(PAGE, 'utf8')],
    ['end(text, callback)', (_, r) => r.writeHead(200, HTML).end(PAGE, () => {})],
    ['end(text, encoding, callback)', (_, r) => r.writeHead(200, HTML).end(PAGE, 'utf8', () => {})],
    [
      'end(text, null, null)',
      (_, r) => r.writeHead(200, HTML).end(PAGE, null as never, null as never),
    ],
    [
      'end(base64)',
      (_, r) => r.writeHead(200, HTML).end(Buffer.from(PAGE).toString('base64'), 'base64'),
    ],
    ['end(bytes)', (_, r) => r.writeHead(200, HTML).end(Buffer.from(PAGE))],
    ['end(Uint8Array)', (_, r) => r.writeHead(200, HTML).end(new TextEncoder().encode(PAGE))],
    [
      'write() and end()',
      (_, r) => {
        r.writeHead(200, HTML).write(PAGE);
        r.end();
      },
    ],
    [
      'write() and end(callback)',
      (_, r) => {
        r.writeHead(200, HTML).write(PAGE);
        r.end(() => {});
      },
    ],
    [
      'write(text, encoding)',
      (_, r) => {
        r.writeHead(200, HTML).write(Buffer.from(PAGE).toString('hex'), 'hex');
        r.end();
      },
    ],
    [
      'end() twice',
      (_, r) => {
        r.writeHead(200, HTML).end(PAGE);
        r.end();
      },
    ],
    [
      'characters in halves',
      (_, r) => {
        r.writeHead(200, HTML);
        for (const byte of Buffer.from(PAGE)) r.write(Buffer.of(byte));
        r.end();
      },
    ],
    [
      'setHeader()',
      (_, r) => {
        r.setHeader('content-type', 'text/html');
        r.end(PAGE);
      },
    ],
    [
      'setHeader() and write()',
      (_, r) => {
        r.setHeader('Content-Type', 'text/html');
        r.write(PAGE);
        r.end();
      },
    ],
    [
      'flushHeaders()',
      (_, r) => {
        r.setHeader('Content-Type', 'TEXT/HTML');
        r.flushHeaders();
        r.end(PAGE);
      },
    ],
    ['a status message', (_, r) => r.writeHead(200, 'Fine', HTML).end(PAGE)],
    [
      'names and values in turn',
      (_, r) =>
        r
          .writeHead(200, [
            'X-A',
            '1',
            'Content-Type',
            'text/html',
            'Content-Length',
            String(LENGTH),
          ])
          .end(PAGE),
    ],
    [
      'names and values in pairs',
      (_, r) =>
        r
          .writeHead(200, [
            ['Content-Type', 'text/html'],
            ['Content-Length', LENGTH],
          ] as never)
          .end(PAGE),
    ],
    [
      'a length in writeHead()',
      (_, r) => r.writeHead(200, { ...HTML, 'content-length': LENGTH }).end(PAGE),
    ],
    [
      'a length in setHeader()',
      (_, r) => {
        r.setHeader('Content-Length', LENGTH);
        r.writeHead(200, HTML).end(PAGE);
      },
    ],
    [
      'a length in both',
      (_, r) => {
        r.setHeader('Content-Length', 1);
        r.writeHead(200, { ...HTML, 'Content-Length': LENGTH }).end(PAGE);
      },
    ],
    [
      'a length and write()',
      (_, r) => {
        r.writeHead(200, { ...HTML, 'Content-Length': LENGTH });
        r.write(PAGE);
        r.end();
      },
    ],
    [
      'a stream',
      (_, r) => void Readable.from([PAGE.slice(0, 5), PAGE.slice(5)]).pipe(r.writeHead(200, HTML)),
    ],
    [
      'a stream of a length',
      (_, r) =>
        void Readable.from([Buffer.from(PAGE)]).pipe(
          r.writeHead(200, { ...HTML, 'Content-Length': LENGTH }),
        ),
    ],
    ['an error page', (_, r) => r.writeHead(404, HTML).end(PAGE)],
    [
      'early hints',
      (_, r) => {
        r.writeEarlyHints({ link: '</a.css>; rel=preload; as=style' });
        r.writeHead(200, HTML).end(PAGE);
      },
    ],
    [
      'Content-Encoding: identity',
      (_, r) => r.writeHead(200, { ...HTML, 'Content-Encoding': 'identity' }).end(PAGE),
    ],
  ])('has the script at its end: %s', async (_, application) => {
    const { headers, body } = await get(application);
    expect(body.toString()).toBe(PAGE + TAG);
    const length = headers['content-length'];
    expect(length === undefined || Number(length) === body.length).toBe(true);
  });

  it('keeps its length, status and message', async () => {
    const application: RequestListener = (_, r) => r.writeHead(418, 'Short', HTML).end(PAGE);
    const { status, message } = await get(application);
    expect([status, message]).toEqual([418, 'Short']);
    const counted = await get((_, r) => {
      r.setHeader('Content-Type', 'text/html');
      r.end(PAGE);
    });
    expect(counted.headers['content-length']).toBe(String(LENGTH + TAG.length));
    expect(counted.headers['transfer-encoding']).toBeUndefined();
  });

  it('calls back, and says when it has to wait', async () => {
    const calls: string[] = [];
    const large = 'x'.repeat(1_000_000);
    const { body } = await get((_, response) => {
      response.writeHead(200, HTML);
      const more = response.write(large, () => calls.push('written'));
      calls.push(String(more));
      response.once('drain', () => response.end(() => calls.push('ended')));
    });
    expect(body.length).toBe(large.length + TAG.length);
    expect(calls).toEqual(['false', 'written', 'ended']);
  });

  it('is left to a middleware that compresses it', async () => {
    const { headers, body } = await get((_, response) => {
      const { writeHead, end } = response;
      // As the package `compression` does it.
      response.writeHead = ((status: number) => {
        response.setHeader('Content-Encoding', 'gzip');
        return writeHead.call(response, status);
      }) as typeof writeHead;
      response.end = ((text: string) => {
        response.writeHead(response.statusCode);
        return end.call(response, gzipSync(text), 'utf8');
      }) as typeof end;
      response.setHeader('Content-Type', 'text/html');
      response.end(PAGE);
    });
    expect(headers['content-encoding']).toBe('gzip');
    expect(body).toEqual(gzipSync(PAGE));
  });

  it('comes as it is written, and is not waited for', async () => {
    let finish = () => {};
    const url = await servePages((_, response) => {
      response.writeHead(200, HTML).write('first');
      finish = () => response.end('last');
    });
    const socket = connect(Number(url.port), url.hostname).setEncoding('utf8');
    onTestFinished(() => void socket.destroy());
    let text = '';
    socket.on('data', (more) => {
      text += more;
    });
    socket.write('GET / HTTP/1.0\r\nSec-Fetch-Dest: document\r\n\r\n');
    await expect.poll(() => text).toMatch(/\r\n\r\nfirst$/);
    finish();
    await expect.poll(() => text).toMatch(new RegExp(`\r\n\r\nfirstlast${TAG}$`));
  });

  it('has the nonce that its policy asks for', async () => {
    const policy = "script-src 'nonce-r4nd0m+/=' 'strict-dynamic'";
    const { body } = await get((_, r) =>
      r
        .writeHead(200, { ...HTML, 'Content-Security-Policy': policy, 'Content-Length': LENGTH })
        .end(PAGE),
    );
    expect(body.toString()).toBe(`${PAGE}<script src="/r.js" async nonce="r4nd0m+/="></script>\n`);
  });

  it.each([
    ['a document', { 'Sec-Fetch-Dest': 'document' }, true],
    ['a frame', { 'Sec-Fetch-Dest': 'iframe' }, true],
    ['what a script fetches', { 'Sec-Fetch-Dest': 'empty', Accept: 'text/html' }, false],
    ['a page over plain HTTP', { 'Sec-Fetch-Dest': '', Accept: 'text/html,*/*;q=0.8' }, true],
    ['a program', { 'Sec-Fetch-Dest': '', Accept: '*/*' }, false],
  ])('has it where it is %s: %j', async (_, { 'Sec-Fetch-Dest': dest, ...headers }, has) => {
    const url = await servePages((_request, r) => r.writeHead(200, HTML).end(PAGE));
    const response = await new Promise<string>((resolve, reject) => {
      const all = { ...headers, ...(dest && { 'Sec-Fetch-Dest': dest }) };
      httpRequest(url, { headers: all }, async (answer) => {
        resolve(Buffer.concat(await answer.toArray()).toString());
      })
        .on('error', reject)
        .end();
    });
    expect(response).toBe(has ? PAGE + TAG : PAGE);
  });
});

describe('an error in plain text', () => {
  const text = '<b>&amp;</plaintext></html>⊗';
  const before = '<script src="/r.js" async></script><plaintext>';
  it.each<[string, string, RequestListener]>([
    ['end()', 'text/plain', (_, r) => r.writeHead(500, { 'Content-Type': 'text/plain' }).end(text)],
    [
      'a length',
      'text/plain; charset=utf-8',
      (_, r) => {
        r.setHeader('Content-Length', Buffer.byteLength(text));
        r.writeHead(404, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
      },
    ],
    [
      'write()',
      'application/json',
      (_, r) => {
        r.statusCode = 500;
        r.setHeader('Content-Type', 'application/json');
        r.write(text.slice(0, 3));
        r.write(text.slice(3));
        r.end();
      },
    ],
    [
      'flushHeaders()',
      'text/plain',
      (_, r) => {
        r.writeHead(500, { 'Content-Type': 'text/plain' }).flushHeaders();
        r.end(text);
      },
    ],
  ])('is a page with the script before it: %s', async (_, type, application) => {
    const { headers, body } = await get(application);
    expect(body.toString()).toBe(before + text);
    expect(headers['content-type']).toBe(
      { 'text/plain': 'text/html' }[type] ?? 'text/html; charset=utf-8',
    );
    const length = headers['content-length'];
    expect(length === undefined || Number(length) === body.length).toBe(true);
    const program = await get(application, { 'Sec-Fetch-Dest': 'empty' });
    expect([program.headers['content-type'], program.body.toString()]).toEqual([type, text]);
  });
});

describe('what is no page', () => {
  const zipped = gzipSync(PAGE);
  it.each<[string, RequestListener, string, Buffer | string]>([
    ['HEAD', (_, r) => r.writeHead(200, { ...HTML, 'Content-Length': LENGTH }).end(), 'HEAD', ''],
    ['POST', (_, r) => r.writeHead(200, HTML).end(PAGE), 'POST', PAGE],
    ['304', (_, r) => r.writeHead(304, HTML).end(), 'GET', ''],
    ['204', (_, r) => r.writeHead(204, HTML).end(), 'GET', ''],
    ['206', (_, r) => r.writeHead(206, HTML).end(PAGE), 'GET', PAGE],
    ['a redirect', (_, r) => r.writeHead(302, { ...HTML, Location: '/x' }).end(PAGE), 'GET', PAGE],
    [
      'gzip',
      (_, r) => r.writeHead(200, { ...HTML, 'Content-Encoding': 'gzip' }).end(zipped),
      'GET',
      zipped,
    ],
    [
      'gzip, set before',
      (_, r) => {
        r.setHeader('content-encoding', 'gzip');
        r.writeHead(200, HTML).end(zipped);
      },
      'GET',
      zipped,
    ],
    [
      'gzip, in turn',
      (_, r) =>
        r.writeHead(200, ['content-type', 'text/html', 'Content-Encoding', 'gzip']).end(zipped),
      'GET',
      zipped,
    ],
    [
      'UTF-16',
      (_, r) =>
        r.writeHead(200, { 'Content-Type': 'text/html; charset="UTF-16LE"' }).end(PAGE, 'utf16le'),
      'GET',
      Buffer.from(PAGE, 'utf16le'),
    ],
    ['text', (_, r) => r.writeHead(200, { 'Content-Type': 'text/plain' }).end(PAGE), 'GET', PAGE],
    ['no type', (_, r) => r.end(PAGE), 'GET', PAGE],
    [
      'a download',
      (_, r) => r.writeHead(200, { ...HTML, 'Content-Disposition': 'attachment' }).end(PAGE),
      'GET',
      PAGE,
    ],
    [
      'another type of such a name',
      (_, r) => r.writeHead(200, { 'Content-Type': 'text/html-sandboxed' }).end(PAGE),
      'GET',
      PAGE,
    ],
    [
      'an empty JSON answer',
      (_, r) => r.writeHead(200, { 'Content-Type': 'application/json' }).end(),
      'GET',
      '',
    ],
  ])('is left alone: %s', async (_, application, method, body) => {
    const answer = await get(application, {}, method);
    expect(answer.body).toEqual(Buffer.from(body));
    const length = answer.headers['content-length'];
    expect([undefined, String(method === 'HEAD' ? LENGTH : answer.body.length)]).toContain(length);
  });
});

describe('the ETag of a page', () => {
  const heard: (string | undefined)[] = [];
  const application: RequestListener = (request, response) => {
    heard.push(request.headers['if-none-match']);
    const isKnown = request.headers['if-none-match']?.includes('"v1"');
    response.setHeader('ETag', 'W/"v1"');
    response.writeHead(isKnown ? 304 : 200, HTML).end(isKnown ? undefined : PAGE);
  };

  it('is one of its own, with which the application answers 304', async () => {
    const url = await servePages(application);
    const first = await ask(url);
    expect(first.headers.etag).toBe('W/"v1+reload"');
    heard.length = 0;
    const second = await ask(url, { 'If-None-Match': `"x", ${first.headers.etag}` });
    expect([second.status, second.headers.etag]).toEqual([304, 'W/"v1+reload"']);
    expect(heard).toEqual(['W/"v1"']);
  });

  it('is not that of a page without the script', async () => {
    const url = await servePages(application);
    const known = { 'If-None-Match': 'W/"v1"', 'If-Modified-Since': new Date().toUTCString() };
    expect((await ask(url, known)).body.toString()).toBe(PAGE + TAG);
    // What scripts fetch has none: its ETag is the application's.
    const fetched = await ask(url, { ...known, 'Sec-Fetch-Dest': 'empty' });
    expect([fetched.status, fetched.headers.etag]).toEqual([304, 'W/"v1"']);
  });
});

describe('the pages of an application', () => {
  it.each<[string, () => RequestListener | Promise<RequestListener>]>([
    ['Express 5', () => express().get('/', (_, response) => void response.send(PAGE))],
    [
      'Express 4',
      () =>
        express4().get('/', (_: unknown, response: express.Response) => void response.send(PAGE)),
    ],
    [
      'Koa',
      () =>
        new Koa()
          .use((context) => {
            context.body = PAGE;
          })
          .callback(),
    ],
    [
      'Koa, a stream',
      () =>
        new Koa()
          .use((context) => {
            context.type = 'html';
            context.body = Readable.from([PAGE]);
          })
          .callback(),
    ],
    [
      'Fastify',
      async () => {
        const app = fastify();
        app.get('/', (_, reply) => reply.type('text/html').send(PAGE));
        await app.ready();
        return (request, response) => app.routing(request, response);
      },
    ],
    [
      'Fastify, a stream',
      async () => {
        const app = fastify();
        app.get('/', (_, reply) => reply.type('text/html').send(Readable.from([PAGE])));
        await app.ready();
        return (request, response) => app.routing(request, response);
      },
    ],
    ['Hono', () => getRequestListener(new Hono().get('/', (context) => context.html(PAGE)).fetch)],
  ])('have the script: %s', async (_, application) => {
    const url = await servePages(await application());
    const { status, headers, body } = await ask(url);
    expect([status, body.toString()]).toEqual([200, PAGE + TAG]);
    const etag = headers.etag as string | undefined;
    const again = await ask(url, etag === undefined ? {} : { 'If-None-Match': etag });
    expect(again.status).toBe(etag === undefined ? 200 : 304);
  });
});
