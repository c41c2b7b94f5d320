import { describe, expect, it } from 'vitest';
import { parseRanges } from '../../../src/serve/range.js';
import { Connection, type Fields } from '../http/connection.js';
import { MODES } from '../http/site.js';
import { hostileSite } from './site.js';

const LARGE = { maxHeaderSize: 16_000_000 };

/**
 * What stands very often in a field, and what comes before and after it: so often that whoever reads
 * some of it again for each is not done in time.
 */
const MANY = 300_000;

const LONG: readonly (readonly [field: string, before: string, part: string, after: string])[] = [
  ['Accept-Encoding', '', 'gzip;q=0.1,', ''],
  ['Accept-Encoding', '', ',', ''],
  ['Accept-Encoding', 'gzip', ' ', ';q=0.5'],
  ['Accept-Encoding', 'gzip', ';', ''],
  ['Accept-Encoding', 'gzip;q=0.', '0', ''],
  ['Accept-Encoding', '', 'a', ''],
  ['Accept-Encoding', '', '*;q=0, ', ''],
  ['Accept-Encoding', 'br', '\t', 'x'],
  ['Range', 'bytes=', '0-0,', ''],
  ['Range', 'bytes=', '0-,', ''],
  ['Range', 'bytes=', '-1,', '5-2'],
  ['Range', 'bytes=', ',', ''],
  ['Range', 'bytes=0-0', ' ', 'x'],
  ['Range', 'bytes=0-0', ' ', ',1-1'],
  ['Range', 'bytes=', '0', '-1'],
  ['Range', 'bytes=0-', '9', ''],
  ['Range', 'bytes=', '-', ''],
  ['If-None-Match', '', '"', ''],
  ['If-None-Match', '', '"a",', ''],
  ['If-None-Match', '', '"a" ', ''],
  ['If-None-Match', '', 'W/', ''],
  ['If-None-Match', '', ',', ''],
  ['If-None-Match', '"', 'a', ''],
  ['If-None-Match', '', ' ,', '*'],
  ['If-Match', '', '"a",', ''],
  ['If-Match', '', '"', ''],
  ['If-Modified-Since', '', '9', ''],
  ['If-Modified-Since', 'Thu, 01 Jan', ' ', '1970 00:00:00 GMT'],
  ['If-Unmodified-Since', '(', '(', ''],
  ['If-Range', '"', 'a', '"'],
  ['If-Range', '', ' 1', ''],
];

describe('a million ranges', () => {
  it.each([
    ['of a byte each', (at: number) => `${at}-${at}`],
    ['of everything', () => '0-'],
    ['from the end', (at: number) => `-${at + 1}`],
    ['of nothing', (at: number) => `${10_000_000 + at}-`],
    ['inverted', () => '5-2'],
    ['empty', () => ''],
  ])('%s are ignored', (_what, range) => {
    const ranges = Array.from({ length: 1_000_000 }, (_, at) => range(at));
    expect(parseRanges(`bytes=${ranges}`, 5_000_000)).toBeUndefined();
  });
});

