import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createReadStream, writeFileSync } from 'node:fs';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { PassThrough, Readable, Transform } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type NameError, SetupError, TooLargeError } from '../../src/errors.js';
import type { MediaStorage, MediaStorageOptions } from '../../src/storages/media.js';
import type { UploadBody } from '../../src/storages/upload-body.js';
import { project } from '../project.js';

export interface UploadTraits {
  /**
   * Whether a name that is free is that of the upload; else it always has random characters.
   * @default true
   */
  readonly keepsFreeNames?: boolean;
  /** What is really there, in order. @default what it lists */
  readonly there?: (storage: MediaStorage) => Promise<string[]>;
}

/** What `save()` of every `mediaStorage()` must do; `make` answers an empty one. */
export function uploadContract(
  title: string,
  make: (options?: Pick<MediaStorageOptions, 'maxBytes'>) => MediaStorage | Promise<MediaStorage>,
  { keepsFreeNames = true, there = namesIn }: UploadTraits = {},
): void {
  /** What a name that is free becomes. */
  const savedAs = (name: string) => (keepsFreeNames ? name : alternativeOf(name));

  async function uploads(options?: Pick<MediaStorageOptions, 'maxBytes'>) {
    const storage = await make(options);
    return {
      storage,
      content: async (name: string) => `${Buffer.from((await storage.read(name)) ?? 'nothing')}`,
      all: () => there(storage),
    };
  }

  describe(`${title}: save()`, () => {
    test.each(BODIES)('takes %s', async (_, body) => {
      const { storage, content, all } = await uploads();
      const name = await storage.save('a.txt', body());
      expect(name).toEqual(savedAs('a.txt'));
      expect(await content(name)).toBe('häll☃');
      expect(await all()).toEqual([name]);
    });

    test('keeps every byte of a large file, from disk', async () => {
      const { storage, all } = await uploads();
      const bytes = randomBytes(5_000_000);
      const source = join(project({}), 'source');
      writeFileSync(source, bytes);
      const name = await storage.save('large.bin', createReadStream(source));
      expect(name).toEqual(savedAs('large.bin'));
      expect(bytes.equals((await storage.read(name)) ?? Buffer.of())).toBe(true);
      expect(await all()).toEqual([name]);
    });

    test('keeps every byte of a larger one, and two of them apart', async () => {
      const { storage, all } = await uploads();
      const bytes = [randomBytes(12_000_001), randomBytes(12_000_001)];
      const names = await Promise.all(
        bytes.map((body) => storage.save('larger.bin', inPieces(body, 700_001))),
      );
      expect(await all()).toEqual(names.toSorted());
      for (const [i, name] of names.entries()) {
        expect(bytes[i]?.equals((await storage.read(name)) ?? Buffer.of())).toBe(true);
        expect((await storage.stat(name))?.size).toBe(12_000_001);
      }
    });

    test('takes empty bodies', async () => {
      const { storage, content } = await uploads();
      for (const body of ['', new Uint8Array(), Readable.from([]), new Blob([]), pieces()]) {
        expect(await content(await storage.save('empty.txt', body as UploadBody))).toBe('');
      }
    });

    test('takes pieces that come in the same memory', async () => {
      const { storage, content } = await uploads();
      const memory = Buffer.alloc(1);
      async function* reused() {
        for (const letter of 'abc') {
          memory.write(letter);
          yield memory;
        }
      }
      expect(await content(await storage.save('a.txt', reused()))).toBe('abc');
    });

    test.each([
      ['undefined', undefined, 'is of the type undefined'],
      ['null', null, 'is null'],
      ['a number', 7, 'is of the type number'],
      ['a list', [encoded('a')], 'is of the type object'],
      ['a stream of objects', Readable.from([{ a: 1 }]), 'holds objects'],
      ['an iterable of numbers', pieces(1), 'holds numbers'],
    ])('refuses %s, and leaves nothing', async (_, body, message) => {
      const { storage, all } = await uploads();
      const saving = storage.save('a.txt', body as unknown as UploadBody);
      await expect(saving).rejects.toThrow(SetupError);
      await expect(saving).rejects.toThrow(message);
      expect(await all()).toEqual([]);
    });

    test('refuses a stream that was read before, rather than to save an empty file', async () => {
      const { storage, all } = await uploads();
      const stream = Readable.from([Buffer.from('a')]);
      for await (const _ of stream);
      await expect(storage.save('a.txt', stream)).rejects.toThrow('was read to its end before');
      const web = new Response('a');
      await web.text();
      await expect(storage.save('a.txt', web.body as ReadableStream)).rejects.toThrow(/locked/);
      const gone = new PassThrough();
      gone.destroy();
      await expect(storage.save('a.txt', gone)).rejects.toThrow(/[Pp]remature/);
      expect(await all()).toEqual([]);
    });

    test('refuses a name that leaves nothing, before it reads', async () => {
      const { storage } = await uploads();
      const stream = Readable.from([Buffer.from('a')]);
      await expect(storage.save('..', stream)).rejects.toMatchObject({
        code: 'ERR_STATICFILES_NAME',
        given: '..',
      } satisfies Partial<NameError>);
      expect(stream.readableDidRead).toBe(false);
      expect(await storage.save('a.txt', stream)).toEqual(savedAs('a.txt'));
    });

    test('makes the name plain, and keeps its folders', async () => {
      const { storage, content } = await uploads();
      const name = await storage.save('2026/07/C:\\fakepath\\my photo?.jpg', 'a');
      expect(name).toEqual(savedAs('2026/07/my_photo.jpg'));
      expect(await content(name)).toBe('a');
    });
  });

  describe(`${title}: a name that is taken`, () => {
    test('gets seven random characters, and what was there stays', async () => {
      const { storage, content, all } = await uploads();
      await storage.write('me.tar.gz', encoded('old'));
      const names = [await storage.save('me.tar.gz', '1'), await storage.save('me.tar.gz', '2')];
      for (const [i, name] of names.entries()) {
        expect(name).toEqual(alternativeOf('me.tar.gz'));
        expect(await content(name)).toBe(String(i + 1));
      }
      expect(await content('me.tar.gz')).toBe('old');
      expect(await all()).toEqual(['me.tar.gz', ...names].sort());
    });

    test('still fits where it is as long as a file system takes', async () => {
      const { storage, content } = await uploads();
      const given = `${'ü'.repeat(200)}.jpg`;
      const names = [await storage.save(given, '1'), await storage.save(given, '2')];
      expect(await Promise.all(names.map(content))).toEqual(['1', '2']);
      for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
    });

    test('goes to one of many, and the others to names of their own', async () => {
      const { storage, content, all } = await uploads();
      const bodies = Array.from({ length: 20 }, (_, i) => String(i).repeat(1000 + i));
      const names = await Promise.all(bodies.map((body) => storage.save('me.jpg', pieces(body))));
      expect(await Promise.all(names.map(content))).toEqual(bodies);
      expect(await all()).toEqual(names.toSorted());
      expect(names.filter((name) => name === 'me.jpg')).toHaveLength(keepsFreeNames ? 1 : 0);
      const rest = names.filter((name) => name !== 'me.jpg');
      expect(rest).toEqual(rest.map(() => alternativeOf('me.jpg')));
    });

    test('goes to one of many that bring the same', async () => {
      const { storage, all } = await uploads();
      const names = await Promise.all(
        Array.from({ length: 20 }, () => storage.save('me.jpg', 'the same')),
      );
      expect(new Set(names).size).toBe(20);
      expect(await all()).toEqual(names.toSorted());
    });
  });

  describe(`${title}: whole or not at all:`, () => {
    const fault = new Error('the network went away');

    test.each([
      ['an async iterable', () => pieces(encoded('half'), fault)],
      ['one that is large', () => pieces(Buffer.alloc(9_000_000), fault)],
      ['a Readable', () => Readable.from(pieces(encoded('half'), fault))],
      [
        'a Transform',
        () =>
          Readable.from([Buffer.from('half')]).pipe(
            new Transform({
              flush: (done) => done(fault),
              transform: (chunk, _, done) => done(null, chunk),
            }),
          ),
      ],
      [
        'a Web stream',
        () => {
          let asked = 0;
          return new ReadableStream<Uint8Array>({
            pull: (to) => (asked++ === 0 ? to.enqueue(encoded('half')) : to.error(fault)),
          });
        },
      ],
      [
        'a Readable that has failed before it is read',
        () => {
          const stream = new PassThrough();
          stream.destroy(fault);
          return stream;
        },
      ],
    ] as [string, () => UploadBody][])('%s that fails leaves nothing', async (_, body) => {
      const { storage, content, all } = await uploads();
      await storage.write('a.txt', encoded('old'));
      await expect(storage.save('a.txt', body())).rejects.toBe(fault);
      await expect(storage.save('b/c.txt', body())).rejects.toBe(fault);
      expect(await all()).toEqual(['a.txt']);
      expect(await content('a.txt')).toBe('old');
    });

    test('a stream that fails before anything is read of it ends no process', async () => {
      const { storage } = await uploads();
      const stream = new PassThrough();
      const saving = storage.save('a/b/c.txt', stream);
      stream.destroy(fault);
      await expect(saving).rejects.toBe(fault);
    });

    test('a request that is cut off leaves nothing', async () => {
      const { storage, all } = await uploads();
      const server = createServer().listen(0, '127.0.0.1');
      onTestFinished(() => void server.close());
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const sent = request({ port, host: '127.0.0.1', method: 'POST' });
      sent.on('error', () => {});
      sent.write(Buffer.alloc(200_000));
      const [incoming] = await once(server, 'request');
      const saving = storage.save('a.bin', incoming);
      setTimeout(() => sent.destroy(), 20);
      await expect(saving).rejects.toMatchObject({ code: 'ECONNRESET' });
      expect(await all()).toEqual([]);
    });

    test('a request that is too large leaves its connection to the next one', async () => {
      const { storage } = await uploads({ maxBytes: 100_000 });
      const server = createServer((incoming, response) => {
        storage.save('a.bin', incoming).then(
          () => response.end(),
          () => response.writeHead(413).end(),
        );
      }).listen(0, '127.0.0.1');
      let connections = 0;
      server.on('connection', () => connections++);
      const agent = new Agent({ keepAlive: true, maxSockets: 1 });
      onTestFinished(() => {
        agent.destroy();
        server.close();
      });
      await once(server, 'listening');
      const { port } = server.address() as AddressInfo;
      const post = async (size: number) => {
        const sent = request({ port, host: '127.0.0.1', method: 'POST', agent });
        sent.end(Buffer.alloc(size));
        const [response] = await once(sent, 'response');
        await once(response.resume(), 'end');
        return [response.statusCode, connections];
      };
      expect(await post(5_000_000)).toEqual([413, 1]);
      expect(await post(300_000)).toEqual([413, 1]);
      expect(await post(10)).toEqual([200, 1]);
    });

    test('a stream is closed where saving fails', async () => {
      const { storage } = await uploads({ maxBytes: 3 });
      const stream = Readable.from([Buffer.from('four')]);
      await expect(storage.save('a', stream)).rejects.toThrow(TooLargeError);
      if (!stream.closed) await new Promise((done) => void stream.once('close', done));
      expect(stream.destroyed).toBe(true);
      let cancelled = false;
      const web = new ReadableStream<Uint8Array>({
        pull: (to) => to.enqueue(encoded('four')),
        cancel() {
          cancelled = true;
        },
      });
      await expect(storage.save('a', web)).rejects.toThrow(TooLargeError);
      expect(cancelled).toBe(true);
    });
  });

  test(`${title}: maxBytes is what is still taken`, async () => {
    const { storage, all } = await uploads({ maxBytes: 4 });
    const names = [await storage.save('a', 'four'), await storage.save('b', pieces('fo', 'ur'))];
    expect(names).toEqual([savedAs('a'), savedAs('b')]);
    for (const body of ['fives', pieces('fiv', 'es'), new Blob(['fives']), '☃☃']) {
      await expect(storage.save('c.jpg', body)).rejects.toMatchObject({
        name: 'TooLargeError',
        code: 'ERR_STATICFILES_TOO_LARGE',
        given: 'c.jpg',
        maxBytes: 4,
        message: 'The upload "c.jpg" is larger than 4 bytes, and was not saved.',
      });
    }
    expect(await all()).toEqual(names.toSorted());
  });

  test(`${title}: maxBytes may be more than is kept in memory`, async () => {
    const { storage, all } = await uploads({ maxBytes: 9_000_000 });
    const body = Buffer.alloc(9_000_000, 'x');
    const names = [await storage.save('a.bin', inPieces(body, 1_000_000))];
    const more = Buffer.concat([body, Buffer.from('x')]);
    for (const large of [more, inPieces(more, 1_000_000)]) {
      await expect(storage.save('b.bin', large)).rejects.toThrow(TooLargeError);
    }
    expect(await all()).toEqual(names);
  });
}

