import { describe, expect, test } from 'vitest';
import { type Form, type FormOptions, formOf } from '../../src/serve/form.js';
import { type Reply, refusal, respond } from '../../src/serve/respond.js';

const OPTIONS: FormOptions = {
  tag: 'a',
  size: 10,
  mtimeMs: Date.UTC(2020, 0, 1, 12, 0, 0, 700),
  contentType: 'text/css; charset=utf-8',
  cacheControl: 'public, max-age=60',
  varies: false,
};

function headersOf({ headers }: { headers: readonly string[] }): Record<string, string> {
  const fields: Record<string, string> = {};
  for (let at = 0; at < headers.length; at += 2) fields[headers[at] ?? ''] = headers[at + 1] ?? '';
  expect(Object.keys(fields)).toHaveLength(headers.length / 2);
  return fields;
}

function get(form: Form, headers: Record<string, string> = {}, method = 'GET'): Reply {
  return respond({ method, headers }, form);
}

const WHOLE = {
  'Content-Type': 'text/css; charset=utf-8',
  'Cache-Control': 'public, max-age=60',
  'X-Content-Type-Options': 'nosniff',
  'Access-Control-Allow-Origin': '*',
  'Content-Length': '10',
  ETag: '"a"',
  'Last-Modified': 'Wed, 01 Jan 2020 12:00:00 GMT',
  'Accept-Ranges': 'bytes',
};

describe('a form', () => {
  test('is whole', () => {
    const reply = get(formOf(OPTIONS));
    expect(reply).toMatchObject({ status: 200, body: 'whole' });
    expect(headersOf(reply)).toEqual(WHOLE);
  });

  test('that is compressed says so, and has a tag of its own', () => {
    expect(headersOf(get(formOf({ ...OPTIONS, coding: 'br', varies: true })))).toEqual({
      ...WHOLE,
      ETag: '"a-br"',
      'Content-Encoding': 'br',
      Vary: 'Accept-Encoding',
    });
  });

  test('takes header fields from outside, but not what the bytes are', () => {
    const more = {
      'cache-control': 'private',
      'Content-Type': 'text/plain',
      'X-More': 'yes',
      'content-length': '3',
      etag: '"x"',
      Vary: 'Origin',
    };
    expect(headersOf(get(formOf({ ...OPTIONS, varies: true, more })))).toEqual({
      ...WHOLE,
      'Cache-Control': undefined,
      'cache-control': 'private',
      'Content-Type': 'text/plain',
      'X-More': 'yes',
      Vary: 'Origin, Accept-Encoding',
    });
  });

  test.each([
    ['Accept-Encoding', 'Accept-Encoding'],
    ['origin, accept-encoding', 'origin, accept-encoding'],
    ['*', '*'],
    ['X-Accept-Encoding', 'X-Accept-Encoding, Accept-Encoding'],
  ])('keeps Vary: %s', (Vary, expected) => {
    expect(headersOf(get(formOf({ ...OPTIONS, varies: true, more: { Vary } }))).Vary).toBe(
      expected,
    );
  });

  test('was not changed in the future', () => {
    const { lastModifiedMs } = formOf({ ...OPTIONS, mtimeMs: Date.now() + 1e9 });
    expect(lastModifiedMs).toBeLessThanOrEqual(Date.now());
  });
});

describe('answers', () => {
  const form = formOf({ ...OPTIONS, varies: true });

  test('HEAD has the same head, and no body, whatever range it names', () => {
    const reply = get(form, { range: 'bytes=0-1' }, 'HEAD');
    expect(reply).toEqual({ ...get(form), body: 'none' });
  });

  test('304 says what may have changed about keeping it, and nothing of its bytes', () => {
    const reply = get(form, { 'if-none-match': '"a"', range: 'bytes=0-1' });
    expect(reply).toMatchObject({ status: 304, body: 'none' });
    expect(headersOf(reply)).toEqual({
      'Cache-Control': 'public, max-age=60',
      'X-Content-Type-Options': 'nosniff',
      'Access-Control-Allow-Origin': '*',
      ETag: '"a"',
      Vary: 'Accept-Encoding',
    });
  });

  test('206 has a part', () => {
    const reply = get(form, { range: 'bytes=2-4' });
    expect(reply).toMatchObject({ status: 206, body: [{ start: 2, end: 4 }] });
    expect(headersOf(reply)).toEqual({
      ...WHOLE,
      Vary: 'Accept-Encoding',
      'Content-Length': '3',
      'Content-Range': 'bytes 2-4/10',
    });
  });

  test('206 has several parts, each with its place', () => {
    const reply = get(form, { range: 'bytes=8-,0-1' });
    const headers = headersOf(reply);
    const [, boundary = ''] = /boundary=(\S+)/.exec(headers['Content-Type'] ?? '') ?? [];
    const head = (range: string) =>
      `--${boundary}\r\nContent-Type: text/css; charset=utf-8\r\nContent-Range: bytes ${range}/10\r\n\r\n`;
    expect(boundary).not.toBe('');
    expect(reply.status).toBe(206);
    expect(reply.body).toEqual([
      head('8-9'),
      { start: 8, end: 9 },
      `\r\n${head('0-1')}`,
      { start: 0, end: 1 },
      `\r\n--${boundary}--\r\n`,
    ]);
    const text = `${head('8-9')}12\r\n${head('0-1')}12\r\n--${boundary}--\r\n`;
    expect(headers['Content-Length']).toBe(String(text.length));
    expect(headers['Content-Range']).toBeUndefined();
  });

  test.each([
    ['bytes=5-2', 200],
    ['bytes=50-', 416],
    ['bytes=0-', 206],
  ])('Range: %s is %i', (range, status) => {
    expect(get(form, { range }).status).toBe(status);
  });

  test('416 says how much there is', () => {
    expect(headersOf(get(form, { range: 'bytes=50-' }))).toMatchObject({
      'Content-Range': 'bytes */10',
      'Cache-Control': 'no-store',
      Vary: 'Accept-Encoding',
    });
  });

  test.each([
    ['"a"', 206],
    ['"b"', 200],
    ['W/"a"', 200],
    ['Wed, 01 Jan 2020 12:00:00 GMT', 206],
    ['Wed, 01 Jan 2020 12:00:01 GMT', 200],
  ])('If-Range: %s is %i', (condition, status) => {
    expect(get(form, { range: 'bytes=0-1', 'if-range': condition }).status).toBe(status);
  });

  test('412 where a condition does not hold', () => {
    expect(get(form, { 'if-match': '"b"', range: 'bytes=50-' }).status).toBe(412);
  });

  test.each([404, 405, 406, 412, 416, 500] as const)('%i is kept by nobody', (status) => {
    const reply = refusal(status, ['Allow', 'GET']);
    const headers = headersOf(reply);
    expect(headers).toMatchObject({ 'Cache-Control': 'no-store', Allow: 'GET' });
    expect(headers['Content-Length']).toBe(String((reply.body[0] as string).length));
  });
});
