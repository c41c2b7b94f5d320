import { setTimeout as pause } from 'node:timers/promises';
import type * as Sdk from '@aws-sdk/client-s3';
import { reason } from '../../src/errors.js';
import { loadPeer } from '../../src/load-peer.js';
import { contentType } from '../../src/media-types.js';
import type { FileStat, ListedFile, Version } from '../../src/storage.js';
import type { Fields } from '../../src/stored-fields.js';
import { type Host, knownHost, urlOf } from './address.js';
import { attempts, BrokenBodyError, code, explained, type Place, status } from './faults.js';
import type { S3Settings } from './options.js';
import { fileSender, type Upload, withDigest } from './parts.js';
import { type Connection, connect, withFields } from './sdk.js';

/** A bucket as the SDK reaches it, by keys. What goes wrong there is a StorageError. */
export interface Bucket {
  /** `undefined` where there is no such key; `'unchanged'` where its tag is `unless` still. */
  get(key: string, unless?: string): Promise<Version | 'unchanged' | undefined>;
  stat(key: string): Promise<FileStat | undefined>;
  put(key: string, body: Uint8Array, fields: Fields, md5: string | undefined): Promise<void>;
  /** Puts it only over that tag, or, with none, only where there is no such key. */
  putIf(
    key: string,
    body: Uint8Array,
    tag: string | undefined,
    fields: Fields,
    md5: string | undefined,
  ): Promise<Outcome>;
  putFile(upload: Upload): Promise<void>;
  remove(key: string): Promise<void>;
  /** With keys for names. */
  list(prefix: string): AsyncGenerator<ListedFile>;
  /** A URL by which everybody can read it for so many seconds. */
  sign(key: string, expiresIn: number): Promise<string>;
  /** Where the SDK's client asks. */
  host(): Promise<Host>;
}

export type Outcome = 'written' | 'changed' | 'unsupported';

