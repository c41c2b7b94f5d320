import {
  isPassing as isPassingInGeneral,
  reason,
  StaticFilesError,
  StorageError,
  systemCode,
} from '../../src/errors.js';
import type { Fields } from '../../src/stored-fields.js';

/** What is known of a bucket, for sentences about its faults. */
export interface Place {
  readonly bucket: string;
  /** Of a store that is not Amazon's. */
  readonly endpoint: string | undefined;
  readonly forcePathStyle: boolean;
}

/** What was being done, and the right that it needs in AWS' terms. */
export interface Doing {
  /** As in `Could not read s3://bucket/a.css`. */
  readonly what: string;
  readonly right: string;
  /** What was said along with it. @default nothing */
  readonly fields?: Fields | undefined;
}

/** What of the SDK's errors is looked at. */
interface SdkFault extends Error {
  readonly $metadata?: { readonly httpStatusCode?: number; readonly attempts?: number };
  readonly $response?: { readonly headers?: Readonly<Record<string, string>> };
  readonly Region?: string;
}

/** Less arrived of a file than was said. */
export class BrokenBodyError extends Error {
  override readonly name = 'BrokenBodyError';
  /** How many times it was asked for. */
  readonly tries: number;

  constructor(message: string, { tries = 1, ...options }: ErrorOptions & { tries?: number } = {}) {
    super(message, options);
    this.tries = tries;
  }
}

export function status(error: unknown): number | undefined {
  return sdkFault(error).$metadata?.httpStatusCode;
}

/** How many times the store was asked. */
export function attempts(error: unknown): number {
  if (error instanceof BrokenBodyError) return error.tries;
  return sdkFault(error).$metadata?.attempts ?? 1;
}

/** What S3 calls a fault, such as `NoSuchKey`. */
export function code(error: unknown): string {
  return error instanceof Error ? error.name : '';
}

function sdkFault(error: unknown): Partial<SdkFault> {
  return error instanceof Error ? error : {};
}

/** A fault of the store in a sentence or two: what was to be done, why it was not, and what to do. */
export function explained(error: unknown, doing: Doing, place: Place): Error {
  if (error instanceof StaticFilesError) return error;
  const times = attempts(error) > 1 ? ` (${attempts(error)} times)` : '';
  const why = said(error, doing, place) ?? unsaid(error, place);
  const message = `Could not ${doing.what}${times}: ${why}`;
  return new StorageError(message, { cause: error, isPassing: isPassing(error) });
}

const PASSING_STATUSES: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** Whether a fault may be gone later, without anybody's doing. */
function isPassing(error: unknown): boolean {
  const http = status(error);
  if (http !== undefined) return PASSING_STATUSES.has(http);
  const isBroken = error instanceof BrokenBodyError || code(error) === 'TimeoutError';
  return isBroken || isPassingInGeneral(error);
}

/** Where the store answered. */
function said(error: unknown, { right, fields }: Doing, place: Place): string | undefined {
  const name = code(error);
  const sentence = SENTENCES[name]?.(place);
  if (sentence !== undefined) return `${sentence} (${name})`;
  const http = status(error);
  if (http === undefined) return undefined;
  if (REGION.has(name) || http === 301) return otherRegion(error, place);
  if (http === 401 || http === 403) return `${forbidden(right)} (${named(error)})`;
  if (http === 429 || http === 503 || /^SlowDown|Throttl|TooManyRequests/.test(name)) {
    return `the store is overloaded. Try again later, or with a smaller 'concurrency'. (${named(error)})`;
  }
  if (http === 507 || /^(?:QuotaExceeded|XMinioStorageFull)$/.test(name)) {
    return `the store has no room left. Make some, as by staticfiles prune, or have its quota raised. (${named(error)})`;
  }
  if (http === 501) return `${notImplemented(fields)} (${named(error)})`;
  if (http >= 500) {
    return `the store failed: ${named(error)}. Try again later.`;
  }
  if (http === 404) {
    return `what answers${at(place)} knows nothing of it, and may be no store: ${named(error)}. Correct 'endpoint'.`;
  }
  const hint = name === 'InvalidArgument' ? doubtOf(fields) : '';
  return `the store answered ${named(error)}${hint}`;
}

/** The options that stores other than Amazon's may not know, as far as fields come from them. */
function namedOptions(fields: Fields = {}): string[] {
  return Object.keys(fields)
    .filter((field) => field.startsWith('x-amz-'))
    .map((field) => OPTIONS[field] ?? `${field} of 'headers'`);
}

const OPTIONS: Readonly<Record<string, string>> = {
  'x-amz-acl': "'acl'",
  'x-amz-storage-class': "'storageClass'",
};

function notImplemented(fields: Fields | undefined): string {
  const options = namedOptions(fields);
  return options.length === 0
    ? 'the store does not know what it was asked: it is older than that, or of another kind.'
    : `the store does not know all that it was asked. Leave out ${options.join(' and ')}.`;
}

function doubtOf(fields: Fields | undefined): string {
  const options = namedOptions(fields);
  if (options.length === 0) return '';
  const [be, them] = options.length === 1 ? ['Is', 'it'] : ['Are', 'them'];
  return `. ${be} ${options.join(' and ')} right, and does the store know ${them}?`;
}

