import { createHash } from 'node:crypto';
import type { Stats } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import type { CompletedPart } from '@aws-sdk/client-s3';
import { StorageError } from '../../src/errors.js';
import { byteBudget, md5Of, readPart } from '../../src/file-parts.js';
import type { Fields } from '../../src/stored-fields.js';
import { attempts, code } from './faults.js';
import { type Connection, withFields } from './sdk.js';

/** A local file, and what is to become of it. */
export interface Upload {
  readonly key: string;
  readonly path: string;
  readonly fields: Fields;
  /** Of the whole file, in hexadecimal digits of lower case. */
  readonly md5: string | undefined;
}

/** How a file is sent. */
export interface Sending {
  readonly partSize: number;
  /** Sends a file that is no larger than a part. */
  put(key: string, body: Uint8Array, fields: Fields): Promise<void>;
  /** Asks the store, and says what goes wrong there. Faults of the local file come as they are. */
  explain<T>(key: string, fields: Fields, ask: () => Promise<T>): Promise<T>;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html */
const MOST_PARTS = 10_000;

/** Sends local files; large ones in parts, of which few are in memory. */
export function fileSender(connection: Connection, { partSize, put, explain }: Sending) {
  const take = byteBudget();

  async function sendInParts(file: FileHandle, upload: Upload): Promise<void> {
    const { key, path, md5, fields } = upload;
    const ask = <T>(call: () => Promise<T>) => explain(key, fields, call);
    const before = await file.stat();
    const hash = md5 === undefined ? undefined : createHash('md5');
    const multipart = await ask(() => begin(connection, upload));
    try {
      const parts = await sendParts(file, before.size, (number, body) => {
        hash?.update(body);
        return ask(() => multipart.send(number, body, md5 !== undefined));
      });
      const isSame = hash ? hash.digest('hex') === md5 : isAsBefore(before, await file.stat());
      if (!isSame) throw changedFile(path, key);
      await ask(() => multipart.complete(parts));
    } catch (error) {
      // That this fails as well is of no interest; parts that are left cost money until the bucket's
      // rule for incomplete uploads, if it has one, removes them.
      await multipart.abort().catch(() => {});
      throw error;
    }
  }

  /** Hands each part to `send`, in order, while earlier ones are under way. */
  async function sendParts(
    file: FileHandle,
    total: number,
    send: (number: number, body: Buffer) => Promise<CompletedPart>,
  ): Promise<CompletedPart[]> {
    const size = Math.max(partSize, Math.ceil(total / MOST_PARTS));
    const sent: Promise<CompletedPart>[] = [];
    let isFailed = false;
    try {
      for (let from = 0; from < total && !isFailed; from += size) {
        const length = Math.min(size, total - from);
        const giveBack = await take(length);
        const body = await readPart(file, from, length).catch((error) => {
          giveBack();
          throw error;
        });
        const part = send(sent.length + 1, body).finally(giveBack);
        part.catch(() => {
          isFailed = true; // and is told below
        });
        sent.push(part);
      }
    } finally {
      await Promise.allSettled(sent); // none goes on when its upload is given up
    }
    return Promise.all(sent);
  }

  async function sendWhole(file: FileHandle, size: number, upload: Upload): Promise<void> {
    const { key, path, fields, md5 } = upload;
    const giveBack = await take(size);
    try {
      const body = await file.readFile();
      // The store would refuse it as well, and could not say why.
      if (md5 !== undefined && hexMd5(body) !== md5.toLowerCase()) throw changedFile(path, key);
      await put(key, body, withDigest(fields, md5));
    } finally {
      giveBack();
    }
  }

  return async (upload: Upload): Promise<void> => {
    const file = await open(upload.path);
    try {
      const { size } = await file.stat();
      if (size > partSize) await sendInParts(file, upload);
      else await sendWhole(file, size, upload);
    } finally {
      await file.close();
    }
  };
}

function isAsBefore(before: Stats, after: Stats): boolean {
  return after.size === before.size && after.mtimeMs === before.mtimeMs;
}

/** The fields by which the store checks what it gets (RFC 1864). */
export function withDigest(fields: Fields, md5: string | undefined): Fields {
  if (md5 === undefined) return fields;
  return { ...fields, 'content-md5': Buffer.from(md5, 'hex').toString('base64') };
}

const hexMd5 = (body: Buffer) => md5Of(body).toString('hex');

function changedFile(path: string, key: string): StorageError {
  return new StorageError(
    `${path} changed while it was sent to ${key}: nothing was stored. Send it again.`,
  );
}

/** An upload in parts that has begun. */
async function begin({ sdk, client, at }: Connection, { key, fields }: Upload) {
  const { UploadId } = await client.send(
    withFields(new sdk.CreateMultipartUploadCommand(at(key)), fields),
  );
  const upload = { ...at(key), UploadId };
  return {
    async send(PartNumber: number, body: Buffer, isChecked: boolean): Promise<CompletedPart> {
      const command = new sdk.UploadPartCommand({ ...upload, PartNumber, Body: body });
      const md5 = isChecked ? hexMd5(body) : undefined;
      const answer = await client.send(withFields(command, withDigest({}, md5)));
      // Where the SDK has sent a checksum, the end has to name it again.
      const { ETag, ChecksumCRC32, ChecksumCRC32C, ChecksumSHA1, ChecksumSHA256 } = answer;
      const { ChecksumCRC64NVME } = answer;
      return {
        PartNumber,
        ETag,
        ...{ ChecksumCRC32, ChecksumCRC32C, ChecksumCRC64NVME, ChecksumSHA1, ChecksumSHA256 },
      };
    },
    async complete(Parts: CompletedPart[]): Promise<void> {
      try {
        const command = { ...upload, MultipartUpload: { Parts } };
        await client.send(new sdk.CompleteMultipartUploadCommand(command));
      } catch (error) {
        // The answer to an attempt may have been lost: then the upload is over, and the file there.
        if (code(error) !== 'NoSuchUpload' || attempts(error) === 1) throw error;
        const { ETag } = await client.send(new sdk.HeadObjectCommand(at(key)));
        if (ETag !== tagOf(Parts)) throw error;
      }
    },
    async abort(): Promise<void> {
      await client.send(new sdk.AbortMultipartUploadCommand(upload));
    },
  };
}

/** The tag of a file of these parts: the MD5 of their MD5s, and their number. */
function tagOf(parts: readonly CompletedPart[]): string {
  const hash = createHash('md5');
  for (const { ETag = '' } of parts) hash.update(Buffer.from(ETag.replaceAll('"', ''), 'hex'));
  return `"${hash.digest('hex')}-${parts.length}"`;
}
