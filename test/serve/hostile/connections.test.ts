import { truncateSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listen } from '../../listen.js';
import { openFiles, TELLS_OPEN_FILES } from '../../open-files.js';
import { APPLICATION } from '../http/answers.js';
import { Connection, spelled } from '../http/connection.js';
import { MODES, type Mode } from '../http/site.js';
import { type By, type HostileSite, hostileSite, SECRET } from './site.js';

const FILM_SIZE = 40_000_000;
const FILM = { 'static/film.mp4': '' };
const UNTOLD = ' (not by files.fetch: @hono/node-server does not cancel what waits for its turn)';
const IN_A_ROW =
  ' (not by files.fetch, which is told of no turns; nor where open files cannot be counted)';
const NOT_TOLD = 'skipped where the system does not tell which files are open';

/** A site with a film that takes no place on the disk. */
const filmSite = (mode: Mode, by: By = 'handler') =>
  hostileSite(mode, {
    by,
    files: FILM,
    before: (root) => truncateSync(`${root}/static/film.mp4`, FILM_SIZE),
  });

async function socketTo({ url }: HostileSite): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect({ host: hostname, port: Number(port) });
  await new Promise((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  return socket.on('error', () => {});
}

/** Until the first bytes of an answer are there; no more are read. */
async function begun(socket: Socket): Promise<void> {
  await new Promise<void>((resolve) => socket.once('readable', resolve).once('close', resolve));
}

const WAYS = MODES.flatMap((mode) =>
  (['handler', 'fetch'] as const).map((by) => [mode, by] as const),
);

describe.each(WAYS)('connections, %s, files.%s:', (mode, by) => {
  it('readers that do not read cost neither memory nor more than a file each', async () => {
    const site = await filmSite(mode, by);
    await site.expectCalm();
    const before = process.memoryUsage();
    const sockets: Socket[] = [];
    for (let at = 0; at < 40; at++) {
      const socket = await socketTo(site);
      socket.write(spelled({ target: site.pathOf('film.mp4') }));
      sockets.push(socket);
      await begun(socket);
    }
    await pause(500);
    const after = process.memoryUsage();
    const megabytes =
      (after.external + after.arrayBuffers - before.external - before.arrayBuffers) / 1e6;
    // All that was asked for is 1600.
    expect(megabytes).toBeLessThan(200);
    expect(openFiles(site.root).length).toBeLessThanOrEqual(sockets.length);
    for (const socket of sockets) socket.destroy();
    await site.expectCalm();
  });

  it.skipIf(!TELLS_OPEN_FILES || by === 'fetch')(
    `requests in a row have a file open in their turn only${IN_A_ROW}`,
    async () => {
      const site = await filmSite(mode, by);
      const socket = await socketTo(site);
      socket.write(spelled({ target: site.pathOf('film.mp4') }).repeat(1000));
      await begun(socket);
      await pause(500);
      expect(openFiles(site.root).length).toBeLessThan(20);
      socket.destroy();
      await site.expectCalm();
    },
  );

  it.skipIf(!TELLS_OPEN_FILES)(
    `a thousand connections that vanish leave no file open (${NOT_TOLD})`,
    async () => {
      const site = await filmSite(mode, by);
      for (let round = 0; round < 20; round++) {
        const vanishing = Array.from({ length: 50 }, async (_, at) => {
          const socket = await socketTo(site);
          socket.write(spelled({ target: site.pathOf('film.mp4') }));
          if (at % 5 > 0) await begun(socket);
          if (at % 5 > 1) socket.read();
          if (at % 2 === 0) socket.resetAndDestroy();
          else socket.destroy();
        });
        await Promise.all(vanishing);
      }
      await site.expectCalm();
    },
  );

  it.skipIf(by === 'fetch')(
    `connections that vanish between requests of a row leave nothing${UNTOLD}`,
    async () => {
      const site = await filmSite(mode, by);
      const film = spelled({ target: site.pathOf('film.mp4') });
      const range = spelled({
        target: site.pathOf('film.mp4'),
        headers: { Range: 'bytes=0-9,20-39999990' },
      });
      const sockets = await Promise.all(Array.from({ length: 50 }, () => socketTo(site)));
      for (const socket of sockets) socket.write(film.repeat(20) + range.repeat(20));
      await Promise.all(sockets.map(begun));
      for (const socket of sockets) socket.resetAndDestroy();
      await site.expectCalm();
    },
  );
});

describe.each(MODES)('whoever watches the answers, %s:', (mode) => {
  it('is not told that one was finished whose reader has vanished', async () => {
    const site = await filmSite(mode);
    const finished: boolean[] = [];
    const server = await listen((request, response) => {
      // Loggers take `finish` for an answer that was sent.
      response.once('close', () => setTimeout(() => finished.push(response.writableFinished), 50));
      site.files.handler(request, response);
    });
    onTestFinished(() => server.close());
    const socket = await socketTo({ ...site, url: server.url });
    socket.write(spelled({ target: site.pathOf('film.mp4') }));
    await begun(socket);
    socket.resetAndDestroy();
    await expect.poll(() => finished).toEqual([false]);
    await site.expectCalm();
  });
});

describe.each(MODES)('what comes in on connections, %s:', (mode) => {
  it('half a request is nobody’s', async () => {
    const site = await hostileSite(mode);
    const request = spelled({ target: '/static/app/site.css', headers: { Range: 'bytes=0-9' } });
    for (const length of [1, 5, 20, 40, request.length - 3, request.length - 1]) {
      const socket = await socketTo(site);
      socket.end(request.slice(0, length));
      await pause(5);
      socket.destroy();
    }
    await site.expectCalm();
  });

  it('what is no HTTP is refused', async () => {
    const site = await hostileSite(mode);
    const garbage = [
      '\0'.repeat(1000),
      '\x16\x03\x01\x02\x00',
      'GET\r\n\r\n',
      '\r\n\r\n\r\n',
      'GET / HTTP/9.9\r\n\r\n',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    ];
    for (const bytes of garbage) {
      const connection = await Connection.open(site.url);
      connection.send(bytes);
      connection.socket.end();
      expect((await connection.rest()).toString()).toMatch(/^$|^HTTP\/1\.1 (?:4\d\d|505) /);
      connection.close();
    }
    await site.expectCalm();
  });
});

/** Bodies of requests that want to be requests themselves: what is sent, and what is answered. */
const INNER = 'GET /page HTTP/1.1\r\nHost: localhost\r\n\r\n';
const HEAD = 'GET /static/app/small.css HTTP/1.1\r\nHost: localhost\r\n';
const CHUNK = `${INNER.length.toString(16)}\r\n${INNER}\r\n0\r\n\r\n`;

const SMUGGLED: readonly (readonly [what: string, bytes: string])[] = [
  ['in a body', `${HEAD}Content-Length: ${INNER.length}\r\n\r\n${INNER}`],
  ['in a chunk', `${HEAD}Transfer-Encoding: chunked\r\n\r\n${CHUNK}`],
  [
    'in the body of a HEAD',
    `${HEAD.replace('GET', 'HEAD')}Content-Length: ${INNER.length}\r\n\r\n${INNER}`,
  ],
  [
    'in a body of a 304',
    `${HEAD}If-None-Match: *\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  ],
  [
    'in a body of a 416',
    `${HEAD}Range: bytes=9-\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`,
  ],
];

/** Framed in two ways, one of which may be believed by a proxy in front (RFC 9112, 6.1 and 11.2). */
const AMBIGUOUS: readonly (readonly [what: string, bytes: string])[] = [
  ['two framings', `${HEAD}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n${CHUNK}`],
  ['two lengths', `${HEAD}Content-Length: 0\r\nContent-Length: ${INNER.length}\r\n\r\n${INNER}`],
  ['a list of lengths', `${HEAD}Content-Length: 0, ${INNER.length}\r\n\r\n${INNER}`],
  ['an odd length', `${HEAD}Content-Length: +${INNER.length}\r\n\r\n${INNER}`],
  ['a coding that is none', `${HEAD}Transfer-Encoding: xchunked\r\n\r\n${CHUNK}`],
  ['a space before the colon', `${HEAD}Content-Length : ${INNER.length}\r\n\r\n${INNER}`],
];

describe.each(MODES)('requests within requests, %s:', (mode) => {
  it.each(SMUGGLED)('one %s is no request', async (_what, bytes) => {
    const site = await hostileSite(mode);
    const connection = await Connection.open(site.url);
    connection.send(bytes + spelled({ target: '/static/app/small.css' }));
    const first = await connection.answer(bytes.slice(0, 4).trim());
    expect([200, 304, 416]).toContain(first.status);
    const second = await connection.answer();
    expect({ status: second.status, body: second.body.toString() }).toEqual({
      status: 200,
      body: 'a{}',
    });
    connection.close();
    await site.expectCalm();
  });

  it.each(AMBIGUOUS)('%s: the request is refused', async (_what, bytes) => {
    const site = await hostileSite(mode);
    const connection = await Connection.open(site.url);
    connection.send(bytes);
    connection.socket.end();
    const answered = (await connection.rest()).toString();
    expect(answered).not.toContain(APPLICATION);
    expect(answered).toMatch(/HTTP\/1\.1 400 /);
    await site.expectCalm();
  });
});

describe.each(MODES)('request targets, %s:', (mode) => {
  it.each([
    'http://localhost/static/app/small.css',
    'HTTP://LOCALHOST/static/app/small.css',
    'http://localhost:80/static/app/small.css?v=1',
    'https://example.com/static/app/small.css',
    'http://user:password@example.com/static/app/small.css',
    'http://[::1]:80/static/app/small.css',
  ])('the absolute form is understood (RFC 9112, 3.2.2): %s', async (target) => {
    const site = await hostileSite(mode);
    const answer = await site.ask({ target });
    expect({ status: answer?.status, body: answer?.body.toString() }).toEqual({
      status: 200,
      body: 'a{}',
    });
    await site.expectCalm();
  });

  it.each([
    'http://localhost/static/../secret.txt',
    'http://localhost/static/%2e%2e/secret.txt',
    'http://localhost',
    'http://',
    'http:///static/app/none.css',
    'http://localhost\\static\\..\\secret.txt',
    'http://[/static/app/none.css',
    'http://localhost:99999/secret.txt',
    'file:///static/../secret.txt',
    'javascript:alert(1)',
    '//example.com/static/../secret.txt',
    '///',
    '*',
    '?',
    '#',
    '/?/../static/../secret.txt',
    '/static/?/../../secret.txt',
    '/static/#/../../secret.txt',
    '/static/;/../../secret.txt',
  ])('%s leads nowhere', async (target) => {
    const site = await hostileSite(mode);
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      const answer = await site.ask({ target, method });
      expect([200, 400, 404, 405], `${method}`).toContain(answer?.status ?? 400);
      const body = answer?.body.toString() ?? '';
      if (answer?.status === 200 && method !== 'HEAD') expect(body).toBe(APPLICATION);
      expect(body).not.toContain(SECRET);
      expect(answer?.field('Location')).toBeUndefined();
    }
    await site.expectCalm();
  });

  it('what is another protocol’s business is answered as HTTP or hung up on', async () => {
    const site = await hostileSite(mode);
    const upgrade = { Connection: 'Upgrade', Upgrade: 'h2c', 'HTTP2-Settings': '' };
    const upgraded = await site.ask({ target: '/static/app/small.css', headers: upgrade });
    expect(upgraded?.status).toBe(200);
    expect(await site.ask({ method: 'CONNECT', target: 'localhost:22' })).toBeUndefined();
    const expecting = await site.ask({
      method: 'POST',
      target: '/static/app/small.css',
      headers: { Expect: '100-continue' },
      body: 'body',
    });
    expect(expecting?.status).toBe(405);
    await site.expectCalm();
  });

  it('HTTP/1.0 is answered, and hung up on', async () => {
    const site = await hostileSite(mode);
    const connection = await Connection.open(site.url);
    connection.send('GET /static/app/small.css HTTP/1.0\r\n\r\n');
    const { status, body, field } = await connection.answer();
    expect({ status, body: body.toString() }).toEqual({ status: 200, body: 'a{}' });
    expect(field('Connection')).toBe('close');
    expect(await connection.rest()).toHaveLength(0);
    await site.expectCalm();
  });
});

describe.each(WAYS)('files that change while they are sent, %s, files.%s:', (mode, by) => {
  it('one that gets shorter ends the connection: what comes next would be taken for its rest', async () => {
    const site = await filmSite(mode, by);
    const connection = await Connection.open(site.url);
    const next = spelled({ target: '/static/app/small.css' });
    connection.send(spelled({ target: site.pathOf('film.mp4') }) + next);
    await begun(connection.socket);
    truncateSync(site.diskPathOf('film.mp4'), 1000);
    const answered = await connection.rest();
    expect(answered.length).toBeLessThan(FILM_SIZE);
    expect(answered.lastIndexOf('HTTP/1.1 '), 'the only head').toBe(0);
    await site.expectCalm();
  });

  it('one that grows is sent as long as was said', async () => {
    const site = await filmSite(mode, by);
    const connection = await Connection.open(site.url);
    connection.send(spelled({ target: site.pathOf('film.mp4') }));
    await begun(connection.socket);
    truncateSync(site.diskPathOf('film.mp4'), FILM_SIZE + 1_000_000);
    expect((await connection.answer()).body).toHaveLength(FILM_SIZE);
    expect((await connection.ask({ target: '/static/app/small.css' })).body.toString()).toBe('a{}');
    connection.close();
    await site.expectCalm();
  });
});
