import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { SetupError } from '../../src/errors.js';

/** Whom the SDK asks. */
export interface Host {
  /** Of a store that is not Amazon's, or not reached as usual. */
  readonly endpoint: URL | undefined;
  readonly region: string;
  readonly forcePathStyle: boolean;
}

/** The URL of a bucket, whose name is the first part of the host or of the path, as with the SDK. */
export function bucketUrl(bucket: string, { endpoint, region, forcePathStyle }: Host): string {
  if (bucket.startsWith('arn:')) {
    throw new SetupError(
      "s3Storage() knows no public address of an access point: give it a 'publicUrl'.",
    );
  }
  const base = endpoint ?? new URL(`https://s3.${region}.${amazonsDomain(region)}/`);
  const folder = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`;
  return canBeHost(bucket, base) && !forcePathStyle
    ? `${base.protocol}//${bucket}.${base.host}${folder}`
    : `${base.origin}${folder}${bucket}/`;
}

function amazonsDomain(region: string): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';
}

const LABEL = '[a-z\\d](?:[a-z\\d-]*[a-z\\d])?';
const BUCKET = new RegExp(`^(?=.{3,63}$)${LABEL}$`);
const DOTTED_BUCKET = new RegExp(`^(?=.{3,63}$)${LABEL}(?:\\.${LABEL})+$`);

/** Whether a bucket's name can begin a host's. A certificate for `*.host` is good for no more dots. */
function canBeHost(bucket: string, { protocol, hostname }: URL): boolean {
  if (/^[\d.]+$|^\[/.test(hostname)) return false;
  return BUCKET.test(bucket) || (protocol === 'http:' && DOTTED_BUCKET.test(bucket));
}

/** Whom the SDK will ask, as far as that can be told without it. */
export function knownHost(config: S3ClientConfig): Host | undefined {
  const endpoint = endpointUrl(config.endpoint);
  if (config.endpoint !== undefined && endpoint === undefined) return undefined;
  const region = config.region ?? process.env.AWS_REGION ?? (endpoint && ELSEWHERE);
  const { forcePathStyle = false } = config;
  return typeof region === 'string' ? { endpoint, region, forcePathStyle } : undefined;
}

/** Stores that are not Amazon's have no regions; a signature needs one all the same. */
export const ELSEWHERE = 'us-east-1';

/** In all forms that the SDK takes, but for a function. */
function endpointUrl(endpoint: S3ClientConfig['endpoint']): URL | undefined {
  if (typeof endpoint === 'string') return new URL(endpoint);
  if (typeof endpoint !== 'object') return undefined;
  if ('url' in endpoint) return endpoint.url;
  return urlOf(endpoint);
}

interface Endpoint {
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number | undefined;
  readonly path: string;
}

/** The SDK's form of a URL as one. */
export function urlOf({ protocol, hostname, port, path }: Endpoint): URL {
  return new URL(`${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}`);
}
