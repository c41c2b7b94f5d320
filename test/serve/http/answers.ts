import { expect } from 'vitest';
import type { RawAnswer } from './connection.js';
import { partsOf } from './multipart.js';
import {
  type Asked,
  cacheControl,
  codingOf,
  fieldsLike,
  hasVariants,
  type Known,
  known,
  STRONG,
} from './target.js';

/** Looks at an answer, and throws where it is not as it should be. */
export type Check = (answer: RawAnswer, asked: Asked, isHead: boolean) => void | Promise<void>;

/** 200, with the whole of the file in the form that was to be selected. */
export function whole(type?: string): Check {
  return async (answer, asked, isHead) => {
    const file = await known(asked);
    expect(answer.status).toBe(200);
    expectFile(answer, asked, file);
    expect(answer.field('Content-Type')).toBe(type ?? file.contentType);
    expect(answer.field('Content-Length')).toBe(String(file.size));
    expect(answer.field('Content-Range')).toBeUndefined();
    expectBytes(answer.body, isHead ? Buffer.alloc(0) : file.bytes);
  };
}

/** 206, with one part; both ends are included, and negative ones counted from the end (RFC 9110, 15.3.7.1). */
export function part(first: number, last: number): Check {
  return async (answer, asked) => {
    const file = await known(asked);
    expect(answer.status).toBe(206);
    expectFile(answer, asked, file);
    expect(answer.field('Content-Type')).toBe(file.contentType);
    expectSlice(answer.field('Content-Range'), answer.body, file, [first, last]);
  };
}

/** 206, with several parts as multipart/byteranges, in this order (RFC 9110, 15.3.7.2 and 14.6). */
export function parts(...wanted: readonly (readonly [first: number, last: number])[]): Check {
  return async (answer, asked) => {
    const file = await known(asked);
    expect(answer.status).toBe(206);
    expect(answer.field('ETag')).toBe(file.etag);
    expectCaching(answer, asked);
    expect(answer.field('Content-Range'), 'belongs to the parts').toBeUndefined();
    expect(answer.field('Content-Length')).toBe(String(answer.body.length));
    const found = partsOf(answer);
    expect(found).toHaveLength(wanted.length);
    for (const [at, slice] of wanted.entries()) {
      const { fields, body } = found[at] ?? { fields: {}, body: Buffer.alloc(0) };
      expectSlice(fields['content-range'], body, file, slice);
      expect(fields['content-type']).toBe(file.contentType);
    }
  };
}

/** 304, with what a cache needs and nothing of the content (RFC 9110, 15.4.5). */
export const unchanged: Check = async (answer, asked) => {
  const { etag } = await known(asked);
  expect(answer.status).toBe(304);
  expect(answer.field('ETag')).toBe(etag);
  expectCaching(answer, asked);
  expect(answer.field('Access-Control-Allow-Origin')).toBe('*');
  expect(fieldsLike(answer, 'content-')).toEqual([]);
};

/** 416, with the size of what was selected (RFC 9110, 14.4 and 15.5.17). */
export const unsatisfiable: Check = async (answer, asked) => {
  const { size } = await known(asked);
  expect(answer.status).toBe(416);
  expect(answer.field('Content-Range')).toBe(`bytes */${size}`);
  expectVary(answer, asked);
  expectNoFile(answer);
};

/** 412: what the request made a condition of is not so. */
export const failed: Check = (answer) => {
  expect(answer.status).toBe(412);
  expectNoFile(answer);
};

/** 406: there is no form of it that the request takes. */
export const notAcceptable: Check = (answer, asked) => {
  expect(answer.status).toBe(406);
  expectVary(answer, asked);
  expectNoFile(answer);
};

/** 405, and what is allowed (RFC 9110, 15.5.6). */
export const notAllowed: Check = (answer) => {
  expect(answer.status).toBe(405);
  expect(answer.field('Allow')).toBe('GET, HEAD');
  expectNoFile(answer);
};

