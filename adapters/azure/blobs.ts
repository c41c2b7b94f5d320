import type {
  BlockBlobClient,
  BlockBlobUploadOptions,
  ContainerListBlobFlatSegmentResponse,
} from '@azure/storage-blob';
import { NameError, SetupError, StorageError } from '../../src/errors.js';
import { byteBudget, md5Of } from '../../src/file-parts.js';
import { loadPeer } from '../../src/load-peer.js';
import { contentType } from '../../src/media-types.js';
import { normaliseName } from '../../src/names.js';
import { checkBody } from '../../src/options.js';
import type { ListedFile, Storage, WriteOptions } from '../../src/storage.js';
import type { FieldsOption } from '../../src/stored-fields.js';
import { type AzureAccount, proofOf } from './account.js';
import { received, streamOf } from './bodies.js';
import {
  checkAnswer,
  explained,
  ForeignAnswerError,
  faultStatus,
  isConditionUnmet,
  isNoFile,
  isPassing,
  isPassingBody,
} from './faults.js';
import { blobFields } from './fields.js';
import { BrokenBodyError, type Patience, persist, type Try } from './tries.js';
import { sendFile, type Target } from './upload.js';

/** What is asked of the container, checked. */
export interface BlobsOptions {
  readonly account: AzureAccount;
  /** Where the files are, for people. */
  readonly location: string;
  /** Empty, or ending in a slash. */
  readonly prefix: string;
  readonly headers: FieldsOption | undefined;
  readonly accessTier: AccessTier | undefined;
  readonly blockSize: number;
  readonly patience: Omit<Patience, 'isPassing'>;
}

export type AccessTier = 'Hot' | 'Cool' | 'Cold';

/** What needs the network. */
export type Blobs = Required<
  Pick<
    Storage,
    | 'read'
    | 'write'
    | 'delete'
    | 'exists'
    | 'stat'
    | 'list'
    | 'entries'
    | 'readVersion'
    | 'writeIf'
    | 'writeFile'
    | 'checkName'
  >
> & { signedUrl(name: string, seconds: number): Promise<string> };

/** As many as Azure answers at once. */
const PAGE_SIZE = 5000;
/** What a name may have; https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata */
const LONGEST_NAME = 1024;

