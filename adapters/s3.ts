import { attachable } from '../src/attachable.js';
import { NameError, NotReadyError, type Problem, reason } from '../src/errors.js';
import { assertName, normaliseName } from '../src/names.js';
import { checkBody } from '../src/options.js';
import type { ListedFile, Storage, WriteOptions } from '../src/storage.js';
import type { Fields } from '../src/stored-fields.js';
import { joinStoreUrl } from '../src/urls.js';
import { bucketUrl, knownHost } from './s3/address.js';
import type { Bucket } from './s3/bucket.js';
import { KEPT_FIELDS, keptFields, ownFields } from './s3/fields.js';
import { checkedOptions, type S3Settings, type S3StorageOptions } from './s3/options.js';

export type { FieldsOption } from '../src/stored-fields.js';
export type { S3StorageOptions } from './s3/options.js';

/** Files in a bucket. */
export interface S3Storage extends Storage {
  readonly location: string;
  entries(prefix?: string): AsyncIterable<ListedFile>;
  readVersion: NonNullable<Storage['readVersion']>;
  writeIf: NonNullable<Storage['writeIf']>;
  writeFile: NonNullable<Storage['writeFile']>;
  checkName: NonNullable<Storage['checkName']>;
  check: NonNullable<Storage['check']>;
  /**
   * A URL by which everybody can read a file that is not public, for a while: for media. It is signed
   * for S3, or for CloudFront where `cloudFront` is set; nobody is asked whether there is such a file.
   *
   * @throws {PeerError} where the package that signs is not installed:
   *   `@aws-sdk/s3-request-presigner` or `@aws-sdk/cloudfront-signer`.
   */
  signedUrl(name: string, options?: SignedUrlOptions): Promise<string>;
}

export interface SignedUrlOptions {
  /** For how many seconds it is good; S3 takes a week (604,800) at most. @default 3600 */
  readonly expiresIn?: number | undefined;
}

/**
 * Files in a bucket of Amazon S3, or of a store that speaks as it does: Cloudflare R2, DigitalOcean
 * Spaces, MinIO, Ceph, OpenStack Swift. django-storages' S3Storage. The package `@aws-sdk/client-s3`,
 * which it needs, is loaded with the first file: URLs go without.
 *
 * @throws {SetupError} for options that are unknown, or cannot be.
 */
export function s3Storage(options: S3StorageOptions): S3Storage {
  const settings = checkedOptions(options);
  const bucket = lazyBucket(settings);
  const own = ownAddress(bucket, settings);
  const files = filesIn(bucket, settings);
  const under = (baseUrl: string | undefined): S3Storage => ({
    ...files,
    url: (name) => joinStoreUrl(baseUrl ?? own.baseUrl(), normaliseName(name)),
    ...(baseUrl === undefined && !own.isKnown && { ready: own.learn }),
  });
  return attachable(under(settings.publicUrl), ({ chosenStaticUrl }) =>
    under(settings.publicUrl ?? chosenStaticUrl),
  );
}

/** Opens the bucket when it is first needed, for the SDK is large; again where that failed. */
function lazyBucket(settings: S3Settings): () => Promise<Bucket> {
  let opening: Promise<Bucket> | undefined;
  const open = async () => {
    try {
      const { openBucket } = await import('./s3/bucket.js');
      return await openBucket(settings);
    } catch (error) {
      opening = undefined;
      throw error;
    }
  };
  return () => {
    opening ??= open();
    return opening;
  };
}

/** The address under which the store itself has the files. */
function ownAddress(open: () => Promise<Bucket>, { bucket, prefix, config, client }: S3Settings) {
  let host = client === undefined ? knownHost(config) : undefined;
  return {
    isKnown: host !== undefined,
    baseUrl(): string {
      if (host !== undefined) return joinStoreUrl(bucketUrl(bucket, host), prefix);
      throw new NotReadyError(
        "The bucket's address is known to the SDK only: call await files.ready() first, or give s3Storage() a publicUrl or its region.",
      );
    },
    async learn() {
      host ??= await (await open()).host();
    },
  };
}

