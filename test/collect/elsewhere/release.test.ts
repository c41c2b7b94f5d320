import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { s3Storage } from '../../../adapters/s3.js';
import type { CollectEvent } from '../../../src/collect/run.js';
import { fileSystemStorage } from '../../../src/storages/filesystem.js';
import { project } from '../../project.js';
import { proxyTo } from '../../proxy.js';
import { swift as swiftServer } from '../../swift.js';
import { SMALL, site } from './site.js';
import { fileNames, gate, lacking, objectOf, sentThrough, useStores } from './stores.js';

const { swift, azurite } = useStores();

const IMMUTABLE = 'public, max-age=315360000, immutable';
const isHashed = (name: string) => /\.[\da-f]{12}\./.test(name);
const isFile = (name: string) => !/^(?:\.staticfiles\/|staticfiles\.json$)/.test(name);

describe.each([swift, azurite])('files on $name are answered', (kind) => {
  it.skipIf(kind.missing)('for good under hashed names only', async () => {
    const store = await kind.create();
    await site()
      .files(store.storage(), { settings: { maxAge: 30 } })
      .collect();
    const objects = await store.objects();
    for (const [name, { type, cache }] of Object.entries(objects)) {
      const own = name.startsWith('.staticfiles/') || name === 'staticfiles.json';
      expect([name, cache]).toEqual([
        name,
        own ? 'no-cache' : isHashed(name) ? IMMUTABLE : 'public, max-age=30',
      ]);
      const types = [/^text\/(?:css|plain|javascript); ?charset=utf-8$/i, /^image\/png$/];
      const known = own ? /^application\/json$/ : types[name.endsWith('.png') ? 1 : 0];
      expect(type).toMatch(known as RegExp);
    }
  });

  it.skipIf(kind.missing)('with the fields of the setting headers, but for some', async () => {
    const store = await kind.create();
    const asked: string[] = [];
    const settings = {
      headers: (name: string, url: string) => {
        asked.push(`${name} ${url.slice(url.lastIndexOf('/') + 1)}`);
        return { 'Cache-Control': 'private', 'Cross-Origin-Resource-Policy': 'cross-origin' };
      },
    };
    const own = site({ 'a.txt': 'a', 'b.txt': 'b' });
    const { err } = await own.call(store.storage(), ['collectstatic'], { settings });
    expect(err.match(/The setting headers wants [^\n]+/g)).toEqual([
      expect.stringMatching(
        /^The setting headers wants Cross-Origin-Resource-Policy, which \S+ cannot keep with a file: have it added where the files are answered, such as by a rule of the CDN\.$/,
      ),
    ]);
    expect(asked.length).toBe(4);
    expect(asked).toEqual(expect.arrayContaining(['a.txt a.txt', 'b.txt b.txt']));
    for (const [name, { cache }] of Object.entries(await store.objects())) {
      if (isFile(name)) expect([name, cache]).toEqual([name, 'private']);
    }
  });
});

