import { once } from 'node:events';
import { Agent, createServer, type IncomingHttpHeaders, request as send } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { buffer, text } from 'node:stream/consumers';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serve } from './listen.js';
import { type Fault, proxyTo, type StoreProxy, startProxy } from './proxy.js';

interface Arrival {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly port: number | undefined;
}

/** A store that tells what arrived; a GET gets ten letters, of which `Content-Length` knows. */
async function store() {
  const arrived: Arrival[] = [];
  const origin = await serve(async (request, response) => {
    const { method, url, headers, socket } = request;
    const body = await text(request);
    arrived.push({ method, url, headers, body, port: socket.remotePort });
    if (url === '/chunked') return response.write('in ') && response.end('chunks');
    const answer = method === 'GET' || method === 'HEAD' ? 'abcdefghij' : '';
    const status = method === 'PUT' ? 201 : 200;
    response.writeHead(status, { 'Content-Length': answer.length, ETag: '"1"', 'x-Own': 'yes' });
    return response.end(answer);
  });
  return { origin, arrived };
}

interface Asking {
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly agent?: Agent;
}

/** Asks by a connection of its own, unless an agent is handed in. */
async function ask(proxy: StoreProxy, method: string, path = '/', asking: Asking = {}) {
  const { body, headers = {}, agent } = asking;
  const request = send(proxy.url + path, { method, headers, agent: agent ?? false });
  const answered = once(request, 'response');
  request.end(body);
  const [response] = await answered;
  const bytes = await buffer(response);
  return { status: response.statusCode, headers: response.headers, body: String(bytes) };
}

const brokenOff = { code: 'ECONNRESET' };

describe('without faults', () => {
  it('passes on what was asked and what was answered', async () => {
    const { origin, arrived } = await store();
    const proxy = await proxyTo(origin);
    const headers = { Host: 'bucket.example:81', 'X-Signed': 'a  b' };
    expect(
      await ask(proxy, 'PUT', '/a%2Fb?list-type=2', { headers, body: 'six by' }),
    ).toMatchObject({
      status: 201,
      headers: { etag: '"1"', 'x-own': 'yes', 'content-length': '0' },
    });
    expect(arrived).toMatchObject([
      { method: 'PUT', url: '/a%2Fb?list-type=2', body: 'six by', headers: { host: headers.Host } },
    ]);
    expect(arrived[0]?.headers['x-signed']).toBe('a  b');
    expect(await ask(proxy, 'GET')).toMatchObject({ status: 200, body: 'abcdefghij' });
    expect(await ask(proxy, 'GET', '/chunked')).toMatchObject({ body: 'in chunks' });
    expect(await ask(proxy, 'HEAD')).toMatchObject({ headers: { 'content-length': '10' } });
    expect(await ask(proxy, 'DELETE')).toMatchObject({ status: 200 });
    expect(arrived[4]?.headers).not.toHaveProperty('transfer-encoding');
  });

  it('keeps connections, on both sides', async () => {
    const { origin, arrived } = await store();
    const proxy = await proxyTo(origin);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    onTestFinished(() => agent.destroy());
    for (let at = 0; at < 5; at++) await ask(proxy, 'GET', '/', { agent });
    expect(new Set(arrived.map(({ port }) => port)).size).toBe(1);
    expect(Object.values(agent.freeSockets).flat()).toHaveLength(1);
  });

  it('passes on large bodies both ways, and what waits for 100 Continue', async () => {
    const bodies: number[] = [];
    const large = 'x'.repeat(5_000_000);
    const origin = await serve(async (request, response) => {
      bodies.push((await buffer(request)).length);
      response.end(large);
    });
    const proxy = await proxyTo(origin);
    const headers = { Expect: '100-continue' };
    const { body } = await ask(proxy, 'PUT', '/', { body: large, headers });
    expect([bodies, body === large]).toEqual([[large.length], true]);
    expect(proxy.requests).toMatchObject([{ bytesIn: large.length, bytesOut: large.length }]);
  });

  it('leaves it to the store to say 100 Continue, or to refuse a body unseen', async () => {
    const refusing = createServer().listen(0, '127.0.0.1');
    refusing.on('checkContinue', (_, response) => response.writeHead(501).end('unseen'));
    await once(refusing, 'listening');
    onTestFinished(() => void refusing.close());
    const proxy = await proxyTo(`http://127.0.0.1:${(refusing.address() as AddressInfo).port}`);
    const headers = { Expect: '100-continue', 'Content-Length': 5_000_000 };
    const request = send(proxy.url, { method: 'PUT', headers, agent: false });
    request.on('continue', () => request.end('x'.repeat(5_000_000)));
    const [response] = await once(request, 'response');
    expect([response.statusCode, await text(response)]).toEqual([501, 'unseen']);
    request.destroy();
    expect(proxy.requests).toMatchObject([{ status: 501, bytesIn: 0 }]);
  });

  it('records what came by, until it is told to forget', async () => {
    const { origin } = await store();
    const proxy = await proxyTo(origin);
    await ask(proxy, 'PUT', '/a', { body: 'four' });
    await ask(proxy, 'GET', '/b?c');
    expect(proxy.requests).toMatchObject([
      { method: 'PUT', path: '/a', status: 201, fault: undefined, bytesIn: 4, bytesOut: 0 },
      { method: 'GET', path: '/b?c', status: 200, fault: undefined, bytesIn: 0, bytesOut: 10 },
    ]);
    expect([proxy.count(), proxy.count('PUT'), proxy.count('HEAD')]).toEqual([2, 1, 0]);
    proxy.reset();
    expect([proxy.count(), proxy.requests]).toEqual([0, []]);
  });

  it('says 502 where the store itself is not there, and breaks off with it', async () => {
    const gone = await startProxy('http://127.0.0.1:9');
    await gone.close();
    const proxy = await proxyTo(gone.url);
    expect(await ask(proxy, 'GET')).toMatchObject({
      status: 502,
      body: expect.stringContaining('ECONNREFUSED'),
    });
    expect(proxy.requests).toMatchObject([{ fault: 'origin' }]);
    const half = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': 10 }).write('half', () => response.destroy());
    });
    await expect(ask(await proxyTo(half), 'GET')).rejects.toMatchObject(brokenOff);
  });
});

