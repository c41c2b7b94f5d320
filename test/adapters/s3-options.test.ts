import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { s3Storage } from '../../adapters/s3.js';
import { NameError, NotReadyError, SetupError } from '../../src/errors.js';
import { createStaticFiles } from '../../src/static-files.js';
import { standIn } from './s3-stand-in.js';

afterEach(() => vi.unstubAllEnvs());

describe('s3Storage', () => {
  test.each<[object | string | undefined, string]>([
    [undefined, 's3Storage() takes an object of options'],
    [{}, "s3Storage() needs the name of a bucket: s3Storage({ bucket: 'my-bucket' })."],
    [{ bucket: '' }, 's3Storage() needs the name of a bucket'],
    [
      { bucket: 'b', pubicUrl: '/' },
      "'pubicUrl' is no option of s3Storage(). Did you mean 'publicUrl'?",
    ],
    [{ bucket: 'b', forcePathstyle: true }, "Did you mean 'forcePathStyle'?"],
    [{ bucket: 'b', quux: 1 }, "'quux' is no option of s3Storage(). There are bucket, prefix,"],
    [{ bucket: 's3://b' }, "s3Storage()'s bucket must be its name alone, not 's3://b'"],
    [{ bucket: 'b/static' }, "a folder in it is the option 'prefix'"],
    [{ bucket: 'b', prefix: '../a' }, "s3Storage()'s prefix cannot be '../a'"],
    [{ bucket: 'b', prefix: 7 }, "s3Storage()'s prefix must be a folder such as 'static/', not 7."],
    [
      { bucket: 'b', publicUrl: 'https://x.example' },
      "s3Storage()'s publicUrl must end in a slash",
    ],
    [{ bucket: 'b', publicUrl: 7 }, "s3Storage()'s publicUrl must be a string such as"],
    [
      { bucket: 'b', endpoint: 'localhost:9000' },
      "s3Storage()'s endpoint must be a URL of http or",
    ],
    [{ bucket: 'b', region: '' }, "s3Storage()'s region must be a region's name, or a function"],
    [{ bucket: 'b', endpoint: 'ftp://x' }, "not 'ftp://x'."],
    ['bucket', 's3Storage() takes an object of options: { bucket, prefix,'],
    [
      { bucket: 'b', prefix: null },
      "s3Storage()'s prefix must be a folder such as 'static/', not null.",
    ],
    [
      { bucket: 'b', region: 5 },
      "s3Storage()'s region must be a region's name, or a function that answers it, not 5.",
    ],
    ...[5, new URL('http://localhost:9000'), { url: 'http://localhost:9000' }, {}, null].map(
      (endpoint): [object, string] => [
        { bucket: 'b', endpoint },
        "s3Storage()'s endpoint must be a URL of http or https such as 'http://localhost:9000', not",
      ],
    ),
    [
      { bucket: 'b', forcePathStyle: 'yes' },
      "s3Storage()'s forcePathStyle must be true or false, not 'yes'.",
    ],
    [
      { bucket: 'b', useAccelerateEndpoint: 1 },
      "s3Storage()'s useAccelerateEndpoint must be true or false, not 1.",
    ],
    ...['six', 0, 1.5, null].map((maxAttempts): [object, string] => [
      { bucket: 'b', maxAttempts },
      "s3Storage()'s maxAttempts must be a whole number from 1 on, or a function that answers it, not",
    ]),
    [{ bucket: 'b', profile: '' }, "s3Storage()'s profile must be a profile's name, not ''."],
    [
      { bucket: 'b', retryMode: 'adaptative' },
      "s3Storage()'s retryMode must be 'standard' or 'adaptive', or a function that answers it, not 'adaptative'.",
    ],
    [
      { bucket: 'b', requestChecksumCalculation: true },
      "s3Storage()'s requestChecksumCalculation must be 'WHEN_SUPPORTED' or 'WHEN_REQUIRED', or a function that answers it, not true.",
    ],
    [{ bucket: 'b', requestHandler: 5 }, "s3Storage()'s requestHandler must be an object, not 5."],
    [
      { bucket: 'b', credentials: 'abc' },
      "s3Storage()'s credentials must be an object with accessKeyId and secretAccessKey, or a function that answers one, not text.",
    ],
    [
      { bucket: 'b', credentials: { accessKeyId: 'a' } },
      "s3Storage()'s credentials have no secretAccessKey. Is a variable not set?",
    ],
    [
      { bucket: 'b', credentials: { accessKeyId: 'a', secretAccessKey: undefined } },
      "s3Storage()'s credentials have no secretAccessKey. Is a variable not set?",
    ],
    [
      { bucket: 'b', credentials: { accessKeyId: 'a', secretAccesKey: 'SECRET' } },
      "'secretAccesKey' is no option of s3Storage()'s credentials. Did you mean 'secretAccessKey'?",
    ],
    [
      {
        bucket: 'b',
        credentials: { accessKeyId: 'a', secretAccessKey: 'SECRET', sessiontoken: 't' },
      },
      "Did you mean 'sessionToken'?",
    ],
    [
      { bucket: 'b', headers: { 'x-amz-meta-ü': 'a' } },
      "s3Storage()'s headers: 'x-amz-meta-ü' can be no name of a header field.",
    ],
    [
      { bucket: 'b', headers: async () => ({}) },
      "s3Storage()'s headers must be a function that answers at once, not a promise.",
    ],
    [
      { bucket: 'b', encoding: 'zstd' },
      "s3Storage()'s encoding must be 'br' or 'gzip', not 'zstd'.",
    ],
    [{ bucket: 'b', concurrency: 0 }, "s3Storage()'s concurrency must be a whole number from 1 on"],
    [{ bucket: 'b', concurrency: '8' }, "not '8'."],
    [
      { bucket: 'b', partSize: 1024 },
      "s3Storage()'s partSize must be bytes, 5242880 (5 MiB) at least",
    ],
    [{ bucket: 'b', acl: '' }, "s3Storage()'s acl must be a word as S3 knows it, not ''."],
    [{ bucket: 'b', storageClass: {} }, "s3Storage()'s storageClass must be a word"],
    [{ bucket: 'b', client: {} }, "s3Storage()'s client must be an S3Client"],
    [{ bucket: 'b', headers: [] }, "s3Storage()'s headers must be an object of header fields"],
    [
      { bucket: 'b', headers: { 'Cache-Control': 7 } },
      'Cache-Control must be a string of printable',
    ],
    [{ bucket: 'b', headers: { Expires: 'ü' } }, 'Expires must be a string of printable ASCII'],
    [
      { bucket: 'b', headers: { 'Access-Control-Allow-Origin': '*' } },
      'S3 keeps no Access-Control-Allow-Origin with a file, but cache-control, content-type,',
    ],
    [
      { bucket: 'b', cloudFront: {} },
      "s3Storage()'s cloudFront needs a keyPairId and a privateKey",
    ],
    [
      { bucket: 'b', cloudFront: { keyId: 'K' } },
      "'keyId' is no option of s3Storage()'s cloudFront.",
    ],
    [
      { bucket: 'b', cloudFront: { keyPairId: 'K', privateKey: 'P' } },
      "s3Storage()'s cloudFront needs a publicUrl",
    ],
    [
      { bucket: 'b', publicUrl: '/s/', cloudFront: { keyPairId: 'K', privateKey: 'P' } },
      "s3Storage()'s cloudFront needs a publicUrl",
    ],
  ])('refuses %j', (given, message) => {
    const options = given as object | undefined;
    expect(() => s3Storage(options as { bucket: string })).toThrow(SetupError);
    expect(() => s3Storage(options as { bucket: string })).toThrow(message);
  });

  test('refuses a client beside the configuration of one', () => {
    const client = new S3Client({ region: 'eu-west-1' });
    expect(() => s3Storage({ bucket: 'b', client, region: 'eu-west-1' })).toThrow(
      "s3Storage() takes a client or its configuration, not both: give 'region' to the client.",
    );
    expect(s3Storage({ bucket: 'b', client, region: undefined }).location).toBe('s3://b/');
  });

  test('takes what the SDK can be told, but for its own parts', () => {
    const told: Required<Pick<S3ClientConfig, 'useArnRegion' | 'retryMode' | 'profile'>> = {
      useArnRegion: true,
      retryMode: 'adaptive',
      profile: 'deploy',
    };
    expect(s3Storage({ bucket: 'b', ...told }).stable).toBe(true);
    const own = { accessKeyId: 'a', secretAccessKey: 'b', sessionToken: 'c', $source: {}, x: 1 };
    const all: S3ClientConfig = {
      credentials: own,
      endpoint: { protocol: 'http:', hostname: 'localhost', path: '/' },
      region: async () => 'eu-west-1',
      maxAttempts: async () => 3,
      forcePathStyle: false,
      useDualstackEndpoint: async () => false,
      expectContinueHeader: 1_000_000,
      requestHandler: { socketTimeout: 1000 },
      requestChecksumCalculation: 'WHEN_REQUIRED',
      logger: console,
    };
    expect(s3Storage({ bucket: 'b', ...all }).stable).toBe(true);
    const providers: S3ClientConfig = {
      credentials: async () => own,
      endpoint: async () => ({ url: new URL('http://localhost') }),
    };
    expect(s3Storage({ bucket: 'b', ...providers }).stable).toBe(true);
    expect(s3Storage({ bucket: 'b', endpoint: { url: new URL('http://a') } }).stable).toBe(true);
    const bare = { protocol: 'http:', hostname: 'localhost', path: '' };
    expect(s3Storage({ bucket: 'b', endpoint: bare }).stable).toBe(true);
    expect(() => s3Storage({ bucket: 'b', urlParser: undefined } as never)).toThrow(
      "'urlParser' is no option of s3Storage().",
    );
  });

  test.each([
    [{}, 's3://b/'],
    [{ prefix: '' }, 's3://b/'],
    [{ prefix: '/' }, 's3://b/'],
    [{ prefix: 'static' }, 's3://b/static/'],
    [{ prefix: '/a//b/./c/' }, 's3://b/a/b/c/'],
  ])('with %j is at %s', (options, location) => {
    expect(s3Storage({ bucket: 'b', ...options }).location).toBe(location);
  });

  test('says what it can, to whoever collects', () => {
    const storage = s3Storage({ bucket: 'b' });
    expect(storage.path).toBeUndefined();
    expect(storage.direct).toBeUndefined();
    expect(storage).toMatchObject({ stable: true, concurrency: 32, encoding: undefined });
    expect(storage.keptHeaders).toContain('cache-control');
    expect(storage.keptHeaders).not.toContain('access-control-allow-origin');
    expect(s3Storage({ bucket: 'b', encoding: 'br', concurrency: 4 })).toMatchObject({
      encoding: 'br',
      concurrency: 4,
    });
  });

  test('takes no name that could leave a folder, and writes to none that is a folder', async () => {
    const storage = s3Storage({ bucket: 'b', region: 'eu-west-1' });
    await expect(storage.write('../a.css', Buffer.of())).rejects.toThrow(NameError);
    await expect(storage.read('../a.css')).rejects.toThrow(NameError);
    for (const name of ['', 'folder/']) {
      await expect(storage.write(name, Buffer.of())).rejects.toThrow(
        new NameError(
          `The name ${JSON.stringify(name)} is that of a folder. Choose another.`,
          name,
        ),
      );
      expect(await storage.exists(name)).toBe(false);
      expect(await storage.read(name)).toBeUndefined();
      await storage.delete(name);
    }
  });

  test('writes to no name whose key would be too long, and has no such file', async () => {
    const storage = s3Storage({ bucket: 'b', prefix: 'p', region: 'eu-west-1' });
    const name = 'é'.repeat(512); // with the prefix 1,026 bytes
    for (const write of [
      storage.write(name, Buffer.of()),
      storage.writeIf(name, Buffer.of(), undefined),
      storage.writeFile(name, import.meta.filename),
    ]) {
      await expect(write).rejects.toThrow('makes a key of more than 1024 bytes');
    }
    expect(await storage.exists(name)).toBe(false);
    expect(await storage.readVersion(name)).toBeUndefined();
  });
});