describe.each([swift, azurite])('a dry run into $name', (kind) => {
  it.skipIf(kind.missing)('prints what would be sent and deleted, and only looks', async () => {
    const store = await kind.create();
    const settings = { compress: true };
    const own = site();
    await own.files(store.storage(), { settings }).collect();
    await store.storage().write('stray.txt', Buffer.from('stray'));
    own.change({ 'robots.txt': 'User-agent: x\n', 'css/base.css': 'b { margin: 0 }\n'.repeat(30) });
    const before = await store.objects();

    const folder = mkdtempSync(join(tmpdir(), 'staticfiles-test-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    vi.stubEnv('TMPDIR', folder);
    onTestFinished(() => void vi.unstubAllEnvs());
    const proxy = await proxyTo(store.origin);
    const dry = await own.call(
      store.storage({}, proxy.url),
      ['collectstatic', '--dry-run', '--clear'],
      { settings },
    );
    expect(dry).toMatchObject({ status: 0, err: '' });
    expect(proxy.count()).toBe(proxy.count('GET'));
    expect(await store.objects()).toEqual(before);
    expect(readdirSync(folder)).toEqual([]);
    const named = (out: string, verb: string) =>
      [...out.matchAll(new RegExp(`^${verb} '([^']+)'`, 'gm'))].map(([, name]) => name).sort();

    const real = await own.call(store.storage(), ['collectstatic', '--clear', '-v', '2'], {
      settings,
    });
    const sent = named(real.out, 'Sending');
    expect(sent.length).toBe(2 + 3 + 2 * 2);
    const told = named(dry.out, 'Pretending to send');
    expect(told).toEqual(expect.arrayContaining(sent));
    // Nobody has tried whether it gets smaller.
    const more = told.filter((name) => !sent.includes(name));
    expect(more.map((name = '') => name.replace(/\.[\da-f]+\./, '.'))).toEqual([
      'robots.txt.br',
      'robots.txt.gz',
    ]);
    expect(named(dry.out, 'Pretending to delete')).toEqual(named(real.out, 'Deleting'));
    expect(named(real.out, 'Deleting')).toContain('stray.txt');
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe.each([swift, azurite])('collectstatic --clear on $name', (kind) => {
  it.skipIf(kind.missing)('deletes what was not collected, once that is published', async () => {
    const store = await kind.create();
    const own = site();
    await own.files(store.storage()).collect();
    await store.storage().write('stray.txt', Buffer.from('stray'));
    own.change({ 'robots.txt': 'else' });
    own.remove('img/dot.png');
    const proxy = await proxyTo(store.origin);
    const { status, out } = await own.call(store.storage({}, proxy.url), [
      'collectstatic',
      '--clear',
      '--json',
    ]);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ deleted: expect.arrayContaining(['stray.txt']) });
    expect(out.trim().split('\n').length).toBe(1);
    const methods = proxy.requests.map((request) =>
      objectOf(request) === 'staticfiles.json' ? `${request.method} manifest` : request.method,
    );
    expect(methods.indexOf('DELETE')).toBeGreaterThan(methods.lastIndexOf('PUT manifest'));
    expect(await lacking(store.storage())).toEqual([]);
    const names = await fileNames(store.storage());
    expect(names.filter((name) => /stray|dot\.png|robots/.test(name)).length).toBe(2);
    expect(proxy.count('DELETE')).toBe(JSON.parse(out).deleted.length + 1); // and its mark
  });

  it.skipIf(kind.missing)('deletes nothing where publishing fails', async () => {
    const store = await kind.create();
    const own = site();
    await own.files(store.storage()).collect();
    await store.storage().write('stray.txt', Buffer.from('stray'));
    own.change({ 'robots.txt': 'else' });
    const proxy = await proxyTo(store.origin);
    proxy.before = async (request) =>
      request.method === 'PUT' && objectOf(request) === 'staticfiles.json'
        ? { status: 403 }
        : undefined;
    const { status } = await own.call(store.storage({}, proxy.url), ['collectstatic', '--clear']);
    expect([status, proxy.count('DELETE')]).toEqual([1, 0]);
  });

  it.skipIf(kind.missing)('and a roll-back at once: it waits for the end', async () => {
    const store = await kind.create();
    const own = site();
    const old = site();
    await old.files(store.storage()).collect();
    own.change({ 'robots.txt': 'else' });
    const proxy = await proxyTo(store.origin);
    let reached = () => {};
    const isClearing = new Promise<void>((resolve) => {
      reached = resolve;
    });
    let letGo = () => {};
    const isFree = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    proxy.before = async ({ method }) => {
      if (method !== 'DELETE') return;
      reached();
      await isFree;
      return undefined;
    };
    const clearing = own.files(store.storage({}, proxy.url)).collect({ clear: true });
    await isClearing;
    await old.files(store.storage()).collect({
      onEvent: ({ type }) => void (type === 'wait' && letGo()),
    });
    letGo();
    await clearing;
    expect(await lacking(store.storage())).toEqual([]);
  });

  it.skipIf(kind.missing)('keeps what a deploy has sent that has begun since', async () => {
    const store = await kind.create();
    const own = site();
    await own.files(store.storage()).collect();
    own.change({ 'robots.txt': 'else' });
    const next = site({ ...SMALL, 'robots.txt': 'next' });
    const [clearer, deployer] = [await proxyTo(store.origin), await proxyTo(store.origin)];
    const published = gate();
    const sent = gate();
    const cleared = gate();
    clearer.before = async (request) => {
      if (!objectOf(request).startsWith('.staticfiles/pruning/')) return;
      published.open();
      await sent.opened;
      return undefined;
    };
    deployer.before = async (request) => {
      if (request.method !== 'PUT' || objectOf(request) !== 'staticfiles.json') return;
      sent.open();
      await cleared.opened;
      return undefined;
    };
    const clearing = own.files(store.storage({}, clearer.url)).collect({ clear: true });
    await published.opened;
    const deploying = next.files(store.storage({}, deployer.url)).collect();
    await clearing;
    cleared.open();
    await deploying;
    expect(await lacking(store.storage())).toEqual([]);
    const { 'robots.txt': robots } = await store.objects();
    expect(robots?.body.toString()).toBe('next');
  });
});

describe.each([swift, azurite])('the manifest of files on $name', (kind) => {
  it.skipIf(kind.missing)('may be kept in a folder of this machine', async () => {
    const store = await kind.create();
    const folder = project({});
    const options = { hashed: { manifestStorage: fileSystemStorage({ root: folder }) } };
    const own = site();
    const proxy = await proxyTo(store.origin);
    const files = own.files(store.storage({}, proxy.url), options);
    await files.collect();
    const manifest = readFileSync(join(folder, 'staticfiles.json'), 'utf8');
    const names = await fileNames(store.storage());
    expect(names).not.toContain('staticfiles.json');
    expect(names).toEqual(expect.arrayContaining(Object.values(JSON.parse(manifest).paths)));
    expect(await files.collect()).toMatchObject({ sent: { files: 0 }, warnings: [] });
    own.change({ 'robots.txt': 'USER-agent: *\n' });
    expect(await files.collect()).toMatchObject({ sent: { files: 2 } });

    // Another image, which has none yet.
    const other = { hashed: { manifestStorage: fileSystemStorage({ root: project({}) }) } };
    expect(await own.files(store.storage(), other).collect()).toMatchObject({ sent: { files: 0 } });
    expect(await files.prune({ keep: 1 })).toMatchObject({ kept: [{}], dropped: [{}] });
    const left = await fileNames(store.storage());
    expect(left.filter((name) => name.startsWith('robots.')).length).toBe(2);
    expect(proxy.count('HEAD')).toBe(0);
  });

  it.skipIf(kind.missing)('and they may share a bucket, each site below a prefix', async () => {
    const store = await kind.create();
    const [one, two] = ['one', 'one/two'].map((prefix) => store.storage({ prefix }));
    if (one === undefined || two === undefined) throw new Error();
    const first = site();
    const second = site({ ...SMALL, 'robots.txt': 'other' });
    await second.files(two).collect();
    await first.files(one).collect();
    first.change({ 'robots.txt': 'else' });
    await first.files(one).collect();
    await first.files(one).prune({ keep: 1 });
    expect([await lacking(one), await lacking(two)]).toEqual([[], []]);
    await second.files(two).collect({ clear: true });
    expect([await lacking(one), await lacking(two)]).toEqual([[], []]);
    const { location = '' } = one;
    const { destination } = await first.files(one).collect();
    expect(destination).toBe(location);
    expect(location).toMatch(/\/one\/$/);
  });
});

describe.each([swift, azurite])('which names are on $name', (kind) => {
  it.skipIf(kind.missing)('is up to keepOriginals', async () => {
    for (const [keepOriginals, plain] of [
      [false, []],
      [
        ['robots.txt', 'img/**'],
        ['img/dot.png', 'robots.txt'],
      ],
    ] as const) {
      const store = await kind.create();
      const files = site().files(store.storage(), { hashed: { keepOriginals } });
      await files.collect();
      const names = (await fileNames(store.storage())).filter(isFile);
      expect(names.filter((name) => !isHashed(name))).toEqual(plain);
      expect(await files.collect()).toMatchObject({ sent: { files: 0 } });
      expect(await lacking(store.storage())).toEqual([]);
    }
  });

  it.skipIf(kind.missing)('and to prehashed; what changes under such a name is sent', async () => {
    const store = await kind.create();
    const own = site({ 'app-4f5e.js': 'one();\n'.repeat(50), 'a.txt': 'a' });
    const settings = { prehashed: ['app-*'], compress: true };
    const files = own.files(store.storage(), { settings });
    await files.collect();
    const { 'app-4f5e.js': app } = await store.objects();
    expect(app?.cache).toBe(IMMUTABLE);
    const proxy = await proxyTo(store.origin);
    const through = own.files(store.storage({}, proxy.url), { settings });
    expect(await through.collect()).toMatchObject({ sent: { files: 0 }, compressed: { made: 0 } });

    own.change({ 'app-4f5e.js': 'two();\n'.repeat(50) });
    await through.collect();
    expect(sentThrough(proxy.requests)).toEqual([
      'app-4f5e.js',
      'app-4f5e.js.br',
      'app-4f5e.js.gz',
    ]);
    const { 'app-4f5e.js': changed } = await store.objects();
    expect(changed?.body.toString()).toBe('two();\n'.repeat(50));
  });
});

describe('collecting', () => {
  it.skipIf(swift.missing)('works with a ready client, which alone knows the address', async () => {
    const { endpoint, region, credentials, bucket } = await swiftServer();
    const client = new S3Client({
      ...{ endpoint, region, credentials, forcePathStyle: true },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
    });
    const storage = s3Storage({ bucket: await bucket(), client });
    const own = site();
    const { status, err } = await own.call(storage, ['collectstatic']);
    expect({ status, err }).toEqual({ status: 0, err: expect.stringContaining('A warning') });
    expect(await lacking(storage)).toEqual([]);
  });

  it('tells of what is sent, and how far it has come', async () => {
    const store = await azurite.create();
    const events: CollectEvent[] = [];
    const own = site();
    const { sent } = await own
      .files(store.storage())
      .collect({ onEvent: (event) => void events.push(event) });
    const names = events.flatMap((event) => (event.type === 'send' ? [event.name] : []));
    expect(names.length).toBe(sent?.files);
    const last = events.findLast((event) => event.type === 'progress');
    expect(last).toMatchObject({
      stage: 'sending',
      done: sent?.files,
      total: sent?.files,
      bytes: sent?.bytes,
      totalBytes: sent?.bytes,
    });
    const hashed = names.filter(isHashed).map((name) => names.indexOf(name));
    const plain = names.filter((name) => !isHashed(name)).map((name) => names.indexOf(name));
    expect(Math.max(...hashed)).toBeLessThan(Math.min(...plain));
    expect(existsSync(join(own.root, 'collected'))).toBe(false);
  });
});
