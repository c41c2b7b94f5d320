import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type fs from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { type MediaStorageOptions, mediaStorage } from '../../src/storages/media.js';
import { pieces, uploadContract } from '../contracts/uploads.js';
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

uploadContract('mediaStorage in a folder', (options) => uploads(options).storage, {
  async there(storage) {
    const entries = readdirSync(storage.path?.('') ?? '', { recursive: true, encoding: 'utf8' });
    return entries.filter((name) => statSync(storage.path?.(name) ?? '').isFile()).sort();
  },
});

describe('a name that is taken', () => {
  test('may be that of a folder', async () => {
    const { storage } = uploads({}, { 'folder/x': '' });
    expect(await storage.save('folder', 'a')).toMatch(/^folder_\w{7}$/);
    await expect(storage.save('folder/x/y', 'a')).rejects.toThrow(/ENOTDIR|EEXIST/);
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
  test('a stream that fails while the first upload loads what it needs ends no process', async () => {
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