describe.each(MODES)('fields, %s:', (mode) => {
  it.each(LONG)('%s: %j and very many %j', async (field, before, part, after) => {
    const site = await hostileSite(mode, { server: LARGE });
    const value = before + part.repeat(MANY) + after;
    for (const target of ['/static/app/site.css', '/static/app/none.css']) {
      const answer = await site.ask({ target, headers: { Range: 'bytes=0-0', [field]: value } });
      expect([200, 206, 304, 404, 406, 412, 416]).toContain(answer?.status);
    }
    await site.expectCalm();
  });

  it('a million ranges are answered with the whole', async () => {
    const site = await hostileSite(mode, { server: LARGE });
    const Range = `bytes=${Array.from({ length: 1_000_000 }, (_, at) => `${at % 10}-`).join()}`;
    const answer = await site.ask({ target: '/static/app/site.css', headers: { Range } });
    expect(answer?.status).toBe(200);
    expect(answer?.body).toHaveLength(10_500);
    await site.expectCalm();
  });

  it('what is no value of a field harms nobody', async () => {
    const site = await hostileSite(mode);
    const values = [
      ...[
        '',
        ' ',
        ',',
        ';',
        '=',
        '"',
        '""',
        'W/',
        'W/"',
        '*',
        '* ',
        '**',
        '\\',
        '\t',
        '%00',
        '-',
        '--',
      ],
      ...[
        'q=',
        ';q=',
        'br;q=',
        'br;q=x',
        'br;q=-1',
        'br;q=2',
        'br;q=1.0000',
        'br;q=NaN',
        'br;q=1e9',
      ],
      ...[
        'br;q=0.5;q=1',
        'br;;q=1',
        '*;q',
        '*;*',
        '__proto__',
        'constructor;q=1',
        'toString, *;q=0',
      ],
      ...[
        'bytes=-',
        'bytes=NaN-',
        'bytes=Infinity-',
        'bytes=-Infinity',
        'bytes=1e1-',
        'bytes=0x1-',
      ],
      ...['bytes=9007199254740993-', 'bytes=-9007199254740993', 'bytes=0-18446744073709551616'],
      ...['"\xff"', '\xff\xfe', '\x80', 'Thu, 01 Jan 1970', 'NaN', '-1', '1e999', 'Invalid Date'],
    ];
    const fields = ['Accept-Encoding', 'Range', 'If-Range', 'If-None-Match', 'If-Match'];
    const dates = ['If-Modified-Since', 'If-Unmodified-Since'];
    const connection = await Connection.open(site.url);
    for (const field of [...fields, ...dates]) {
      for (const value of values) {
        for (const more of [{}, { Range: 'bytes=0-1' }]) {
          const headers: Fields = { ...more, [field]: value };
          const answer = await connection.ask({ target: '/static/app/site.css', headers });
          const allowed = [200, 206, 304, 406, 412, 416];
          expect(allowed, `${field}: ${JSON.stringify(value)}`).toContain(answer.status);
        }
      }
    }
    connection.close();
    await site.expectCalm();
  });

  it('fields that come several times harm nobody', async () => {
    const site = await hostileSite(mode);
    const twice = (values: readonly string[]) => values;
    const sent: Fields[] = [
      { Range: twice(['bytes=0-1', 'bytes=3-4']) },
      { 'If-None-Match': twice(['*', '"x"']) },
      { 'If-Modified-Since': twice(['x', 'Fri, 01 Jan 2100 00:00:00 GMT']) },
      { 'If-Range': twice(['"a"', '"b"']), Range: 'bytes=0-1' },
      { 'Accept-Encoding': Array.from({ length: 500 }, () => 'br') },
    ];
    for (const headers of sent) {
      const answer = await site.ask({ target: '/static/app/site.css', headers });
      expect([200, 206, 304]).toContain(answer?.status);
    }
    await site.expectCalm();
  });

  it('folded fields are read or refused (RFC 9112, 5.2)', async () => {
    const site = await hostileSite(mode);
    for (const fold of ['\r\n ', '\r\n\t', '\n ', '\r ']) {
      for (const field of ['If-None-Match', 'Accept-Encoding', 'Range']) {
        const headers = { [field]: `"a",${fold}"b"` };
        const answer = await site.ask({ target: '/static/app/site.css', headers });
        expect([200, 400]).toContain(answer?.status);
      }
    }
    await site.expectCalm();
  });
});

/** What the setting `headers` may answer for a file, and must not be taken at its word. */
const SET: readonly (readonly [string, () => unknown])[] = [
  ['a value with a line end', () => ({ 'X-A': 'a\r\nX-Evil: 1' })],
  ['a value with half a line end', () => ({ 'X-A': 'a\nX-Evil: 1' })],
  ['a value with the other half', () => ({ 'X-A': 'a\rX-Evil: 1' })],
  ['a value with NUL', () => ({ 'X-A': 'a\0b' })],
  ['a value outside Latin-1', () => ({ 'X-A': '⊗ \u{1f600}' })],
  ['a value that turns into a line end', () => ({ 'X-A': 'a\u010d\u010aX-Evil: 1' })],
  ['a name with a line end', () => ({ 'X-A: 1\r\nX-Evil': '1' })],
  ['a name with a space', () => ({ 'X A': '1' })],
  ['an empty name', () => ({ '': '1' })],
  ['another length', () => ({ 'Content-Length': '1' })],
  ['another framing', () => ({ 'Transfer-Encoding': 'chunked' })],
  ['another range', () => ({ 'content-range': 'bytes 0-0/1', etag: '"x"' })],
  ['no string', () => ({ 'X-A': 1, 'X-B': undefined, 'X-C': null, 'X-D': {} })],
  ['a symbol', () => ({ 'X-A': Symbol('a') })],
  ['nothing', () => undefined],
  ['null', () => null],
  ['a string', () => 'X-Evil: 1'],
  [
    'a fault',
    () => {
      throw new Error('from the setting');
    },
  ],
];

describe.each(MODES)('the setting headers, %s:', (mode) => {
  it.each(SET)('%s adds no field and brings nothing down', async (_what, answered) => {
    const headers = (name: string) => (name === 'app/site.css' ? answered() : {});
    const site = await hostileSite(mode, { settings: { headers } as object });
    for (const method of ['GET', 'HEAD', 'GET']) {
      const answer = await site.ask({ target: site.pathOf('app/site.css'), method });
      expect([200, 500]).toContain(answer?.status);
      expect(answer?.field('X-Evil')).toBeUndefined();
    }
    await site.expectCalm();
  });

  it('a name that is written into a field adds none', async () => {
    const name = 'app/a\r\nX-Evil: 1.css';
    const headers = (told: string, url: string) => ({ 'X-Name': told, 'X-URL': url });
    const site = await hostileSite(mode, {
      files: process.platform === 'win32' ? {} : { [`static/${name}`]: 'a{}' },
      settings: { headers } as object,
    });
    const answer = await site.ask({ target: `/static/${encodeURIComponent(name)}` });
    expect([200, 404, 500]).toContain(answer?.status);
    expect(answer?.field('X-Evil')).toBeUndefined();
    await site.expectCalm();
  });
});
