import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { type FieldsOption, s3Storage } from '../../adapters/s3.js';
import { site } from '../collect/elsewhere/site.js';
import { standIn } from './s3-stand-in.js';

const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg">${'<path d="M0 0"/>'.repeat(60)}</svg>`;

/** Collects twice and prunes; answers the header fields of all that is stored then. */
async function collected(headers: FieldsOption, isPlain = false) {
  const { options, asked, files } = await standIn();
  const { change, files: project } = site({ 'logo.svg': PICTURE, 'a.css': 'a{}' });
  const siteOptions = { isPlain, settings: { compress: true } };
  const storage = s3Storage({ ...options, acl: 'public-read', headers });
  await project(storage, siteOptions).collect();
  change({ 'a.css': 'b{}' });
  await project(storage, siteOptions).collect();
  if (!isPlain) await project(storage, siteOptions).prune({ keep: 1 });
  const sent = asked.filter(({ method }) => method === 'PUT');
  expect(new Set(sent.map(({ headers: fields }) => fields['x-amz-acl']))).toEqual(
    new Set(['public-read']),
  );
  return {
    sent: new Set(sent.map(({ key }) => key)),
    fields: new Map([...files].map(([name, kept]) => [name, kept.headers])),
  };
}

const isOwn = (name: string) => /^staticfiles\.json$|^\.staticfiles\//.test(name);

/** The header fields by which a file is stored, of those that could say anything of it. */
async function said(options: object, headers?: Record<string, string>) {
  const { asked, ...store } = await standIn();
  await s3Storage({ ...store.options, ...options }).write('a.css', Buffer.from('a'), { headers });
  const about =
    /^(?:x-amz-(?!content-sha256|date|user-agent)|cache-|content-(?!length)|access-|vary|expires)/;
  const fields = Object.entries(asked[0]?.headers ?? {});
  return Object.fromEntries(fields.filter(([name]) => about.test(name)));
}

test('a file is sent with its type alone, where nothing else is said', async () => {
  expect(await said({})).toEqual({ 'content-type': 'text/css; charset=utf-8' });
});

test('ACL and storage class go along', async () => {
  expect(await said({ acl: 'public-read', storageClass: 'STANDARD_IA' })).toMatchObject({
    'x-amz-acl': 'public-read',
    'x-amz-storage-class': 'STANDARD_IA',
  });
});

test('the store is told no fields that it would not keep', async () => {
  const headers = { Vary: 'Origin', 'Access-Control-Allow-Origin': '*', 'X-Amz-Acl': 'private' };
  expect(await said({}, { ...headers, 'CACHE-CONTROL': 'no-cache' })).toEqual({
    'content-type': 'text/css; charset=utf-8',
    'cache-control': 'no-cache',
  });
});

test('fields of the option win, whatever the case of their names', async () => {
  const headers = { 'CONTENT-TYPE': 'text/x-own', 'x-amz-server-side-encryption': 'AES256' };
  expect(await said({ headers }, { 'Content-Type': 'text/plain', Expires: '0' })).toEqual({
    'content-type': 'text/x-own',
    expires: '0',
    'x-amz-server-side-encryption': 'AES256',
  });
});

test.each([true, false])(
  'each has its own by a ready client too, which stays as it is (cacheMiddleware: %s)',
  async (cacheMiddleware) => {
    const { asked, options } = await standIn();
    const { bucket, ...config } = options;
    const client = new S3Client({ ...config, region: 'eu-west-1', cacheMiddleware });
    const send = () => client.send(new PutObjectCommand({ Bucket: bucket, Key: 'theirs' }));
    await send();
    const steps = client.middlewareStack.identify();
    const storage = s3Storage({ bucket, client });
    await storage.write('a.css', Buffer.from('a'));
    await storage.write('b.svg', Buffer.from('b'), { headers: { 'Cache-Control': 'no-cache' } });
    await storage.writeIf('c.json', Buffer.from('c'), '"tag"');
    await send();
    const told = ['content-type', 'cache-control', 'if-match'] as const;
    expect(asked.map(({ headers }) => told.map((name) => headers[name]))).toEqual([
      ['application/octet-stream', undefined, undefined],
      ['text/css; charset=utf-8', undefined, undefined],
      ['image/svg+xml; charset=utf-8', 'no-cache', undefined],
      ['application/json; charset=utf-8', undefined, '"tag"'],
      ['application/octet-stream', undefined, undefined],
    ]);
    expect(client.middlewareStack.identify()).toEqual(steps);
  },
);

test.each([false, true])(
  'a function of a name is asked for that of the source (plain: %s)',
  async (isPlain) => {
    const names = new Set<string>();
    const { fields } = await collected((name: string) => {
      names.add(name);
      const own = { 'Cache-Control': 'max-age=7', 'x-amz-meta-from': name };
      return name === 'logo.svg' ? own : undefined;
    }, isPlain);
    const pictures = [...fields].filter(([name]) => name.startsWith('logo.'));
    expect(pictures.length).toBe(isPlain ? 3 : 4); // in the plain and the hashed form, and its br and gz
    for (const [name, kept] of pictures) {
      const [, coding] = /\.(br|gz)$/.exec(name) ?? [];
      expect(kept, name).toEqual({
        'content-type': 'image/svg+xml; charset=utf-8',
        'cache-control': 'max-age=7',
        'x-amz-meta-from': 'logo.svg',
        ...(coding && { 'content-encoding': coding === 'br' ? 'br' : 'gzip' }),
      });
    }
    expect([...names].filter((name) => !isOwn(name)).sort()).toEqual(['a.css', 'logo.svg']);
  },
);

test('what collecting keeps for itself is answered as it says, and told the store the same', async () => {
  const own = { 'Cache-Control': 'max-age=3600', 'Content-Type': 'a/b', 'x-amz-meta-a': 'b' };
  for (const headers of [own, () => own]) {
    const { sent, fields } = await collected(headers);
    const kinds = new Set([...sent].map((name) => /^(?:\.staticfiles\/)?\w+/.exec(name)?.[0]));
    expect(kinds).toContain('.staticfiles/manifests');
    expect(kinds).toContain('.staticfiles/pruning');
    expect(kinds).toContain('.staticfiles/pruned');
    for (const [name, kept] of fields) {
      expect(kept['x-amz-meta-a'], name).toBe('b');
      const isManifest = isOwn(name) && !/prun/.test(name);
      const expected = isManifest ? 'no-cache' : isOwn(name) ? undefined : 'max-age=3600';
      expect(kept['cache-control'], name).toBe(expected);
      const type = kept['content-type'];
      expect(isOwn(name) ? type?.startsWith('application/json') : type === 'a/b', name).toBe(true);
    }
  }
});

test('how the bytes are encoded says who has encoded them', async () => {
  const headers = { 'Content-Encoding': 'deflate' };
  expect(await said({ headers })).toMatchObject({ 'content-encoding': 'deflate' });
  expect(await said({ headers }, { 'Content-encoding': 'br' })).toMatchObject({
    'content-encoding': 'br',
  });
});

test('a function whose answer is late is refused', async () => {
  const headers = (() => Promise.resolve({ 'x-amz-meta-a': 'b' })) as never;
  await expect(said({ headers })).rejects.toThrow(
    "s3Storage()'s headers must be a function that answers at once, not a promise.",
  );
  const failing = (() => Promise.reject(new Error('nobody hears of it'))) as never;
  await expect(said({ headers: failing })).rejects.toThrow('answers at once');
});
