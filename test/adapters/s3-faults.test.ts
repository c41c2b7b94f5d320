import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { S3Client } from '@aws-sdk/client-s3';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { s3Storage } from '../../adapters/s3.js';
import { StorageError } from '../../src/errors.js';
import { project } from '../project.js';
import {
  type Asked,
  type Fate,
  type Refusal,
  type StandInOptions,
  standIn,
} from './s3-stand-in.js';

const text = (content: string) => new TextEncoder().encode(content);

/** A storage over a store to which things happen, and that store. */
async function storeWith(fate: StandInOptions['fate'], options = {}) {
  const store = await standIn({ ...(fate && { fate }) });
  store.files.set('a.css', { body: Buffer.from('content of a'), tag: '"a"', headers: {} });
  return { ...store, storage: s3Storage({ ...store.options, ...options }) };
}

const once1 = (fate: Fate) => (_: Asked, n: number) => (n === 1 ? fate : undefined);
const always = (fate: Fate) => () => fate;

test.each<[boolean, Fate]>([
  [true, 'reset'],
  [true, 'half'],
  [true, { status: 503, code: 'SlowDown' }],
  [true, { status: 500 }],
  [false, { status: 403, code: 'AccessDenied' }],
  [false, { status: 403, code: 'InvalidAccessKeyId' }],
  [false, { status: 404, code: 'NoSuchBucket' }],
  [false, { status: 501, code: 'NotImplemented' }],
  [false, { status: 507 }],
])('that a fault may pass is %s of %j', async (isPassing, fate) => {
  const { storage } = await storeWith(always(fate), { maxAttempts: 1 });
  const fault = await storage.read('a.css').catch((error) => error);
  expect(fault).toBeInstanceOf(StorageError);
  expect(fault).toMatchObject({ isPassing });
});

describe('s3Storage tries again', () => {
  test.each<[string, Fate]>([
    ['a reset', 'reset'],
    ['a lost answer', 'lost'],
    ['503', { status: 503, code: 'SlowDown' }],
    ['503 without words', { status: 503 }],
    ['500', { status: 500, code: 'InternalError' }],
    ['429', { status: 429 }],
  ])('after %s, whatever it was doing', async (_, fate) => {
    const { storage, files } = await storeWith(once1(fate));
    expect(Buffer.from((await storage.read('a.css')) ?? []).toString()).toBe('content of a');
    expect(await storage.stat('a.css')).toMatchObject({ size: 12 });
    await storage.write('b.css', text('b'));
    expect(files.get('b.css')?.body.toString()).toBe('b');
    const names: string[] = [];
    for await (const name of storage.list()) names.push(name);
    expect(names).toEqual(['a.css', 'b.css']);
    await storage.delete('b.css');
    expect([...files.keys()]).toEqual(['a.css']);
  });

  test('after half an answer, to a listing as well', async () => {
    const { storage, asked } = await storeWith((_, n) => (n <= 2 ? 'half' : undefined));
    expect(Buffer.from((await storage.read('a.css')) ?? []).toString()).toBe('content of a');
    expect(asked.length).toBe(3);
    const names: string[] = [];
    for await (const name of storage.list()) names.push(name);
    expect(names).toEqual(['a.css']);
  });

  test('and says at last that a file does not come whole', async () => {
    const { storage, asked } = await storeWith(always('half'), { maxAttempts: 3 });
    const fault = await storage.read('a.css').catch((error) => error);
    expect(fault).toBeInstanceOf(StorageError);
    expect(fault.message).toMatch(
      /^Could not read s3:\/\/shelf\/a\.css \(3 times\): the file broke off on its way: .*\. Try again/,
    );
    expect(fault.cause).toBeInstanceOf(Error);
    expect(asked.length).toBe(3);
  });

  test('where a client takes the half for all', async () => {
    let asked = 0;
    // As the SDK's own for Node never does.
    const handle = async () => {
      asked += 1;
      const body = Readable.from([Buffer.from(asked < 3 ? 'half' : 'all of it')]);
      return {
        response: { statusCode: 200, headers: { 'content-length': '9', etag: '"a"' }, body },
      };
    };
    const { storage } = await storeWith(undefined, { requestHandler: { handle } });
    expect(Buffer.from((await storage.read('a.css')) ?? []).toString()).toBe('all of it');
    expect(asked).toBe(3);
  });

  test('six times in all, unless it is told otherwise', async () => {
    const { storage, asked } = await storeWith(always({ status: 503 }));
    await expect(storage.write('a.css', text('a'))).rejects.toThrow(
      "Could not write s3://shelf/a.css (6 times): the store is overloaded. Try again later, or with a smaller 'concurrency'. (HTTP 503)",
    );
    expect(asked.length).toBe(6);
    const overloaded: Refusal = { status: 503, code: 'SlowDown', message: 'Not so fast.' };
    const other = await storeWith(always(overloaded), { maxAttempts: 2 });
    await expect(other.storage.write('a.css', text('a'))).rejects.toThrow(
      /\(2 times\): the store is overloaded\..* \(SlowDown: Not so fast\)/,
    );
    vi.stubEnv('AWS_MAX_ATTEMPTS', '3');
    onTestFinished(() => void vi.unstubAllEnvs());
    const third = await storeWith(always({ status: 503 }));
    await expect(third.storage.write('a.css', text('a'))).rejects.toThrow('(3 times)');
  });

  test('not where it would be of no use', async () => {
    const { storage, asked } = await storeWith(always({ status: 403, code: 'AccessDenied' }));
    await expect(storage.write('a.css', text('a'))).rejects.toThrow(StorageError);
    expect(asked.length).toBe(1);
  });

  test('as a ready client was told', async () => {
    const { options, asked } = await storeWith(always({ status: 500 }));
    const { bucket, ...config } = options;
    const storage = s3Storage({
      bucket,
      client: new S3Client({ ...config, region: 'us-east-1', maxAttempts: 1 }),
    });
    await expect(storage.read('a.css')).rejects.toThrow(
      'Could not read s3://shelf/a.css: the store failed: HTTP 500. Try again later.',
    );
    expect(asked.length).toBe(1);
  });
});

