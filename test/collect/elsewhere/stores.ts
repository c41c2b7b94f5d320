import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type IncomingMessage, request as send } from 'node:http';
import { text } from 'node:stream/consumers';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { BlobServiceClient, ContainerSASPermissions } from '@azure/storage-blob';
import { afterAll, beforeAll } from 'vitest';
import { type AzureStorageOptions, azureStorage } from '../../../adapters/azure.js';
import { type S3StorageOptions, s3Storage } from '../../../adapters/s3.js';
import type { ListedFile, Storage } from '../../../src/storage.js';
import { type Azurite, azurite } from '../../azurite.js';
import type { Exchange, StoreProxy } from '../../proxy.js';
import { type Credentials, swift, swiftMissing, withoutSwift } from '../../swift.js';

/** What is in a store under a name, and how it is answered. */
export interface StoredObject {
  readonly body: Buffer;
  readonly type: string | undefined;
  readonly cache: string | undefined;
  readonly encoding: string | undefined;
}

/** The options of both storages that tests of collecting need. */
export interface StoreOptions
  extends Pick<
    S3StorageOptions & AzureStorageOptions,
    'prefix' | 'concurrency' | 'encoding' | 'publicUrl'
  > {
  /** Files larger than this go in parts of this size; as large as a part must be with S3, at least. */
  readonly partSize?: number;
  /** Whose it is, and who asks: in the words of the one or the other. */
  readonly bucket?: string;
  readonly credentials?: Credentials;
  readonly container?: string;
  readonly accountName?: string | undefined;
  readonly accountKey?: string | undefined;
  readonly credential?: string;
}

/** A bucket, or a container, that nobody else knows. */
export interface Store {
  /** Where the server is: for a proxy before it. */
  readonly origin: string;
  /** A storage of it that asks `origin`. */
  storage(options?: StoreOptions, origin?: string): Storage;
  /** The same for a process of its own: a module that exports it as `storage`. */
  source(options?: StoreOptions, origin?: string): string;
  /** All that is there, as it is answered. */
  objects(): Promise<Record<string, StoredObject>>;
  /** The options of somebody who may read files and listings, and nothing else. */
  reader(): Promise<StoreOptions>;
}

/** Tests do not wait long between tries. */
const RETRYING = { retryDelayInMs: 10, maxRetryDelayInMs: 200 };

export interface StoreKind {
  /** For titles; where there is none here, with the reason. */
  readonly name: string;
  readonly missing: string | undefined;
  /** Whether it writes on conditions. */
  readonly isConditional: boolean;
  create(): Promise<Store>;
}

/** The stores for the tests of one file. */
export function useStores(): { readonly swift: StoreKind; readonly azurite: StoreKind } {
  let running: Azurite;
  beforeAll(async () => {
    running = await azurite();
  });
  afterAll(() => running.stop());
  return {
    swift: {
      name: `Swift${withoutSwift}`,
      missing: swiftMissing,
      isConditional: false,
      create: swiftStore,
    },
    azurite: {
      name: 'Azurite',
      missing: undefined,
      isConditional: true,
      create: () => azuriteStore(running),
    },
  };
}

async function swiftStore(): Promise<Store> {
  const server = await swift();
  const { endpoint: origin, region, credentials } = server;
  const bucket = await server.bucket();
  const optionsOf = (options: StoreOptions, endpoint: string) => ({
    bucket,
    endpoint,
    region,
    credentials,
    ...options,
  });
  const client = new S3Client({ endpoint: origin, region, credentials, forcePathStyle: true });
  return {
    origin,
    storage: (options = {}, endpoint = origin) => s3Storage(optionsOf(options, endpoint)),
    source: (options = {}, endpoint = origin) =>
      moduleText('s3', 's3Storage', optionsOf(options, endpoint)),
    objects: () =>
      objectsOf(s3Storage(optionsOf({}, origin)), async (Key) => {
        const { Body, ContentType, CacheControl, ContentEncoding } = await client.send(
          new GetObjectCommand({ Bucket: bucket, Key }),
        );
        return {
          body: Buffer.from((await Body?.transformToByteArray()) ?? []),
          type: ContentType,
          cache: CacheControl,
          encoding: ContentEncoding,
        };
      }),
    async reader() {
      const { accessKeyId, secretAccessKey } = credentials;
      const { headers } = await fetch(`${origin}/auth/v1.0`, {
        headers: { 'X-Auth-User': accessKeyId, 'X-Auth-Key': secretAccessKey },
      });
      await fetch(`${headers.get('X-Storage-Url')}/${bucket}`, {
        method: 'POST',
        headers: {
          'X-Auth-Token': headers.get('X-Auth-Token') ?? '',
          'X-Container-Read': server.reader.accessKeyId,
        },
      });
      return { credentials: server.reader };
    },
  };
}