/** @throws {PeerError} where the SDK is not installed. */
export async function openBucket(settings: S3Settings): Promise<Bucket> {
  const { bucket, config, partSize } = settings;
  const connection = await connect(settings);
  const { sdk, client, at } = connection;
  const place: Place = {
    bucket,
    endpoint: knownHost(config)?.endpoint?.href,
    forcePathStyle: config.forcePathStyle ?? false,
  };
  const reading = reader(connection);

  async function explain<T>(
    what: string,
    key: string,
    right: string,
    ask: () => Promise<T>,
    fields?: Fields,
  ) {
    try {
      return await ask();
    } catch (error) {
      throw explained(error, { what: `${what} s3://${bucket}/${key}`, right, fields }, place);
    }
  }
  const toRead = <T>(key: string, ask: () => Promise<T>) =>
    explain('read', key, 's3:GetObject', ask);
  const toWrite = <T>(key: string, fields: Fields, ask: () => Promise<T>) =>
    explain('write', key, 's3:PutObject', ask, fields);

  function toPut(key: string, body: Uint8Array, fields: Fields): Sdk.PutObjectCommand {
    return withFields(new sdk.PutObjectCommand({ ...at(key), Body: body }), fields);
  }
  async function put(key: string, body: Uint8Array, fields: Fields): Promise<void> {
    await toWrite(key, fields, () => client.send(toPut(key, body, fields)));
  }

  const sendFile = fileSender(connection, { partSize, put, explain: toWrite });

  return {
    get: (key, unless) => toRead(key, () => reading.get(key, unless)),
    stat: (key) => toRead(key, () => reading.stat(key)),
    put: (key, body, fields, md5) => put(key, body, withDigest(typed(key, fields), md5)),
    putFile: (upload) => sendFile({ ...upload, fields: typed(upload.key, upload.fields) }),
    putIf: (key, body, tag, fields, md5) =>
      toWrite(key, fields, async () => {
        const condition = tag === undefined ? { 'if-none-match': '*' } : { 'if-match': tag };
        const id = crypto.randomUUID();
        const own = { ...withDigest(typed(key, fields), md5), [`x-amz-meta-${WRITE_ID}`]: id };
        let isRepeated = false;
        for (let tries = 1; ; tries++) {
          try {
            await client.send(toPut(key, body, { ...own, ...condition }));
            return 'written';
          } catch (error) {
            if (isUnsupported(error)) return 'unsupported';
            if (!isConflict(error)) throw error;
            isRepeated ||= attempts(error) > 1;
            // Somebody else is writing, or deleting: the next try tells what came of that.
            if (status(error) === 409 && tries < (await client.config.maxAttempts())) {
              await backOff(tries);
              continue;
            }
            // The answer to an attempt may have been lost: then what is in the way may be our own.
            return isRepeated && (await reading.isOf(key, id)) ? 'written' : 'changed';
          }
        }
      }),
    remove: (key) =>
      explain('delete', key, 's3:DeleteObject', async () => {
        await unlessMissing(client.send(new sdk.DeleteObjectCommand(at(key))));
      }),
    async *list(prefix) {
      let token: string | undefined;
      do {
        const request = { Bucket: bucket, Prefix: prefix, ContinuationToken: token };
        // Unless they are encoded, keys with control characters make an XML that nobody can read.
        const command = new sdk.ListObjectsV2Command({ ...request, EncodingType: 'url' });
        const page = await explain('list', prefix, 's3:ListBucket', () =>
          wholePage(client.send(command), place),
        );
        yield* (page.Contents ?? []).map((item) => listedFile(item, page.EncodingType));
        token = page.IsTruncated ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },
    sign: (key, expiresIn) =>
      explain('sign', key, 's3:GetObject', async () => {
        const peer = '@aws-sdk/s3-request-presigner';
        const { getSignedUrl } = await loadPeer(
          peer,
          's3Storage()',
          () => import('@aws-sdk/s3-request-presigner'),
        );
        return getSignedUrl(client, new sdk.GetObjectCommand(at(key)), { expiresIn });
      }),
    host: () =>
      explain('find the address of', '', 's3:GetObject', async () => {
        const { region, forcePathStyle } = client.config;
        const endpoint = await client.config.endpoint?.();
        return {
          endpoint: endpoint && urlOf(endpoint),
          region: await region(),
          forcePathStyle: forcePathStyle ?? false,
        };
      }),
  };
}

/**
 * The metadata by which a write on condition is known again. Its bytes do not tell: somebody else may
 * have written the same, and would share the file unknowingly.
 */
const WRITE_ID = 'writeid';

/** As the SDK does between attempts. */
function backOff(tries: number): Promise<void> {
  return pause(Math.random() * Math.min(100 * 2 ** tries, 20_000));
}

/** The fields with a type: S3 would take every file for bytes of no kind. */
function typed(key: string, fields: Fields): Fields {
  return { 'content-type': contentType(key), ...fields };
}

function reader({ sdk, client, at }: Connection) {
  /** Of a HEAD of what is not there nobody can tell whether the bucket is. */
  let isBucketSeen = false;

  async function get(key: string, unless?: string): Promise<Version | 'unchanged' | undefined> {
    const condition = unless === undefined ? {} : { IfNoneMatch: unless };
    for (let tries = 1; ; tries++) {
      const command = new sdk.GetObjectCommand({ ...at(key), ...condition });
      const answer = await unlessMissing(client.send(command));
      isBucketSeen = true;
      if (answer === undefined || answer === 'unchanged') return answer;
      try {
        return { body: await wholeBody(answer), tag: answer.ETag ?? '' };
      } catch (error) {
        // The SDK's own retries are over when a body begins.
        if (tries >= (await client.config.maxAttempts())) throw brokenBody(error, tries);
        await backOff(tries);
      }
    }
  }

  async function stat(key: string): Promise<FileStat | undefined> {
    try {
      const found = await client.send(new sdk.HeadObjectCommand(at(key)));
      isBucketSeen = true;
      return { size: found.ContentLength ?? 0, mtimeMs: found.LastModified?.getTime() ?? 0 };
    } catch (error) {
      const http = status(error) ?? 0;
      if (http === 404 && isBucketSeen) return undefined;
      // The reason of a refusal stands in the body of an answer, and those to HEAD have none.
      if (http >= 300 && http < 500) await get(key);
      if (http === 404) return undefined;
      throw error;
    }
  }

  /** Whether what is there now was put there by that write. */
  async function isOf(key: string, writeId: string): Promise<boolean> {
    try {
      const { Metadata } = await client.send(new sdk.HeadObjectCommand(at(key)));
      return Metadata?.[WRITE_ID] === writeId;
    } catch (error) {
      if (status(error) === 404) return false;
      throw error;
    }
  }

  return { get, stat, isOf };
}

/** What was asked for; `undefined` for what is not there, `'unchanged'` for a 304. */
async function unlessMissing<T>(answer: Promise<T>): Promise<T | 'unchanged' | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (status(error) === 304) return 'unchanged';
    if (code(error) === 'NoSuchKey') return undefined;
    throw error;
  }
}

