import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { s3Storage } from '../../adapters/s3.js';
import { createStaticFiles } from '../../src/static-files.js';
import { mediaStorage } from '../../src/storages/media.js';
import { storageContract } from '../contracts/storage.js';
import { alternativeOf, inPieces, namesIn, uploadContract } from '../contracts/uploads.js';
import { swiftStore } from '../examples/stores.js';
import { proxyTo } from '../proxy.js';
import { swift, swiftMissing, withoutSwift } from '../swift.js';
import { standIn } from './s3-stand-in.js';

const text = async (body: Promise<Uint8Array | undefined>) =>
  Buffer.from((await body) ?? 'nothing').toString();

describe.skipIf(swiftMissing)(`on Swift${withoutSwift},`, () => {
  const store = async () => {
    const { endpoint, credentials, bucket } = await swift();
    return { bucket: await bucket(), endpoint, credentials };
  };
  const uploads = async (options = {}) =>
    mediaStorage({ over: s3Storage({ ...(await store()), prefix: 'the media' }), ...options });

  storageContract('mediaStorage over s3Storage', () => uploads(), {
    recordsTimes: false,
    checksMd5: true,
    hasEntries: true,
    hasVersions: true,
    writeIf: 'unsupported',
  });
  uploadContract('mediaStorage over s3Storage', uploads, { keepsFreeNames: false });

  test('the URLs of uploads lead to them, with the type of the name, and disarmed', async () => {
    const { options, env, publicUrl } = await swiftStore();
    const credentials = {
      accessKeyId: env.AWS_ACCESS_KEY_ID ?? '',
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '',
    };
    const over = s3Storage({ bucket: '', ...options, credentials });
    const files = createStaticFiles({ mediaUrl: publicUrl });
    const media = mediaStorage(files, { over });
    for (const given of ['größe+a/日本語 1.txt', 'a b/ü😀.svg', "it's 100%.txt"]) {
      const name = await media.save(given, given);
      expect(media.url(name)).toBe(files.mediaUrl(name));
      expect(media.url(name)).toBe(mediaStorage({ over }).url(name));
      const answer = await fetch(media.url(name));
      expect(await answer.text()).toBe(given);
      const isActive = name.endsWith('.svg');
      expect(answer.headers.get('content-type')).toMatch(isActive ? 'image/svg+xml' : 'text/plain');
      expect(answer.headers.has('content-disposition')).toBe(isActive);
    }
  });

  test('a signed URL shows a private upload', async () => {
    const over = s3Storage(await store());
    const name = await mediaStorage({ over }).save('an invoice ü.pdf', 'an invoice');
    expect((await fetch(over.url(name))).ok).toBe(false);
    expect(await (await fetch(await over.signedUrl(name))).text()).toBe('an invoice');
  });

  test('nothing is lost or doubled where answers are lost', async () => {
    const options = await store();
    const proxy = await proxyTo(options.endpoint, { delayMs: 10 });
    const over = s3Storage({ ...options, endpoint: proxy.url, maxAttempts: 10 });
    const media = mediaStorage({ over });
    proxy.faults = { rate: 0.2, seed: 3 };
    const bodies = Array.from({ length: 40 }, (_, i) => `${i % 4}`.repeat(1 + (i % 7)));
    const names = await Promise.all(bodies.map((body) => media.save('me.txt', body)));
    const large = randomBytes(20_000_000);
    const largeName = await media.save('large.bin', inPieces(large, 1_000_000));
    const faults = proxy.requests.filter(({ fault }) => fault !== undefined);
    proxy.faults = undefined;
    expect(faults.length).toBeGreaterThan(10);
    expect(new Set(names).size).toBe(40);
    expect(await Promise.all(names.map((name) => text(media.read(name))))).toEqual(bodies);
    expect(await namesIn(media)).toEqual([largeName, ...names].sort());
    expect(large.equals((await media.read(largeName)) ?? Buffer.of())).toBe(true);
  });
});

describe('on S3 with conditions,', () => {
  uploadContract('mediaStorage over s3Storage', async (options) =>
    mediaStorage({ over: s3Storage((await standIn()).options), ...options }),
  );

  test('an upload has the name that was wanted where the answer was lost', async () => {
    const store = await standIn({ fate: (_, n) => (n === 1 ? 'lost' : undefined) });
    const media = mediaStorage({ over: s3Storage(store.options) });
    expect(await media.save('me.txt', 'mine')).toBe('me.txt');
    expect([...store.files.keys()]).toEqual(['me.txt']);
  });

  test('the same upload is another one, also where it has to be sent twice', async () => {
    let isBroken = false;
    const store = await standIn({
      fate: ({ key, method }) => {
        const isFirst = isBroken && method === 'PUT' && key === 'me.txt';
        if (isFirst) isBroken = false;
        return isFirst ? 'reset' : undefined;
      },
    });
    const media = mediaStorage({ over: s3Storage(store.options) });
    expect(await media.save('me.txt', 'the same')).toBe('me.txt');
    isBroken = true;
    expect(await media.save('me.txt', 'the same')).toEqual(alternativeOf('me.txt'));
    expect(store.files.size).toBe(2);
  });
});
