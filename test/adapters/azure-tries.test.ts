import { afterEach, describe, expect, test, vi } from 'vitest';
import { persist, TriedError, type Try } from '../../adapters/azure/tries.js';
import { StorageError } from '../../src/errors.js';
import { serve } from '../listen.js';
import type { Exchange, Fault, Verdict } from '../proxy.js';
import { AT_ONCE, bytes, text, useAzurite } from './azure-store.js';

const store = useAzurite();

/** These go wrong, one after the other, with the requests that `of` picks; then all is well. */
function first(kinds: readonly Verdict[], of: (request: Exchange) => boolean = () => true) {
  const left = [...kinds];
  return (request: Exchange) => (of(request) ? left.shift() : undefined) ?? ('pass' as const);
}

const FIVE: readonly Fault[] = ['503', 'reset-before', 'reset-after', 'truncate', '503'];

describe('a store that fails now and then', () => {
  test('is asked again, whatever was asked', async () => {
    const { proxy, storage } = await store.behindProxy();
    const body = new Uint8Array(300_000).map((_, at) => at % 251);
    proxy.before = first(FIVE);
    await storage.write('a.bin', body);
    proxy.before = first(FIVE);
    expect(Buffer.compare((await storage.read('a.bin')) ?? Buffer.of(), body)).toBe(0);
    proxy.before = first(FIVE);
    expect((await storage.stat('a.bin'))?.size).toBe(300_000);
    proxy.before = first(FIVE);
    for await (const { name } of storage.entries?.() ?? []) expect(name).toBe('a.bin');
    proxy.before = first(FIVE);
    await storage.delete('a.bin');
    expect(await storage.exists('a.bin')).toBe(false);
  });

  test('is asked seven times, or as often as was said, and then it is a fault', async () => {
    const { proxy, storage } = await store.behindProxy({ before: () => '503' });
    await expect(storage.read('a.css')).rejects.toThrow(
      `Could not read 'a.css' of ${storage.location} (7 times): the store answers 503 ServerBusy: it is too busy, or not well. Try again later, or with less at once ('concurrency').`,
    );
    expect(proxy.count()).toBe(7);
    const retryOptions = { ...AT_ONCE.retryOptions, maxTries: 2 };
    const twice = await store.behindProxy({
      before: () => 'reset-before',
      storage: { clientOptions: { retryOptions } },
    });
    await expect(twice.storage.write('a.css', bytes('a'))).rejects.toThrow(/\(2 times\)/);
    expect(twice.proxy.count()).toBe(2);
  });

  test('is not asked again what it has answered', async () => {
    const { proxy, storage } = await store.behindProxy({ before: () => ({ status: 400 }) });
    await expect(storage.stat('a.css')).rejects.toThrow(StorageError);
    expect(proxy.count()).toBe(1);
  });

  test('that hangs is silent for so long, and then a fault', async () => {
    const retryOptions = { ...AT_ONCE.retryOptions, maxTries: 2, tryTimeoutInMs: 200 };
    const { proxy, storage } = await store.behindProxy({
      before: () => 'hang',
      storage: { clientOptions: { retryOptions } },
    });
    const why = /\(2 times\): 127\.0\.0\.1:\d+ is silent: no answer within 0\.2 s\./;
    await expect(storage.read('a.css')).rejects.toThrow(why);
    await expect(storage.write('a.css', new Uint8Array(1_000_000))).rejects.toThrow(why);
    await expect(storage.list()[Symbol.asyncIterator]().next()).rejects.toThrow(
      'no answer within 0.4 s',
    );
    // On a busy machine a try may end before it has come here.
    expect(proxy.count()).toBeLessThanOrEqual(6);
  });

  test('and hangs amid a file, is asked for all of it again', async () => {
    let asked = 0;
    const half = await serve((_, response) => {
      const head = { 'Content-Length': 10, ETag: '"1"', 'x-ms-blob-type': 'BlockBlob' };
      response.writeHead(200, head).write('half,');
      if (asked++ > 0) response.end('whole');
    });
    const retryOptions = { ...AT_ONCE.retryOptions, tryTimeoutInMs: 300 };
    const storage = await store.storage({
      connectionString: undefined,
      url: half,
      clientOptions: { retryOptions },
    });
    expect(await text(storage.read('a.css'))).toBe('half,whole');
    expect(asked).toBeGreaterThan(1);
  });

  test('is asked again through a ready client as that was told, and for bodies that break off', async () => {
    const { proxy, storage } = await store.behindProxy();
    await storage.write('a.css', bytes('a'));
    const { BlobServiceClient, StorageSharedKeyCredential } = await import('@azure/storage-blob');
    const { accountName, accountKey } = store.azurite;
    const service = new BlobServiceClient(
      `${proxy.url}/${accountName}`,
      new StorageSharedKeyCredential(accountName, accountKey),
      { retryOptions: { maxTries: 3, retryDelayInMs: 1 } },
    );
    const client = service.getContainerClient(store.client(storage).containerName);
    const ready = await store.storage({
      client,
      container: client.containerName,
      connectionString: undefined,
      clientOptions: undefined,
    });
    proxy.reset();
    proxy.before = () => '503';
    await expect(ready.read('a.css')).rejects.toThrow(/503 ServerBusy/);
    expect(proxy.count()).toBe(3);
    proxy.before = first(['truncate', 'truncate', 'truncate', 'truncate']);
    expect(await text(ready.read('a.css'))).toBe('a');
  });
});