/** @throws {BrokenBodyError} where it is shorter than was said. */
async function wholeBody({ Body, ContentLength }: Sdk.GetObjectCommandOutput): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of Body as AsyncIterable<Uint8Array>) {
    chunks.push(chunk);
    size += chunk.length;
  }
  if (ContentLength !== undefined && size !== ContentLength) {
    throw new BrokenBodyError(`only ${size} of ${ContentLength} bytes arrived`);
  }
  const body = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.length;
  }
  return body;
}

function brokenBody(cause: unknown, tries: number): BrokenBodyError {
  return new BrokenBodyError(`the file broke off on its way: ${reason(cause)}`, { cause, tries });
}

/** A condition that does not hold; If-Match also where there is nothing. */
function isConflict(error: unknown): boolean {
  const http = status(error);
  return http === 412 || http === 409 || http === 304 || code(error) === 'NoSuchKey';
}

function isUnsupported(error: unknown): boolean {
  if (status(error) === 501 || code(error) === 'NotImplemented') return true;
  const words = reason(error);
  return (
    status(error) === 400 &&
    /not (?:implemented|supported)|unsupported/i.test(words) &&
    /header|condition|if-(?:none-)?match/i.test(words)
  );
}

function listedFile(item: Sdk._Object, encoding: string | undefined): ListedFile {
  const { Key = '', Size = 0, LastModified, ETag = '' } = item;
  return {
    // As in a form, a `+` is a space.
    name: encoding === 'url' ? decodeURIComponent(Key.replaceAll('+', ' ')) : Key,
    size: Size,
    mtimeMs: LastModified?.getTime() ?? 0,
    // The tag of a file that was sent in parts is no MD5, and ends in their number.
    md5: /^"?([\da-f]{32})"?$/i.exec(ETag)?.[1]?.toLowerCase(),
  };
}

/**
 * Refuses what would pass for a listing of nothing, such as a page of HTML, and a part of one that would
 * pass for all of it.
 */
async function wholePage(
  answer: Promise<Sdk.ListObjectsV2CommandOutput>,
  place: Place,
): Promise<Sdk.ListObjectsV2CommandOutput> {
  const page = await answer.catch((error: unknown) => {
    throw status(error) === 200 ? noListing(place, error) : error; // one that nobody can read
  });
  const { Name, KeyCount, IsTruncated, NextContinuationToken } = page;
  if ((Name ?? KeyCount ?? IsTruncated) === undefined) throw noListing(place);
  if (!IsTruncated || NextContinuationToken !== undefined) return page;
  throw new Error('the listing is not complete, and does not say how it goes on.');
}

function noListing({ endpoint }: Place, cause?: unknown): Error {
  const at = endpoint === undefined ? '' : ` at ${endpoint}`;
  return new Error(
    `what answers${at} gives no listing, and may be no store. Correct 'endpoint', or look at what stands before the store.`,
    { cause },
  );
}
