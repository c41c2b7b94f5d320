import { createVerify, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { s3Storage } from '../../adapters/s3.js';
import { NameError, SetupError } from '../../src/errors.js';

const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});

const publicUrl = 'https://d111.cloudfront.net/';
const cloudFront = { keyPairId: 'K2JCJMDEHXQW5F', privateKey };
const media = (options = {}) =>
  s3Storage({ bucket: 'b', prefix: 'media', publicUrl, cloudFront, ...options });

/** CloudFront's "canned policy": what a URL is signed for, in its letters for base64. */
function isSigned(url: string): boolean {
  const { origin, pathname, searchParams } = new URL(url);
  const resource = `${origin}${pathname}`;
  const time = Number(searchParams.get('Expires'));
  const policy = `{"Statement":[{"Resource":"${resource}","Condition":{"DateLessThan":{"AWS:EpochTime":${time}}}}]}`;
  const letters: Record<string, string> = { '-': '+', _: '=', '~': '/' };
  const signature = (searchParams.get('Signature') ?? '').replace(/[-_~]/g, (c) => letters[c] ?? c);
  return createVerify('RSA-SHA1').update(policy).verify(publicKey, signature, 'base64');
}

describe('signedUrl for CloudFront', () => {
  test.each([
    ['a.jpg', 'a.jpg'],
    ['a b/ü+1?#%.jpg', 'a%20b/%C3%BC%2B1%3F%23%25.jpg'],
    ['/a//b.jpg', 'a/b.jpg'],
  ])('of %j is signed as the browser will ask for it', async (name, path) => {
    const url = await media().signedUrl(name);
    expect(url.split('?')[0]).toBe(`${publicUrl}${path}`);
    expect(new URL(url).searchParams.get('Key-Pair-Id')).toBe(cloudFront.keyPairId);
    expect(isSigned(url)).toBe(true);
    expect(isSigned(url.replace('.jpg', '.png'))).toBe(false);
    const longer = new URL(url);
    longer.searchParams.set('Expires', '99999999999');
    expect(isSigned(longer.href)).toBe(false);
  });

  test('ends when it is told to, in an hour otherwise', async () => {
    const endOf = async (options?: { expiresIn: number }) =>
      Number(new URL(await media().signedUrl('a.jpg', options)).searchParams.get('Expires'));
    const now = Date.now() / 1000;
    expect(Math.abs((await endOf()) - now - 3600)).toBeLessThan(60);
    expect(Math.abs((await endOf({ expiresIn: 1_000_000 })) - now - 1_000_000)).toBeLessThan(60);
  });

  test('is not what url() answers', () => {
    expect(media().url('a.jpg')).toBe(`${publicUrl}a.jpg`);
  });

  test('says where a key is none', async () => {
    const storage = media({ cloudFront: { keyPairId: 'K', privateKey: 'no key' } });
    await expect(storage.signedUrl('a.jpg')).rejects.toThrow(SetupError);
    await expect(storage.signedUrl('a.jpg')).rejects.toThrow(
      /^s3Storage\(\)'s cloudFront cannot sign: .*\. Is its privateKey an RSA or ECDSA key as PEM\?$/,
    );
  });
});

describe('signedUrl', () => {
  test.each([
    [
      { expiresIn: 0 },
      "signedUrl()'s expiresIn must be whole seconds, up to 604800, a week, not 0.",
    ],
    [{ expiresIn: 1.5 }, 'not 1.5.'],
    [{ expiresIn: 604_801 }, 'up to 604800, a week, not 604801.'],
    [{ expiresIn: '60' }, 'must be whole seconds'],
    [{ expires: 60 }, "'expires' is no option of signedUrl(). Did you mean 'expiresIn'?"],
  ])('refuses %j', async (options, message) => {
    const storage = s3Storage({ bucket: 'b', region: 'eu-west-1' });
    const signed = storage.signedUrl('a.jpg', options as { expiresIn: number });
    await expect(signed).rejects.toThrow(message);
  });

  test.each(['', 'folder/', '../a.jpg'])('refuses the name %j', async (name) => {
    await expect(media().signedUrl(name)).rejects.toThrow(NameError);
  });
});
