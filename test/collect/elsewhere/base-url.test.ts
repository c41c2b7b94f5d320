import { createHash } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { s3Storage } from '../../../adapters/s3.js';
import { PeerError } from '../../../src/errors.js';
import { createStaticFiles } from '../../../src/static-files.js';
import { hashedStorage } from '../../../src/storages/hashed.js';
import { memoryStorage } from '../../../src/storages/memory.js';
import { project } from '../../project.js';

const SOURCES = {
  'static/a.css':
    'a{b:url(/static/x.png)} c{d:url(https://cdn.example/assets/x.png)} e{f:url(x.png)}',
  'static/x.png': 'x',
};
const H = createHash('md5').update('x').digest('hex').slice(0, 12);

describe('the base URL in references', () => {
  test.each([true, false])('is that of production, whatever debug is (%s)', async (debug) => {
    const store = memoryStorage({ baseUrl: 'https://cdn.example/assets/' });
    const files = createStaticFiles({
      baseDir: project(SOURCES),
      dirs: ['static'],
      debug,
      storage: hashedStorage({ over: store }),
    });
    const { hashed } = await files.collect();
    const name = hashed.find((one) => one.name === 'a.css')?.hashedName ?? '';
    expect(Buffer.from((await store.read(name)) ?? []).toString()).toBe(
      `a{b:url(/static/x.png)} c{d:url(https://cdn.example/assets/x.${H}.png)} e{f:url(x.${H}.png)}`,
    );
  });
});

test('a package that is missing is no damaged manifest', async () => {
  const storage = s3Storage({ bucket: 'b', region: 'eu-central-1' });
  const missing = new PeerError('@aws-sdk/client-s3', 's3Storage() needs @aws-sdk/client-s3.');
  const read = () => Promise.reject(missing);
  const over = { ...storage, attach: () => over, read, readVersion: read };
  const files = createStaticFiles({
    baseDir: project(SOURCES),
    dirs: ['static'],
    storage: hashedStorage({ over }),
  });
  await expect(files.collect()).rejects.toBe(missing);
});
