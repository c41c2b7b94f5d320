import { reason, StaticFilesError, StorageError, systemCode } from '../../src/errors.js';
import type { Proof } from './account.js';
import { BrokenBodyError, SilenceError, TriedError } from './tries.js';

/** The answer of something that is no store, and says that all is well. */
export class ForeignAnswerError extends Error {
  override readonly name = 'ForeignAnswerError';
}

/**
 * Every answer that tells of a blob says of which kind it is; a web server's page does not.
 *
 * @throws {ForeignAnswerError}
 */
export function checkAnswer({ blobType }: { readonly blobType?: string | undefined }): void {
  if (blobType === undefined) throw new ForeignAnswerError('The answer has no x-ms-blob-type.');
}

/** What of the SDK's RestError is looked at. */
interface RestFault extends Error {
  readonly statusCode?: number;
  readonly code?: string;
  readonly response?: {
    readonly headers?: { get(name: string): string | undefined };
    readonly bodyAsText?: string | null;
  };
}

/** Of one that is explained already, what it was. */
function restFault(error: unknown): RestFault | undefined {
  const fault = error instanceof StorageError ? error.cause : error;
  return fault instanceof Error && fault.name === 'RestError' ? fault : undefined;
}

/** What the store calls a fault, such as `BlobNotFound`: a header field, for HEAD has no body. */
export function faultCode(error: unknown): string | undefined {
  const fault = restFault(error);
  return fault?.response?.headers?.get('x-ms-error-code') ?? fault?.code;
}

export function faultStatus(error: unknown): number | undefined {
  return restFault(error)?.statusCode;
}

/** That the container is not there, or that the answer is another server's, is a fault. */
export function isNoFile(error: unknown): boolean {
  return faultStatus(error) === 404 && faultCode(error) === 'BlobNotFound';
}

/** Whether the store answered that a condition (If-Match, If-None-Match) does not hold. */
export function isConditionUnmet(error: unknown): boolean {
  return CONDITIONS.has(faultCode(error)) || isNoFile(error);
}

const CONDITIONS: ReadonlySet<string | undefined> = new Set([
  'ConditionNotMet',
  'TargetConditionNotMet',
  'BlobAlreadyExists',
]);

const PASSING_STATUSES: ReadonlySet<number | undefined> = new Set([408, 429, 500, 502, 503, 504]);

/** Certificates, and addresses that are none, are the same at the next try. */
const LASTING = /CERT|SIGNATURE|ISSUER|ALTNAME|ERR_INVALID|ERR_TLS|ERR_UNESCAPED/;

/** Whether a fault may be gone at the next try. */
export function isPassing(error: unknown): boolean {
  if (isPassingBody(error) || error instanceof SilenceError) return true;
  const fault = restFault(error);
  if (fault === undefined) return false;
  if (isUnreadable(fault)) return true;
  if (fault.statusCode !== undefined) return PASSING_STATUSES.has(fault.statusCode);
  return !LASTING.test(fault.code ?? '');
}

/** Whether an answer that tells of no fault breaks off amid its XML, or is none of a store. */
function isUnreadable({ code, statusCode = 0 }: RestFault): boolean {
  return code === 'PARSE_ERROR' && statusCode < 400;
}

/** The faults among them that no client of the SDK tries again by itself. */
export function isPassingBody(error: unknown): boolean {
  return error instanceof BrokenBodyError;
}

/** What is known of a store when something went wrong there. */
export interface Place {
  /** Where the files are, for people. */
  readonly location: string;
  readonly container: string;
  readonly proof: Proof;
  /** What is signed with it, where that is a signature: permissions (`sp`), end (`se`). */
  readonly signed: URLSearchParams;
}

/** A fault of the store in a sentence or two: what was to be done, why it was not, what to do. */
export function explained(error: unknown, doing: string, place: Place): unknown {
  if (error instanceof StaticFilesError) return error;
  const tries = error instanceof TriedError ? error.tries : 1;
  const cause = error instanceof TriedError ? error.cause : error;
  const why = answered(cause, place) ?? unanswered(cause, place);
  const times = tries > 1 ? ` (${tries} times)` : '';
  const message = `Could not ${doing}${times}: ${why}`;
  return new StorageError(message, { cause, isPassing: isPassing(cause) });
}

/** Where there was no answer, or none of a store. */
function unanswered(cause: unknown, { location }: Place): string {
  const code = systemCode(cause);
  const fault = restFault(cause);
  const host = new URL(location).host;
  if (cause instanceof SilenceError) {
    return `${host} is silent: ${cause.message}. Is the network slow, or does a firewall swallow the requests?`;
  }
  if (cause instanceof ForeignAnswerError) {
    return `the answer of ${host} is not that of Azure Blob Storage. Does another server stand there, or between? Check the address: ${location}.`;
  }
  if (code === 'ENOTFOUND') {
    return `there is no host '${new URL(location).hostname}'. Is the account's name right, and does this machine resolve names?`;
  }
  if (cause instanceof BrokenBodyError || (fault !== undefined && isUnreadable(fault))) {
    return `the answer of ${host} broke off, or is not that of Azure Blob Storage: ${firstLine(cause)}.`;
  }
  if (fault !== undefined) {
    return `${host} cannot be reached: ${firstLine(cause)}. Check the network, and that the address is right.`;
  }
  // Mostly of a credential, which says itself what it lacks.
  return `${reason(cause)}`;
}

