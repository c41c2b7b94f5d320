import type * as Sdk from '@aws-sdk/client-s3';
import { loadPeer } from '../../src/load-peer.js';
import type { Fields } from '../../src/stored-fields.js';
import { ELSEWHERE } from './address.js';
import type { S3Settings } from './options.js';

/** The SDK, its client, and the bucket that it is for. */
export interface Connection {
  readonly sdk: typeof Sdk;
  readonly client: Sdk.S3Client;
  /** The bucket and a key, as requests take them. */
  at(key: string): { readonly Bucket: string; readonly Key: string };
}

/** @throws {PeerError} where the SDK is not installed. */
export async function connect({ bucket, client, config }: S3Settings): Promise<Connection> {
  const sdk = await loadPeer(
    '@aws-sdk/client-s3',
    's3Storage()',
    () => import('@aws-sdk/client-s3'),
  );
  const own = client === undefined ? new sdk.S3Client(completed(config)) : derived(client);
  own.middlewareStack.add(addFields as never, { step: 'build' }); // before it is signed
  return { sdk, client: own, at: (Key) => ({ Bucket: bucket, Key }) };
}

/** A client of the same configuration and connections, to which something may be added. */
function derived(client: Sdk.S3Client): Sdk.S3Client {
  return Object.assign(Object.create(client) as Sdk.S3Client, {
    middlewareStack: client.middlewareStack.clone(),
    handlers: undefined, // what is remembered of the other's, where cacheMiddleware is set
  });
}

/** After how long without a byte a connection is given up, in milliseconds: the SDK waits for ever. */
const SILENCE_MS = 30_000;
const CONNECTING_MS = 10_000;

/** What the SDK is told where the options do not say it. */
function completed(given: Sdk.S3ClientConfig): Sdk.S3ClientConfig {
  // A request that waits for a socket looks to the SDK like one that cannot connect. How many there
  // are at once is up to whoever asks.
  const agent = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  return {
    cacheMiddleware: true, // a tenth of what a request costs
    maxAttempts: Number(process.env.AWS_MAX_ATTEMPTS) || 6,
    requestHandler: {
      connectionTimeout: CONNECTING_MS,
      socketTimeout: SILENCE_MS,
      httpAgent: agent,
      httpsAgent: agent,
    },
    ...(given.endpoint !== undefined && {
      // Stores that are not Amazon's may not know the checksums of newer SDKs.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      ...(!process.env.AWS_REGION && { region: ELSEWHERE }),
    }),
    ...given,
  };
}

const FIELDS = Symbol('header fields');

/**
 * Adds header fields to what a command sends. They go past the SDK's own names for them, of which an
 * older one may lack some: it drops what it does not know, and a condition must not be dropped.
 */
export function withFields<Command extends Fielded>(command: Command, fields: Fields): Command {
  Object.assign(command.input, { [FIELDS]: fields });
  return command;
}

const addFields: BuildStep = (next) => (args) => {
  Object.assign(args.request.headers, args.input[FIELDS]);
  return next(args);
};

/** Commands of all kinds; their types have nothing in common that could be named. */
interface Fielded {
  readonly input: object;
}

type Handler = (args: {
  readonly input: { readonly [FIELDS]?: Fields };
  readonly request: { readonly headers: object };
}) => unknown;
type BuildStep = (next: Handler) => Handler;
