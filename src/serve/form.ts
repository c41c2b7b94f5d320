import { createHash } from 'node:crypto';
import type { Coding } from '../codings.js';
import type { Validators } from './conditional.js';

/** Names and values in turn: what `writeHead()` of node:http takes without making an object of it. */
export type HeaderList = readonly string[];

/** One form of a file, as it is or compressed, with all that answers say of it. */
export interface Form extends Validators {
  /** In bytes. */
  readonly size: number;
  readonly contentType: string;
  /** Of the answer that is the whole of it. */
  readonly headers: HeaderList;
  /** Of the answer that it has not changed. */
  readonly notModifiedHeaders: HeaderList;
  /** Of answers that are neither, but depend on the request as much. */
  readonly vary: HeaderList;
}

export interface FormOptions {
  /** Absent: as it is. */
  readonly coding?: Coding | undefined;
  /** Without quotes, and different for every form of a file and each state of it. */
  readonly tag: string;
  /** In bytes. */
  readonly size: number;
  /** In milliseconds since 1970. */
  readonly mtimeMs: number;
  readonly contentType: string;
  readonly cacheControl: string;
  /** Whether the file has other forms. */
  readonly varies: boolean;
  /** Header fields besides, or in the place of ours, by their names in any case. */
  readonly more?: Readonly<Record<string, string>> | undefined;
}

/** Makes the headers of a form, once for all requests. */
export function formOf(options: FormOptions): Form {
  const { tag, coding, size, contentType, cacheControl, varies, more = {} } = options;
  const etag = `"${tag}${coding === undefined ? '' : `-${coding}`}"`;
  // In seconds, as the header says it; never in the future (RFC 9110, 8.8.2.1).
  const lastModifiedMs = Math.floor(Math.min(options.mtimeMs, Date.now()) / 1000) * 1000;
  const fields = new Map([
    ['content-type', ['Content-Type', contentType]],
    ['cache-control', ['Cache-Control', cacheControl]],
    ['x-content-type-options', ['X-Content-Type-Options', 'nosniff']],
    ['access-control-allow-origin', ['Access-Control-Allow-Origin', '*']],
  ]);
  for (const [name, value] of Object.entries(more)) fields.set(name.toLowerCase(), [name, value]);
  // What the bytes are is not for others to say.
  const set = (name: string, value: string) => fields.set(name.toLowerCase(), [name, value]);
  set('Content-Length', String(size));
  set('ETag', etag);
  set('Last-Modified', new Date(lastModifiedMs).toUTCString());
  set('Accept-Ranges', 'bytes');
  if (coding !== undefined) set('Content-Encoding', coding);
  if (varies) set('Vary', varyOf(fields.get('vary')?.[1]));
  return {
    etag,
    lastModifiedMs,
    size,
    contentType: fields.get('content-type')?.[1] ?? contentType,
    headers: [...fields.values()].flat(),
    notModifiedHeaders: [...fields].flatMap(([key, field]) => (OF_BYTES.has(key) ? [] : field)),
    vary: fields.get('vary') ?? [],
  };
}

/** A client keeps these of the answer that it has: RFC 9110, 15.4.5. */
const OF_BYTES: ReadonlySet<string> = new Set([
  'content-type',
  'content-length',
  'content-encoding',
  'content-language',
  'content-disposition',
  'content-security-policy',
  'last-modified',
  'accept-ranges',
]);

function varyOf(others: string | undefined): string {
  const ours = 'Accept-Encoding';
  if (others === undefined || /(?:^|,)\s*(?:accept-encoding|\*)\s*(?:,|$)/i.test(others)) {
    return others ?? ours;
  }
  return `${others}, ${ours}`;
}

/**
 * The tag of a file that may change under its name: by its content where that has been read, for
 * packages and images are made with one time for all files, and the next may be as long. Of a large
 * one, another size or another time is another state.
 */
export function fileTag({ size, mtimeMs, body }: TagOptions): string {
  if (body !== undefined) return createHash('sha1').update(body).digest('base64url').slice(0, 16);
  return `${size.toString(16)}-${Math.trunc(mtimeMs * 1000).toString(16)}`;
}

interface TagOptions {
  readonly size: number;
  readonly mtimeMs: number;
  readonly body?: Uint8Array | undefined;
}
