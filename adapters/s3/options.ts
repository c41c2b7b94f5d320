import type { S3Client, S3ClientConfig } from '@aws-sdk/client-s3';
import { reason, SetupError } from '../../src/errors.js';
import { normaliseName } from '../../src/names.js';
import { checkOptions } from '../../src/options.js';
import type { FieldsOption } from '../../src/stored-fields.js';
import { baseUrlFault, resolveBaseUrl } from '../../src/urls.js';
import {
  CLIENT_OPTIONS,
  clientConfig,
  refuse,
  type S3ClientOptions,
  USUAL,
} from './client-options.js';
import { checkOwnFields } from './fields.js';

const OWN_OPTIONS = [
  'bucket',
  'prefix',
  'publicUrl',
  'client',
  'acl',
  'storageClass',
  'headers',
  'encoding',
  'concurrency',
  'partSize',
  'cloudFront',
] as const;

/**
 * Where the files are, and the SDK's own configuration, such as `region`, `credentials`, `endpoint`,
 * `forcePathStyle`, `maxAttempts` (6 here) and `requestHandler`. What is not given, the SDK finds as
 * always: in the environment, in its files, on the machine.
 */
export interface S3StorageOptions extends S3ClientOptions {
  readonly bucket: string;
  /** The folder in the bucket that is the storage's, such as `'static/'`. @default '', the whole bucket */
  readonly prefix?: string | undefined;
  /**
   * The base URL of the files, that is the public address of `prefix`, ending in `/`. Of a CDN that
   * shows the whole bucket it ends as `prefix` does: `'https://cdn.example.com/static/'`.
   *
   * @default the setting `staticUrl`, where it is set; otherwise the bucket's own address
   */
  readonly publicUrl?: string | undefined;
  /** A ready client, in place of its configuration. */
  readonly client?: S3Client | undefined;
  /** The canned ACL of each file, such as `'public-read'`. @default none, as AWS advises */
  readonly acl?: string | undefined;
  /** The storage class of each file, such as `'STANDARD_IA'`. @default the bucket's */
  readonly storageClass?: string | undefined;
  /**
   * The header fields that files are to be answered with, of all or by the name of the source; they win
   * over what collecting gives, but for the coding that it has compressed a file in. Besides those that
   * S3 keeps, its own (`x-amz-…`) go along with the upload; they alone with the manifest, and with what
   * lies in `.staticfiles/`.
   */
  readonly headers?: FieldsOption | undefined;
  /**
   * The coding that files are stored in where it makes them smaller, under their own names and with
   * `Content-Encoding`: for CDNs that do not compress, and browsers that all know it. @default none
   */
  readonly encoding?: 'br' | 'gzip' | undefined;
  /** How many requests collecting sends at once. @default 32 */
  readonly concurrency?: number | undefined;
  /** Files larger than this are sent in parts of this size, in bytes; 5 MiB at least. @default 8 MiB */
  readonly partSize?: number | undefined;
  /**
   * Signs what `signedUrl()` answers for CloudFront instead of S3; it needs `publicUrl`. The id of a
   * public key in one of the distribution's key groups, and its private key as PEM.
   */
  readonly cloudFront?: CloudFrontKey | undefined;
}

export interface CloudFrontKey {
  readonly keyPairId: string;
  readonly privateKey: string;
}

/** The options, checked and completed. */
export interface S3Settings {
  readonly bucket: string;
  readonly prefix: string;
  readonly publicUrl: string | undefined;
  readonly client: S3Client | undefined;
  readonly config: S3ClientConfig;
  readonly acl: string | undefined;
  readonly storageClass: string | undefined;
  readonly headers: FieldsOption | undefined;
  readonly encoding: 'br' | 'gzip' | undefined;
  readonly concurrency: number;
  readonly partSize: number;
  readonly cloudFront: CloudFrontKey | undefined;
}

