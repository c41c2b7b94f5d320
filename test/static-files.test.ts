import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, test, vi } from 'vitest';
import {
  ManifestError,
  NameError,
  NotReadyError,
  SettingsError,
  SetupError,
  StorageError,
} from '../src/errors.js';
import type { Finder } from '../src/finder.js';
import { createStaticFiles } from '../src/static-files.js';
import { hashedStorage } from '../src/storages/hashed.js';
import { memoryStorage } from '../src/storages/memory.js';
import { distantStore, manifestOf } from './distant-store.js';
import { start } from './process.js';
import { add, project } from './project.js';
import { thrownBy } from './thrown.js';

describe('createStaticFiles', () => {
  test('needs no settings', () => {
    const files = createStaticFiles();
    expect(files.staticUrl('a.css')).toBe('/static/a.css');
    expect(files.find('a.css')).toBeUndefined();
  });

  test('throws at once for settings that are wrong', () => {
    expect(() => createStaticFiles({ staticUrl: '/static' })).toThrow(SettingsError);
    const notAwaited = Promise.resolve({}) as object;
    expect(() => createStaticFiles(notAwaited)).toThrow(/not a promise\. Write await before it/);
  });

  test('builds each part on its first use, and once', async () => {
    const storage = vi.fn(() => memoryStorage());
    const finder = vi.fn((): Finder => ({ find: () => [], list: () => [] }));
    const files = createStaticFiles({ storage, finders: [finder] });
    expect([storage, finder].map((part) => part.mock.calls.length)).toEqual([0, 0]);
    files.staticUrl('a.css');
    files.staticUrl('b.css');
    expect([storage, finder].map((part) => part.mock.calls.length)).toEqual([1, 0]);
    files.find('a.css');
    await files.check();
    expect([storage, finder].map((part) => part.mock.calls)).toEqual([
      [[files.settings]],
      [[files.settings]],
    ]);
  });

  test('its functions need no this', async () => {
    const dir = project({ 'a.css': 'a' });
    const files = createStaticFiles({ dirs: [dir], mediaUrl: '/media/' });
    const { staticUrl, mediaUrl, constantUrl, find, locations, ready, refresh, check } = files;
    expect(staticUrl('a.css')).toBe('/static/a.css');
    expect(mediaUrl('a.css')).toBe('/media/a.css');
    expect(constantUrl('a.css')).toBe('/static/a.css');
    expect(find('a.css')).toBe(join(dir, 'a.css'));
    expect(locations()).toEqual([dir]);
    await ready();
    await refresh();
    expect(await check()).toEqual([]);
  });
});

describe('mediaUrl', () => {
  test.each([
    ['/media/', 'a b.jpg', '/media/a%20b.jpg'],
    ['https://media.example.com/', '/x//y.jpg', 'https://media.example.com/x/y.jpg'],
    ['/media/', '', '/media/'],
    ['/media/', 'x.svg#icon', '/media/x.svg#icon'],
    ['media/', 'x.jpg', '/app/media/x.jpg'],
  ])('under %j of %j is %j', (mediaUrl, name, url) => {
    expect(createStaticFiles({ mediaUrl, scriptName: 'app' }).mediaUrl(name)).toBe(url);
  });

  test('has an empty prefix where there is no setting, as in Django', () => {
    expect(createStaticFiles().mediaUrl('')).toBe('');
    expect(createStaticFiles().mediaUrl('a b.jpg')).toBe('a%20b.jpg');
  });

  test('refuses what staticUrl refuses', () => {
    expect(() => createStaticFiles().mediaUrl('../x')).toThrow(NameError);
  });
});