/** A proxy where the first request meets this fault. */
async function failingOnce(fault: Fault) {
  const { origin, arrived } = await store();
  const proxy = await proxyTo(origin, { delayMs: 5 });
  proxy.before = () => (proxy.count() === 1 ? fault : 'pass');
  return { proxy, arrived };
}

describe('a fault', () => {
  it('503 is an answer in the words of the store, which is not asked', async () => {
    const { proxy, arrived } = await failingOnce('503');
    const answer = await ask(proxy, 'PUT', '/', { body: 'x' });
    expect(answer).toMatchObject({ status: 503, headers: { 'content-type': 'application/xml' } });
    expect(answer.body).toContain('<Code>SlowDown</Code>');
    expect(arrived).toEqual([]);
    expect(proxy.requests).toMatchObject([{ status: 503, fault: '503' }]);
    expect(await ask(proxy, 'PUT')).toMatchObject({ status: 201 });
  });

  it('503 is Azure’s where Azure is asked', async () => {
    const { proxy } = await failingOnce('503');
    const headers = { 'x-ms-version': '2025-01-05' };
    const answer = await ask(proxy, 'GET', '/', { headers });
    expect(answer).toMatchObject({ status: 503, headers: { 'x-ms-error-code': 'ServerBusy' } });
    expect(answer.body).toContain('<Code>ServerBusy</Code>');
  });

  it('reset-before breaks off before anything reached the store', async () => {
    const { proxy, arrived } = await failingOnce('reset-before');
    await expect(ask(proxy, 'PUT', '/', { body: 'x' })).rejects.toMatchObject(brokenOff);
    expect(arrived).toEqual([]);
    expect(proxy.requests).toMatchObject([{ status: undefined, fault: 'reset-before' }]);
  });

  it('reset-after breaks off when the store has done it', async () => {
    const { proxy, arrived } = await failingOnce('reset-after');
    await expect(ask(proxy, 'PUT', '/', { body: 'x' })).rejects.toMatchObject(brokenOff);
    expect(arrived).toMatchObject([{ method: 'PUT', body: 'x' }]);
    expect(proxy.requests).toMatchObject([{ status: 201, fault: 'reset-after', bytesOut: 0 }]);
  });

  it('delay only takes longer', async () => {
    const { proxy, arrived } = await failingOnce('delay');
    expect(await ask(proxy, 'PUT', '/', { body: 'late' })).toMatchObject({ status: 201 });
    expect(arrived).toMatchObject([{ body: 'late' }]);
    expect(proxy.requests).toMatchObject([{ status: 201, fault: 'delay' }]);
  });

  it('truncate promises the whole body and sends half of it', async () => {
    const { proxy, arrived } = await failingOnce('truncate');
    const request = send(proxy.url).end();
    const [response] = await once(request, 'response');
    expect([response.statusCode, response.headers['content-length']]).toEqual([200, '10']);
    const chunks: string[] = [];
    response.setEncoding('utf8').on('data', (chunk: string) => chunks.push(chunk));
    await expect(once(response, 'end')).rejects.toMatchObject(brokenOff);
    expect(chunks.join('')).toBe('abcde');
    expect(arrived).toHaveLength(1);
    expect(proxy.requests).toMatchObject([{ status: 200, fault: 'truncate', bytesOut: 5 }]);
  });

  it('truncate cuts the head of an answer without body, which was done', async () => {
    for (const method of ['PUT', 'HEAD']) {
      const { proxy, arrived } = await failingOnce('truncate');
      await expect(ask(proxy, method), method).rejects.toThrow();
      expect(arrived, method).toMatchObject([{ method }]);
    }
  });

  it('hang never answers, nor asks', async () => {
    const { proxy, arrived } = await failingOnce('hang');
    const request = send(proxy.url, { method: 'PUT' });
    const failed = once(request, 'response');
    request.end('x');
    await expect.poll(() => proxy.count()).toBe(1); // the other is not to come first
    expect(await ask(proxy, 'GET')).toMatchObject({ status: 200 });
    await proxy.close();
    await expect(failed).rejects.toMatchObject(brokenOff);
    expect(arrived).toMatchObject([{ method: 'GET' }]);
    expect(proxy.requests[0]).toMatchObject({ status: undefined, fault: 'hang' });
  });

  it('an answer of the test’s own is given in place of the store’s', async () => {
    const { origin, arrived } = await store();
    const proxy = await proxyTo(origin, {
      before: async ({ method }) =>
        method === 'DELETE' ? { status: 403, headers: { 'x-why': 'no' }, body: 'No.' } : undefined,
    });
    expect(await ask(proxy, 'DELETE')).toMatchObject({
      status: 403,
      headers: { 'x-why': 'no' },
      body: 'No.',
    });
    expect(await ask(proxy, 'GET')).toMatchObject({ status: 200 });
    expect(arrived).toMatchObject([{ method: 'GET' }]);
    expect(proxy.requests).toMatchObject([{ status: 403, fault: 'answer', bytesOut: 3 }, {}]);
  });
});

