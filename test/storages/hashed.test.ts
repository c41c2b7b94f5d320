import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import Handlebars from 'handlebars';
import nunjucks from 'nunjucks';
import { describe, expect, test, vi } from 'vitest';
import { registerStatic as registerHandlebars } from '../../adapters/handlebars.js';
import { registerStatic as registerNunjucks } from '../../adapters/nunjucks.js';
import {
  ManifestError,
  NameError,
  NotReadyError,
  SetupError,
  StorageError,
  UnknownNameError,
} from '../../src/errors.js';
import type { Settings } from '../../src/settings.js';
import { createStaticFiles, type StaticFiles } from '../../src/static-files.js';
import type { Storage, Version } from '../../src/storage.js';
import { fileSystemStorage } from '../../src/storages/filesystem.js';
import { type HashedStorageOptions, hashedStorage } from '../../src/storages/hashed.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { storageContract } from '../contracts/storage.js';
import { distantStore } from '../distant-store.js';
import { django } from '../django.js';
import { serve } from '../listen.js';
import { add, project } from '../project.js';
import { thrownBy } from '../thrown.js';
import { warnings } from '../warnings.js';

storageContract(
  'hashedStorage',
  async () => {
    const storage = hashedStorage({ over: memoryStorage(), strict: false });
    await storage.ready?.();
    return storage;
  },
  { hasEntries: true, hasVersions: true, writeIf: 'works' },
);

const PATHS = {
  'a.css': 'a.0123456789ab.css',
  'img/logo.png': 'img/logo.5d41402abc4b.png',
};

const manifest = (paths: object = PATHS, version = '1.0') => JSON.stringify({ paths, version });

const bytes = (text: string) => new TextEncoder().encode(text);

/** Files in production, with a static root that holds the manifest. */
function collected(text: string | undefined, options: HashedStorageOptions = {}) {
  const staticRoot = project(text === undefined ? {} : { 'staticfiles.json': text });
  const files = createStaticFiles({ staticRoot, debug: false, storage: hashedStorage(options) });
  return { ...files, staticRoot, file: join(staticRoot, 'staticfiles.json') };
}

/** A storage that is elsewhere: it has no paths. */
async function elsewhere(text: string): Promise<Storage> {
  const storage = memoryStorage();
  await storage.write('staticfiles.json', bytes(text));
  return storage;
}

/** A storage that settings do not complete, with some members of its own. */
function unattached({ attach, ...storage }: Storage, members: Partial<Storage> = {}): Storage {
  return { ...storage, ...members };
}