/** Where the store answered. */
function answered(cause: unknown, place: Place): string | undefined {
  const fault = restFault(cause);
  const status = fault?.statusCode;
  if (fault === undefined || status === undefined || isUnreadable(fault)) return undefined;
  const known = faultCode(fault) ?? '';
  const code = known === 'PARSE_ERROR' ? '' : known; // which is the SDK's
  const said = `the store answers ${status} ${code}`.trimEnd();
  if (NOT_AUTHENTICATED.test(code) || NOT_AUTHENTICATED.test(fault.message)) {
    return notAuthenticated(fault, place);
  }
  if (NOT_ALLOWED.test(code) || status === 401 || status === 403) {
    return `${said}. ${notAllowed(code, place)}`;
  }
  const sentence = SENTENCES[code]?.(place);
  if (sentence !== undefined) return sentence;
  if (PASSING_STATUSES.has(status)) {
    return `${said}: it is too busy, or not well. Try again later, or with less at once ('concurrency').`;
  }
  if (status === 507) {
    return `${said}: it has no room left. Make some, as by staticfiles prune, or have its limit raised.`;
  }
  if (status === 404) {
    return `${said}, which is not about a file. Is ${place.location} a container of Azure Blob Storage?`;
  }
  return `${said}: ${firstLine(fault)}`;
}

const SENTENCES: Readonly<Record<string, (place: Place) => string>> = {
  ContainerNotFound: ({ container, location }) =>
    `there is no container '${container}' at ${new URL(location).host}. Create it (az storage container create --name ${container}), or correct the option 'container'.`,
  ContainerBeingDeleted: ({ container }) =>
    `the container '${container}' is being deleted, which takes a while. Try again in some minutes.`,
  ResourceNotFound: ({ proof }) =>
    proof === 'nothing'
      ? 'the container is private or not there, and no credential was given. Give azureStorage() one.'
      : 'the store knows no such address. Check the account and the container.',
  InvalidBlockList: () =>
    'somebody else wrote the same file at the same time, again and again. Run one deploy at a time.',
  InvalidBlobOrBlock: () =>
    'another program left a part of an upload under that name. Put an empty file there by hand (az storage blob upload), which clears it away, and run this again.',
  LeaseIdMissing: () => 'somebody holds a lease on it. Break it (az storage blob lease break).',
  Md5Mismatch: () => 'the bytes arrived as others than were sent. Try again.',
};

/** By code; or, where the emulator has another code for it, by what it says. */
const NOT_AUTHENTICATED =
  /^(?:AuthenticationFailed|InvalidAuthenticationInfo|Server failed to authenticate)/;

const NOT_ALLOWED =
  /^(?:Authorization|InsufficientAccountPermissions|KeyBasedAuthenticationNotPermitted|PublicAccessNotPermitted|NoAuthenticationInformation|AccountIsDisabled)/;

function notAllowed(code: string, { proof, signed }: Place): string {
  if (code === 'KeyBasedAuthenticationNotPermitted') {
    return 'The account takes no account keys: give azureStorage() a credential of @azure/identity.';
  }
  if (code === 'AccountIsDisabled') return 'The account is disabled. See the portal.';
  if (proof === 'nothing') {
    return 'No credential was given: give azureStorage() an accountKey or a credential.';
  }
  if (proof === 'signature') {
    const has = signed.get('sp') ?? '';
    return `${expiry(signed)}The shared access signature has the permissions '${has}'; collecting needs 'rwdl', reading 'rl' (sp=…), for blobs and the container (sr=c).`;
  }
  if (proof === 'token') {
    return "The credential may not do that: it needs the role 'Storage Blob Data Contributor', and for reading alone 'Storage Blob Data Reader'.";
  }
  return "The accountKey is another account's, or the account's network rules do not let this machine in. See 'Access keys' and 'Networking' in the portal.";
}

/** Nothing, where the signature is valid still. */
function expiry(signed: URLSearchParams): string {
  const end = signed.get('se');
  return end !== null && Date.parse(end) < Date.now() ? `It expired at ${end}. ` : '';
}

/** Requests are refused that are older or newer than this, in milliseconds. */
const CLOCK_TOLERANCE_MS = 15 * 60_000;

function notAuthenticated(fault: RestFault, { proof, signed, location }: Place): string {
  const skew = skewMs(fault);
  // The code is that of a wrong key, for the time is a part of what is signed.
  if (Math.abs(skew) >= CLOCK_TOLERANCE_MS) {
    const minutes = Math.round(Math.abs(skew) / 60_000);
    const way = skew < 0 ? 'behind' : 'ahead of';
    return `this machine's clock is ${minutes} minutes ${way} the store's, which refuses that. Set it (NTP).`;
  }
  if (proof === 'key') {
    return `the accountKey is not that of the account at ${new URL(location).host}. Copy one under 'Access keys' in the portal.`;
  }
  const [, detail = ''] =
    /<AuthenticationErrorDetail>([^<\r\n]*)/.exec(fault.response?.bodyAsText ?? '') ?? [];
  const more = detail === '' ? '' : ` The store says: ${detail.slice(0, LONGEST_WORDS)}`;
  if (proof === 'signature') {
    return `the shared access signature is not valid, or not any more. ${expiry(signed)}Make a new one.${more}`;
  }
  if (proof === 'nothing') {
    return `it is not public, and no credential was given. Give azureStorage() an accountKey or a credential.`;
  }
  return `the store does not accept the credential. Is it one of the account's own directory (tenant)?${more}`;
}

/** How far this machine's clock is ahead of the store's (RFC 9110, Date). */
function skewMs(fault: RestFault): number {
  const stores = Date.parse(fault.response?.headers?.get('date') ?? '');
  return Number.isNaN(stores) ? 0 : Date.now() - stores;
}

/** Of what a store says in its own words, in characters: it may be a whole page. */
const LONGEST_WORDS = 300;

function firstLine(error: unknown): string {
  const [line = ''] = reason(error).split('\n');
  return line.slice(0, LONGEST_WORDS).replace(/[\s.]+$/, '');
}