export const MIB = 2 ** 20;
/** Of all parts but the last: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MIN_PART_SIZE = 5 * MIB;

/** @throws {SetupError} for options that are unknown, or cannot be. */
export function checkedOptions(options: S3StorageOptions): S3Settings {
  checkNames(options);
  const { client, acl, storageClass, headers, encoding, cloudFront } = options;
  const { concurrency = 32, partSize = 8 * MIB } = options;
  const config = clientConfig(options);
  checkClient(client, config);
  checkText('acl', acl);
  checkText('storageClass', storageClass);
  checkOwnFields(headers);
  if (encoding !== undefined && encoding !== 'br' && encoding !== 'gzip') {
    refuse('encoding', "'br' or 'gzip'", encoding);
  }
  checkInteger('concurrency', concurrency, 1, 'a whole number from 1 on');
  checkInteger('partSize', partSize, MIN_PART_SIZE, `bytes, ${MIN_PART_SIZE} (5 MiB) at least`);
  const publicUrl = checkedPublicUrl(options.publicUrl);
  checkCloudFront(cloudFront, publicUrl);
  return {
    bucket: checkedBucket(options.bucket),
    prefix: checkedPrefix(options.prefix),
    publicUrl,
    client,
    config,
    acl,
    storageClass,
    headers,
    encoding,
    concurrency,
    partSize,
    cloudFront,
  };
}

function checkNames(options: S3StorageOptions): void {
  const isClients = (key: string) => CLIENT_OPTIONS.some((known) => known === key);
  const own =
    typeof options === 'object' && options !== null
      ? Object.fromEntries(Object.entries(options).filter(([key]) => !isClients(key)))
      : options;
  checkOptions('s3Storage()', own, [...OWN_OPTIONS, ...USUAL]);
}

function checkClient(client: unknown, config: S3ClientConfig): void {
  if (client === undefined) return;
  if (typeof (Object(client) as { send?: unknown }).send !== 'function') {
    refuse('client', 'an S3Client of @aws-sdk/client-s3', client);
  }
  const [key] = Object.keys(config);
  if (key === undefined) return;
  throw new SetupError(
    `s3Storage() takes a client or its configuration, not both: give '${key}' to the client.`,
  );
}

function checkedBucket(bucket: unknown): string {
  if (typeof bucket !== 'string' || bucket === '') {
    throw new SetupError(
      "s3Storage() needs the name of a bucket: s3Storage({ bucket: 'my-bucket' }).",
    );
  }
  if (!bucket.startsWith('arn:') && /[/:]/.test(bucket)) {
    throw new SetupError(
      `s3Storage()'s bucket must be its name alone, not '${bucket}': a folder in it is the option 'prefix', the host 'endpoint'.`,
    );
  }
  return bucket;
}

function checkedPrefix(prefix: unknown = ''): string {
  if (typeof prefix !== 'string') return refuse('prefix', "a folder such as 'static/'", prefix);
  try {
    const name = normaliseName(prefix);
    return name === '' || name.endsWith('/') ? name : `${name}/`;
  } catch (error) {
    throw new SetupError(`s3Storage()'s prefix cannot be '${prefix}': ${reason(error)}`, {
      cause: error,
    });
  }
}

function checkedPublicUrl(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string') {
    return refuse('publicUrl', "a string such as 'https://cdn.example.com/'", value);
  }
  const why = baseUrlFault(value);
  if (why !== undefined) throw new SetupError(`s3Storage()'s publicUrl ${why}: '${value}'.`);
  return resolveBaseUrl(value, '/');
}

function checkCloudFront(key: unknown, publicUrl: string | undefined): void {
  if (key === undefined) return;
  checkOptions("s3Storage()'s cloudFront", key, ['keyPairId', 'privateKey']);
  const { keyPairId, privateKey } = Object(key) as Partial<CloudFrontKey>;
  if (typeof keyPairId !== 'string' || typeof privateKey !== 'string') {
    throw new SetupError("s3Storage()'s cloudFront needs a keyPairId and a privateKey, both text.");
  }
  if (publicUrl === undefined || !/^https?:/i.test(publicUrl)) {
    throw new SetupError(
      "s3Storage()'s cloudFront needs a publicUrl, the distribution's address: 'https://d111.cloudfront.net/'.",
    );
  }
}

function checkText(key: string, value: unknown): void {
  if (value === undefined || (typeof value === 'string' && /^[\w-]+$/.test(value))) return;
  refuse(key, 'a word as S3 knows it', value);
}

function checkInteger(key: string, value: unknown, least: number, rule: string): void {
  if (!Number.isSafeInteger(value) || (value as number) < least) refuse(key, rule, value);
}