/** 200, with a file of the site's root; it is kept for as short as a file without a hash. */
export function rootFile(type: string, bytes: string | Buffer): Check {
  return (answer, asked, isHead) => {
    const body = Buffer.from(bytes);
    expect(answer.status).toBe(200);
    expect(answer.field('Content-Type')).toBe(type);
    expect(answer.field('Content-Length')).toBe(String(body.length));
    expect(answer.field('Cache-Control')).toBe(cacheControl(asked));
    expect(answer.field('X-Content-Type-Options')).toBe('nosniff');
    expect(answer.field('ETag')).toMatch(STRONG);
    expectBytes(answer.body, isHead ? Buffer.alloc(0) : body);
  };
}

/** 404, of which no cache keeps anything. */
export const miss: Check = (answer) => {
  expect(answer.status).toBe(404);
  expect(answer.field('Content-Type')).toMatch(/^text\/plain(?:;|$)/);
  expect(answer.field('Cache-Control')).toBe('no-store');
  expect(answer.field('X-Content-Type-Options')).toBe('nosniff');
  expectNoFile(answer);
};

/** What the application around the files says to everything that it is handed. */
export const APPLICATION = 'the application';

/** The request went on to the application. */
export const application: Check = (answer, _asked, isHead) => {
  expect(answer.status).toBe(200);
  expect(answer.body.toString()).toBe(isHead ? '' : APPLICATION);
};

/** What holds of every answer that there is. */
export const sound: Check = (answer, _asked, isHead) => {
  const names = answer.fields.map(([name]) => name);
  expect(new Set(names).size, `each field once: ${names}`).toBe(names.length);
  const date = Date.parse(answer.field('Date') ?? ''); // RFC 9110, 6.6.1
  expect(date, 'Date').not.toBeNaN();
  const modified = answer.field('Last-Modified');
  if (modified !== undefined) {
    expect(new Date(modified).toUTCString(), 'an HTTP date').toBe(modified);
    expect(Date.parse(modified), 'not later than Date').toBeLessThanOrEqual(date); // 8.8.2.1
  }
  if (isHead || answer.status === 304) expect(answer.body).toHaveLength(0);
  expect(answer.field('Connection') ?? 'keep-alive').toMatch(/^keep-alive$/i);
};

/** What 200 and 206 have in common (RFC 9110, 15.3.7). */
function expectFile(answer: RawAnswer, asked: Asked, file: Known): void {
  const coding = codingOf(asked);
  expect(answer.field('ETag')).toBe(file.etag);
  expect(answer.field('Content-Encoding')).toBe(coding === 'identity' ? undefined : coding);
  expect(answer.field('X-Content-Type-Options')).toBe('nosniff');
  expect(answer.field('Access-Control-Allow-Origin')).toBe('*');
  expect(answer.field('Accept-Ranges')).toBe('bytes');
  if (answer.status === 200) expect(answer.field('Last-Modified')).toBe(file.lastModified);
  expectCaching(answer, asked);
}

function expectCaching(answer: RawAnswer, asked: Asked): void {
  expect(answer.field('Cache-Control')).toBe(cacheControl(asked));
  expectVary(answer, asked);
}

function expectVary(answer: RawAnswer, asked: Asked): void {
  expect(answer.field('Vary')).toBe(hasVariants(asked) ? 'Accept-Encoding' : undefined);
}

/** An error's text is not the file: no cache may keep it in the file's place, and it is not encoded. */
function expectNoFile(answer: RawAnswer): void {
  expect(answer.field('Cache-Control') ?? '').not.toMatch(/immutable|max-age=[1-9]/);
  expect(answer.field('Content-Encoding')).toBeUndefined();
}

function expectSlice(
  contentRange: string | undefined,
  body: Buffer,
  { bytes, size }: Known,
  [first, last]: readonly [number, number],
): void {
  const [from, to] = [first, last].map((end) => (end < 0 ? size + end : end)) as [number, number];
  expect(contentRange).toBe(`bytes ${from}-${to}/${size}`);
  expectBytes(body, bytes.subarray(from, to + 1));
}

/** Says which bytes differ, for millions of them are no message. */
function expectBytes(got: Buffer, wanted: Buffer): void {
  expect(got.length, 'bytes').toBe(wanted.length);
  if (got.equals(wanted)) return;
  const at = got.findIndex((byte, index) => byte !== wanted[index]);
  expect(at, 'the first byte that differs').toBe(-1);
}
