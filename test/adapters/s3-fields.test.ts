import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { expect, test } from 'vitest';
import { s3Storage } from '../../adapters/s3.js';
import { standIn } from './s3-stand-in.js';

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
