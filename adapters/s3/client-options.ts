import type { S3ClientConfig } from '@aws-sdk/client-s3';
import { SetupError } from '../../src/errors.js';
import { checkSpelling } from '../../src/options.js';

/**
 * What of the SDK's configuration may stand beside the options. Its own parts (parsers, hashes,
 * streams) are no matter of a storage: who exchanges them hands over a ready client.
 */
export const CLIENT_OPTIONS = [
  'authSchemePreference',
  'cacheMiddleware',
  'checksumAlgorithms',
  'credentialDefaultProvider',
  'credentials',
  'customUserAgent',
  'defaultsMode',
  'disableClockSkewCorrection',
  'disableMultiregionAccessPoints',
  'disableS3ExpressSessionAuth',
  'endpoint',
  'endpointProvider',
  'expectContinueHeader',
  'extensions',
  'followRegionRedirects',
  'forcePathStyle',
  'httpAuthSchemeProvider',
  'httpAuthSchemes',
  'ignoreConfiguredEndpointUrls',
  'logger',
  'maxAttempts',
  'profile',
  'region',
  'requestChecksumCalculation',
  'requestHandler',
  'responseChecksumValidation',
  'retryMode',
  'retryStrategy',
  's3ExpressIdentityProvider',
  'signer',
  'signerConstructor',
  'signingRegion',
  'sigv4aSigningRegionSet',
  'systemClockOffset',
  'tls',
  'useAccelerateEndpoint',
  'useArnRegion',
  'useDualstackEndpoint',
  'useFipsEndpoint',
  'useGlobalEndpoint',
  'userAgentAppId',
] as const;

/** What users get wrong first, when none of the names is near. */
export const USUAL = [
  'endpoint',
  'region',
  'credentials',
  'forcePathStyle',
  'maxAttempts',
] as const;

/** The part of the SDK's configuration that an option may be; each SDK's own, whatever its version. */
export type S3ClientOptions = {
  readonly [Key in keyof S3ClientConfig as Key extends (typeof CLIENT_OPTIONS)[number]
    ? Key
    : never]?: S3ClientConfig[Key] | undefined;
};

/**
 * What of the options is for the SDK's client.
 *
 * @throws {SetupError} for what cannot be; the SDK mostly finds out with the first request.
 */
export function clientConfig(options: Options): S3ClientConfig {
  const given = Object.entries(options).filter(
    ([key, value]) => value !== undefined && CLIENT_OPTIONS.some((known) => known === key),
  );
  const config = { ...configuredEndpoint(options), ...Object.fromEntries(given) };
  for (const [key, value] of Object.entries(config)) {
    const [rule, isRight] = RULES[key] ?? ANYTHING;
    if (!isRight(value)) refuse(key, rule, value);
  }
  checkCredentials(config.credentials);
  return config;
}

type Options = S3ClientOptions & { readonly client?: unknown };

type Rule = readonly [rule: string, isRight: (value: unknown) => boolean];

const isText = (value: unknown) => typeof value === 'string' && value !== '';
const isObject = (value: unknown) => Object(value) === value;

/** The SDK takes functions for many of its values, and asks them when it needs one. */
const orAnswer = ([rule, isRight]: Rule): Rule => [
  `${rule}, or a function that answers it`,
  (value) => typeof value === 'function' || isRight(value),
];

const oneOf = (...words: string[]): Rule => [
  words.map((word) => `'${word}'`).join(' or '),
  (value) => words.some((word) => word === value),
];

const FLAG: Rule = ['true or false', (value) => typeof value === 'boolean'];
const ANYTHING: Rule = ['', () => true];

const RULES: Readonly<Record<string, Rule>> = {
  endpoint: [
    "a URL of http or https such as 'http://localhost:9000'",
    (value) => typeof value === 'function' || isEndpoint(value),
  ],
  region: orAnswer(["a region's name", isText]),
  profile: ["a profile's name", isText],
  maxAttempts: orAnswer([
    'a whole number from 1 on',
    (value) => Number.isSafeInteger(value) && (value as number) > 0,
  ]),
  retryMode: orAnswer(oneOf('standard', 'adaptive')),
  requestChecksumCalculation: orAnswer(oneOf('WHEN_SUPPORTED', 'WHEN_REQUIRED')),
  responseChecksumValidation: orAnswer(oneOf('WHEN_SUPPORTED', 'WHEN_REQUIRED')),
  requestHandler: ['an object', isObject],
  logger: ['an object', isObject],
  cacheMiddleware: FLAG,
  disableMultiregionAccessPoints: FLAG,
  followRegionRedirects: FLAG,
  forcePathStyle: FLAG,
  ignoreConfiguredEndpointUrls: FLAG,
  tls: FLAG,
  useAccelerateEndpoint: FLAG,
  disableClockSkewCorrection: orAnswer(FLAG),
  disableS3ExpressSessionAuth: orAnswer(FLAG),
  useArnRegion: orAnswer(FLAG),
  useDualstackEndpoint: orAnswer(FLAG),
  useFipsEndpoint: orAnswer(FLAG),
  useGlobalEndpoint: orAnswer(FLAG),
};

/** As text, or in one of the SDK's two forms. */
function isEndpoint(endpoint: unknown): boolean {
  if (typeof endpoint === 'string') {
    return /^https?:\/\/[^/]/i.test(endpoint) && URL.canParse(endpoint);
  }
  const { url, protocol, hostname, path } = Object(endpoint) as Readonly<Record<string, unknown>>;
  return url instanceof URL || ([protocol, hostname].every(isText) && typeof path === 'string');
}

const CREDENTIALS = ['accessKeyId', 'secretAccessKey', 'sessionToken'] as const;

/** What is in them is said to nobody. */
function checkCredentials(credentials: unknown): void {
  if (credentials === undefined || typeof credentials === 'function') return;
  const owner = "s3Storage()'s credentials";
  if (!isObject(credentials)) {
    const kind = typeof credentials === 'string' ? 'text' : String(credentials);
    throw new SetupError(
      `${owner} must be an object with accessKeyId and secretAccessKey, or a function that answers one, not ${kind}.`,
    );
  }
  const given = credentials as Readonly<Record<string, unknown>>;
  checkSpelling(owner, given, CREDENTIALS);
  const missing = CREDENTIALS.slice(0, 2).find((key) => !isText(given[key]));
  if (missing !== undefined) {
    throw new SetupError(`${owner} have no ${missing}. Is a variable not set?`);
  }
}

/** The environment's endpoint, which the SDK finds by itself and says nothing of. */
function configuredEndpoint({ client, ignoreConfiguredEndpointUrls }: Options): S3ClientConfig {
  const { AWS_ENDPOINT_URL_S3: ofS3, AWS_ENDPOINT_URL: ofAll } = process.env;
  const isIgnored =
    ignoreConfiguredEndpointUrls ?? process.env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true';
  const endpoint = ofS3 || ofAll;
  return endpoint === undefined || isIgnored || client !== undefined ? {} : { endpoint };
}

export function refuse(key: string, rule: string, value: unknown): never {
  throw new SetupError(`s3Storage()'s ${key} must be ${rule}, not ${describe(value)}.`);
}

function describe(value: unknown): string {
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  return typeof value === 'object' && value !== null ? 'an object' : `${value}`;
}
