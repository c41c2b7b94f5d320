import { once } from 'node:events';
import { createServer } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { s3Storage } from '../adapters/s3.js';
import { ManifestError, NotReadyError, StorageError } from '../src/errors.js';
import { createStaticFiles } from '../src/static-files.js';
import { hashedStorage } from '../src/storages/hashed.js';
import { distantStore, manifestOf } from './distant-store.js';
import { freePort } from './free-port.js';

const MANIFEST = manifestOf({ 'a.css': 'a.0123456789ab.css' });
const URL_OF_A = 'https://cdn.example.com/a.0123456789ab.css';
const refused = () =>
  Object.assign(new Error('connect ECONNREFUSED 10.0.0.7:80'), { code: 'ECONNREFUSED' });

async function site() {
  const store = distantStore();
  await store.publish(MANIFEST);
  const storage = hashedStorage({ over: store.storage });
  return { store, ...createStaticFiles({ debug: false, storage }) };
}

/** What a promise is rejected with, and after how many milliseconds. */
async function faultOf(promise: Promise<unknown>) {
  const started = performance.now();
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  return { error, ms: performance.now() - started };
}

describe('a store that is away', () => {
  test('is asked again until it is back', async () => {
    const { store, ready, staticUrl } = await site();
    store.leave(refused());
    const waiting = Promise.all([ready({ timeout: '60s' }), ready({ timeout: false })]);
    await expect.poll(() => store.asked.length).toBeGreaterThan(1);
    store.comeBack();
    await waiting;
    expect(staticUrl('a.css')).toBe(URL_OF_A);
    expect(store.asked.length).toBeLessThan(6); // who waits together, asks together
  });

  test('is waited for by a server that is started meanwhile', async () => {
    const port = await freePort();
    const storage = s3Storage({
      bucket: 'shelf',
      endpoint: `http://127.0.0.1:${port}`,
      forcePathStyle: true,
      credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
      publicUrl: 'https://cdn.example.com/',
    });
    const files = createStaticFiles({ debug: false, storage: hashedStorage({ over: storage }) });
    const waiting = files.ready({ timeout: '60s' });
    await pause(4000); // longer than the SDK tries by itself
    const server = createServer((_, response) => response.end(MANIFEST)).listen(port, '127.0.0.1');
    onTestFinished(() => void server.close());
    await once(server, 'listening');
    await waiting;
    expect(files.staticUrl('a.css')).toBe(URL_OF_A);
  });

  test('is given up when the time is over, with what was said last', async () => {
    const { store, ready } = await site();
    store.leave(refused());
    const { error, ms } = await faultOf(ready({ timeout: '1500ms' }));
    expect(error).toBeInstanceOf(ManifestError);
    expect(error).toMatchObject({
      message:
        'The manifest s3://bucket/site/staticfiles.json cannot be read: connect ECONNREFUSED 10.0.0.7:80',
      cause: { code: 'ECONNREFUSED' },
    });
    expect(ms).toBeLessThan(2500);
    expect(store.asked.length).toBeGreaterThan(1);
  });

  test('is given up when the time is over, though it is silent by then', async () => {
    const { store, ready } = await site();
    store.leave(refused());
    const waiting = faultOf(ready({ timeout: '3s' }));
    await expect.poll(() => store.asked.length).toBeGreaterThan(0);
    store.fallSilent();
    const { error, ms } = await waiting;
    expect(error).toBeInstanceOf(NotReadyError);
    expect(String(error)).toMatch(/after 3 s: .* The attempt before failed: .*ECONNREFUSED/);
    expect(ms).toBeGreaterThan(2950);
  });
});

test.each([
  ['a store that refuses', new StorageError('no credentials', { cause: new Error('403') })],
  [
    'a store that never will',
    new StorageError('no bucket', { isPassing: false, cause: refused() }),
  ],
  ['a fault that nobody knows', new Error('what is that')],
])('%s is not asked again', async (_, fault) => {
  const { store, ready } = await site();
  store.leave(fault);
  const { error } = await faultOf(ready({ timeout: '1h' }));
  expect(error).toMatchObject({ code: 'ERR_STATICFILES_MANIFEST', cause: fault });
  expect(store.asked.length).toBe(1);
});

test('neither is one that has no manifest', async () => {
  const { store, ready } = await site();
  await store.storage.delete('staticfiles.json');
  const { error } = await faultOf(ready({ timeout: '1h' }));
  expect(String(error)).toContain('There is no manifest at');
  expect(store.asked.length).toBe(1);
});

test('a plain storage that fails to get ready is tried again too', async () => {
  const { attach, ...memory } = distantStore().storage;
  let calls = 0;
  const ready = async () => {
    calls++;
    if (calls < 2) throw new TypeError('fetch failed', { cause: refused() });
  };
  await createStaticFiles({ storage: { ...memory, ready } }).ready();
  expect(calls).toBe(2);
});
