import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { BlobServiceClient } from '@azure/storage-blob';

/** Azurite, Microsoft's own emulator of Azure Storage, with its files in memory. */
export interface Azurite {
  /** What programs are configured with. */
  readonly connectionString: string;
  /** Of the Blob service, the account in it: `http://127.0.0.1:1234/staticfiles`. */
  readonly url: string;
  readonly accountName: string;
  readonly accountKey: string;
  /** Makes a container, and answers its name; everybody may read the files of a public one. */
  container(options?: { readonly public?: boolean }): Promise<string>;
  /** Ends it before the process of the tests ends, for tests of a store that is away. */
  stop(): Promise<void>;
}

const ACCOUNT_NAME = 'staticfiles';
const ACCOUNT_KEY = Buffer.from('The key of an account that is nowhere but in tests').toString(
  'base64',
);

const PROGRAM = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');

/** Its input is a pipe of ours, which ends with our process, however that ends; it does then too. */
const END_WITH_US = `data:text/javascript,process.stdin.on('end',()=>process.exit()).resume()`;

export interface AzuriteOptions {
  /**
   * The paths of a certificate for 127.0.0.1 and of its key, both as PEM. It then answers https, and
   * takes tokens of any issuer.
   */
  readonly tls?: { readonly cert: string; readonly key: string };
}

/** Starts one on a free port. */
export async function azurite({ tls }: AzuriteOptions = {}): Promise<Azurite> {
  const flags = tls ? [...FLAGS, '--cert', tls.cert, '--key', tls.key, '--oauth', 'basic'] : FLAGS;
  const child = spawn(process.execPath, ['--import', END_WITH_US, PROGRAM, ...flags], {
    cwd: tmpdir(),
    env: {
      ...process.env,
      AZURITE_ACCOUNTS: `${ACCOUNT_NAME}:${ACCOUNT_KEY}`,
      AZURITE_DB: undefined,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit');
  const origin = await new Promise<string>((resolve, reject) => {
    let printed = '';
    const read = (text: string) => {
      printed += text;
      const listening = /successfully listens on (\S+)\n/.exec(printed);
      if (listening) resolve(listening[1] as string);
    };
    child.stdout.setEncoding('utf8').on('data', read);
    child.stderr.setEncoding('utf8').on('data', read);
    child.on('error', reject);
    child.on('exit', () => reject(new Error(`Azurite did not start:\n${printed}`)));
  });
  // No test waits for it to end.
  child.unref();
  for (const stream of child.stdio) (stream as { unref?(): void } | null)?.unref?.();
  const url = `${origin}/${ACCOUNT_NAME}`;
  const connectionString = `DefaultEndpointsProtocol=${tls ? 'https' : 'http'};AccountName=${ACCOUNT_NAME};AccountKey=${ACCOUNT_KEY};BlobEndpoint=${url};`;
  const service = BlobServiceClient.fromConnectionString(
    connectionString,
    tls && trusting(tls.cert),
  );
  return {
    connectionString,
    url,
    accountName: ACCOUNT_NAME,
    accountKey: ACCOUNT_KEY,
    async container(options = {}) {
      const name = `c-${crypto.randomUUID()}`;
      await service.createContainer(name, options.public ? { access: 'blob' } : {});
      return name;
    },
    async stop() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

/** What a client of the SDK needs to trust a certificate; its types do not know it. */
export function trusting(cert: string): object {
  return { tlsOptions: { ca: readFileSync(cert) } };
}

const FLAGS = [
  '--blobPort=0',
  '--inMemoryPersistence',
  '--silent',
  '--disableTelemetry',
  '--skipApiVersionCheck', // the SDK asks for versions of the API that are newer than the emulator
];
