import { attachable } from '../src/attachable.js';
import { SetupError } from '../src/errors.js';
import { normaliseName } from '../src/names.js';
import { checkOptions, checkSpelling } from '../src/options.js';
import type { Storage } from '../src/storage.js';
import type { FieldsOption } from '../src/stored-fields.js';
import { baseUrlFault, encodePath, joinUrl, resolveBaseUrl } from '../src/urls.js';
import { type AzureAccountOptions, azureAccount } from './azure/account.js';
import type { AccessTier, Blobs, BlobsOptions } from './azure/blobs.js';
import { checkOwnFields, KEPT_FIELDS } from './azure/fields.js';

export type { FieldsOption } from '../src/stored-fields.js';
export type {
  AzureAccountOptions,
  AzureContainerClient,
  AzureCredential,
} from './azure/account.js';

export interface AzureStorageOptions extends AzureAccountOptions {
  /** The folder of the container that holds the files: `'static'`. @default none */
  readonly prefix?: string | undefined;
  /**
   * What the URLs of the files begin with, ending in `/`: that of a CDN, mostly. A `prefix` is a part
   * of it only where it is written there.
   * @default the setting `staticUrl` where it is set, else the container's own address
   */
  readonly publicUrl?: string | undefined;
  /**
   * Header fields of every file, or of each by the name of its source, over those that collecting gives
   * it, but for the coding that it has compressed a file in; not of the manifest, nor of what lies in
   * `.staticfiles/`. Azure keeps Cache-Control, Content-Type, Content-Encoding, Content-Language and
   * Content-Disposition.
   */
  readonly headers?: FieldsOption | undefined;
  /** What the files cost, by how often they are read. @default that of the account */
  readonly accessTier?: AccessTier | undefined;
  /** How many requests are on their way at once. @default 32 */
  readonly concurrency?: number | undefined;
  /** Local files that are larger go in blocks of this size, in bytes. @default 8 MiB */
  readonly blockSize?: number | undefined;
  /** The coding that files are kept in where that is smaller. @default none */
  readonly encoding?: 'br' | 'gzip' | undefined;
}

export interface SignedUrlOptions {
  /** For how many seconds it is good. @default 3600 */
  readonly expiresIn?: number | undefined;
}

/** Files in a container of Azure Blob Storage. */
export interface AzureStorage extends Storage {
  readonly location: string;
  /**
   * A URL by which everybody can read the file for so many seconds, wherever it is; it is that of the
   * container, not of `publicUrl`.
   *
   * @throws {SetupError} without the key of the account.
   */
  signedUrl(name: string, options?: SignedUrlOptions): Promise<string>;
}

const OPTIONS = [
  'container',
  'prefix',
  'publicUrl',
  'connectionString',
  'accountName',
  'accountKey',
  'credential',
  'url',
  'client',
  'clientOptions',
  'headers',
  'accessTier',
  'concurrency',
  'blockSize',
  'encoding',
] as const;

const DEFAULTS = Object.freeze({ concurrency: 32, blockSize: 8 * 1024 * 1024 });

/** Seven tries take about 12 seconds where each fails at once. */
const PATIENCE = Object.freeze({ tries: 7, delayMs: 250, maxDelayMs: 30_000, silenceMs: 30_000 });

/** A ready client tries again by itself meanwhile. */
const READY_SILENCE_MS = 300_000;

/**
 * Files in a container of Azure Blob Storage. The SDK, @azure/storage-blob, is loaded by the first call
 * that needs the network: URLs do not.
 *
 * @throws {SetupError} for options that cannot be, or not together.
 */
export function azureStorage(options: AzureStorageOptions): AzureStorage {
  checkOptions('azureStorage()', options, OPTIONS);
  checkValues(options);
  const { headers, accessTier, encoding, publicUrl } = options;
  const { concurrency = DEFAULTS.concurrency, blockSize = DEFAULTS.blockSize } = options;
  const prefix = checkedPrefix(options.prefix);
  const own = checkedUrl(publicUrl);
  const account = azureAccount(options);
  const location = account.address + encodePath(prefix);
  const patience = patienceOf(options);
  const blobs = once({ account, location, prefix, headers, accessTier, blockSize, patience });

  const under = (baseUrl: string): AzureStorage => ({
    read: async (name) => (await blobs()).read(name),
    write: async (...args) => (await blobs()).write(...args),
    delete: async (name) => (await blobs()).delete(name),
    exists: async (name) => (await blobs()).exists(name),
    stat: async (name) => (await blobs()).stat(name),
    async *list() {
      yield* (await blobs()).list();
    },
    async *entries(begin) {
      yield* (await blobs()).entries(begin);
    },
    readVersion: async (...args) => (await blobs()).readVersion(...args),
    writeIf: async (...args) => (await blobs()).writeIf(...args),
    writeFile: async (...args) => (await blobs()).writeFile(...args),
    checkName: async (name) => (await blobs()).checkName(name),
    async check() {
      await blobs();
      return [];
    },
    url: (name) => joinUrl(baseUrl, name),
    stable: true,
    location,
    concurrency,
    keptHeaders: KEPT_FIELDS,
    ...(encoding && { encoding }),
    async signedUrl(name, signing = {}) {
      checkOptions('signedUrl()', signing, ['expiresIn']);
      const { expiresIn = 3600 } = signing;
      if (Number.isFinite(expiresIn) && expiresIn > 0) {
        return (await blobs()).signedUrl(name, expiresIn);
      }
      throw new SetupError(
        `signedUrl()'s expiresIn must be a number of seconds, not ${expiresIn}.`,
      );
    },
  });
  return attachable(under(own ?? location), ({ chosenStaticUrl }) =>
    under(own ?? chosenStaticUrl ?? location),
  );
}

