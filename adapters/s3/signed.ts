import { reason, SetupError } from '../../src/errors.js';
import { loadPeer } from '../../src/load-peer.js';
import { checkOptions } from '../../src/options.js';
import { joinStoreUrl } from '../../src/urls.js';
import type { Bucket } from './bucket.js';
import type { CloudFrontKey, S3Settings } from './options.js';

/** What a URL is signed for. */
export interface SignedFile {
  readonly key: string;
  readonly name: string;
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/using-presigned-url.html */
const WEEK = 604_800;

/** @throws {SetupError} for a time that cannot be. */
export async function signedUrl(
  open: () => Promise<Bucket>,
  { publicUrl = '', cloudFront }: S3Settings,
  { key, name }: SignedFile,
  options: { readonly expiresIn?: number | undefined },
): Promise<string> {
  checkOptions('signedUrl()', options, ['expiresIn']);
  const { expiresIn = 3600 } = options;
  const most = cloudFront === undefined ? WEEK : Number.MAX_SAFE_INTEGER;
  if (!Number.isSafeInteger(expiresIn) || expiresIn < 1 || expiresIn > most) {
    const rule = cloudFront === undefined ? 'up to 604800, a week' : 'from 1 on';
    throw new SetupError(
      `signedUrl()'s expiresIn must be whole seconds, ${rule}, not ${expiresIn}.`,
    );
  }
  if (cloudFront === undefined) return (await open()).sign(key, expiresIn);
  return forCloudFront(joinStoreUrl(publicUrl, name), cloudFront, expiresIn);
}

async function forCloudFront(url: string, key: CloudFrontKey, expiresIn: number): Promise<string> {
  const peer = '@aws-sdk/cloudfront-signer';
  const { getSignedUrl } = await loadPeer(
    peer,
    's3Storage()',
    () => import('@aws-sdk/cloudfront-signer'),
  );
  const dateLessThan = new Date(Date.now() + expiresIn * 1000).toISOString();
  try {
    return getSignedUrl({ url, dateLessThan, ...key });
  } catch (error) {
    throw new SetupError(
      `s3Storage()'s cloudFront cannot sign: ${reason(error)}. Is its privateKey an RSA or ECDSA key as PEM?`,
      { cause: error },
    );
  }
}
