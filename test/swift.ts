import { existsSync } from 'node:fs';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import { inject } from 'vitest';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

/** A real object store with S3's API, whose buckets have addresses in path style. */
export interface Swift {
  /** `http://127.0.0.1:1234` */
  readonly endpoint: string;
  readonly region: string;
  readonly credentials: Credentials;
  /** Of a user who may do nothing in that account. */
  readonly reader: Credentials;
  /** Makes a bucket that nobody else knows. */
  bucket(): Promise<string>;
}

const PROGRAMS = [
  ['/usr/bin/swift-proxy-server', 'swift-proxy'],
  ['/usr/bin/swift-account-server', 'swift-account'],
  ['/usr/bin/swift-container-server', 'swift-container'],
  ['/usr/bin/swift-object-server', 'swift-object'],
  ['/usr/bin/memcached', 'memcached'],
] as const;

const missing = PROGRAMS.filter(([path]) => !existsSync(path)).map(([, name]) => name);

/** Why there is no Swift; `undefined` where there is one. */
export const swiftMissing =
  missing.length === 0
    ? undefined
    : `There is no OpenStack Swift: ${missing.join(', ')} are not installed. Get them with 'sh test/setup.sh'.`;

/** Goes into the title of tests that are skipped without it. */
export const withoutSwift =
  swiftMissing === undefined ? '' : ' (skipped: no Swift here; sh test/setup.sh installs it)';

let server: Promise<Swift> | undefined;

/** The Swift of this run of the tests; the first to ask waits some seconds for it. */
export function swift(): Promise<Swift> {
  server ??= ask();
  return server;
}

async function ask(): Promise<Swift> {
  if (swiftMissing !== undefined) throw new Error(swiftMissing);
  const answer = await fetch(`${inject('servers')}swift`);
  if (!answer.ok) throw new Error(await answer.text());
  const { endpoint, region } = (await answer.json()) as Pick<Swift, 'endpoint' | 'region'>;
  const credentials = { accessKeyId: 'test:tester', secretAccessKey: 'testing' };
  const client = new S3Client({ endpoint, region, credentials, forcePathStyle: true });
  return {
    endpoint,
    region,
    credentials,
    reader: { accessKeyId: 'test:reader', secretAccessKey: 'reading' },
    async bucket() {
      const name = `staticfiles-${crypto.randomUUID()}`;
      await client.send(new CreateBucketCommand({ Bucket: name }));
      return name;
    },
  };
}