describe('find', () => {
  test('answers the first file of a name, or all', () => {
    const first = project({ 'a.css': '1', 'b.css': '1' });
    const app = project({ 'static/a.css': '2' });
    const { find } = createStaticFiles({ dirs: [first], apps: [app] });
    expect(find('a.css')).toBe(join(first, 'a.css'));
    expect(find('a.css', { all: true })).toEqual([
      join(first, 'a.css'),
      join(app, 'static', 'a.css'),
    ]);
    expect(find('b.css', { all: true })).toEqual([join(first, 'b.css')]);
    expect(find('c.css')).toBeUndefined();
    expect(find('c.css', { all: true })).toEqual([]);
  });

  test('dirs come before apps, as in Django, unless finders says otherwise', () => {
    const dir = project({ 'a.css': '1' });
    const app = project({ 'static/a.css': '2' });
    expect(createStaticFiles({ dirs: [dir], apps: [app] }).locations()).toEqual([
      dir,
      join(app, 'static'),
    ]);
    expect(createStaticFiles({ dirs: [dir], apps: [app], finders: [] }).locations()).toEqual([]);
  });

  test('makes the name safe, and refuses what leaves the folders', () => {
    const dir = project({ 'in/a.css': '1', 'secret.txt': 'x' });
    const { find } = createStaticFiles({ dirs: [join(dir, 'in')] });
    expect(find('/./a.css')).toBe(join(dir, 'in', 'a.css'));
    expect(() => find('../secret.txt')).toThrow(NameError);
    expect(() => find(undefined as never)).toThrow(NameError);
  });

  test('of a finder of one’s own, which must answer a list', () => {
    const found = { name: 'a.css', path: resolve('a.css') };
    const own = (answer: unknown) =>
      createStaticFiles({ finders: [{ find: () => answer as never, list: () => [] }] });
    expect(own([found]).find('a.css')).toBe(found.path);
    for (const answer of [undefined, found, found.path, Promise.resolve([found])]) {
      expect(thrownBy(() => own(answer).find('a.css'))).toEqual(
        new SetupError(
          'finders[0].find() must answer an array of { name, path }, and [] where it finds nothing.',
        ),
      );
    }
  });

  test.each([
    ['nothing', () => undefined, 'undefined'],
    ['a promise', async () => ({}), 'a promise'],
    ['something else', () => ({ find() {} }), 'an object'],
  ])('of a function that answers %s says so', (_, finder, kind) => {
    const files = createStaticFiles({ finders: [finder as never] });
    expect(thrownBy(() => files.find('a.css'))).toEqual(
      new SetupError(`The function that is given as a finder must answer one, not ${kind}.`),
    );
  });
});

describe('refresh', () => {
  test('forgets URLs, even where the storage fails at it', async () => {
    let version = 1;
    const { attach, ...memory } = memoryStorage();
    const storage = {
      ...memory,
      url: (name: string) => `/v${version}/${name}`,
      refresh: async () => {
        version++;
        if (version === 3) throw new Error('half done');
      },
    };
    const files = createStaticFiles({ storage });
    expect(files.staticUrl('a.css')).toBe('/v1/a.css');
    await files.refresh();
    expect(files.staticUrl('a.css')).toBe('/v2/a.css');
    await expect(files.refresh()).rejects.toThrow('half done');
    expect(files.staticUrl('a.css')).toBe('/v3/a.css');
  });
});

