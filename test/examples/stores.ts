import { BlobServiceClient } from '@azure/storage-blob';
import { onTestFinished } from 'vitest';
import { azurite } from '../azurite.js';
import { proxyTo, type StoreProxy } from '../proxy.js';
import { swift } from '../swift.js';

/** A place for a site's files that was made as docs/object-storage.md says: all sites may show them. */
export interface Store {
  /** Of `s3Storage()` or `azureStorage()`; what is missing stands in `env`. */
  readonly options: Readonly<Record<string, string | boolean>>;
  /** What of a configuration says that the files go there. */
  readonly option: string;
  /** What that needs to be imported. */
  readonly imports: string;
  /** Where programs find who they are. */
  readonly env: Readonly<Record<string, string>>;
  /** Where browsers find the files; it ends in `/`. */
  readonly publicUrl: string;
  /** All requests go by here, those of programs and of browsers. */
  readonly proxy: StoreProxy;
}

/** A new bucket of Swift. */
export async function swiftStore(): Promise<Store> {
  const { endpoint, credentials, bucket } = await swift();
  const name = await bucket();
  // `swift post --read-acl '.r:*' --meta 'Access-Control-Allow-Origin:*' <name>`
  const { headers } = await fetch(`${endpoint}/auth/v1.0`, {
    headers: { 'X-Auth-User': credentials.accessKeyId, 'X-Auth-Key': credentials.secretAccessKey },
  });
  const container = `${headers.get('x-storage-url')}/${name}`;
  const answer = await fetch(container, {
    method: 'POST',
    headers: {
      'X-Auth-Token': headers.get('x-auth-token') ?? '',
      'X-Container-Read': '.r:*',
      'X-Container-Meta-Access-Control-Allow-Origin': '*',
    },
  });
  if (!answer.ok) throw new Error(`Swift answers ${answer.status}: ${await answer.text()}`);
  const proxy = await proxyTo(endpoint);
  const publicUrl = `${proxy.url}${new URL(container).pathname}/`;
  const options = { bucket: name, endpoint: proxy.url, forcePathStyle: true, publicUrl };
  return {
    options,
    option: `s3Storage(${JSON.stringify(options)})`,
    imports: "import { s3Storage } from 'staticfiles/s3';",
    env: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    publicUrl,
    proxy,
  };
}

/** A container of an Azurite of its own. */
export async function azureStore(): Promise<Store> {
  const { url, connectionString, container, stop } = await azurite();
  onTestFinished(stop);
  const name = await container({ public: true });
  const rule = { allowedOrigins: '*', allowedMethods: 'GET,HEAD' };
  await BlobServiceClient.fromConnectionString(connectionString).setProperties({
    cors: [{ ...rule, allowedHeaders: '', exposedHeaders: '', maxAgeInSeconds: 86_400 }],
    defaultServiceVersion: '2021-12-02',
  });
  const { origin, pathname } = new URL(url);
  const proxy = await proxyTo(origin);
  const publicUrl = `${proxy.url}${pathname}/${name}/`;
  const STORE = connectionString.replace(origin, proxy.url);
  return {
    options: { container: name, connectionString: STORE },
    option: `azureStorage({ container: '${name}', connectionString: process.env.STORE })`,
    imports: "import { azureStorage } from 'staticfiles/azure';",
    env: { STORE },
    publicUrl,
    proxy,
  };
}
