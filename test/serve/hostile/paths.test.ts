import { existsSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { serveDirectory } from '../../../src/index.js';
import { listen } from '../../listen.js';
import { APPLICATION } from '../http/answers.js';
import { askOnce, Connection, type RawAnswer } from '../http/connection.js';
import { MODES } from '../http/site.js';
import { type HostileSite, hostileSite, SECRET, SECRETS } from './site.js';

/** Two dots, and what has been taken for them. */
const DOTS = [
  '..',
  '%2e%2e',
  '.%2E',
  '%2e.',
  '%252e%252e',
  '%25252e%25252e',
  '%c0%ae%c0%ae', // overlong UTF-8 of two bytes
  '%e0%80%ae%e0%80%ae', // of three
  '%f0%80%80%ae%f0%80%80%ae', // of four
  '%u002e%u002e',
  '%uff0e%uff0e',
  '%ef%bc%8e%ef%bc%8e', // full-width dots
  '%e2%80%a5', // a two dot leader
  '..%00',
  '%00..',
  '..;',
  '..%20',
  '...',
  '....',
  '.%0a.',
  '\\..\\..',
];

/** A slash, and what has been taken for it. */
const SLASHES = [
  '/',
  '//',
  '/./',
  '\\',
  '%2f',
  '%2F%2F',
  '%5c',
  '%5C/',
  '%252f',
  '%255c',
  '%c0%af',
  '%c1%9c',
  '%e0%80%af',
  '%u2215',
  '%e2%88%95', // a division slash
  '%ef%bc%8f', // a full-width slash
  '%00/',
  ';/',
];

/** Ways from a path to each secret, climbing so many folders. */
function waysOut(beginnings: readonly string[]): string[] {
  return beginnings.flatMap((beginning) =>
    DOTS.flatMap((dots) =>
      SLASHES.flatMap((slash) =>
        [1, 2, 3, 7].flatMap((depth) =>
          SECRETS.map((secret) => {
            const climb = `${dots}${slash}`.repeat(depth);
            return `${beginning}${climb}${secret.replaceAll('/', slash)}`;
          }),
        ),
      ),
    ),
  );
}

/** Asks for all, one after the other, and answers those that were not answered as a miss is. */
async function answeredOtherwise(site: HostileSite, targets: readonly string[]): Promise<string[]> {
  const other: string[] = [];
  let connection = await Connection.open(site.url);
  for (const target of targets) {
    const answer = await connection.ask({ target });
    if (!isMiss(answer)) other.push(`${JSON.stringify(target)}: ${answer.status} ${answer.body}`);
    if (answer.field('Connection') === 'close') {
      connection.close();
      connection = await Connection.open(site.url);
    }
  }
  connection.close();
  return other;
}

/** 404; 400, by Node's own parser; or the application's business. */
function isMiss({ status, body }: RawAnswer): boolean {
  const isOther = status === 200 && body.toString() === APPLICATION;
  return (status === 404 || status === 400 || isOther) && !body.includes(SECRET);
}

describe('a folder that is served for development', () => {
  it('is not left by any spelling', async () => {
    const site = await hostileSite('live');
    const uploads = serveDirectory('/files/', { root: join(site.root, 'uploads'), debug: true });
    const server = await listen((request, response) => {
      uploads(request, response, () => response.end(APPLICATION));
    });
    onTestFinished(() => server.close());
    const folder = { ...site, url: server.url };
    expect((await askOnce(server.url, { target: '/files/me.txt' })).body.toString()).toBe('me');
    expect(await answeredOtherwise(folder, waysOut(['/files/', '/files/app/']))).toEqual([]);
    await site.expectCalm();
  });
});

describe.each(MODES)('paths, %s:', (mode) => {
  it.each(['handler', 'fetch'] as const)('no spelling of a way out leads out: %s', async (by) => {
    const site = await hostileSite(mode, { by });
    const targets = waysOut(['/static/', '/static/app/']);
    expect(targets.length).toBeGreaterThan(10_000);
    for (const secret of SECRETS)
      expect(readFileSync(join(site.root, secret), 'utf8')).toBe(SECRET);
    expect(await answeredOtherwise(site, targets)).toEqual([]);
    await site.expectCalm();
  });

  it("nor does one from uploads or from the site's root", async () => {
    const site = await hostileSite(mode);
    expect((await site.ask({ target: '/robots.txt' }))?.body.toString()).toBe('robots');
    const uploaded = (await site.ask({ target: '/media/me.txt' }))?.body.toString();
    expect(uploaded).toBe(mode === 'live' ? 'me' : APPLICATION);
    expect(await answeredOtherwise(site, waysOut(['/', '/media/', '/.well-known/']))).toEqual([]);
    await site.expectCalm();
  });

  it('no way out begins before the base URL ends', async () => {
    const site = await hostileSite(mode);
    const targets = ['/static', '/static%2f', '/static%5c', '/static\\', '/static//', '/static/./']
      .flatMap((base) => [`${base}..`, `${base}../..`, `${base}%2e%2e`, `${base}-other`, base])
      .flatMap((base) => SECRETS.map((secret) => `${base}/${secret}`));
    const siblings = [
      '/static-other/secret.txt',
      '/static/-other/secret.txt',
      '//static/secret.txt',
    ];
    expect(await answeredOtherwise(site, [...targets, ...siblings])).toEqual([]);
    await site.expectCalm();
  });

  it('an absolute path is none', async () => {
    const site = await hostileSite(mode);
    const path = join(site.root, 'secret.txt').replaceAll(sep, '/');
    const bare = path.replace(/^\//, '');
    const targets = [
      `/static/${path}`,
      `/static/%2f${bare}`,
      `/static//${path}`,
      `/static/${encodeURIComponent(path)}`,
      `/static/${encodeURIComponent(encodeURIComponent(path))}`,
      `/static/${path.replaceAll('/', '\\')}`,
      `/static/${path.replaceAll('/', '%5c')}`,
      `/static/file://${path}`,
      `/static/file:%2f%2f${path}`,
      `/static/app/${path}`,
      `/static/~/${bare}`,
      '/static//etc/passwd',
      '/static/%2fetc%2fpasswd',
      '/static//proc/self/environ',
      '/static//dev/zero',
    ];
    expect(await answeredOtherwise(site, targets)).toEqual([]);
    await site.expectCalm();
  });

  it('drive letters, shares, streams and devices are no files', async () => {
    const site = await hostileSite(mode);
    const names = [
      'C:/Windows/win.ini',
      'C:%5cWindows%5cwin.ini',
      'c:secret.txt',
      'C%3a/secret.txt',
      '%5c%5clocalhost%5cc$%5csecret.txt',
      '//localhost/c$/secret.txt',
      '%5c%5c%3f%5cC:%5csecret.txt',
      '%5c%5c.%5cPhysicalDrive0',
      'app/small.css::$DATA',
      'app/small.css:stream',
      'app/small.css%3a%3a$DATA',
      'app/SMALL~1.CSS',
      'app/small.css.',
      'app/small.css%20',
      ...['con', 'NUL', 'prn', 'aux.css', 'COM1', 'lpt9.txt', 'CONIN$', 'app/con.css'],
    ];
    const targets = names.map((name) => `/static/${name}`);
    expect(await answeredOtherwise(site, targets)).toEqual([]);
    await site.expectCalm();
  });

  it('what cannot be decoded is a miss', async () => {
    const site = await hostileSite(mode);
    const broken = [
      '%',
      '%a',
      '%zz',
      '%%',
      '%u0041',
      '%-1',
      '%+1',
      '% 1',
      '%80',
      '%bf',
      '%c3',
      '%ff',
    ];
    const sequences = ['%c3%28', '%e2%28%a1', '%f0%28%8c%bc', '%f8%a1%a1%a1%a1', '%ed%a0%80'];
    const raw = ['\x80', '\xff\xfe', '\xc3\xbc', '\x7f', '\x01', '\t.', 'a b', '"', '<', '{}', '^'];
    const targets = [...broken, ...sequences, ...raw].flatMap((part) => [
      `/static/${part}`,
      `/static/app/${part}.css`,
      `/static/${part}/app/small.css`,
      `/static/app/small.css${part}`,
    ]);
    expect(await answeredOtherwise(site, targets)).toEqual([]);
    await site.expectCalm();
  });

  it('very long and very deep paths are misses', async () => {
    const site = await hostileSite(mode, { server: { maxHeaderSize: 4_000_000 } });
    const targets = ['a', 'a/', '/', '../', './', '%2e%2e%2f', '%00', '%', '.', '\\', 'a/../'].map(
      (part) => `/static/${part.repeat(300_000 / part.length)}x`,
    );
    expect(await answeredOtherwise(site, targets)).toEqual([]);
    await site.expectCalm();
  });

  it('names of what every object has are names like others', async () => {
    const names = [
      '__proto__',
      'constructor',
      'prototype',
      'toString',
      'hasOwnProperty',
      'valueOf',
    ];
    const site = await hostileSite(mode);
    const paths = names.flatMap((name) => [
      name,
      `${name}/${name}`,
      `app/${name}`,
      `${name}.css`,
      `app/small.${name}`,
    ]);
    const targets = paths.map((path) => `/static/${path}`);
    expect(await answeredOtherwise(site, targets)).toEqual([]);

    const there = Object.fromEntries(
      paths.filter((path) => !names.includes(path)).map((path) => [`static/${path}`, path]),
    );
    const other = await hostileSite(mode, { files: there });
    for (const [file, body] of Object.entries(there)) {
      for (const target of [`/static/${body}`, other.pathOf(body)]) {
        const answer = await other.ask({
          target,
          headers: { ['__proto__']: 'x', constructor: 'x' },
        });
        expect(answer?.status, file).toBe(200);
        expect(answer?.body.toString()).toBe(body);
        expect(answer?.field('Content-Type')).toMatch(
          /^(?:text\/css; charset=utf-8|application\/octet-stream)$/,
        );
      }
    }
    await site.expectCalm();
    await other.expectCalm();
  });

  it.skipIf(sep !== '/')(
    'a name with line ends adds no fields (not on Windows, which has no such names)',
    async () => {
      const name = 'app/a\r\nX-Evil: 1\r\n\r\nb.css';
      const site = await hostileSite(mode, { files: { [`static/${name}`]: 'a{}' } });
      expect(existsSync(join(site.root, 'static', name))).toBe(true);
      for (const spelled of [name, `${name}.none`, `none/${name}`, `${name}/`]) {
        const target = `/static/${encodeURIComponent(spelled).replaceAll('%2F', '/')}`;
        for (const method of ['GET', 'HEAD', 'POST']) {
          const answer = await site.ask({ target, method });
          expect(answer?.field('X-Evil')).toBeUndefined();
          expect([200, 404, 405]).toContain(answer?.status);
          expect(answer?.fields.join()).not.toContain('Evil');
        }
      }
      await site.expectCalm();
    },
  );
});
