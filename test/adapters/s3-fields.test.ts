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