describe('ready', () => {
  const PLACE = 's3://bucket/site/staticfiles.json';

  async function site() {
    const store = distantStore();
    await store.publish(manifestOf({ 'a.css': 'a.0123456789ab.css' }));
    const storage = hashedStorage({ over: store.storage });
    return { store, ...createStaticFiles({ debug: false, storage }) };
  }

  const faultOf = (promise: Promise<unknown>) =>
    promise.then(
      () => undefined,
      (error: unknown) => error as Error,
    );

  test('waits no longer than it is told, and says for what, how long, where, and what to do', async () => {
    const { store, ready, staticUrl } = await site();
    store.fallSilent();
    const error = await faultOf(ready({ timeout: '50ms' }));
    expect(error).toBeInstanceOf(NotReadyError);
    expect(error?.message).toBe(
      `The manifest ${PLACE} has not been read after 0.05 s: the storage has not answered. Check that it is up and can be reached from here (network, endpoint, credentials), or wait longer: files.ready({ timeout: '2m' }).`,
    );
    const later = thrownBy(() => staticUrl('a.css')) as NotReadyError;
    expect(later).toBeInstanceOf(NotReadyError);
    expect(later.message).toContain(`${PLACE} is not on this machine and has not been read yet`);
    expect(later.message).toContain('its storage has not answered for 0.');
  });

  test('begins anew after that, for what was given up may never end', async () => {
    const { store, ready, staticUrl } = await site();
    store.fallSilent();
    await expect(ready({ timeout: 0.02 })).rejects.toThrow(NotReadyError);
    await expect(ready({ timeout: 0.02 })).rejects.toThrow(NotReadyError);
    store.comeBack();
    await Promise.all([ready(), ready(), ready()]);
    expect(staticUrl('a.css')).toBe('https://cdn.example.com/a.0123456789ab.css');
    await ready();
    expect(store.asked.length).toBe(3);
  });

  test('a slow answer is taken, though somebody did not wait for it', async () => {
    const { store, ready, staticUrl } = await site();
    store.hold();
    const patient = ready({ timeout: false });
    await expect(ready({ timeout: '20ms' })).rejects.toThrow(NotReadyError);
    expect(store.asked.length).toBe(1);
    store.release();
    await patient;
    expect(staticUrl('a.css')).toBe('https://cdn.example.com/a.0123456789ab.css');
  });

  test('who waits for what never comes, is ready when somebody else is', async () => {
    const { store, ready } = await site();
    store.fallSilent();
    const patient = ready({ timeout: '300ms' });
    await expect(ready({ timeout: '20ms' })).rejects.toThrow(NotReadyError);
    store.comeBack();
    await ready();
    await patient;
  });

  test('a fault is told at once, as its own error, and the next call tries again', async () => {
    const { store, ready, staticUrl } = await site();
    const refusal = new StorageError('s3://bucket/site/ refuses these credentials.');
    store.leave(refusal);
    const error = await faultOf(ready({ timeout: '1h' }));
    expect(error).toBeInstanceOf(ManifestError);
    expect(error).toMatchObject({ cause: refusal });
    const later = thrownBy(() => staticUrl('a.css'));
    expect(later).toBeInstanceOf(NotReadyError);
    expect(later).toMatchObject({ cause: error, message: expect.stringContaining('credentials') });
    store.comeBack();
    await store.storage.delete('staticfiles.json');
    await expect(ready()).rejects.toThrow(`There is no manifest at ${PLACE}.`);
    await store.publish('{"paths": {');
    await expect(ready()).rejects.toThrow(`${PLACE} is no JSON`);
    await store.publish(manifestOf({ 'a.css': 'a.ffffffffffff.css' }));
    await ready();
    expect(staticUrl('a.css')).toBe('https://cdn.example.com/a.ffffffffffff.css');
  });

  test('after a fault, no answer is told with what was said last', async () => {
    const { store, ready } = await site();
    store.leave(new StorageError('s3://bucket/site/ is away.'));
    const said = await faultOf(ready());
    store.fallSilent();
    const error = await faultOf(ready({ timeout: '20ms' }));
    expect(error).toBeInstanceOf(NotReadyError);
    expect(error?.cause).toBe(said);
    expect(error?.message).toMatch(
      /The attempt before failed: The manifest .* cannot be read: s3:.* is away\.$/,
    );
    store.comeBack();
    await ready();
    store.fallSilent();
    await ready({ timeout: '20ms' }); // it has been read
  });

  test('a plain storage may have to get ready too', async () => {
    const { attach, ...memory } = memoryStorage();
    const silent = { ...memory, ready: () => new Promise<void>(() => {}) };
    await expect(createStaticFiles({ storage: silent }).ready({ timeout: 0.02 })).rejects.toThrow(
      'The storage of the static files is not ready after 0.02 s: the storage has not answered.',
    );
    const placed = { ...silent, location: 's3://bucket/site/' };
    await expect(createStaticFiles({ storage: placed }).ready({ timeout: 0.02 })).rejects.toThrow(
      'The storage s3://bucket/site/ is not ready after 0.02 s',
    );
  });

  test('what there is nothing to wait for, is ready', async () => {
    await createStaticFiles().ready();
    await createStaticFiles({ storage: memoryStorage() }).ready({ timeout: 1 });
    const { ready, store } = await site();
    await ready({ timeout: '10000d' }); // more than a timer can wait
    await ready({ timeout: Number.POSITIVE_INFINITY });
    await ready({ timeout: undefined });
    expect(store.asked.length).toBe(1);
  });

  test.each([0, -1, '0s', '30', 'soon', true, null, Number.NaN])(
    'the timeout %j is refused',
    async (timeout) => {
      await expect(createStaticFiles().ready({ timeout: timeout as number })).rejects.toThrow(
        new SetupError(
          `ready()'s timeout must be false, seconds, or a text such as '10s' or '1m', not '${timeout}'.`,
        ),
      );
    },
  );

  test('options that there are not are refused', async () => {
    const { ready } = createStaticFiles();
    await expect(ready({ timeOut: '10s' } as object)).rejects.toThrow(
      "'timeOut' is no option of ready(). Did you mean 'timeout'?",
    );
    await expect(ready('10s' as never)).rejects.toThrow('ready() takes an object of options');
  });

  const program = (text: string) => {
    const built = pathToFileURL(resolve('dist/src/index.js')).href;
    const root = project({
      'program.mjs': `
        import { createStaticFiles, hashedStorage, memoryStorage } from ${JSON.stringify(built)};
        const { attach, ...memory } = memoryStorage();
        const over = { ...memory, readVersion: () => new Promise(() => {}) };
        const files = createStaticFiles({ debug: false, storage: hashedStorage({ over }) });
        ${text}`,
    });
    return start([join(root, 'program.mjs')], root);
  };

  test('a program waits until the time is up, and ends when it is', async () => {
    const { process, out } = program(`
      await files.ready({ timeout: '100ms' }).catch((error) => console.log(error.code));`);
    expect(await once(process, 'exit')).toEqual([0, null]);
    expect(out()).toBe('ERR_STATICFILES_NOT_READY\n');
  });

  test('when all is ready, nothing keeps it', async () => {
    const { process } = program(`
      await memory.write('staticfiles.json', Buffer.from('{"paths": {}, "version": "1.0"}'));
      over.readVersion = memory.readVersion;
      await files.ready({ timeout: '1h' });
      over.readVersion = () => Promise.reject(new Error('away'));
      await files.refresh().catch(() => {});`);
    expect(await once(process, 'exit')).toEqual([0, null]);
  });
});

