import { once } from 'node:events';
import {
  chmodSync,
  createReadStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import type fs from 'node:fs/promises';
import { Agent, createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { PassThrough, Readable, Transform } from 'node:stream';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type NameError, SetupError, TooLargeError } from '../../src/errors.js';
import { type MediaStorageOptions, mediaStorage } from '../../src/storages/media.js';
import type { UploadBody } from '../../src/storages/upload-body.js';
import { start } from '../process.js';
import { project } from '../project.js';

/** Whether the file system has hard links; there is none here that has not. */
const links = vi.hoisted(() => ({ there: true, refused: 0 }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const link: typeof real.link = async (...args) => {
    if (links.there) return real.link(...args);
    links.refused++;
    throw Object.assign(new Error('no links here'), { code: 'EPERM' });
  };
  return { ...real, link };
});

const built = pathToFileURL(resolve('dist/src/index.js')).href;
const posix = process.platform !== 'win32';

function uploads(options: MediaStorageOptions = {}, there: Record<string, string> = {}) {
  const root = project(there);
  const storage = mediaStorage({ root, baseUrl: '/media/', ...options });
  const content = (name: string) => readFileSync(join(root, name), 'utf8');
  return { root, storage, content, all: () => readdirSync(root).sort() };
}

const encoded = (text: string) => new TextEncoder().encode(text);

async function* pieces(...chunks: unknown[]) {
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

describe('save()', () => {
  test.each(BODIES)('takes %s', async (_, make) => {
    const { storage, content, all } = uploads();
    expect(await storage.save('a.txt', make())).toBe('a.txt');
    expect(content('a.txt')).toBe('häll☃');
    expect(all()).toEqual(['a.txt']);
  });

  test('keeps every byte of a large file, from disk to disk', async () => {
    const { root, storage } = uploads();
    const bytes = Buffer.alloc(5_000_000).map((_, i) => (i * 31) % 251);
    writeFileSync(join(root, 'source'), bytes);
    expect(await storage.save('large.bin', createReadStream(join(root, 'source')))).toBe(
      'large.bin',
    );
    expect(readFileSync(join(root, 'large.bin')).equals(bytes)).toBe(true);
  });

  test('takes empty bodies', async () => {
    const { storage, content } = uploads();
    for (const body of ['', new Uint8Array(), Readable.from([]), new Blob([]), pieces()]) {
      expect(content(await storage.save('empty.txt', body as UploadBody))).toBe('');
    }
  });

  test.each([
    ['undefined', undefined, 'is of the type undefined'],
    ['null', null, 'is null'],
    ['a number', 7, 'is of the type number'],
    ['a list', [encoded('a')], 'is of the type object'],
    ['a stream of objects', Readable.from([{ a: 1 }]), 'holds objects'],
    ['an iterable of numbers', pieces(1), 'holds numbers'],
  ])('refuses %s, and leaves nothing', async (_, body, message) => {
    const { storage, all } = uploads();
    const saving = storage.save('a.txt', body as unknown as UploadBody);
    await expect(saving).rejects.toThrow(SetupError);
    await expect(saving).rejects.toThrow(message);
    expect(all()).toEqual([]);
  });

  test('refuses a stream that was read before, rather than to save an empty file', async () => {
    const { storage, all } = uploads();
    const stream = Readable.from([Buffer.from('a')]);
    for await (const _ of stream);
    await expect(storage.save('a.txt', stream)).rejects.toThrow('was read to its end before');
    const web = new Response('a');
    await web.text();
    await expect(storage.save('a.txt', web.body as ReadableStream)).rejects.toThrow(/locked/);
    const gone = new PassThrough();
    gone.destroy();
    await expect(storage.save('a.txt', gone)).rejects.toThrow(/[Pp]remature/);
    expect(all()).toEqual([]);
  });

  test('refuses a name that leaves nothing, before it reads', async () => {
    const { storage } = uploads();
    const stream = Readable.from([Buffer.from('a')]);
    await expect(storage.save('..', stream)).rejects.toMatchObject({
      code: 'ERR_STATICFILES_NAME',
      given: '..',
    } satisfies Partial<NameError>);
    expect(stream.readableDidRead).toBe(false);
    expect(await storage.save('a.txt', stream)).toBe('a.txt');
  });

  test('makes folders, and the name plain', async () => {
    const { storage, content } = uploads();
    expect(await storage.save('2026/07/C:\\fakepath\\my photo?.jpg', 'a')).toBe(
      '2026/07/my_photo.jpg',
    );
    expect(content('2026/07/my_photo.jpg')).toBe('a');
  });
});

describe('a name that is taken', () => {
  test('gets seven random characters, and what was there stays', async () => {
    const { storage, content, all } = uploads({}, { 'me.tar.gz': 'old' });
    const names = [await storage.save('me.tar.gz', '1'), await storage.save('me.tar.gz', '2')];
    for (const [i, name] of names.entries()) {
      expect(name).toMatch(/^me\.tar_[A-Za-z0-9]{7}\.gz$/);
      expect(content(name)).toBe(String(i + 1));
    }
    expect(content('me.tar.gz')).toBe('old');
    expect(all()).toEqual(['me.tar.gz', ...names].sort());
  });

  test('may be that of a folder', async () => {
    const { storage } = uploads({}, { 'folder/x': '' });
    expect(await storage.save('folder', 'a')).toMatch(/^folder_\w{7}$/);
    await expect(storage.save('folder/x/y', 'a')).rejects.toThrow(/ENOTDIR|EEXIST/);
  });

  test('still fits where it is as long as a file system takes', async () => {
    const { storage, content } = uploads();
    const given = `${'ü'.repeat(200)}.jpg`;
    const names = [await storage.save(given, '1'), await storage.save(given, '2')];
    expect(names.map(content)).toEqual(['1', '2']);
    for (const name of names) expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255);
  });

  test.each(['hard links', 'no hard links'])('goes to one of many, with %s', async (kind) => {
    const { storage, content, all } = uploads();
    Object.assign(links, { there: kind === 'hard links', refused: 0 });
    onTestFinished(() => void Object.assign(links, { there: true }));
    const bodies = Array.from({ length: 40 }, (_, i) => String(i).repeat(1000 + i));
    const names = await Promise.all(bodies.map((body) => storage.save('me.jpg', pieces(body))));
    expect(names.map(content)).toEqual(bodies);
    expect(all()).toEqual(names.toSorted());
    expect(names.filter((name) => name === 'me.jpg')).toHaveLength(1);
    expect(links.refused > 0).toBe(kind === 'no hard links');
  });

  test('goes to one of several processes, and none writes over another', async () => {
    const { root, all, content } = uploads();
    const program = join(project({}), 'save.mjs');
    writeFileSync(
      program,
      `import { existsSync } from 'node:fs';
      import { mediaStorage } from '${built}';
      const [, , root, who, signal] = process.argv;
      const storage = mediaStorage({ root });
      const saved = [];
      console.log('ready');
      while (!existsSync(signal));
      for (let i = 0; i < 100; i++) {
        // Each number is contested by all.
        saved.push([await storage.save('contested-' + i + '.txt', who + ' ' + i), who + ' ' + i]);
      }
      console.log(JSON.stringify(saved) + ';');`,
    );
    const signal = join(project({}), 'go');
    const running = ['a', 'b', 'c'].map((who) => start([program, root, who, signal], root));
    for (const one of running) await one.waitFor(/ready/);
    writeFileSync(signal, '');
    const saved: [string, string][] = [];
    for (const one of running) saved.push(...JSON.parse((await one.waitFor(/(.*);\n/))[1] ?? ''));
    expect(saved).toHaveLength(300);
    expect(all()).toEqual(saved.map(([name]) => name).sort());
    for (const [name, body] of saved) expect(content(name)).toBe(body);
    expect(saved.filter(([name]) => /^contested-\d+\.txt$/.test(name))).toHaveLength(100);
  });
});

describe('whole or not at all:', () => {
  const fault = new Error('the network went away');

  test.each([
    ['an async iterable', () => pieces(encoded('half'), fault)],
    ['a Readable', () => Readable.from(pieces(encoded('half'), fault))],
    [
      'a Transform',
      () =>
        Readable.from([Buffer.from('half')]).pipe(
          new Transform({ flush: (done) => done(fault), transform: (c, _, done) => done(null, c) }),
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
  ] as [string, () => UploadBody][])('%s that fails leaves nothing', async (_, make) => {
    const { root, storage, all } = uploads({}, { 'a.txt': 'old' });
    await expect(storage.save('a.txt', make())).rejects.toBe(fault);
    expect(all()).toEqual(['a.txt']);
    await expect(storage.save('b/c.txt', make())).rejects.toBe(fault);
    expect(readdirSync(join(root, 'b'))).toEqual([]);
  });

  test('a stream that fails while folders are made ends no process', async () => {
    const { storage } = uploads();
    const stream = new PassThrough();
    const saving = storage.save('a/b/c.txt', stream);
    stream.destroy(fault);
    await expect(saving).rejects.toBe(fault);
  });

  test('a stream that fails while the first upload loads what it needs does not either', async () => {
    const { root } = uploads();
    const program = join(project({}), 'first.mjs');
    writeFileSync(
      program,
      `import { PassThrough } from 'node:stream';
      import { mediaStorage } from '${built}';
      const stream = new PassThrough();
      const saving = mediaStorage({ root: process.argv[2] }).save('a.txt', stream);
      stream.destroy(new Error('gone'));
      await saving.catch((error) => console.log('rejected: ' + error.message));`,
    );
    await start([program, root], root).waitFor(/rejected: gone/);
  });

  test('a request that is cut off leaves nothing', async () => {
    const { storage, all } = uploads();
    const outcome = new Promise((resolve) => {
      const server = createServer((incoming) => {
        storage.save('a.bin', incoming).then(resolve, resolve);
      }).listen(0, '127.0.0.1');
      onTestFinished(() => void server.close());
      server.once('listening', async () => {
        const { port } = server.address() as AddressInfo;
        const sending = request({ port, host: '127.0.0.1', method: 'POST' });
        sending.on('error', () => {});
        sending.write(Buffer.alloc(200_000));
        while (all().length === 0) await new Promise((done) => setTimeout(done, 5));
        sending.destroy();
      });
    });
    expect(await outcome).toMatchObject({ code: 'ECONNRESET' });
    expect(all()).toEqual([]);
  });

  test('a request that is too large leaves its connection to the next one', async () => {
    const { storage } = uploads({ maxBytes: 100_000 });
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

  test('a process that is killed in the middle leaves nothing under the name', async () => {
    const { root, storage, all } = uploads();
    const program = join(project({}), 'slow.mjs');
    writeFileSync(
      program,
      `import { mediaStorage } from '${built}';
      async function* slow() {
        yield 'half';
        console.log('half');
        await new Promise((done) => setTimeout(done, 60_000));
      }
      await mediaStorage({ root: process.argv[2] }).save('a.txt', slow());`,
    );
    const running = start([program, root], root);
    await running.waitFor(/half/);
    await running.end('SIGKILL');
    expect(all()).toEqual([expect.stringMatching(/^\.staticfiles-partial-/)]);
    const listed: string[] = [];
    for await (const name of storage.list()) listed.push(name);
    expect(listed).toEqual([]);
    expect(await storage.save('a.txt', 'whole')).toBe('a.txt');
  });

  test('a stream is closed where saving fails', async () => {
    const { storage } = uploads({ maxBytes: 3 });
    const stream = Readable.from([Buffer.from('four')]);
    await expect(storage.save('a', stream)).rejects.toThrow(TooLargeError);
    if (!stream.closed) await once(stream, 'close');
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

describe('maxBytes', () => {
  test('is what is still taken', async () => {
    const { storage, all } = uploads({ maxBytes: 4 });
    expect(await storage.save('a', 'four')).toBe('a');
    expect(await storage.save('b', pieces('fo', 'ur'))).toBe('b');
    for (const body of ['fives', pieces('fiv', 'es'), new Blob(['fives']), '☃☃']) {
      await expect(storage.save('c.jpg', body)).rejects.toMatchObject({
        name: 'TooLargeError',
        code: 'ERR_STATICFILES_TOO_LARGE',
        given: 'c.jpg',
        maxBytes: 4,
        message: 'The upload "c.jpg" is larger than 4 bytes, and was not saved.',
      });
    }
    expect(all()).toEqual(['a', 'b']);
  });
});

const modes = posix ? '' : ' (skipped: Windows has no such modes)';
describe.runIf(posix)(`permissions${modes}`, () => {
  const mode = (path: string) => (statSync(path).mode & 0o7777).toString(8);

  test('are 0o644, or fileMode, and what the umask leaves, or directoryMode', async () => {
    const { root, storage } = uploads();
    const own = mediaStorage({ root, fileMode: 0o640, directoryMode: 0o2770 });
    mkdirSync(join(root, 'there'));
    chmodSync(join(root, 'there'), 0o700);
    const before = process.umask(0o077);
    try {
      await storage.save('plain/a', 'a');
      await own.save('there/x/y/b', 'b');
    } finally {
      process.umask(before);
    }
    const paths = ['plain', 'plain/a', 'there', 'there/x', 'there/x/y', 'there/x/y/b'];
    expect(paths.map((path) => mode(join(root, path)))).toEqual([
      '700',
      '644',
      '700',
      '2770',
      '2770',
      '640',
    ]);
  });
});
