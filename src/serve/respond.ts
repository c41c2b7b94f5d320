import { isRangeCurrent, type RequestHeaders, weigh } from './conditional.js';
import type { Form, HeaderList } from './form.js';
import { type ByteRange, parseRanges } from './range.js';

/** What HTTP's rules need to know of a request. */
export interface FileRequest {
  readonly method: string;
  readonly headers: RequestHeaders;
}

/** A part of a body: bytes of the form, or text around them. */
export type Piece = ByteRange | string;

/** An answer but for the bytes of the form, of which it says which. */
export interface Reply {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: 'none' | 'whole' | readonly Piece[];
}

/** The methods that files are asked for with, as `Allow` lists them. */
export const METHODS = 'GET, HEAD';

export function isAllowed(method: string | undefined): boolean {
  return method === 'GET' || method === 'HEAD';
}

/** The answer to a GET or HEAD for a form, by RFC 9110. */
export function respond({ method, headers }: FileRequest, form: Form): Reply {
  const verdict = weigh(headers, form);
  if (verdict === 'not-modified') {
    return { status: 304, headers: form.notModifiedHeaders, body: 'none' };
  }
  if (verdict === 'failed') return refusal(412, form.vary);
  if (method === 'HEAD') return { status: 200, headers: form.headers, body: 'none' }; // 14.2
  const { range } = headers;
  if (typeof range !== 'string' || !isRangeCurrent(headers, form)) return whole(form);
  const ranges = parseRanges(range, form.size);
  if (ranges === undefined) return whole(form);
  if (ranges === 'unsatisfiable') {
    return refusal(416, ['Content-Range', `bytes */${form.size}`, ...form.vary]);
  }
  const [first, ...others] = ranges;
  return first !== undefined && others.length === 0 ? part(form, first) : parts(form, ranges);
}

function whole({ headers }: Form): Reply {
  return { status: 200, headers, body: 'whole' };
}

/** RFC 9110, 15.3.7.1. */
function part(form: Form, range: ByteRange): Reply {
  const length = String(range.end - range.start + 1);
  const headers = replaced(form.headers, { 'content-length': length });
  headers.push('Content-Range', contentRange(range, form));
  return { status: 206, headers, body: [range] };
}

/** RFC 9110, 15.3.7.2 and 14.6. */
function parts(form: Form, ranges: readonly ByteRange[]): Reply {
  const boundary = crypto.randomUUID();
  const body = ranges.flatMap((range, index): Piece[] => {
    const lead = index === 0 ? '' : '\r\n';
    const place = `Content-Range: ${contentRange(range, form)}`;
    const head = `${lead}--${boundary}\r\nContent-Type: ${form.contentType}\r\n${place}\r\n\r\n`;
    return [head, range];
  });
  body.push(`\r\n--${boundary}--\r\n`);
  const headers = replaced(form.headers, {
    'content-type': `multipart/byteranges; boundary=${boundary}`,
    'content-length': String(lengthOf(body)),
  });
  return { status: 206, headers, body };
}

function contentRange({ start, end }: ByteRange, { size }: Form): string {
  return `bytes ${start}-${end}/${size}`;
}

function lengthOf(pieces: readonly Piece[]): number {
  return pieces.reduce(
    (sum, piece) => sum + (typeof piece === 'string' ? piece.length : piece.end - piece.start + 1),
    0,
  );
}

function replaced(headers: HeaderList, values: Readonly<Record<string, string>>): string[] {
  return headers.map((item, index) => {
    const name = headers[index - 1]?.toLowerCase() ?? '';
    return index % 2 === 1 ? (values[name] ?? item) : item;
  });
}

const REASONS = {
  404: 'Not found',
  405: 'Method not allowed',
  406: 'Not acceptable: this file is not there in a form that Accept-Encoding takes',
  412: 'Precondition failed',
  416: 'Range not satisfiable',
  500: 'Internal server error',
} as const;

/**
 * The answer where there is no file to be had. Nothing in front of us may keep it: the file may come
 * with the next deploy.
 */
export function refusal(status: keyof typeof REASONS, more: HeaderList = []): Reply {
  const text = `${REASONS[status]}\n`;
  const headers = [
    'Content-Type',
    'text/plain; charset=utf-8',
    'Content-Length',
    String(text.length),
    'Cache-Control',
    'no-store',
    'X-Content-Type-Options',
    'nosniff',
    ...more,
  ];
  return { status, headers, body: [text] };
}