describe('faults by chance', () => {
  async function faultsOf(seed: number, requests: number): Promise<(string | undefined)[]> {
    const { origin } = await store();
    const proxy = await proxyTo(origin, { faults: { rate: 0.1, seed }, delayMs: 1 });
    for (let at = 0; at < requests; at++) await ask(proxy, 'GET').catch(() => {});
    return proxy.requests.map(({ fault }) => fault);
  }

  it('a tenth is about a tenth, of every kind, and the same for a seed', async () => {
    const faults = await faultsOf(7, 1000);
    const met = faults.filter((fault) => fault !== undefined);
    expect(met.length).toBeGreaterThan(70);
    expect(met.length).toBeLessThan(130);
    expect([...new Set(met)].sort()).toEqual([
      '503',
      'delay',
      'reset-after',
      'reset-before',
      'truncate',
    ]);
    expect(await faultsOf(7, 200)).toEqual(faults.slice(0, 200));
    expect(await faultsOf(8, 200)).not.toEqual(faults.slice(0, 200));
  });

  it('may be set and taken away at any time, and are the hook’s to overrule', async () => {
    const { origin } = await store();
    const proxy = await proxyTo(origin);
    const status = async () => (await ask(proxy, 'GET')).status;
    expect(await status()).toBe(200);
    proxy.faults = { rate: 1, kinds: ['503'] };
    expect(await status()).toBe(503);
    proxy.before = () => 'pass';
    expect(await status()).toBe(200);
    proxy.before = undefined;
    expect(await status()).toBe(503);
    proxy.faults = undefined;
    expect(await status()).toBe(200);
  });
});

it('away, nobody listens and connections break; back, all is as before', async () => {
  const { origin } = await store();
  const proxy = await proxyTo(origin);
  const { hostname, port } = new URL(proxy.url);
  const idle = connect(Number(port), hostname).on('error', () => {});
  await once(idle, 'connect');
  const broken = once(idle, 'close');
  await proxy.away();
  await broken;
  await expect(ask(proxy, 'GET')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await proxy.away();
  await proxy.back();
  expect(await ask(proxy, 'GET')).toMatchObject({ status: 200 });
  expect(proxy.count()).toBe(1);
});