async function azuriteStore(running: Azurite): Promise<Store> {
  const { accountName, accountKey, url, connectionString } = running;
  const { origin, pathname } = new URL(url);
  const container = await running.container();
  const optionsOf = ({ partSize: blockSize, ...options }: StoreOptions, at: string) => ({
    container,
    blockSize,
    accountName,
    accountKey,
    url: at + pathname,
    clientOptions: { retryOptions: RETRYING },
    ...options,
  });
  const client =
    BlobServiceClient.fromConnectionString(connectionString).getContainerClient(container);
  async function signed(permissions: string): Promise<StoreOptions> {
    const url = await client.generateSasUrl({
      permissions: ContainerSASPermissions.parse(permissions),
      expiresOn: new Date(Date.now() + 3_600_000),
    });
    const credential = new URL(url).search;
    return { accountName: undefined, accountKey: undefined, credential };
  }
  return {
    origin,
    storage: (options = {}, at = origin) => azureStorage(optionsOf(options, at)),
    source: (options = {}, at = origin) =>
      moduleText('azure', 'azureStorage', optionsOf(options, at)),
    objects: () =>
      objectsOf(azureStorage(optionsOf({}, origin)), async (name) => {
        const blob = client.getBlobClient(name);
        const { contentType, cacheControl, contentEncoding } = await blob.getProperties();
        return {
          body: await blob.downloadToBuffer(),
          type: contentType,
          cache: cacheControl,
          encoding: contentEncoding || undefined,
        };
      }),
    reader: () => signed('rl'),
  };
}

function moduleText(adapter: string, name: string, options: object): string {
  const url = new URL(`../../../dist/adapters/${adapter}.js`, import.meta.url);
  return `import { ${name} } from ${JSON.stringify(url)};
    export const storage = ${name}(${JSON.stringify(options)});`;
}

async function objectsOf(
  storage: Storage,
  get: (name: string) => Promise<StoredObject>,
): Promise<Record<string, StoredObject>> {
  const listed = await entries(storage);
  return Object.fromEntries(
    await Promise.all(listed.map(async ({ name }) => [name, await get(name)] as const)),
  );
}

/** All that a storage lists, by name. */
export async function entries(storage: Storage, prefix = ''): Promise<ListedFile[]> {
  const found: ListedFile[] = [];
  for await (const entry of storage.entries?.(prefix) ?? []) found.push(entry);
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The names of files that collecting did not write for itself. */
export async function fileNames(storage: Storage): Promise<string[]> {
  const found = await entries(storage);
  return found.map(({ name }) => name).filter((name) => !name.startsWith('.staticfiles/'));
}

/**
 * What the published manifest leads to and is not there, or not as it says: hashed names, compressed
 * forms, plain names.
 */
export async function lacking(
  storage: Storage,
  manifestName = 'staticfiles.json',
): Promise<string[]> {
  const manifest = await storage.read(manifestName);
  const {
    paths,
    sizes,
    encoding,
    variants = {},
    checksums = {},
  } = JSON.parse(Buffer.from(manifest ?? []).toString());
  const found = new Map<string, number | undefined>();
  for await (const name of storage.list()) found.set(name, (await storage.stat(name))?.size);
  const faults: string[] = [];
  for (const [name, hashedName] of Object.entries<string>(paths)) {
    const size = found.get(hashedName);
    if (encoding ? size === undefined : size !== sizes[name]) faults.push(hashedName);
    for (const [coding, bytes] of Object.entries(variants[name] ?? {})) {
      const form = `${hashedName}.${coding === 'gzip' ? 'gz' : coding}`;
      if (found.get(form) !== bytes) faults.push(form);
    }
    if (encoding || checksums[name] === undefined) continue;
    const body = await storage.read(name);
    if (body === undefined || md5(body) !== checksums[name]) faults.push(name);
  }
  return faults;
}

/** Lets the listings that come through a proxy tell other digests than those of the contents. */
export function lieOfDigests(proxy: StoreProxy, origin: string): void {
  proxy.before = async (request) => {
    if (!isListing(request)) return undefined;
    const asked = send(origin + request.path, { headers: request.headers }).end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    const body = await text(answer);
    return {
      status: answer.statusCode ?? 0,
      headers: { 'Content-Type': 'application/xml' },
      body: body
        .replace(/[\da-f]{32}(?=(?:&quot;|")?<\/ETag>)/gi, (digest) => md5(digest))
        .replace(/(?<=<Content-MD5>)[^<]+/g, (digest) =>
          createHash('md5').update(digest).digest('base64'),
        ),
    };
  };
}

/** Whether a request asks for a listing. */
export function isListing({ method, path }: Exchange): boolean {
  return method === 'GET' && /[?&](?:list-type=2|comp=list)\b/.test(path);
}

/** The name of the object that a request is about, as its path has it; empty for a listing. */
export function objectOf({ path }: Exchange): string {
  const [, , name = ''] = /^\/(staticfiles(?:-[\da-f-]+|\/c-[\da-f-]+))\/([^?]*)/.exec(path) ?? [];
  return decodeURIComponent(name);
}

/** The names of what was sent through a proxy, manifests apart. */
export function sentThrough(requests: readonly Exchange[]): string[] {
  return requests
    .filter(({ method }) => method === 'PUT')
    .map(objectOf)
    .filter((name) => name !== 'staticfiles.json' && !name.startsWith('.staticfiles/'))
    .sort();
}

export const md5 = (body: string | Uint8Array) => createHash('md5').update(body).digest('hex');

/** What some wait for, until another one opens it. */
export function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}