/** A name with seven random characters before its extension. */
export function alternativeOf(name: string) {
  const dot = name.lastIndexOf('.');
  const [stem, extension] = dot < 0 ? [name, ''] : [name.slice(0, dot), name.slice(dot)];
  return expect.stringMatching(
    new RegExp(`^${escaped(stem)}_[A-Za-z0-9]{7}${escaped(extension)}$`),
  );
}

/** Every name in a storage, in order. */
export async function namesIn(storage: Pick<MediaStorage, 'list'>): Promise<string[]> {
  const found: string[] = [];
  for await (const name of storage.list()) found.push(name);
  return found.sort();
}

export const encoded = (text: string) => new TextEncoder().encode(text);

/** A body in pieces, each on a turn of its own; an error is thrown in its turn. */
export async function* pieces(...chunks: unknown[]) {
  for (const chunk of chunks) {
    await new Promise((done) => setImmediate(done));
    if (chunk instanceof Error) throw chunk;
    yield chunk as Uint8Array;
  }
}

const BODIES: readonly (readonly [title: string, make: () => UploadBody])[] = [
  ['a string', () => 'häll☃'],
  ['a Uint8Array', () => encoded('häll☃')],
  ['a Buffer', () => Buffer.from('häll☃')],
  ['a part of a buffer', () => encoded('xhäll☃x').subarray(1, -1)],
  ['an ArrayBuffer', () => encoded('häll☃').buffer],
  ['a Blob', () => new Blob(['hä', 'll☃'])],
  ['a File', () => new File(['häll☃'], 'other.txt')],
  ['a Readable', () => Readable.from([Buffer.from('hä'), Buffer.from('ll☃')])],
  ['a Readable of strings', () => Readable.from(['hä', 'll☃'], { objectMode: false })],
  ['a Readable with an encoding', () => Readable.from([Buffer.from('häll☃')]).setEncoding('utf8')],
  ['a Transform', () => Readable.from([Buffer.from('häll☃')]).pipe(new PassThrough())],
  ['a Web stream', () => new Blob(['häll☃']).stream()],
  ['a response’s body', () => new Response('häll☃').body as ReadableStream<Uint8Array>],
  ['a Web stream that is not iterable', () => notIterable(new Blob(['häll☃']).stream())],
  ['an async iterable', () => pieces(encoded('hä'), 'll', new Uint8Array(), encoded('☃'))],
];

function notIterable(stream: ReadableStream<Uint8Array>): ReadableStream<Uint8Array> {
  return { getReader: () => stream.getReader() } as ReadableStream<Uint8Array>;
}

function* slices(body: Buffer, length: number) {
  for (let at = 0; at < body.length; at += length) yield body.subarray(at, at + length);
}

/** A body in pieces of a length. */
export const inPieces = (body: Buffer, length: number) => pieces(...slices(body, length));

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
