import type * as Sdk from '@azure/storage-blob';
import { SetupError } from '../../src/errors.js';

/** How a storage is reached: one of several ways. */
export interface AzureAccountOptions {
  /** The container's name; needed but with a `client`, which has its own. */
  readonly container?: string | undefined;
  /** As the portal shows it under "Access keys" or "Shared access signature". */
  readonly connectionString?: string | undefined;
  /** The storage account; with `accountKey` or `credential`. */
  readonly accountName?: string | undefined;
  readonly accountKey?: string | undefined;
  /**
   * A credential of @azure/identity, such as `new DefaultAzureCredential()`, or a shared access
   * signature (`'sv=…&sig=…'`). Without any, only what is public can be read.
   */
  readonly credential?: AzureCredential | string | undefined;
  /**
   * Of the Blob service, for other clouds and emulators.
   * @default `https://<accountName>.blob.core.windows.net`
   */
  readonly url?: string | undefined;
  /** A ready client, which tries again as it was told when it was made. */
  readonly client?: AzureContainerClient | undefined;
  /** The SDK's own: proxy, user agent, and `retryOptions` but for the second host. */
  readonly clientOptions?: Sdk.StoragePipelineOptions | undefined;
}

/**
 * The SDK's ContainerClient, by what tells it. Its class itself would do for ES modules only: it has
 * private members, and in CommonJS, where the SDK has files of its own, those are others.
 */
export interface AzureContainerClient {
  readonly url: string;
  readonly containerName: string;
  readonly credential: object;
  getBlockBlobClient(name: string): object;
  listBlobsFlat(): object;
}

type SdkCredential = NonNullable<Parameters<typeof Sdk.newPipeline>[0]>;

/** What gets tokens; or a credential of the SDK's own, by what all of those do. */
export type AzureCredential =
  | Extract<SdkCredential, { getToken: unknown }>
  | { create(nextPolicy: never, options: never): object };

/** What a client shows to the store: that of the account, a signature, a token, or nothing. */
export type Proof = 'key' | 'signature' | 'token' | 'nothing';

/** A container, and the way to it. */
export interface AzureAccount {
  /** The container's own address, unsigned: `https://account.blob.core.windows.net/static/`. */
  readonly address: string;
  readonly container: string;
  /** Whether the SDK's client is the caller's own. */
  readonly ready: boolean;
  connect(sdk: typeof Sdk): Sdk.ContainerClient;
}

/**
 * Checks who is to be asked, and how; nothing is loaded yet.
 *
 * @throws {SetupError} for what does not fit together.
 */
export function azureAccount(options: AzureAccountOptions): AzureAccount {
  const { client, clientOptions } = options;
  if (client !== undefined) return readyAccount(client, options);
  const container = checkedContainer(options.container);
  const found = endpoint(options);
  const { accountName, accountKey, credential } = found;
  const { base, signature } = serviceUrl(found);
  return {
    address: `${base}/${container}/`,
    container,
    ready: false,
    connect(sdk) {
      const proof =
        accountName !== undefined && accountKey !== undefined
          ? new sdk.StorageSharedKeyCredential(accountName, accountKey)
          : typeof credential === 'object'
            ? (credential as SdkCredential)
            : new sdk.AnonymousCredential();
      // Of this package's tries, each is one of the SDK's: see azure-tries.ts.
      const pipeline = sdk.newPipeline(proof, { ...clientOptions, retryOptions: { maxTries: 1 } });
      const query = signature === '' ? '' : `?${signature}`;
      return new sdk.ContainerClient(`${base}/${encodeURIComponent(container)}${query}`, pipeline);
    },
  };
}

/** What the client shows; a client that was handed to us as well. */
export function proofOf(client: Sdk.ContainerClient): Proof {
  const { credential, url } = client;
  if ('getToken' in credential) return 'token';
  if ('accountName' in credential) return 'key';
  return new URL(url).searchParams.has('sig') ? 'signature' : 'nothing';
}

function refuse(text: string): never {
  throw new SetupError(`azureStorage()${text}`);
}

/** The ways to reach an account; none goes with another. */
const WAYS = ['connectionString', 'accountName', 'accountKey', 'credential', 'url'] as const;

function readyAccount(client: AzureContainerClient, options: AzureAccountOptions): AzureAccount {
  const isClient =
    typeof client === 'object' &&
    typeof client?.getBlockBlobClient === 'function' &&
    typeof client.containerName === 'string';
  if (!isClient) {
    refuse("'s client must be a ContainerClient: new BlobServiceClient(…).getContainerClient(…).");
  }
  for (const key of [...WAYS, 'clientOptions'] as const) {
    if (options[key] !== undefined) refuse(` takes a client or ${key}, not both.`);
  }
  const { containerName } = client;
  if (options.container !== undefined && options.container !== containerName) {
    refuse(`'s container is '${options.container}', and its client's '${containerName}'.`);
  }
  const { origin, pathname } = new URL(client.url);
  return {
    address: `${origin}${pathname}/`,
    container: containerName,
    ready: true,
    connect: () => client as Sdk.ContainerClient,
  };
}