describe('in production', () => {
  test.each(['1.0', '1.1'])('names get their hashes from a manifest %s', (version) => {
    const { staticUrl } = collected(manifest(PATHS, version));
    expect(staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
    expect(staticUrl('img/logo.png?v=1')).toBe('/static/img/logo.5d41402abc4b.png?v=1');
  });

  test('the manifest is read at the first URL, and once', () => {
    const { staticUrl, file } = collected(manifest());
    expect(staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
    rmSync(file);
    expect(staticUrl('img/logo.png')).toBe('/static/img/logo.5d41402abc4b.png');
  });

  test('an unknown name throws, with the manifest and the nearest names in the message', () => {
    const { staticUrl, file } = collected(manifest());
    const error = thrownBy(() => staticUrl('img/Logo.png'));
    expect(error).toBeInstanceOf(UnknownNameError);
    expect(error).toMatchObject({
      given: 'img/Logo.png',
      near: ['img/logo.png'],
      message: `'img/Logo.png' is not in the manifest ${file}. Did you mean 'img/logo.png'? Run collectstatic if the file is new.`,
    });
    expect(thrownBy(() => staticUrl('something/else.txt'))).toMatchObject({ near: [] });
  });

  test('a hashed name is no name, but that it is near one', () => {
    const { staticUrl } = collected(manifest());
    expect(() => staticUrl('a.0123456789ab.css')).toThrow(UnknownNameError);
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])(
    'what objects inherit is in no manifest: %s',
    (name) => {
      expect(() => collected(manifest()).staticUrl(name)).toThrow(UnknownNameError);
    },
  );

  test('but a file may be called __proto__', () => {
    const text = '{"version":"1.0","paths":{"__proto__":"__proto__.0123456789ab"}}';
    expect(collected(text).staticUrl('__proto__')).toBe('/static/__proto__.0123456789ab');
  });

  test('with strict: false an unknown name keeps its plain URL', () => {
    const { staticUrl } = collected(manifest(), { strict: false });
    expect(staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
    expect(staticUrl('b c.css?v=1')).toBe('/static/b%20c.css?v=1');
    expect(() => staticUrl('../b.css')).toThrow(NameError);
  });

  test('names may be constant in templates, unless the manifest is looked at again', () => {
    expect(collected(manifest()).constantUrl('a.css')).toBe('/static/a.0123456789ab.css');
    expect(collected(manifest()).constantUrl('b.css')).toBeUndefined();
    expect(collected(undefined).constantUrl('a.css')).toBeUndefined();
    expect(collected(manifest(), { refresh: '30s' }).constantUrl('a.css')).toBeUndefined();
  });

  test('the manifest may have another name', () => {
    const staticRoot = project({ 'meta/names.json': manifest() });
    const storage = hashedStorage({ manifestName: 'meta/names.json' });
    const files = createStaticFiles({ staticRoot, debug: false, storage });
    expect(files.staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
  });

  test('and lie in another storage, so that URLs of remote files can be had at once', () => {
    const root = project({ 'staticfiles.json': manifest() });
    const over = memoryStorage({ baseUrl: 'https://cdn.example.com/' });
    const storage = hashedStorage({ over, manifestStorage: fileSystemStorage({ root }) });
    const files = createStaticFiles({ debug: false, storage });
    expect(files.staticUrl('a.css')).toBe('https://cdn.example.com/a.0123456789ab.css');
  });

  test('works alone too, over a storage that is complete', async () => {
    const storage = hashedStorage({ over: await elsewhere(manifest()) });
    await storage.ready?.();
    expect(storage.url('a.css')).toBe('/static/a.0123456789ab.css');
    expect(storage.hashing?.hashedName('a.css')).toBe('a.0123456789ab.css');
    expect(storage.hashing?.hashedName('b.css')).toBeUndefined();
    expect(() => hashedStorage().url('a.css')).toThrow(/has no storage under it yet/);
    expect(() => hashedStorage().list()).toThrow(SetupError);
  });
});

describe('a manifest that is not as it should be', () => {
  test('that is missing: it says where, and what to do', () => {
    const { staticUrl, file } = collected(undefined);
    const error = thrownBy(() => staticUrl('a.css'));
    expect(error).toBeInstanceOf(ManifestError);
    expect(error).toMatchObject({
      location: file,
      message: `There is no manifest at ${file}. Run collectstatic to write it; in development, set debug: true.`,
    });
  });

  test('that is missing and comes later: it is found then', () => {
    const { staticUrl, staticRoot } = collected(undefined);
    expect(() => staticUrl('a.css')).toThrow(ManifestError);
    add(staticRoot, { 'staticfiles.json': manifest() });
    expect(staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
  });

  test('that is missing, without strict: plain URLs', async () => {
    const { staticUrl, refresh } = collected(undefined, { strict: false });
    expect(staticUrl('a.css')).toBe('/static/a.css');
    await refresh();
    expect(staticUrl('a.css')).toBe('/static/a.css');
  });

  test.each([
    ['broken', '{"paths": {', 'is no JSON'],
    ['foreign', '{"src/main.js": {"file": "assets/main-4889e940.js"}}', "it has no 'paths'"],
    ['of a version to come', manifest({}, '9.0'), 'of version "9.0"'],
    ['with a name above the root', manifest({ 'a.css': '../a.css' }), 'is no name of a file'],
  ])('that is %s: it says so, without strict too', (_, text, why) => {
    for (const strict of [true, false]) {
      const { staticUrl, file } = collected(text, { strict });
      expect(thrownBy(() => staticUrl('a.css'))).toMatchObject({
        code: 'ERR_STATICFILES_MANIFEST',
        location: file,
        message: expect.stringContaining(why),
      });
    }
  });

  test('that cannot be read: the fault is the cause', async () => {
    const { staticUrl, ready, file } = collected(undefined);
    mkdirSync(file);
    const error = thrownBy(() => staticUrl('a.css')) as ManifestError;
    expect(error).toBeInstanceOf(ManifestError);
    expect(error.message).toContain(`The manifest ${file} cannot be read: EISDIR`);
    expect(error.cause).toMatchObject({ code: 'EISDIR' });
    await expect(ready()).rejects.toThrow(ManifestError);
  });

  test('that a storage elsewhere cannot read: the fault is the cause', async () => {
    const fault = new Error('connection refused');
    const over = unattached(memoryStorage(), { readVersion: () => Promise.reject(fault) });
    const files = createStaticFiles({ debug: false, storage: hashedStorage({ over }) });
    await expect(files.ready()).rejects.toMatchObject({
      code: 'ERR_STATICFILES_MANIFEST',
      message: expect.stringContaining("'staticfiles.json' cannot be read: connection refused"),
      cause: fault,
    });
  });
});

describe('a storage that is elsewhere', () => {
  const production = (over: Storage) =>
    createStaticFiles({ debug: false, storage: hashedStorage({ over }) });

  test('needs ready() before the first URL', async () => {
    const files = production(await elsewhere(manifest()));
    const error = thrownBy(() => files.staticUrl('a.css'));
    expect(error).toBeInstanceOf(NotReadyError);
    expect((error as NotReadyError).message).toContain('await files.ready() before the first URL');
    expect(files.constantUrl('a.css')).toBeUndefined();
    await files.ready();
    expect(files.staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
    expect(files.constantUrl('a.css')).toBe('/static/a.0123456789ab.css');
  });

  test('is asked once, however often ready() is called', async () => {
    const over = await elsewhere(manifest());
    const read = vi.spyOn(over, 'read');
    const readVersion = vi.spyOn(over, 'readVersion');
    const files = production(unattached(over));
    await Promise.all([files.ready(), files.ready()]);
    await files.ready();
    files.staticUrl('a.css');
    expect(readVersion).toHaveBeenCalledTimes(1);
    expect(read).toHaveBeenCalledTimes(0);
  });

  test('that has no manifest makes ready() fail, and a later one work', async () => {
    const over = memoryStorage();
    const files = production(over);
    await expect(files.ready()).rejects.toThrow("There is no manifest at 'staticfiles.json'.");
    await over.write('staticfiles.json', bytes(manifest()));
    await files.ready();
    expect(files.staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
  });

  test('is made ready itself', async () => {
    const ready = vi.fn(async () => {});
    const over = unattached(await elsewhere(manifest()), { ready });
    await production(over).ready();
    expect(ready).toHaveBeenCalledTimes(1);
  });

  test('whose URLs change makes none constant', async () => {
    const over = unattached(await elsewhere(manifest()), { stable: false });
    const files = production(over);
    await files.ready();
    expect(files.constantUrl('a.css')).toBeUndefined();
  });
});

describe('a manifest that is not where the files are', () => {
  const FILES = { 'staticfiles.json': manifest(), 'a.0123456789ab.css': 'a {}' };

  test('in the image, of files in a store: URLs need no ready(), and no store', async () => {
    const store = distantStore();
    store.fallSilent();
    const manifestStorage = fileSystemStorage({ root: project(FILES) });
    const storage = hashedStorage({ over: store.storage, manifestStorage, refresh: '20ms' });
    const files = createStaticFiles({ debug: false, storage });
    expect(files.staticUrl('a.css')).toBe('https://cdn.example.com/a.0123456789ab.css');
    await files.ready();
    await files.refresh();
    expect(store.asked).toEqual([]);
    expect(() => files.staticUrl('b.css')).toThrow(/in the manifest \/.*staticfiles\.json\./);
  });

  test('in a store, of files on this machine: URLs need ready(), and files are served', async () => {
    const store = distantStore();
    await store.publish(manifest());
    const { 'staticfiles.json': _, ...local } = FILES;
    const files = createStaticFiles({
      debug: false,
      staticRoot: project(local),
      storage: hashedStorage({ manifestStorage: store.storage }),
    });
    expect(() => files.staticUrl('a.css')).toThrow(NotReadyError);
    const origin = await serve(files.handler);
    const answers = await Promise.all(
      ['a.css', 'a.0123456789ab.css'].map((name) => fetch(`${origin}/static/${name}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual([200, 200]);
    expect(await answers[0]?.text()).toBe('a {}');
    expect(store.asked.length).toBe(1);
    await files.ready();
    expect(files.staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
    expect(store.asked.length).toBe(1);
  });
});

describe('the handler, where the files are elsewhere', () => {
  async function site() {
    const over = await elsewhere(manifest());
    await over.write('a.0123456789ab.css', bytes('a {}'));
    const files = createStaticFiles({ debug: false, storage: hashedStorage({ over }) });
    await files.ready();
    return files;
  }

  test('answers 404 alone, and hands requests on to who is behind it', async () => {
    const files = await site();
    const alone = await serve(files.handler);
    const behind = await serve((request, response) => {
      files.handler(request, response, () => response.end(`next of ${request.url}`));
    });
    for (const path of ['/static/a.0123456789ab.css', '/static/a.css', '/static/', '/page']) {
      expect((await fetch(alone + path)).status, path).toBe(404);
      expect(await (await fetch(behind + path)).text()).toBe(`next of ${path}`);
    }
    expect(await files.fetch(new Request('http://localhost/static/a.css'))).toBeUndefined();
  });

  test('needs no manifest for that, and so no ready()', async () => {
    const store = distantStore();
    store.fallSilent();
    const storage = hashedStorage({ over: store.storage });
    const { handler } = createStaticFiles({ debug: false, storage });
    expect((await fetch(`${await serve(handler)}/static/a.css`)).status).toBe(404);
    expect(store.asked).toEqual([]);
  });
});

test('after collecting into a store this process answers by the new manifest', async () => {
  const dir = project({ 'a.css': 'a { color: red }' });
  const over = memoryStorage({ baseUrl: 'https://cdn.example.com/' });
  const storage = hashedStorage({ over });
  const files = createStaticFiles({ debug: false, dirs: [dir], storage });
  await files.collect();
  const first = files.staticUrl('a.css');
  expect(await over.exists(first.replace('https://cdn.example.com/', ''))).toBe(true);
  add(dir, { 'a.css': 'a { color: blue }' });
  await files.collect();
  const second = files.staticUrl('a.css');
  expect(second).not.toBe(first);
  expect(await over.exists(second.replace('https://cdn.example.com/', ''))).toBe(true);
});

describe('refresh', () => {
  const next = manifest({ 'a.css': 'a.ffffffffffff.css' });

  test('reads the manifest again, and forgets URLs', async () => {
    const { staticUrl, staticRoot, refresh } = collected(manifest());
    expect(staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
    expect(staticUrl('a.css?v=1')).toBe('/static/a.0123456789ab.css?v=1');
    add(staticRoot, { 'staticfiles.json': next });
    expect(staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
    await refresh();
    expect(staticUrl('a.css')).toBe('/static/a.ffffffffffff.css');
    expect(staticUrl('a.css?v=1')).toBe('/static/a.ffffffffffff.css?v=1');
    expect(() => staticUrl('img/logo.png')).toThrow(UnknownNameError);
  });

  test.each([
    ['broken', '{"paths": {'],
    ['missing', undefined],
  ])('fails where the new one is %s, and the last good one stays', async (_, text) => {
    const { staticUrl, staticRoot, refresh, file } = collected(manifest());
    staticUrl('a.css');
    if (text === undefined) rmSync(file);
    else add(staticRoot, { 'staticfiles.json': text });
    await expect(refresh()).rejects.toThrow(ManifestError);
    expect(staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
    expect(staticUrl('img/logo.png')).toBe('/static/img/logo.5d41402abc4b.png');
  });

  test('asks the storage underneath to do so too', async () => {
    const refresh = vi.fn(async () => {});
    const over = unattached(await elsewhere(manifest()), { refresh });
    const files = createStaticFiles({ debug: false, storage: hashedStorage({ over }) });
    await files.ready();
    await files.refresh();
    expect(refresh).toHaveBeenCalledTimes(1);
  });

  test.each(['20ms', '0.02 s', 0.02])('%j looks again in the background', async (option) => {
    const { staticUrl, staticRoot } = collected(manifest(), { refresh: option });
    expect(staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
    add(staticRoot, { 'staticfiles.json': next });
    await expect.poll(() => staticUrl('a.css')).toBe('/static/a.ffffffffffff.css');
  });

  test('looks no sooner than it was told', async () => {
    const over = await elsewhere(manifest());
    const readVersion = vi.spyOn(over, 'readVersion');
    const storage = hashedStorage({ over, refresh: '1h' });
    await storage.ready?.();
    for (let i = 0; i < 100; i++) storage.url('a.css');
    expect(readVersion).toHaveBeenCalledTimes(1);
  });

  test('never looks twice at the same time', async () => {
    const over = await elsewhere(manifest());
    const answers: ((version: Version) => void)[] = [];
    const storage = hashedStorage({ over, refresh: '1ms' });
    await storage.ready?.();
    const read = vi.spyOn(over as Required<Storage>, 'readVersion');
    read.mockImplementation(() => new Promise((resolve) => void answers.push(resolve)));
    for (let i = 0; i < 5; i++) {
      await new Promise((resolve) => setTimeout(resolve, 5));
      storage.url('a.css');
    }
    expect(read).toHaveBeenCalledTimes(1);
    answers[0]?.({ body: bytes(next), tag: 'next' });
    await expect.poll(() => storage.url('a.css')).toBe('/static/a.ffffffffffff.css');
    await expect
      .poll(() => {
        storage.url('a.css');
        return read.mock.calls.length;
      })
      .toBe(2);
  });

  test('in the background warns of a broken one, and goes on with the last good one', async () => {
    const { staticUrl, staticRoot, file } = collected(manifest(), { refresh: '20ms' });
    staticUrl('a.css');
    const heard = warnings(file);
    add(staticRoot, { 'staticfiles.json': '{"paths": {' });
    await expect
      .poll(() => {
        expect(staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
        return heard[0];
      })
      .toMatch(/^StaticFilesWarning: .*The last good one stays\./);
    expect(heard[0]).toContain(`${file} is no JSON`);
    add(staticRoot, { 'staticfiles.json': next });
    await expect.poll(() => staticUrl('a.css')).toBe('/static/a.ffffffffffff.css');
    await expect.poll(() => heard[1]).toContain(`The manifest ${file} can be read again`);
  });

  test('of a store is conditional, and fails where it is away, and the last good one stays', async () => {
    const store = distantStore();
    await store.publish(manifest());
    const storage = hashedStorage({ over: store.storage });
    const files = createStaticFiles({ debug: false, storage });
    await files.ready();
    await files.refresh();
    await store.publish(next);
    expect(files.staticUrl('a.css')).toBe('https://cdn.example.com/a.0123456789ab.css');
    await files.refresh();
    expect(files.staticUrl('a.css')).toBe('https://cdn.example.com/a.ffffffffffff.css');
    expect(store.asked).toEqual([undefined, '1', '1']);
    store.leave(new StorageError('s3://bucket/site/ is away.'));
    await expect(files.refresh()).rejects.toThrow(
      new ManifestError(
        'The manifest s3://bucket/site/staticfiles.json cannot be read: s3://bucket/site/ is away.',
        's3://bucket/site/staticfiles.json',
      ),
    );
    expect(files.staticUrl('a.css')).toBe('https://cdn.example.com/a.ffffffffffff.css');
  });

  test('of a store that is away does not stop pages, and they change when it is back', async () => {
    const heard = warnings('s3://bucket/site/staticfiles.json');
    const store = distantStore();
    await store.publish(manifest());
    const storage = hashedStorage({ over: store.storage, refresh: '20ms' });
    const { ready, staticUrl } = createStaticFiles({ debug: false, storage });
    await ready();
    store.leave(new StorageError('s3://bucket/site/ is away.'));
    await store.publish(next);
    await expect
      .poll(() => {
        expect(staticUrl('a.css')).toBe('https://cdn.example.com/a.0123456789ab.css');
        return store.asked.length;
      })
      .toBeGreaterThan(4);
    store.comeBack();
    await expect.poll(() => staticUrl('a.css')).toBe('https://cdn.example.com/a.ffffffffffff.css');
    await expect.poll(() => heard.length).toBe(2);
    expect(heard[0]).toContain('s3://bucket/site/ is away. The last good one stays.');
    expect(heard[1]).toContain('s3://bucket/site/staticfiles.json can be read again, after');
  });

  describe.each<[string, (files: StaticFiles) => () => string]>([
    [
      'Nunjucks',
      (files) => {
        const env = new nunjucks.Environment(null);
        registerNunjucks(env, files);
        const text = "{% static 'a.css' %} {% static 'a.css?v=1' %} <% static 'a.css' %>";
        const template = nunjucks.compile(text, env);
        return () => template.render({});
      },
    ],
    [
      'Handlebars',
      (files) => {
        const handlebars = Handlebars.create();
        registerHandlebars(handlebars, files);
        const text = "{{{static 'a.css'}}} {{{static 'a.css?v=1'}}} <<static 'a.css'>>";
        const template = handlebars.compile(text, { noEscape: true });
        return () => template({});
      },
    ],
  ])('a template of %s that is compiled', (_, compiled) => {
    const page = (hash: string) =>
      ['', '?v=1', ''].map((suffix) => `https://cdn.example.com/a.${hash}.css${suffix}`).join(' ');

    async function site(refresh: string | false) {
      const store = distantStore();
      await store.publish(manifest());
      const storage = hashedStorage({ over: store.storage, refresh });
      const files = createStaticFiles({ debug: false, storage });
      await files.ready();
      const render = compiled(files);
      expect(render()).toBe(page('0123456789ab'));
      await store.publish(next);
      return { files, render };
    }

    test('has the new URLs after the switch', async () => {
      const { render } = await site('20ms');
      await expect.poll(render).toBe(page('ffffffffffff'));
    });

    test('keeps its URLs where nothing looks again', async () => {
      const { files, render } = await site(false);
      await files.refresh();
      expect(render()).toBe(page('0123456789ab'));
    });
  });

  test.each([true, 0, -1, Number.NaN, '30', 's', '-5s', '0s', '5 x', '1y', '', null, {}])(
    '%j is refused',
    (refresh) => {
      expect(() => hashedStorage({ refresh: refresh as string })).toThrow(
        /^hashedStorage\(\)'s refresh must be false, seconds, or a text such as '30s' or '5m', not/,
      );
    },
  );
});

describe('in development', () => {
  const sources = { 'img/logo.png': 'logo', 'a.scss~': 'x', 'dir/.hidden/x.css': 'x' };

  function developed(options: HashedStorageOptions = {}, settings: Settings = {}) {
    const dir = project(sources);
    const storage = hashedStorage(options);
    const files = createStaticFiles({ dirs: [dir], debug: true, storage, ...settings });
    return { ...files, dir };
  }

  test('URLs have no hash, and need no manifest', async () => {
    const { staticUrl, ready, refresh } = developed();
    await ready();
    expect(staticUrl('img/logo.png')).toBe('/static/img/logo.png');
    expect(staticUrl('/img//logo.png#x')).toBe('/static/img/logo.png#x');
    expect(staticUrl('')).toBe('/static/');
    expect(staticUrl('no/such/folder/')).toBe('/static/no/such/folder/');
    await refresh();
  });

  test('but an unknown name fails, as it would in production', () => {
    const { staticUrl, dir } = developed();
    const error = thrownBy(() => staticUrl('img/lgo.png'));
    expect(error).toBeInstanceOf(UnknownNameError);
    expect(error).toMatchObject({
      given: 'img/lgo.png',
      near: ['img/logo.png'],
      message: `'img/lgo.png' is found by no finder in ${dir}. Did you mean 'img/logo.png'?`,
    });
  });

  test.each(['img/Logo.png', 'IMG/logo.png', 'img/logo.PNG'])('so does wrong case: %s', (name) => {
    expect(thrownBy(() => developed().staticUrl(name))).toMatchObject({ near: ['img/logo.png'] });
  });

  test.each(['a.scss~', 'dir/.hidden/x.css'])('and what collecting leaves out: %s', (name) => {
    const { staticUrl } = developed();
    const error = thrownBy(() => staticUrl(name));
    expect(error).toBeInstanceOf(UnknownNameError);
    expect((error as Error).message).toBe(
      `'${name}' is left out by the setting ignore (CVS .* *~), and will not be collected.`,
    );
    expect(developed({}, { ignore: [] }).staticUrl(name)).toBe(`/static/${name}`);
  });

  test('a file whose name holds what else begins a suffix is known whole, as to a manifest', () => {
    const { staticUrl, dir } = developed();
    add(dir, { 'a#b.css': '', 'what?.css': '' });
    expect(staticUrl('a#b.css')).toBe('/static/a%23b.css');
    expect(staticUrl('what?.css')).toBe('/static/what%3F.css');
    expect(() => staticUrl('a#c.css')).toThrow("'a' is found by no finder");
  });

  test('and a folder without its slash', () => {
    expect(() => developed().staticUrl('img')).toThrow(UnknownNameError);
  });

  test('not with strict: false', () => {
    const { staticUrl } = developed({ strict: false });
    expect(staticUrl('nothing.css')).toBe('/static/nothing.css');
    expect(() => staticUrl('../nothing.css')).toThrow(NameError);
  });

  test('files that come and go are seen at once', () => {
    const { staticUrl, constantUrl, dir } = developed();
    expect(() => staticUrl('new.css')).toThrow(UnknownNameError);
    add(dir, { 'new.css': '' });
    expect(staticUrl('new.css')).toBe('/static/new.css');
    rmSync(join(dir, 'new.css'));
    expect(() => staticUrl('new.css')).toThrow(UnknownNameError);
    expect(constantUrl('img/logo.png')).toBeUndefined();
  });

  test('files of a storage elsewhere have URLs here, and it is asked for nothing', async () => {
    const store = distantStore();
    const [ready, refresh] = [vi.fn(async () => {}), vi.fn(async () => {})];
    store.fallSilent();
    const over = { ...store.storage, ready, refresh };
    const files = developed({ over, refresh: '1ms' });
    await files.ready();
    await files.refresh();
    expect(files.staticUrl('img/logo.png?v=1')).toBe('/static/img/logo.png?v=1');
    expect(files.staticUrl('')).toBe('/static/');
    expect(files.staticUrl('a b/')).toBe('/static/a%20b/');
    expect(() => files.staticUrl('img/lgo.png')).toThrow(UnknownNameError);
    expect([store.asked.length, ready.mock.calls.length, refresh.mock.calls.length]).toEqual([
      0, 0, 0,
    ]);
    const origin = await serve(files.handler);
    const response = await fetch(`${origin}/static/img/logo.png?v=1`);
    expect([response.status, await response.text()]).toEqual([200, 'logo']);
    expect(store.asked.length).toBe(0);
  });

  test('they are under the setting staticUrl, whatever it is', () => {
    const { storage } = distantStore();
    const url = (staticUrl: string) =>
      developed({ over: storage }, { staticUrl, scriptName: 'app' }).staticUrl('img/logo.png');
    expect(url('s/')).toBe('/app/s/img/logo.png');
    expect(url('https://pull.example.com/')).toBe('https://pull.example.com/img/logo.png');
  });

  test('a plain storage elsewhere, and one of this machine, keep their own URLs', async () => {
    const { storage } = distantStore();
    expect(createStaticFiles({ debug: true, storage }).staticUrl('img/logo.png')).toBe(
      'https://cdn.example.com/img/logo.png',
    );
    const ready = vi.fn(async () => {});
    const { attach, ...local } = fileSystemStorage({ root: project({}), baseUrl: '/own/' });
    const files = developed({ over: { ...local, ready } });
    await files.ready();
    expect(ready).toHaveBeenCalledTimes(1);
    expect(files.staticUrl('img/logo.png')).toBe('/own/img/logo.png');
  });
});

describe('what stands under it', () => {
  /** A storage as a class, which needs its `this`. */
  class OwnStorage implements Storage {
    readonly stable = true;
    readonly #files = new Map<string, Uint8Array>();
    async read(name: string) {
      return this.#files.get(name);
    }
    async write(name: string, body: Uint8Array) {
      this.#files.set(name, body);
    }
    async delete(name: string) {
      this.#files.delete(name);
    }
    async exists(name: string) {
      return this.#files.has(name);
    }
    async stat(name: string) {
      const body = this.#files.get(name);
      return body && { size: body.length, mtimeMs: 0 };
    }
    async *list() {
      yield* this.#files.keys();
    }
    url(name: string) {
      return `own:${this.#files.size}:${name}`;
    }
  }

  async function ownStorage() {
    const storage = new OwnStorage();
    await storage.write('staticfiles.json', bytes(manifest()));
    return storage;
  }

  test.each<[string, (own: Storage) => Settings['storage']]>([
    ['a storage of a class of its own', (own) => hashedStorage({ over: own })],
    ['a function that answers one', (own) => hashedStorage({ over: () => own })],
    ['itself given as a function', (own) => () => hashedStorage({ over: own })],
    ['both', (own) => () => hashedStorage({ over: () => own, manifestStorage: () => own })],
  ])('may be %s', async (_, storage) => {
    const files = createStaticFiles({ debug: false, storage: storage(await ownStorage()) });
    await files.ready();
    expect(files.staticUrl('a.css')).toBe('own:1:a.0123456789ab.css');
    expect(files.staticUrl('dir/')).toBe('own:1:dir/');
  });

  test('keeps what it has beyond the contract: paths, and a way for local files', async () => {
    class LocalStorage extends OwnStorage {
      readonly root = resolve('own');
      path(name: string) {
        return join(this.root, name);
      }
      writeFile = vi.fn(async (name: string) => this.write(name, bytes(this.root)));
    }
    const own = new LocalStorage();
    const storage = hashedStorage({ over: own });
    expect(storage.path?.('a.css')).toBe(resolve('own/a.css'));
    await storage.writeFile?.('a.css', '/source.css', { mtimeMs: 7 });
    expect(own.writeFile.mock.calls).toEqual([['a.css', '/source.css', { mtimeMs: 7 }]]);
    expect(await storage.read('a.css')).toEqual(bytes(own.root));
    const bare = hashedStorage({ over: new OwnStorage() });
    expect([bare.path, bare.writeFile]).toEqual([undefined, undefined]);
  });

  test('a function is handed the settings', () => {
    const over = vi.fn(() => memoryStorage());
    const settings = createStaticFiles({ storage: hashedStorage({ over }), dirs: [project({})] });
    expect(() => settings.staticUrl('a.css')).toThrow(UnknownNameError);
    expect(over.mock.calls).toEqual([[settings.settings]]);
  });

  test.each([
    ['nothing', () => undefined, 'undefined'],
    ['a promise', async () => memoryStorage(), 'a promise'],
    ['something else', () => ({ url: () => '' }), 'an object'],
  ])('a function that answers %s is refused', (_, over, kind) => {
    const storages = [over, hashedStorage({ over: over as never })] as never[];
    for (const storage of storages) {
      const files = createStaticFiles({ storage, debug: false });
      expect(thrownBy(() => files.staticUrl('a.css'))).toEqual(
        new SetupError(`The function that is given as a storage must answer one, not ${kind}.`),
      );
    }
  });
});

describe('options', () => {
  test.each([true, false])('keepOriginals is carried by the contract, with debug: %s', (debug) => {
    const kept = (options: HashedStorageOptions) => {
      const storage = hashedStorage(options);
      const files = createStaticFiles({ staticRoot: project({}), debug, storage });
      return files.storage.hashing?.keepOriginals;
    };
    expect(kept({})).toBe(true);
    expect(kept({ keepOriginals: undefined })).toBe(true);
    expect(kept({ keepOriginals: true })).toBe(true);
    expect(kept({ keepOriginals: false })).toBe(false);
    expect(kept({ keepOriginals: [] })).toEqual([]);
    expect(kept({ keepOriginals: ['favicon.ico'] })).toEqual(['favicon.ico']);
  });

  test('a list of globs is a copy', () => {
    const globs = ['favicon.ico'];
    const { hashing } = hashedStorage({ over: memoryStorage(), keepOriginals: globs });
    globs.push('robots.txt');
    expect(hashing?.keepOriginals).toEqual(['favicon.ico']);
  });

  test.each([
    [{ stric: true }, "'stric' is no option of hashedStorage(). Did you mean 'strict'?"],
    [{ strict: 'false' }, "hashedStorage()'s strict must be true or false."],
    [{ manifestName: '' }, "hashedStorage()'s manifestName must be the name of a file."],
    [{ manifestName: 7 }, "hashedStorage()'s manifestName must be the name of a file."],
    [{ manifestName: 'meta/' }, "hashedStorage()'s manifestName must be the name of a file."],
    [{ manifestName: '../x.json' }, "hashedStorage()'s manifestName must be the name of a file."],
    [
      { over: 'memory' },
      "hashedStorage()'s over must be a storage, or a function that answers one, not 'memory'.",
    ],
    [
      { keepOriginal: false },
      "'keepOriginal' is no option of hashedStorage(). Did you mean 'keepOriginals'?",
    ],
    ...['favicon.ico', null, 0, ['a', ''], ['!a'], [/a/]].map((keepOriginals): [object, string] => [
      { keepOriginals },
      "hashedStorage()'s keepOriginals must be true, false, or a list of globs such as ['favicon.ico', 'robots.txt'].",
    ]),
    [
      { manifestStorage: {} },
      "hashedStorage()'s manifestStorage must be a storage, or a function that answers one, not an object.",
    ],
  ])('%j is refused', (options, message) => {
    expect(() => hashedStorage(options as object)).toThrow(new SetupError(message));
  });

  test('another of its kind underneath is refused, given or answered', () => {
    const refusal = new SetupError(
      "hashedStorage()'s over must be the storage of the files themselves, not another hashedStorage(): names get one hash.",
    );
    const inner = hashedStorage();
    expect(() => hashedStorage({ over: inner })).toThrow(refusal);
    for (const debug of [true, false]) {
      const files = createStaticFiles({ debug, storage: hashedStorage({ over: () => inner }) });
      expect(() => files.storage).toThrow(refusal);
    }
  });

  test('undefined is the same as absent', () => {
    const options = {
      over: undefined,
      strict: undefined,
      manifestName: undefined,
      manifestStorage: undefined,
      refresh: undefined,
      keepOriginals: undefined,
    };
    const { staticUrl } = collected(manifest(), options);
    expect(staticUrl('a.css')).toBe('/static/a.0123456789ab.css');
    expect(() => staticUrl('b.css')).toThrow(UnknownNameError);
  });
});

/** Collects with real Django, and answers what it gives as each name's URL. */
const COLLECT = `
import json, sys
import django
from django.conf import settings
job = json.load(sys.stdin)
kind = 'django.contrib.staticfiles.storage.ManifestStaticFilesStorage'
storage = {'STATICFILES_STORAGE': kind} if django.VERSION < (4, 2) else {
    'STORAGES': {'staticfiles': {'BACKEND': kind}}}
settings.configure(
    DEBUG=False, STATIC_URL='/static/', STATIC_ROOT=job['root'], STATICFILES_DIRS=[job['dir']],
    INSTALLED_APPS=['django.contrib.staticfiles'], SECRET_KEY='x', **storage)
django.setup()
from django.core.management import call_command
from django.templatetags.static import static
call_command('collectstatic', verbosity=0, interactive=False)
json.dump({name: static(name) for name in job['names']}, sys.stdout)
`;

describe(`a manifest of Django ${django.version}${django.why}`, () => {
  const sources = {
    'css/base.css': 'body { background: url("../img/logo.png") }',
    'img/logo.png': 'logo',
    noext: 'x',
    'a.tar.gz': 'x',
    'a b.txt': 'x',
    'ünï/⊗.txt': 'x',
    'emoji/😀.png': 'x',
    'a+b&c.js': 'x',
  };

  test.skipIf(!django.installed)('gives the same files', () => {
    const staticRoot = project({});
    const names = Object.keys(sources);
    const output = execFileSync(django.python, ['-W', 'ignore', '-c', COLLECT], {
      input: JSON.stringify({ root: staticRoot, dir: project(sources), names }),
      encoding: 'utf8',
      env: { ...process.env, PYTHONUTF8: '1' },
    });
    const theirs: Record<string, string> = JSON.parse(output);
    const files = createStaticFiles({ staticRoot, debug: false, storage: hashedStorage() });
    for (const name of names) {
      const url = files.staticUrl(name);
      expect(decodeURIComponent(url)).toBe(theirs[name]);
      const path = join(staticRoot, decodeURIComponent(url).slice('/static/'.length));
      expect(readFileSync(path).length, path).toBeGreaterThan(0);
    }
    expect(files.staticUrl('css/base.css')).toMatch(/^\/static\/css\/base\.[\da-f]{12}\.css$/);
    expect(() => files.staticUrl('css/bases.css')).toThrow(UnknownNameError);
  });
});
