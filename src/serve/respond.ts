import type { FileStat } from '../storage.js';

/** What the rules of HTTP need to know of a request. Header names are in lower case. */
export interface RequestHead {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

/** A file to be answered with. */
export interface ServedFile extends FileStat {
  readonly contentType: string;
  readonly cacheControl: string;
}

export interface ResponseHead {
  readonly status: 200 | 304;
  readonly headers: Readonly<Record<string, string>>;
}

/**
 * The head of the answer to a GET or HEAD for a file, by RFC 9110: a validator of each kind (8.8),
 * and 304 where the client has these bytes already (13.1.2, 13.1.3). Ranges are not offered, which a
 * server is free to do (14.2).
 */
export function respond({ headers }: RequestHead, file: ServedFile): ResponseHead {
  const etag = entityTag(file);
  const common = { 'Cache-Control': file.cacheControl, ETag: etag };
  if (isCurrent(headers, etag, file.mtimeMs)) return { status: 304, headers: common };
  return {
    status: 200,
    headers: {
      ...common,
      'Content-Type': file.contentType,
      'Content-Length': String(file.size),
      'Last-Modified': new Date(file.mtimeMs).toUTCString(),
      'X-Content-Type-Options': 'nosniff',
      'Access-Control-Allow-Origin': '*',
    },
  };
}

function entityTag({ size, mtimeMs }: FileStat): string {
  return `"${size.toString(16)}-${Math.trunc(mtimeMs * 1000).toString(16)}"`;
}

/** If-None-Match decides alone where it is sent (RFC 9110, 13.2.2); its comparison is the weak one. */
function isCurrent(headers: RequestHead['headers'], etag: string, mtimeMs: number): boolean {
  const noneMatch = headers['if-none-match'];
  if (noneMatch !== undefined) {
    const list = String(noneMatch);
    if (list.trim() === '*') return true;
    return (list.match(/(?:W\/)?"[^"]*"/g) ?? []).some((tag) => tag.replace(/^W\//, '') === etag);
  }
  const since = Date.parse(String(headers['if-modified-since'] ?? ''));
  // The header's clock ticks in seconds.
  return !Number.isNaN(since) && Math.floor(mtimeMs / 1000) * 1000 <= since;
}