interface Endpoint {
  readonly url: string;
  readonly accountName?: string | undefined;
  readonly accountKey?: string | undefined;
  readonly credential?: AzureCredential | string | undefined;
}

function endpoint(options: AzureAccountOptions): Endpoint {
  const { connectionString, accountName, accountKey, credential, url } = options;
  checkTexts(options);
  if (connectionString !== undefined) {
    const other = WAYS.find((key) => key !== 'connectionString' && options[key] !== undefined);
    if (other !== undefined) refuse(` takes a connectionString or ${other}, not both.`);
    return parse(connectionString);
  }
  if (accountKey !== undefined && credential !== undefined) {
    refuse(' takes an accountKey or a credential, not both.');
  }
  if (accountKey !== undefined && accountName === undefined)
    refuse("'s accountKey needs accountName.");
  if (accountName === undefined && url === undefined) {
    refuse(
      ' must know the storage account: give it a connectionString, accountName with accountKey or credential, a url, or a client.',
    );
  }
  if (accountName !== undefined && accountKey === undefined && credential === undefined) {
    refuse("'s accountName needs accountKey or credential. Is a variable not set?");
  }
  if (accountName !== undefined && !/^[\da-z]{3,24}$/.test(accountName)) {
    refuse(`'s accountName must be 3 to 24 lower-case letters and digits, not '${accountName}'.`);
  }
  checkCredential(credential);
  const own = `https://${accountName}.blob.core.windows.net`;
  return { url: url ?? own, accountName, accountKey, credential };
}

function checkTexts(options: AzureAccountOptions): void {
  for (const key of ['connectionString', 'accountName', 'accountKey', 'url'] as const) {
    const value: unknown = options[key];
    if (value === undefined || (typeof value === 'string' && value !== '')) continue;
    refuse(`'s ${key} must be a string that is not empty. Is a variable not set?`);
  }
}

function checkCredential(credential: unknown): void {
  if (credential === undefined) return;
  if (typeof credential === 'string') {
    if (new URLSearchParams(credential).has('sig')) return;
    refuse("'s credential is a string without 'sig=', and so no shared access signature.");
  }
  // Tokens; or the SDK's own, which make policies.
  const { getToken, create } = Object(credential);
  if (typeof getToken === 'function' || typeof create === 'function') return;
  refuse("'s credential must be one of @azure/identity, or a shared access signature.");
}

/** Of the emulator, and the same everywhere. */
const EMULATOR =
  'AccountName=devstoreaccount1;AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==;BlobEndpoint=http://127.0.0.1:10000/devstoreaccount1';

/** https://learn.microsoft.com/azure/storage/common/storage-configure-connection-string */
function parse(connectionString: string): Endpoint {
  const fields = new Map(
    connectionString
      .split(';')
      .filter((field) => field.includes('='))
      .map((field) => {
        const at = field.indexOf('=');
        return [field.slice(0, at).trim().toLowerCase(), field.slice(at + 1).trim()];
      }),
  );
  if (fields.get('usedevelopmentstorage') === 'true') return parse(EMULATOR);
  const accountName = fields.get('accountname');
  const accountKey = fields.get('accountkey');
  const signature = fields.get('sharedaccesssignature');
  const protocol = fields.get('defaultendpointsprotocol') ?? 'https';
  const suffix = fields.get('endpointsuffix') ?? 'core.windows.net';
  const own = accountName && `${protocol}://${accountName}.blob.${suffix}`;
  const url = fields.get('blobendpoint') ?? own;
  const proven = signature ?? (accountName && accountKey);
  // Not the string itself: it is a secret.
  if (!url || !proven) {
    refuse(
      "'s connectionString has no AccountName with AccountKey, and no BlobEndpoint with SharedAccessSignature.",
    );
  }
  if (signature) checkCredential(signature);
  return signature ? { url, credential: signature } : { url, accountName, accountKey };
}

/** The service's address without a slash at its end, and what signs requests, if that is in it. */
function serviceUrl({ url: given, accountKey, credential }: Endpoint): {
  base: string;
  signature: string;
} {
  const url = URL.canParse(given) ? new URL(given) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '') {
    refuse(`'s url must be such as 'https://account.blob.core.windows.net'.`);
  }
  const base = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
  const { search, searchParams } = url;
  const hasProof = accountKey !== undefined || credential !== undefined;
  if (search !== '' && !searchParams.has('sig')) {
    refuse(`'s url has a query that is no shared access signature: '${given}'.`);
  }
  if (search !== '' && hasProof) {
    refuse("'s url has a shared access signature in it, and there is another proof besides.");
  }
  const signature = typeof credential === 'string' ? credential : search;
  return { base, signature: signature.replace(/^\?/, '') };
}

/** https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata */
function checkedContainer(name: unknown): string {
  if (name === undefined) refuse(' needs a container.');
  const isName =
    typeof name === 'string' &&
    (/^[\da-z](?:-?[\da-z]){2,62}$/.test(name) || name === '$web') &&
    name.length <= 63;
  if (isName) return name;
  return refuse(
    `'s container must be 3 to 63 lower-case letters, digits and single hyphens, not '${name}'.`,
  );
}
