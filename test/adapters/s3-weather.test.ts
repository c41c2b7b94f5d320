import { createHash, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { s3Storage } from '../../adapters/s3.js';
import { project } from '../project.js';
import { proxyTo } from '../proxy.js';
import { swift, swiftMissing, withoutSwift } from '../swift.js';

const MIB = 2 ** 20;
const md5 = (body: Uint8Array) => createHash('md5').update(body).digest('hex');

describe.skipIf(swiftMissing)(`s3Storage in bad weather${withoutSwift}`, () => {
  test('loses nothing where one request in five fails', async () => {
    const { endpoint, credentials, bucket } = await swift();
    const proxy = await proxyTo(endpoint, { faults: { rate: 0.2, seed: 5 }, delayMs: 20 });
    const partSize = 5 * MIB;
    const storage = s3Storage({
      bucket: await bucket(),
      endpoint: proxy.url,
      credentials,
      partSize,
      maxAttempts: 10, // six in a row fail once in some hundred runs
    });
    const files = new Map(
      Array.from({ length: 60 }, (_, i) => [`folder ${i % 7}/${i}.css`, randomBytes(i * 50)]),
    );
    await Promise.all(
      [...files].map(([name, body]) => storage.write(name, body, { md5: md5(body) })),
    );
    const large = randomBytes(12 * MIB);
    const path = join(project({ large }), 'large');
    await storage.writeFile('large.bin', path, { md5: md5(large) });
    files.set('large.bin', large);

    const listed = new Map<string, number>();
    for await (const { name, size } of storage.entries()) listed.set(name, size);
    expect(listed).toEqual(new Map([...files].map(([name, body]) => [name, body.length])));
    await Promise.all(
      [...files].map(async ([name, body]) => {
        expect(body.equals((await storage.read(name)) ?? Buffer.of()), name).toBe(true);
        expect(await storage.stat(name), name).toMatchObject({ size: body.length });
        await storage.delete(name);
        expect(await storage.exists(name), name).toBe(false);
      }),
    );
    expect(proxy.requests.filter(({ fault }) => fault !== undefined).length).toBeGreaterThan(30);
  });
});
