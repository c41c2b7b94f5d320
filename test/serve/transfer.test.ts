import { truncateSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { connect as connectHttp2, constants, createServer as createHttp2 } from 'node:http2';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { createGzip, gunzipSync } from 'node:zlib';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Piece } from '../../src/serve/respond.js';
import { transfer } from '../../src/serve/transfer.js';
import { project } from '../project.js';

const BIG = Buffer.alloc(20_000_000, 'abcdefghij');

async function serving(send: (response: ServerResponse) => Promise<void>) {
  const server = createServer((_request, response) => void send(response));
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function fileOf(body: Uint8Array): Promise<{ file: FileHandle; path: string }> {
  const path = join(project({ file: body }), 'file');
  const file = await open(path);
  onTestFinished(() => file.close());
  return { file, path };
}

describe('a transfer', () => {
  test('sends pieces in their order, and is done when they have been sent', async () => {
    const { file } = await fileOf(BIG.subarray(0, 200_001));
    const pieces: Piece[] = [
      'first ',
      { start: 0, end: 0 },
      ' then ',
      { start: 1, end: 200_000 },
      '!',
    ];
    const port = await serving(async (response) => {
      await transfer(response, pieces, file);
      response.end();
    });
    const body = await (await fetch(`http://127.0.0.1:${port}/`)).text();
    expect(body).toBe(`first a then ${BIG.subarray(1, 200_001)}!`);
  });

  test('many at a time do not mix', async () => {
    const { file } = await fileOf(BIG);
    const port = await serving(async (response) => {
      const start = Number(response.req.url?.slice(1));
      await transfer(response, [{ start, end: start + 999_999 }], file);
      response.end();
    });
    const bodies = await Promise.all(
      Array.from({ length: 20 }, async (_, index) =>
        Buffer.from(await (await fetch(`http://127.0.0.1:${port}/${index}`)).arrayBuffer()),
      ),
    );
    for (const [index, body] of bodies.entries()) {
      expect(body.equals(BIG.subarray(index, index + 1_000_000))).toBe(true);
    }
  });

  test('ends where the reader goes away', async () => {
    const { file } = await fileOf(BIG);
    const ended = new Promise<string>((done) => {
      void serving(async (response) => {
        await transfer(response, [{ start: 0, end: BIG.length - 1 }], file);
        done('ended');
      }).then((port) => {
        const socket = connect(port, '127.0.0.1');
        socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
        socket.once('data', () => socket.destroy());
      });
    });
    expect(await ended).toBe('ended');
  });

  test('ends for those too that waited behind another on the same connection', async () => {
    const { file } = await fileOf(BIG);
    let begun = 0;
    let ended = 0;
    const port = await serving(async (response) => {
      begun++;
      await transfer(response, [{ start: 0, end: BIG.length - 1 }], file);
      ended++;
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(5));
    await new Promise((done) => socket.once('data', done));
    socket.destroy();
    await expect.poll(() => [begun, ended]).toEqual([5, 5]);
  });

  test('goes on where a middleware compresses, whose write() takes no callback', async () => {
    const { file } = await fileOf(BIG);
    const port = await serving(async (response) => {
      const gzip = createGzip();
      const { write, end } = response;
      response.write = (chunk: Uint8Array) => gzip.write(chunk);
      response.on = ((type: string, listener: () => void) =>
        type === 'drain'
          ? gzip.on(type, listener)
          : Object.getPrototypeOf(response).on.call(response, type, listener)) as never;
      gzip.on('data', (chunk) => {
        if (!write.call(response, chunk, 'utf8')) gzip.pause();
      });
      Object.getPrototypeOf(response).on.call(response, 'drain', () => gzip.resume());
      gzip.on('end', () => end.call(response, undefined, 'utf8'));
      await transfer(response, [{ start: 0, end: BIG.length - 1 }], file);
      gzip.end();
    });
    const packed = await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
    expect(gunzipSync(packed).equals(BIG)).toBe(true);
  });

  test('a middleware may keep what is written', async () => {
    const lines = Buffer.from(Array.from({ length: 50_000 }, (_, line) => `${line}\n`).join(''));
    const { file } = await fileOf(lines);
    const kept: Uint8Array[] = [];
    const port = await serving(async (response) => {
      const write = response.write.bind(response);
      response.write = ((chunk: Uint8Array, encoding?: BufferEncoding) => {
        kept.push(chunk);
        write(chunk, encoding ?? 'utf8'); // and answers nothing, as many do
      }) as never;
      await transfer(response, [{ start: 0, end: lines.length - 1 }], file);
      response.end();
    });
    const sent = await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer();
    expect(Buffer.from(sent).equals(lines)).toBe(true);
    expect(Buffer.concat(kept).equals(lines)).toBe(true);
  });

  test('goes to a response that no connection belongs to', async () => {
    const { file } = await fileOf(BIG.subarray(0, 200_001));
    const written: Uint8Array[] = [];
    const request = new IncomingMessage({ destroy() {} } as Socket);
    const response = new ServerResponse(request);
    response.assignSocket({
      writable: true,
      on() {},
      removeListener() {},
      cork() {},
      uncork() {},
      write: (chunk: Uint8Array, _encoding: unknown, done?: () => void) => {
        written.push(chunk);
        done?.();
      },
    } as unknown as Socket);
    response.useChunkedEncodingByDefault = false;
    await transfer(response, [{ start: 0, end: 200_000 }], file);
    const sent = Buffer.concat(written.map((chunk) => Buffer.from(chunk)));
    expect(sent.subarray(sent.indexOf('\r\n\r\n') + 4).equals(BIG.subarray(0, 200_001))).toBe(true);
  });

  test('ends where the reader of one answer of HTTP/2 goes away, and the connection stays', async () => {
    const { file } = await fileOf(BIG);
    let ended = 0;
    const server = createHttp2((_request, response) => {
      void transfer(
        response as unknown as ServerResponse,
        [{ start: 0, end: BIG.length - 1 }],
        file,
      ).then(() => ended++);
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    onTestFinished(() => {
      session.destroy();
      server.close();
    });
    for (let count = 1; count <= 3; count++) {
      const stream = session.request({ ':path': '/' });
      await new Promise((resolve) => stream.once('response', resolve));
      stream.close(constants.NGHTTP2_CANCEL);
      await expect.poll(() => ended).toBe(count);
    }
    expect(session.destroyed).toBe(false);
  });

  test('fails where the file has become shorter', async () => {
    const { file, path } = await fileOf(BIG);
    truncateSync(path, 100_000);
    let failure: unknown;
    const port = await serving(async (response) => {
      try {
        await transfer(response, [{ start: 0, end: BIG.length - 1 }], file);
      } catch (error) {
        failure = error;
        response.destroy();
      }
    });
    const response = await fetch(`http://127.0.0.1:${port}/`);
    await expect(response.arrayBuffer()).rejects.toThrow();
    expect(String(failure)).toContain(
      'became shorter while it was sent: it ends before byte 100000',
    );
  });
});