const SWIFT = { endpoint: 'http://127.0.0.1:8080', forcePathStyle: true };

describe('the URL of a file', () => {
  test.each<[object, string]>([
    [{}, 'https://shelf.s3.eu-west-1.amazonaws.com/a.css'],
    [{ region: 'us-east-1' }, 'https://shelf.s3.us-east-1.amazonaws.com/a.css'],
    [{ region: 'cn-north-1' }, 'https://shelf.s3.cn-north-1.amazonaws.com.cn/a.css'],
    [{ prefix: 'ü/static' }, 'https://shelf.s3.eu-west-1.amazonaws.com/%C3%BC/static/a.css'],
    [{ forcePathStyle: true }, 'https://s3.eu-west-1.amazonaws.com/shelf/a.css'],
    // No certificate is good for it as a host.
    [{ bucket: 'my.shelf' }, 'https://s3.eu-west-1.amazonaws.com/my.shelf/a.css'],
    [{ bucket: 'Shelf_1' }, 'https://s3.eu-west-1.amazonaws.com/Shelf_1/a.css'],
    [SWIFT, 'http://127.0.0.1:8080/shelf/a.css'],
    [{ endpoint: 'http://127.0.0.1:8080' }, 'http://127.0.0.1:8080/shelf/a.css'],
    [{ endpoint: 'http://[::1]:8080' }, 'http://[::1]:8080/shelf/a.css'],
    [{ endpoint: 'http://store:9000/s3' }, 'http://shelf.store:9000/s3/a.css'],
    [{ endpoint: 'http://store', bucket: 'my.shelf' }, 'http://my.shelf.store/a.css'],
    [{ endpoint: 'https://fra1.example.com' }, 'https://shelf.fra1.example.com/a.css'],
    [{ endpoint: 'https://store/', forcePathStyle: true }, 'https://store/shelf/a.css'],
    [{ endpoint: { url: new URL('https://store') } }, 'https://shelf.store/a.css'],
    [
      { endpoint: { protocol: 'http:', hostname: 'store', port: 81, path: '/' } },
      'http://shelf.store:81/a.css',
    ],
    [{ publicUrl: 'https://cdn.example.com/' }, 'https://cdn.example.com/a.css'],
    // The public address is that of the prefix: of a CDN that shows the whole bucket it has it too.
    [
      { prefix: 'static/', publicUrl: 'https://cdn.example.com/static/' },
      'https://cdn.example.com/static/a.css',
    ],
    [{ prefix: 'x/', publicUrl: 'https://cdn.example.com/' }, 'https://cdn.example.com/a.css'],
    [{ publicUrl: '//cdn.example.com/ü/' }, '//cdn.example.com/%C3%BC/a.css'],
    [{ publicUrl: '/assets/' }, '/assets/a.css'],
  ])('with %j is %s', (options, url) => {
    const storage = s3Storage({ bucket: 'shelf', region: 'eu-west-1', ...options });
    expect(storage.url('a.css')).toBe(url);
  });

  test.each([
    ['', ''],
    ['a b/100%.css', 'a%20b/100%25.css'],
    ['a?b#c', 'a%3Fb%23c'],
    ['/a//b', 'a/b'],
    // S3 takes a plus in a path for a space.
    ['x+y@2.css', 'x%2By@2.css'],
  ])('of %j ends in %j', (name, end) => {
    const publicUrl = 'https://cdn.example.com/a+b/';
    expect(s3Storage({ bucket: 'shelf', publicUrl }).url(name)).toBe(publicUrl + end);
  });

  test('is under staticUrl where that is set, unless publicUrl is', () => {
    const urlOf = (options: object, settings: object = {}) =>
      createStaticFiles({
        ...settings,
        storage: s3Storage({ bucket: 'shelf', ...SWIFT, ...options }),
      }).staticUrl('a.css');
    expect(urlOf({})).toBe('http://127.0.0.1:8080/shelf/a.css');
    expect(urlOf({}, { staticUrl: 'https://cdn.example.com/' })).toBe(
      'https://cdn.example.com/a.css',
    );
    expect(urlOf({ prefix: 'p' }, { staticUrl: '/s/' })).toBe('/s/a.css');
    expect(urlOf({ publicUrl: 'https://p.example.com/' }, { staticUrl: '/s/' })).toBe(
      'https://p.example.com/a.css',
    );
  });

  test('is known by the environment as well', () => {
    vi.stubEnv('AWS_REGION', 'ap-south-1');
    expect(s3Storage({ bucket: 'shelf' }).url('a')).toBe(
      'https://shelf.s3.ap-south-1.amazonaws.com/a',
    );
    vi.stubEnv('AWS_ENDPOINT_URL', 'http://127.0.0.1:1');
    expect(s3Storage({ bucket: 'shelf' }).url('a')).toBe('http://127.0.0.1:1/shelf/a');
    vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://127.0.0.1:2');
    expect(s3Storage({ bucket: 'shelf' }).url('a')).toBe('http://127.0.0.1:2/shelf/a');
    expect(s3Storage({ bucket: 'shelf', ignoreConfiguredEndpointUrls: true }).url('a')).toBe(
      'https://shelf.s3.ap-south-1.amazonaws.com/a',
    );
  });

  test('is asked of the SDK where nothing here tells it', async () => {
    vi.stubEnv('AWS_REGION', undefined);
    const { options } = await standIn();
    const { bucket, ...config } = options;
    const client = new S3Client({ ...config, region: 'eu-west-1' });
    const amazon = new S3Client({ region: async () => 'eu-west-1' });
    for (const [given, url] of [
      [{ client }, `${config.endpoint}/shelf/static/a.css`],
      [{ client: amazon }, 'https://shelf.s3.eu-west-1.amazonaws.com/static/a.css'],
      [
        { region: async () => 'eu-west-1' },
        'https://shelf.s3.eu-west-1.amazonaws.com/static/a.css',
      ],
    ] as const) {
      const storage = s3Storage({ bucket, prefix: 'static', ...given });
      expect(() => storage.url('a.css')).toThrow(NotReadyError);
      const files = createStaticFiles({ storage });
      await files.ready();
      expect(files.staticUrl('a.css')).toBe(url);
      expect(storage.url('a.css')).toBe(url);
    }
  });

  test('is not asked of anybody where it is known', () => {
    const client = new S3Client({ region: 'eu-west-1' });
    expect(s3Storage({ bucket: 'b', client, publicUrl: '/s/' }).ready).toBeUndefined();
    expect(s3Storage({ bucket: 'b', region: 'eu-west-1' }).ready).toBeUndefined();
  });

  test('of an access point has to be told', () => {
    const bucket = 'arn:aws:s3:eu-west-1:123456789012:accesspoint/files';
    const storage = s3Storage({ bucket, region: 'eu-west-1' });
    expect(() => storage.url('a.css')).toThrow("give it a 'publicUrl'");
    expect(s3Storage({ bucket, publicUrl: '/s/' }).url('a.css')).toBe('/s/a.css');
  });
});