describe('a conditional write', () => {
  test('is done by one of two writers', async () => {
    const storage = await store.storage();
    const write = (body: string, tag?: string) => storage.writeIf?.('m.json', bytes(body), tag);
    const made = await Promise.all(['a', 'b'].map((body) => write(body)));
    expect(made.sort()).toEqual(['changed', 'written']);
    const before = await storage.readVersion?.('m.json');
    if (typeof before !== 'object') throw new Error('It is not there.');
    expect(await storage.readVersion?.('m.json', before.tag)).toBe('unchanged');
    const bodies = ['c', 'd', 'e'];
    const changed = await Promise.all(bodies.map((body) => write(body, before.tag)));
    expect(changed.toSorted()).toEqual(['changed', 'changed', 'written']);
    expect(await text(storage.read('m.json'))).toBe(bodies[changed.indexOf('written')]);
    expect(await storage.readVersion?.('m.json', before.tag)).toMatchObject({
      tag: expect.not.stringContaining(before.tag),
    });
    await storage.delete('m.json');
    expect(await write('f', before.tag)).toBe('changed');
    expect(await storage.readVersion?.('m.json', before.tag)).toBeUndefined();
  });

  test('whose answer was lost is known for done', async () => {
    const { proxy, storage } = await store.behindProxy();
    proxy.before = first(['reset-after', '503', 'truncate']);
    expect(await storage.writeIf?.('m.json', bytes('new'), undefined)).toBe('written');
    const version = await storage.readVersion?.('m.json');
    if (typeof version !== 'object') throw new Error('It is not there.');
    proxy.before = first(['truncate']);
    expect(await storage.writeIf?.('m.json', bytes('newer'), version.tag)).toBe('written');
    expect(await text(storage.read('m.json'))).toBe('newer');
  });

  test("whose answer was lost is known for not done, where another's is there", async () => {
    const { proxy, storage } = await store.behindProxy();
    const direct = await store.storage({ container: store.client(storage).containerName });
    let lost = false;
    proxy.before = async ({ method }) => {
      if (lost || method !== 'PUT') return 'pass';
      lost = true;
      await direct.write('m.json', bytes("another's"));
      return 'reset-before';
    };
    expect(await storage.writeIf?.('m.json', bytes('ours'), undefined)).toBe('changed');
    expect(await text(storage.read('m.json'))).toBe("another's");
  });

  test('of the same bytes as are there is not done', async () => {
    const storage = await store.storage();
    await storage.write('m.json', bytes('same'));
    expect(await storage.writeIf?.('m.json', bytes('same'), undefined)).toBe('changed');
  });
});

describe('patience', () => {
  afterEach(() => void vi.useRealTimers());

  const patience = { tries: 7, delayMs: 250, maxDelayMs: 1000, silenceMs: 1000 };
  const isPassing = () => true;

  test('has no end as long as something moves', async () => {
    vi.useFakeTimers();
    let attempt: Try | undefined;
    let end = (_: string) => {};
    const answer = persist({ ...patience, tries: 1, isPassing }, (its) => {
      attempt = its;
      return new Promise<string>((resolve) => {
        end = resolve;
      });
    });
    for (let second = 0; second < 10; second++) {
      await vi.advanceTimersByTimeAsync(900);
      attempt?.alive();
    }
    end('whole');
    expect(await answer).toBe('whole');
    expect(attempt?.signal.aborted).toBe(false);
  });

  test('waits longer each time, by chance, and as long as the store asks', async () => {
    vi.useFakeTimers();
    const waits: number[] = [];
    let last = Date.now();
    const headers = new Headers();
    const answer = persist({ ...patience, isPassing }, async () => {
      waits.push(Date.now() - last);
      last = Date.now();
      if (waits.length === 6) headers.set('Retry-After', '30');
      throw Object.assign(new Error('busy'), { response: { headers } });
    });
    answer.catch(() => {});
    await vi.runAllTimersAsync();
    await expect(answer).rejects.toThrow(TriedError);
    const longest = [0, 250, 500, 1000, 1000, 1000];
    for (const [number, most] of longest.entries()) {
      expect(waits[number]).toBeGreaterThanOrEqual(most / 2 - 1);
      expect(waits[number]).toBeLessThanOrEqual(most + 1);
    }
    expect(waits[6]).toBe(30_000);
    expect(waits.length).toBe(7);
  });
});