/** Where nobody answered, or nobody was asked. */
function unsaid(error: unknown, place: Place): string {
  const system = systemCode(error) ?? '';
  if (system === 'ENOTFOUND' || system === 'EAI_AGAIN') return unknownHost(error, place);
  if (/^(?:ECONNREFUSED|EHOSTUNREACH|ENETUNREACH)$/.test(system)) {
    return `nobody answers${at(place)} (${system}). Is the store up, 'endpoint' right, and the network?`;
  }
  // Before the SDK's name for it, which is TimeoutError.
  if (/^(?:ECONNRESET|EPIPE|ERR_STREAM_PREMATURE_CLOSE)$/.test(system)) {
    return `the connection to the store${at(place)} broke off (${system}). Try again, or look at the network.`;
  }
  if (code(error) === 'TimeoutError') {
    return `the store${at(place)} did not answer in time. Try again, or look at the network. (${reason(error)})`;
  }
  if (error instanceof BrokenBodyError) {
    return `${error.message}. Try again, or look at the network.`;
  }
  // Such as an endpoint with https where http is spoken.
  if (system === 'EPROTO' || system.startsWith('ERR_SSL_')) {
    return `what answers${at(place)} speaks no TLS that is understood here (${system}). Correct 'endpoint': http or https, and the port.`;
  }
  if (/CERT|SELF_SIGNED|UNABLE_TO_VERIFY|ALTNAME/.test(system)) {
    return `the certificate of the store${at(place)} is not to be trusted: ${reason(error)} (${system}).`;
  }
  if (/region is missing/i.test(reason(error))) {
    return "no region is known. Give the option 'region', or set AWS_REGION.";
  }
  return reason(error);
}

/** Sentences by the names of faults; S3 gives each of them with a status of its own. */
const SENTENCES: Readonly<Record<string, (place: Place) => string>> = {
  NoSuchBucket: (place) =>
    `there is no bucket '${place.bucket}'${at(place)}. Create it, or correct 'bucket'.`,
  InvalidBucketName: ({ bucket }) => `no bucket can be named '${bucket}'. Correct 'bucket'.`,
  InvalidAccessKeyId: () => 'the store does not know the access key. Correct the credentials.',
  SignatureDoesNotMatch: () =>
    'access key and secret key do not belong together. Correct the credentials.',
  CredentialsProviderError: () =>
    "no credentials were found. Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the option 'credentials'.",
  ExpiredToken: () => EXPIRED,
  ExpiredTokenException: () => EXPIRED,
  TokenRefreshRequired: () => EXPIRED,
  InvalidToken: () => 'the session token is not valid. Get new credentials.',
  RequestTimeTooSkewed: () => CLOCK,
  RequestInTheFuture: () => CLOCK,
  RequestExpired: () => CLOCK,
  AccessControlListNotSupported: () => "the bucket takes no ACLs. Leave out the option 'acl'.",
  InvalidStorageClass: () => "the store has no such storage class. Correct 'storageClass'.",
  BadDigest: () => 'what arrived is not what was announced, and was not kept. Try again.',
  InvalidObjectState: () => 'the file is archived. Restore it first.',
};

const EXPIRED = 'the credentials have expired. Get new ones, as by signing in again.';
const CLOCK = "this machine's clock is off. Set it, as by NTP.";

const REGION: ReadonlySet<string> = new Set([
  'PermanentRedirect',
  'TemporaryRedirect',
  'AuthorizationHeaderMalformed',
  'IllegalLocationConstraintException',
]);

function otherRegion(error: unknown, { bucket, endpoint }: Place): string {
  const { $response, Region = $response?.headers?.['x-amz-bucket-region'] } = sdkFault(error);
  const where = Region === undefined ? '' : `, '${Region}'`;
  const also = endpoint === undefined ? '' : ", and 'endpoint' if it names one";
  return `the bucket '${bucket}' is in another region${where}. Set the option 'region' to it${also}. (${named(error)})`;
}

function forbidden(right: string): string {
  const hint =
    right === 's3:GetObject'
      ? ' Without s3:ListBucket, S3 says the same of a file that is not there.'
      : '';
  return `the credentials do not allow that. Grant them ${right}.${hint}`;
}

function unknownHost(error: unknown, { bucket, endpoint, forcePathStyle }: Place): string {
  const { hostname = 'that name' } = Object(error) as { hostname?: string };
  const hint =
    endpoint !== undefined && !forcePathStyle && hostname.startsWith(`${bucket}.`)
      ? "Set forcePathStyle: true, unless the store has a host for each bucket; otherwise correct 'endpoint'."
      : "Correct 'endpoint' or 'region', or look at the network.";
  return `there is no host ${hostname} (${systemCode(error)}). ${hint}`;
}

function at({ endpoint }: Place): string {
  return endpoint === undefined ? '' : ` at ${endpoint}`;
}

/** Of what a store says in its own words, in characters: it may be a whole page. */
const LONGEST_WORDS = 300;

/** A fault's own name and words in one line, or the status where there was no body to tell them. */
function named(error: unknown): string {
  const name = code(error);
  const words = reason(error).replace(/\s+/g, ' ').trim().slice(0, LONGEST_WORDS);
  // What the SDK says when the answer said nothing.
  const isKnown = !/^(?:Unknown|UnknownError|Error|\d+)$/.test(name);
  const isTold = words !== '' && words !== name && !/^Unknown/.test(words);
  const http = isKnown ? name : `HTTP ${status(error)}`;
  return isTold ? `${http}: ${words.replace(/\.$/, '')}` : http;
}
