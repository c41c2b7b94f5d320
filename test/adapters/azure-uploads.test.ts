import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createStaticFiles } from '../../src/static-files.js';
import { mediaStorage } from '../../src/storages/media.js';
import { storageContract } from '../contracts/storage.js';
import { alternativeOf, inPieces, namesIn, uploadContract } from '../contracts/uploads.js';
import { bytes, text, useAzurite } from './azure-store.js';

const store = useAzurite();
const uploads = async (options = {}) =>
  mediaStorage({ over: await store.storage({ prefix: 'the media' }), ...options });

storageContract('mediaStorage over azureStorage', () => uploads(), {
  recordsTimes: false,
  checksMd5: true,
  hasEntries: true,
  hasVersions: true,
  writeIf: 'works',
});
uploadContract('mediaStorage over azureStorage', uploads);

describe('mediaStorage over azureStorage', () => {
  test('has URLs that lead to what was saved, with the type of its name, and disarmed', async () => {
    const container = await store.azurite.container({ public: true });
    const over = await store.storage({ container });
    const media = mediaStorage({ over });
    for (const given of ['größe+a/日本語 1.txt', 'a b/ü😀.svg', "it's 100%.txt"]) {
      const name = await media.save(given, given);
      const answer = await fetch(media.url(name));
      expect(await answer.text()).toBe(given);
      const isActive = name.endsWith('.svg');
      expect(answer.headers.get('content-type')).toMatch(isActive ? 'image/svg+xml' : 'text/plain');
      expect(answer.headers.has('content-disposition')).toBe(isActive);
    }
    const { settings, mediaUrl } = createStaticFiles({ mediaUrl: over.url('') });
    const same = mediaStorage({ settings }, { over });
    for await (const name of same.list()) {
      expect(same.url(name)).toBe(mediaUrl(name));
      expect((await fetch(mediaUrl(name))).status).toBe(200);
    }
  });

  test('shows a private file by a signed URL', async () => {
    const over = await store.storage();
    const name = await mediaStorage({ over }).save('an invoice ü.pdf', 'an invoice');
    expect((await fetch(over.url(name))).status).toBeGreaterThanOrEqual(400);
    expect(await (await fetch(await over.signedUrl(name))).text()).toBe('an invoice');
  });

  test('loses and doubles nothing where answers are lost', async () => {
    const { proxy, storage } = await store.behindProxy({ delayMs: 10 });
    const media = mediaStorage({ over: storage });
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

  test('takes the same upload for another one, also where it has to send it twice', async () => {
    const { proxy, storage } = await store.behindProxy();
    const media = mediaStorage({ over: storage });
    expect(await media.save('me.txt', 'the same')).toBe('me.txt');
    let isFirst = true;
    proxy.before = ({ method }) => {
      const verdict = method === 'PUT' && isFirst ? 'reset-before' : undefined;
      isFirst = false;
      return verdict;
    };
    expect(await media.save('me.txt', 'the same')).toEqual(alternativeOf('me.txt'));
    expect(await namesIn(media)).toHaveLength(2);
  });

  test('has its own under the name that was wanted where the answer was lost', async () => {
    const { proxy, storage } = await store.behindProxy();
    let isFirst = true;
    proxy.before = () => {
      const verdict = isFirst ? 'reset-after' : undefined;
      isFirst = false;
      return verdict;
    };
    const media = mediaStorage({ over: storage });
    expect(await media.save('me.txt', 'mine')).toBe('me.txt');
    expect(await namesIn(media)).toEqual(['me.txt']);
  });

  test('takes names at once from several programs', async () => {
    const over = await store.storage();
    const programs = [1, 2, 3].map(() => mediaStorage({ over }));
    const saved = await Promise.all(
      programs.flatMap((media, who) =>
        Array.from({ length: 7 }, async (_, i) => [
          await media.save('me.txt', `${who} ${i}`),
          `${who} ${i}`,
        ]),
      ),
    );
    expect(saved.filter(([name]) => name === 'me.txt')).toHaveLength(1);
    for (const [name = '', body] of saved) expect(await text(over.read(name))).toBe(body);
    await over.write('me.txt', bytes('x'));
    expect(await namesIn(over)).toHaveLength(21);
  });
});