function filesIn(open: () => Promise<Bucket>, settings: S3Settings): Omit<S3Storage, 'url'> {
  const { bucket, prefix, concurrency, encoding } = settings;

  /** The key of a file's name; `undefined` for names that no file here can have. */
  function keyOf(name: string): string | undefined {
    const key = prefix + normaliseName(name);
    return isFile(key.slice(prefix.length)) && Buffer.byteLength(key) <= LONGEST_KEY
      ? key
      : undefined;
  }

  /** @throws {NameError} for names that no file here can have. */
  function keyToWrite(name: string): string {
    const key = keyOf(name);
    if (key !== undefined) return key;
    const why = isFile(normaliseName(name))
      ? `makes a key of more than ${LONGEST_KEY} bytes, which S3 does not take`
      : 'is that of a folder';
    throw new NameError(`The name ${JSON.stringify(name)} ${why}. Choose another.`, name);
  }

  async function version(name: string, unless?: string) {
    const key = keyOf(name);
    return key === undefined ? undefined : (await open()).get(key, unless);
  }

  async function stat(name: string) {
    const key = keyOf(name);
    return key === undefined ? undefined : (await open()).stat(key);
  }

  async function* entries(beginning = ''): AsyncGenerator<ListedFile> {
    assertName(beginning);
    if (Buffer.byteLength(prefix + beginning) > LONGEST_KEY) return;
    for await (const file of (await open()).list(prefix + beginning)) {
      const name = file.name.slice(prefix.length);
      if (isFile(name)) yield { ...file, name };
    }
  }

  return {
    async read(name) {
      const found = await version(name);
      return typeof found === 'object' ? found.body : undefined;
    },
    readVersion: version,
    stat,
    exists: async (name) => (await stat(name)) !== undefined,
    async write(name, body, writing = {}) {
      checkBody(name, body);
      const key = keyToWrite(name);
      await (await open()).put(key, body, fieldsOf(name, writing, settings), writing.md5);
    },
    async writeIf(name, body, tag, writing = {}) {
      checkBody(name, body);
      const key = keyToWrite(name);
      return (await open()).putIf(key, body, tag, fieldsOf(name, writing, settings), writing.md5);
    },
    async writeFile(name, path, writing = {}) {
      const key = keyToWrite(name);
      const fields = fieldsOf(name, writing, settings);
      await (await open()).putFile({ key, path, fields, md5: writing.md5?.toLowerCase() });
    },
    async checkName(name) {
      keyToWrite(name);
    },
    check: async () => checkBucket(await open()),
    async delete(name) {
      const key = keyOf(name);
      if (key !== undefined) await (await open()).remove(key);
    },
    async *list() {
      for await (const { name } of entries()) yield name;
    },
    entries,
    async signedUrl(name, signing = {}) {
      const key = keyToWrite(name);
      const { signedUrl } = await import('./s3/signed.js');
      return signedUrl(open, settings, { key, name: key.slice(prefix.length) }, signing);
    },
    location: `s3://${bucket}/${prefix}`,
    concurrency,
    keptHeaders: KEPT_FIELDS,
    encoding,
    stable: true,
  };
}

/** The SDK knows its region, or does not, without asking anybody. */
async function checkBucket(bucket: Bucket): Promise<Problem[]> {
  try {
    await bucket.host();
    return [];
  } catch (error) {
    return [{ id: 'staticfiles.W107', level: 'warning', message: reason(error) }];
  }
}

/** In bytes: https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html */
const LONGEST_KEY = 1024;

/** Whether a safe name is a file's; of others' keys in the bucket, whether it is a name at all. */
function isFile(name: string): boolean {
  return !/(?:^|\/)\.{0,2}(?:\/|$)|[\\\0]/.test(name);
}

/** The header fields of a file: what it is handed, and over that the storage's own. */
function fieldsOf(
  name: string,
  writing: WriteOptions,
  { acl, storageClass, headers: own }: S3Settings,
): Fields {
  return {
    ...keptFields(writing.headers),
    ...(acl !== undefined && { 'x-amz-acl': acl }),
    ...(storageClass !== undefined && { 'x-amz-storage-class': storageClass }),
    ...ownFields(own, name, writing),
  };
}