describe('collect', () => {
  test('stops before anything is written where a check finds an error', async () => {
    const dir = project({ 'a.css': 'a' });
    const staticRoot = join(dir, 'collected');
    const files = createStaticFiles({ dirs: [dir], staticRoot });
    const error = await files.collect().catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SettingsError);
    expect(error).toMatchObject({ problems: [{ id: 'staticfiles.E112' }] });
    expect(readdirSync(dir)).toEqual(['a.css']);
  });
});

/** Reports every module that the program loads. */
const REPORTER = `
  import { register } from 'node:module';
  const hook = "export const load = (url, context, next) => { console.log(url); return next(url, context); }";
  register('data:text/javascript,' + encodeURIComponent(hook));
`;

test('a URL loads nothing of collecting, checking, serving and the commands', () => {
  const built = pathToFileURL(resolve('dist/src/index.js')).href;
  const root = project({
    'reporter.mjs': REPORTER,
    'program.mjs': `
      import { createStaticFiles } from ${JSON.stringify(built)};
      createStaticFiles().staticUrl('a.css');`,
  });
  const output = execFileSync(
    process.execPath,
    ['--import', pathToFileURL(join(root, 'reporter.mjs')).href, join(root, 'program.mjs')],
    { encoding: 'utf8' },
  );
  const loaded = output.match(/(?<=\/)(?:dist\/(?:src|chunks)|node_modules)\/.+/g) ?? [];
  const own = loaded.filter((path) => path.startsWith('dist/'));
  expect(own).toEqual(['dist/src/index.js', 'dist/chunks/core.js']);
  const theirs = /^node_modules\/lru-cache\//;
  expect(loaded.filter((path) => !own.includes(path) && !theirs.test(path))).toEqual([]);
});

test('a program that uses the working directory finds its files there', () => {
  const dir = project({ 'static/a.css': 'a' });
  const before = process.cwd();
  process.chdir(dir);
  try {
    add(dir, { 'static/b.css': 'b' });
    expect(createStaticFiles({ dirs: ['static'] }).find('b.css')).toBe(
      join(dir, 'static', 'b.css'),
    );
  } finally {
    process.chdir(before);
  }
});