/** Loads what needs the network, and connects, when it is first wanted; again where that failed. */
function once(options: BlobsOptions): () => Promise<Blobs> {
  let loading: Promise<Blobs> | undefined;
  const load = async () => {
    try {
      const { azureBlobs } = await import('./azure/blobs.js');
      return await azureBlobs(options);
    } catch (error) {
      loading = undefined;
      throw error;
    }
  };
  return () => {
    loading ??= load();
    return loading;
  };
}

function refuse(text: string): never {
  throw new SetupError(`azureStorage()'s ${text}`);
}

function checkValues(options: AzureStorageOptions): void {
  const { headers, accessTier, concurrency, blockSize, encoding } = options;
  checkOwnFields(headers);
  if (accessTier !== undefined && !['Hot', 'Cool', 'Cold'].includes(accessTier)) {
    refuse(`accessTier must be 'Hot', 'Cool' or 'Cold', not '${accessTier}'.`);
  }
  if (encoding !== undefined && !['br', 'gzip'].includes(encoding)) {
    refuse(`encoding must be 'br' or 'gzip', not '${encoding}'.`);
  }
  if (concurrency !== undefined && !(Number.isInteger(concurrency) && concurrency > 0)) {
    refuse(`concurrency must be a whole number from 1 on, not ${concurrency}.`);
  }
  if (blockSize !== undefined && !isBlockSize(blockSize)) {
    refuse(
      `blockSize must be a whole number of bytes, from 65536 to 4194304000, not ${blockSize}.`,
    );
  }
}

/** Azure takes blocks of up to 4,000 MiB; very small ones are requests for nothing. */
function isBlockSize(size: unknown): boolean {
  return Number.isInteger(size) && (size as number) >= 65_536 && (size as number) <= 4_194_304_000;
}

function checkedPrefix(prefix: unknown): string {
  if (prefix === undefined || prefix === '') return '';
  if (typeof prefix !== 'string') return refuse(`prefix must be the name of a folder.`);
  return normaliseName(`${prefix}/`);
}

function checkedUrl(publicUrl: unknown): string | undefined {
  if (publicUrl === undefined) return undefined;
  if (typeof publicUrl !== 'string') {
    return refuse(`publicUrl must be a string such as 'https://cdn.example.com/static/'.`);
  }
  const why = baseUrlFault(publicUrl);
  if (why !== undefined) refuse(`publicUrl ${why}: '${publicUrl}'.`);
  return resolveBaseUrl(publicUrl, '/');
}

/** The SDK's own; it hands others on to its parts. */
const CLIENT_OPTIONS = [
  'proxyOptions',
  'userAgentOptions',
  'retryOptions',
  'keepAliveOptions',
  'httpClient',
  'audience',
] as const satisfies readonly (keyof NonNullable<AzureStorageOptions['clientOptions']>)[];

const RETRY_OPTIONS = [
  'maxTries',
  'tryTimeoutInMs',
  'retryDelayInMs',
  'maxRetryDelayInMs',
] as const;

/** How patient it is, by the SDK's own options where they are given. */
function patienceOf({ client, clientOptions }: AzureStorageOptions): BlobsOptions['patience'] {
  if (clientOptions !== undefined) {
    checkSpelling("azureStorage()'s clientOptions", clientOptions, CLIENT_OPTIONS);
  }
  const { retryOptions = {} } = clientOptions ?? {};
  checkOptions("azureStorage()'s clientOptions.retryOptions", retryOptions, RETRY_OPTIONS);
  for (const key of RETRY_OPTIONS) {
    const value = retryOptions[key];
    if (value === undefined || (typeof value === 'number' && value > 0)) continue;
    refuse(`clientOptions.retryOptions.${key} must be a number greater than 0, not ${value}.`);
  }
  const { maxTries, tryTimeoutInMs, retryDelayInMs, maxRetryDelayInMs } = retryOptions;
  return {
    tries: maxTries ?? PATIENCE.tries,
    delayMs: retryDelayInMs ?? PATIENCE.delayMs,
    maxDelayMs: maxRetryDelayInMs ?? PATIENCE.maxDelayMs,
    silenceMs: client === undefined ? (tryTimeoutInMs ?? PATIENCE.silenceMs) : READY_SILENCE_MS,
  };
}