describe('a fault of the store is a sentence that says what to do:', () => {
  test.each<[string, Refusal, string]>([
    [
      'no bucket',
      { status: 404, code: 'NoSuchBucket' },
      "there is no bucket 'shelf' at http://127.0.0.1:",
    ],
    [
      'an unknown access key',
      { status: 403, code: 'InvalidAccessKeyId', message: 'Unknown key.' },
      'the store does not know the access key. Correct the credentials. (InvalidAccessKeyId)',
    ],
    [
      'a wrong secret',
      { status: 403, code: 'SignatureDoesNotMatch' },
      'access key and secret key do not belong together. Correct the credentials.',
    ],
    [
      'an old token',
      { status: 400, code: 'ExpiredToken' },
      'the credentials have expired. Get new ones',
    ],
    ['a token of nobody', { status: 400, code: 'InvalidToken' }, 'the session token is not valid.'],
    [
      'no right',
      { status: 403, code: 'AccessDenied', message: 'Access Denied.' },
      'the credentials do not allow that. Grant them s3:GetObject. Without s3:ListBucket, S3 says the same of a file that is not there. (AccessDenied: Access Denied)',
    ],
    ['no right, without a word', { status: 403 }, 'Grant them s3:GetObject.'],
    [
      'another region',
      {
        status: 301,
        code: 'PermanentRedirect',
        message: 'Use the other endpoint.',
        headers: { 'x-amz-bucket-region': 'eu-central-1' },
      },
      "the bucket 'shelf' is in another region, 'eu-central-1'. Set the option 'region' to it",
    ],
    [
      'another region in the signature',
      {
        status: 400,
        code: 'AuthorizationHeaderMalformed',
        message: 'The region is wrong.',
        more: { Region: 'eu-central-1' },
      },
      "in another region, 'eu-central-1'.",
    ],
    [
      'a clock that is off',
      { status: 403, code: 'RequestTimeTooSkewed' },
      "this machine's clock is off. Set it, as by NTP. (RequestTimeTooSkewed)",
    ],
    ['an archived file', { status: 403, code: 'InvalidObjectState' }, 'the file is archived.'],
    [
      'something unknown',
      { status: 400, code: 'MalformedThing', message: 'It has too many legs.' },
      'Could not read s3://shelf/a.css: the store answered MalformedThing: It has too many legs',
    ],
    [
      'no store at all',
      {
        status: 404,
        text: '<!doctype html><h1>Not found</h1>',
        headers: { 'Content-Type': 'text/html' },
      },
      'and may be no store',
    ],
    [
      'one with a whole page of words',
      { status: 400, code: 'MalformedThing', message: `First\n  second. ${'x'.repeat(1000)}` },
      'the store answered MalformedThing: First second. xxx',
    ],
    ['an answer without words', { status: 418 }, 'the store answered HTTP 418'],
  ])('%s', async (_, refusal, words) => {
    const { storage } = await storeWith(always(refusal), { maxAttempts: 1 });
    for (const ask of [storage.read('a.css'), storage.readVersion('a.css', '"x"')]) {
      const fault = await ask.catch((error) => error);
      expect(fault).toBeInstanceOf(StorageError);
      expect(fault.message).toContain(words);
      expect(fault.message).toContain('Could not read s3://shelf/a.css: ');
      expect(fault.cause).toBeInstanceOf(Error);
    }
  });

  test.each<[string, string, Refusal, string]>([
    [
      'acl',
      'public-read',
      { status: 400, code: 'AccessControlListNotSupported' },
      "Leave out the option 'acl'.",
    ],
    [
      'storageClass',
      'COLD',
      { status: 400, code: 'InvalidStorageClass' },
      "Correct 'storageClass'.",
    ],
  ])('%s', async (option, value, refusal, words) => {
    const { storage, asked } = await storeWith(always(refusal), { [option]: value });
    await expect(storage.write('a.css', text('a'))).rejects.toThrow(words);
    expect(Object.values(asked[0]?.headers ?? {})).toContain(value);
  });

  test.each<[string, object, string]>([
    [
      'tags',
      { headers: { 'x-amz-tagging': 'a=b', 'Cache-Control': 'no-cache' }, acl: 'private' },
      "the store does not know all that it was asked. Leave out 'acl' and x-amz-tagging of 'headers'. (NotImplemented: No)",
    ],
    [
      'nothing in particular',
      {},
      'the store does not know what it was asked: it is older than that, or of another kind. (NotImplemented: No)',
    ],
  ])('what it does not know, asked for %s', async (_, options, words) => {
    const refusal = { status: 501, code: 'NotImplemented', message: 'No.' };
    const { storage } = await storeWith(always(refusal), { ...options, partSize: 5_242_880 });
    const large = join(project({}), 'large.bin');
    await writeFile(large, Buffer.alloc(5_242_881));
    for (const ask of [storage.write('a', text('a')), storage.writeFile('a', large)]) {
      await expect(ask).rejects.toThrow(new StorageError(`Could not write s3://shelf/a: ${words}`));
    }
    expect(await storage.writeIf('a', text('a'), undefined)).toBe('unsupported');
  });

  test.each<[object, string]>([
    [
      { acl: 'nonsense' },
      "the store answered InvalidArgument: Invalid Argument. Is 'acl' right, and does the store know it?",
    ],
    [
      { storageClass: 'COLD', headers: { 'x-amz-website-redirect-location': 'x' } },
      "Are 'storageClass' and x-amz-website-redirect-location of 'headers' right, and does the store know them?",
    ],
    [{}, 'the store answered InvalidArgument: Invalid Argument'],
  ])('an argument that is not valid, with %j', async (options, words) => {
    const refusal = { status: 400, code: 'InvalidArgument', message: 'Invalid Argument' };
    const { storage } = await storeWith(always(refusal), options);
    await expect(storage.write('a', text('a'))).rejects.toThrow(words);
    await expect(storage.writeIf('a', text('a'), undefined)).rejects.toThrow(words);
    const read = await storage.read('a').catch((error) => error);
    expect(read.message).toMatch(/: the store answered InvalidArgument: Invalid Argument$/);
  });

  test('each says what was being done, and which right it needs', async () => {
    const { storage } = await storeWith(always({ status: 403, code: 'AccessDenied' }), {
      prefix: 'p',
    });
    const names = async () => {
      for await (const name of storage.list()) return name;
      return undefined;
    };
    const said = await Promise.all(
      [
        storage.read('a'),
        storage.write('a', text('a')),
        storage.writeIf('a', text('a'), undefined),
        storage.delete('a'),
        names(),
        storage.exists('a'),
      ].map((call) => call.then(String, (error: Error) => error.message)),
    );
    expect(
      said.map((message) => /^Could not (.*): the .* Grant them ([^.]*)\./.exec(message)?.slice(1)),
    ).toEqual([
      ['read s3://shelf/p/a', 's3:GetObject'],
      ['write s3://shelf/p/a', 's3:PutObject'],
      ['write s3://shelf/p/a', 's3:PutObject'],
      ['delete s3://shelf/p/a', 's3:DeleteObject'],
      ['list s3://shelf/p/', 's3:ListBucket'],
      ['read s3://shelf/p/a', 's3:GetObject'],
    ]);
  });

  test('where HEAD has no body, GET is asked for the reason', async () => {
    const { storage, asked } = await storeWith(always({ status: 403, code: 'InvalidAccessKeyId' }));
    await expect(storage.exists('a.css')).rejects.toThrow('the store does not know the access key');
    expect(asked.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  test('where HEAD is not answered, GET would not be either', async () => {
    const { storage, asked } = await storeWith(always({ status: 503 }), { maxAttempts: 2 });
    await expect(storage.exists('a.css')).rejects.toThrow('(2 times): the store is overloaded');
    expect(asked.map(({ method }) => method)).toEqual(['HEAD', 'HEAD']);
  });

  test('once it is known that there is a bucket, a HEAD is enough', async () => {
    const { storage, asked } = await storeWith(undefined);
    expect(await storage.exists('b.css')).toBe(false);
    expect(await storage.exists('c.css')).toBe(false);
    expect(asked.map(({ method, key }) => `${method} ${key}`)).toEqual([
      'HEAD b.css',
      'GET b.css',
      'HEAD c.css',
    ]);
  });

  test('a listing that ends in the middle is not taken for a whole one', async () => {
    const { storage } = await storeWith(
      always({
        status: 200,
        text: '<?xml version="1.0"?><ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>',
        headers: { 'Content-Type': 'application/xml' },
      }),
    );
    await expect(storage.list()[Symbol.asyncIterator]().next()).rejects.toThrow(
      'Could not list s3://shelf/: the listing is not complete, and does not say how it goes on',
    );
  });

  test.each([
    ['a page of HTML', 'text/html', '<!doctype html><html><body>Hello</body></html>'],
    ['a page that is no XML', 'text/html', '<!doctype html><p>Hello<br>'],
    ['a page that calls itself XML', 'application/xml', '<html><body>Hello</body></html>'],
    ['JSON', 'application/json', '{"Contents": []}'],
    ['nothing', 'application/xml', ''],
  ])('%s is not taken for a listing of nothing', async (_, type, body) => {
    const { storage, options } = await storeWith(
      always({ status: 200, text: body, headers: { 'Content-Type': type } }),
    );
    const listing = storage.list()[Symbol.asyncIterator]().next();
    await expect(listing).rejects.toThrow(StorageError);
    await expect(listing).rejects.toThrow(
      `Could not list s3://shelf/: what answers at ${options.endpoint}/ gives no listing, and may be no store`,
    );
  });
});

describe('a store that is away', () => {
  const credentials = { accessKeyId: 'key', secretAccessKey: 'secret' };

  test('at a port where nobody listens', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    const storage = s3Storage({ bucket: 'shelf', endpoint, credentials, maxAttempts: 2 });
    await expect(storage.read('a.css')).rejects.toThrow(
      `Could not read s3://shelf/a.css (2 times): nobody answers at ${endpoint}/ (ECONNREFUSED). Is the store up, 'endpoint' right, and the network?`,
    );
    await expect(storage.exists('a.css')).rejects.toThrow('nobody answers');
  });

  test('at a host that there is not', async () => {
    const options = { bucket: 'shelf', credentials, maxAttempts: 1 };
    const storage = s3Storage({ ...options, endpoint: 'http://store.invalid' });
    await expect(storage.read('a.css')).rejects.toThrow(
      'there is no host shelf.store.invalid (ENOTFOUND). Set forcePathStyle: true, unless the store has a host for each bucket',
    );
    const plain = s3Storage({ ...options, endpoint: 'http://store.invalid', forcePathStyle: true });
    await expect(plain.read('a.css')).rejects.toThrow(
      "there is no host store.invalid (ENOTFOUND). Correct 'endpoint' or 'region'",
    );
  });

  test('at a port where http is spoken, not https', async () => {
    const { options } = await standIn({});
    const endpoint = String(options.endpoint).replace('http:', 'https:');
    const storage = s3Storage({ ...options, endpoint, maxAttempts: 1 });
    await expect(storage.read('a.css')).rejects.toThrow(
      /^Could not read s3:\/\/shelf\/a\.css: what answers at https:\S+ speaks no TLS that is understood here \((?:EPROTO|ERR_SSL_\w+)\)\. Correct 'endpoint': http or https, and the port\.$/,
    );
  });

  test('and only says nothing', async () => {
    const { storage } = await storeWith(always('silence'), {
      maxAttempts: 2,
      requestHandler: { socketTimeout: 50 },
    });
    const fault = await storage.read('a.css').catch((error) => error);
    expect(fault).toBeInstanceOf(StorageError);
    expect(fault.message).toMatch(
      /^Could not read s3:\/\/shelf\/a\.css \(2 times\): the store at \S+ did not answer in time\./,
    );
  });

  test('and resets each connection', async () => {
    const { storage } = await storeWith(always('reset'), { maxAttempts: 2 });
    await expect(storage.write('a.css', text('a'))).rejects.toThrow(
      /\(2 times\): the connection to the store at \S+ broke off \(ECONNRESET\)\./,
    );
  });

  test('or whose certificate nobody knows', async () => {
    const storage = s3Storage({
      bucket: 'shelf',
      credentials,
      endpoint: 'https://store.invalid',
      requestHandler: {
        handle: async () => {
          const message = 'self-signed certificate';
          throw Object.assign(new Error(message), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
        },
      } as never,
    });
    await expect(storage.read('a.css')).rejects.toThrow(
      'the certificate of the store at https://store.invalid/ is not to be trusted: self-signed certificate (DEPTH_ZERO_SELF_SIGNED_CERT).',
    );
  });
});

describe('without', () => {
  test('credentials it says how they are given', async () => {
    for (const name of ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE']) {
      vi.stubEnv(name, undefined);
    }
    vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
    vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/nowhere');
    onTestFinished(() => void vi.unstubAllEnvs());
    const { endpoint } = await standIn();
    await expect(s3Storage({ bucket: 'shelf', endpoint }).read('a.css')).rejects.toThrow(
      "no credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the option 'credentials'.",
    );
  });

  test('a region it says how it is given', async () => {
    vi.stubEnv('AWS_REGION', undefined);
    vi.stubEnv('AWS_CONFIG_FILE', '/nowhere');
    onTestFinished(() => void vi.unstubAllEnvs());
    const storage = s3Storage({
      bucket: 'shelf',
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    });
    const message = "no region is known. Give the option 'region', or set AWS_REGION.";
    await expect(storage.read('a.css')).rejects.toThrow(message);
    await expect(storage.ready?.() ?? Promise.resolve()).rejects.toThrow(
      `Could not find the address of s3://shelf/: ${message}`,
    );
  });
});