/** The files of a container. */
export async function azureBlobs(options: BlobsOptions): Promise<Blobs> {
  const { account, location, prefix, headers, accessTier, blockSize } = options;
  const client = account.connect(await loadSdk());
  const proof = proofOf(client);
  const signed = new URL(client.url).searchParams;
  const place = { location, container: account.container, proof, signed };
  const patience: Patience = account.ready
    ? { ...options.patience, isPassing: isPassingBody }
    : { ...options.patience, isPassing };
  const take = byteBudget();
  const tier = accessTier === undefined ? {} : { tier: accessTier };

  /** Asks the store, again if need be, and says in a sentence what it could not do. */
  async function ask<T>(
    doing: string,
    call: (attempt: Try) => Promise<T>,
    silenceMs = patience.silenceMs,
  ): Promise<T> {
    try {
      return await persist({ ...patience, silenceMs }, call);
    } catch (error) {
      throw explained(error, doing, place);
    }
  }

  /** `undefined` where there is no such file. */
  async function askOf<T>(
    doing: string,
    name: string,
    call: (blob: BlockBlobClient, attempt: Try) => Promise<T>,
  ): Promise<T | undefined> {
    const blob = blobOf(name);
    if (blob === undefined) return undefined;
    return ask(`${doing} '${name}' of ${location}`, async (attempt) => {
      try {
        return await call(blob, attempt);
      } catch (error) {
        if (isNoFile(error)) return undefined;
        throw error;
      }
    });
  }

  /** `undefined` where the name can be that of no file. */
  function blobOf(name: string): BlockBlobClient | undefined {
    const path = prefix + normaliseName(name);
    if (path === prefix || path.endsWith('/') || path.length > LONGEST_NAME) return undefined;
    return client.getBlockBlobClient(path);
  }

  /** @throws {NameError} where the name can be that of no file. */
  function targetOf(name: string): BlockBlobClient {
    const blob = blobOf(name);
    if (blob !== undefined) return blob;
    const why =
      (prefix + name).length > LONGEST_NAME
        ? `has more than the ${LONGEST_NAME} characters that Azure takes, those of the prefix '${prefix}' among them`
        : 'is that of a folder';
    throw new NameError(`The name ${JSON.stringify(name)} ${why}.`, name);
  }

  /** The type by the name, over it what the caller wants, and over that what the storage was told. */
  function fieldsOf(name: string, writing: WriteOptions, blobContentMD5: Uint8Array) {
    const fields = blobFields(name, writing, headers);
    return { blobContentType: contentType(normaliseName(name)), ...fields, blobContentMD5 };
  }

  function version(name: string, unless?: string) {
    return askOf('read', name, async (blob, { signal, alive }) => {
      try {
        const answer = await blob.download(0, undefined, {
          abortSignal: signal,
          ...(unless !== undefined && { conditions: { ifNoneMatch: unless } }),
          // The SDK goes on amid a body only where its stream ends without an error; `ask` always.
          maxRetryRequests: 0,
        });
        const body = await received(answer, alive); // in any case: nobody else would read it
        checkAnswer(answer);
        return isFolder(answer.metadata) ? undefined : { body, tag: answer.etag ?? '' };
      } catch (error) {
        if (faultStatus(error) === 304) return 'unchanged';
        // The SDK's, of an answer without a length.
        if (error instanceof RangeError) throw new ForeignAnswerError(error.message);
        throw error;
      }
    });
  }

  async function read(name: string): Promise<Uint8Array | undefined> {
    const found = await version(name);
    return found === 'unchanged' ? undefined : found?.body;
  }

  function propertiesOf(name: string) {
    return askOf('look up', name, async (blob, { signal }) => {
      const properties = await blob.getProperties({ abortSignal: signal });
      checkAnswer(properties);
      return isFolder(properties.metadata) ? undefined : properties;
    });
  }

  async function stat(name: string) {
    const found = await propertiesOf(name);
    return found && { size: found.contentLength ?? 0, mtimeMs: found.lastModified?.getTime() ?? 0 };
  }

  async function* entries(begin = ''): AsyncGenerator<ListedFile> {
    const path = prefix + begin;
    let next: string | undefined;
    do {
      const page = await ask(
        `list ${location}`,
        ({ signal }) => pageAt(path, next, signal),
        // Nobody hears of a page before it is there as a whole.
        2 * patience.silenceMs,
      );
      for (const { name, properties, metadata } of page.segment.blobItems) {
        const own = name.slice(prefix.length);
        if (STRANGE_NAME.test(own) || isFolder(metadata)) continue;
        yield {
          name: own,
          size: properties.contentLength ?? 0,
          mtimeMs: properties.lastModified.getTime(),
          md5: properties.contentMD5 && Buffer.from(properties.contentMD5).toString('hex'),
        };
      }
      next = page.continuationToken || undefined;
    } while (next !== undefined);
  }

  async function pageAt(path: string, continuationToken: string | undefined, signal: AbortSignal) {
    const pages = client
      .listBlobsFlat({ prefix: path, includeMetadata: true, abortSignal: signal })
      .byPage({ maxPageSize: PAGE_SIZE, ...(continuationToken && { continuationToken }) });
    try {
      const { value } = await pages.next();
      return value as ContainerListBlobFlatSegmentResponse;
    } catch (cause) {
      // The SDK looks for the blobs in whatever was answered, such as a page of HTML.
      if (cause instanceof TypeError) throw new BrokenBodyError('it is no listing', { cause });
      throw cause;
    }
  }

  /** What a call that puts a file whole needs; the store compares the MD5 with what arrives. */
  function put(name: string, body: Uint8Array, md5: Uint8Array, writing: WriteOptions) {
    const blob = targetOf(name);
    const blobHTTPHeaders = fieldsOf(name, writing, md5);
    return (
      attempt: Try,
      more: Pick<BlockBlobUploadOptions, 'conditions' | 'metadata'> = {},
      sends?: () => void,
    ) =>
      blob.upload(streamOf(body, attempt, sends), body.length, {
        abortSignal: attempt.signal,
        blobHTTPHeaders,
        ...tier,
        ...more,
      });
  }

  function checkedMd5(name: string, body: Uint8Array, wanted: string | undefined): Buffer {
    checkBody(name, body);
    const md5 = md5Of(body);
    if (wanted === undefined || wanted.toLowerCase() === md5.toString('hex')) return md5;
    throw new StorageError(
      `Could not ${writing(name)}: the MD5 of its bytes is ${md5.toString('hex')}, and ${wanted} was expected. Nothing was stored.`,
    );
  }

  const writing = (name: string) => `write '${name}' to ${location}`;

  return {
    async checkName(name) {
      targetOf(name);
    },
    read,
    async write(name, body, options = {}) {
      const upload = put(name, body, checkedMd5(name, body, options.md5), options);
      await ask(writing(name), (attempt) => upload(attempt));
    },
    async delete(name) {
      await askOf('delete', name, (blob, { signal }) =>
        blob.delete({ deleteSnapshots: 'include', abortSignal: signal }),
      );
    },
    exists: async (name) => (await stat(name)) !== undefined,
    stat,
    async *list() {
      for await (const { name } of entries()) yield name;
    },
    entries,
    readVersion: version,
    async writeIf(name, body, tag, options = {}) {
      const upload = put(name, body, checkedMd5(name, body, options.md5), options);
      const conditions = tag === undefined ? { ifNoneMatch: '*' } : { ifMatch: tag };
      const writeid = crypto.randomUUID();
      let sendings = 0;
      const isWritten = await ask(writing(name), async (attempt) => {
        try {
          await upload(attempt, { conditions, metadata: { writeid } }, () => {
            sendings++;
          });
          return true;
        } catch (error) {
          if (isConditionUnmet(error)) return false;
          throw error;
        }
      });
      if (isWritten) return 'written';
      // Of a try whose answer was lost nobody knows whether it was that which changed the file.
      // Its bytes do not tell: somebody else may have written the same.
      const isOurs = sendings > 1 && (await propertiesOf(name))?.metadata?.writeid === writeid;
      return isOurs ? 'written' : 'changed';
    },
    async writeFile(name, path, options = {}) {
      const blob = targetOf(name);
      const target: Target = {
        async put(body, md5) {
          const upload = put(name, body, md5, options);
          await ask(writing(name), (attempt) => upload(attempt));
        },
        async stage({ id, body, md5 }) {
          await ask(writing(name), (attempt) =>
            blob.stageBlock(id, streamOf(body, attempt), body.length, {
              abortSignal: attempt.signal,
              transactionalContentMD5: md5,
            }),
          );
        },
        async commit(ids, md5) {
          const blobHTTPHeaders = fieldsOf(name, options, md5);
          await ask(writing(name), ({ signal }) =>
            blob.commitBlockList([...ids], { abortSignal: signal, blobHTTPHeaders, ...tier }),
          );
        },
      };
      await sendFile(path, target, { blockSize, md5: options.md5?.toLowerCase(), take });
    },
    async signedUrl(name, seconds) {
      const blob = targetOf(name);
      if (proof !== 'key') {
        throw new SetupError(
          'signedUrl() needs the key of the storage account: give azureStorage() an accountKey, or a connectionString with one.',
        );
      }
      const { BlobSASPermissions } = await loadSdk();
      return blob.generateSasUrl({
        permissions: BlobSASPermissions.parse('r'),
        expiresOn: new Date(Date.now() + seconds * 1000),
      });
    },
  };
}

/** Names of blobs that are none of ours, for ours are safe: empty parts, dots, backslashes. */
const STRANGE_NAME = /(?:^|\/)\.{0,2}(?:\/|$)|\\/;

/** Accounts with a hierarchical namespace (Data Lake) list folders among the files. */
function isFolder(metadata: Readonly<Record<string, string>> | undefined): boolean {
  return metadata?.hdi_isfolder === 'true';
}

function loadSdk() {
  return loadPeer('@azure/storage-blob', 'azureStorage()', () => import('@azure/storage-blob'));
}
