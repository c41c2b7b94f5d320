import { truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createStaticFiles } from '../../src/static-files.js';
import { openFiles, TELLS_OPEN_FILES } from '../open-files.js';
import { project } from '../project.js';

const BIG = Buffer.alloc(300_000, 'abcdefghij').toString();
const HOST = 'http://localhost';
const untold = TELLS_OPEN_FILES ? '' : ' (skipped: this system does not tell of open files)';

function siteOf(debug = true) {
  const baseDir = project({ 'static/a.css': 'a{}', 'static/big.txt': BIG });
  const place = debug ? { dirs: ['static'] } : { staticRoot: 'static' };
  return { baseDir, files: createStaticFiles({ baseDir, ...place, cache: false, debug }) };
}

describe('fetch()', () => {
  test('answers a Request with a Response', async () => {
    const { files } = siteOf();
    const response = await files.fetch(new Request(`${HOST}/static/a.css`));
    expect(response?.status).toBe(200);
    expect(response?.headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect(await response?.text()).toBe('a{}');
  });

  test('leaves to the application what is its own', async () => {
    const { files } = siteOf();
    expect(await files.fetch(new Request(`${HOST}/page`))).toBeUndefined();
    const post = await files.fetch(new Request(`${HOST}/static/a.css`, { method: 'POST' }));
    expect([post?.status, post?.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    expect((await files.fetch(new Request(`${HOST}/static/none`)))?.status).toBe(404);
  });

  test('HEAD and 304 have no body', async () => {
    const { files } = siteOf();
    const head = await files.fetch(new Request(`${HOST}/static/a.css`, { method: 'HEAD' }));
    expect([head?.status, head?.body, head?.headers.get('content-length')]).toEqual([
      200,
      null,
      '3',
    ]);
    const etag = head?.headers.get('etag') ?? '';
    const again = await files.fetch(
      new Request(`${HOST}/static/a.css`, { headers: { 'If-None-Match': etag } }),
    );
    expect([again?.status, again?.body]).toEqual([304, null]);
  });

  test.each([true, false])('streams large files, whole and in parts; debug: %s', async (debug) => {
    const { files } = siteOf(debug);
    expect(await (await files.fetch(new Request(`${HOST}/static/big.txt`)))?.text()).toBe(BIG);
    const part = await files.fetch(
      new Request(`${HOST}/static/big.txt`, { headers: { Range: 'bytes=65530-200000' } }),
    );
    expect(part?.status).toBe(206);
    expect(await part?.text()).toBe(BIG.slice(65_530, 200_001));
    const several = await files.fetch(
      new Request(`${HOST}/static/big.txt`, { headers: { Range: 'bytes=0-1,70000-70001' } }),
    );
    const text = (await several?.text()) ?? '';
    expect(text).toContain('\r\n\r\nab\r\n--');
    expect(text.length).toBe(Number(several?.headers.get('content-length')));
  });

  test('of a small file, several parts come from memory', async () => {
    const { files } = siteOf();
    const several = await files.fetch(
      new Request(`${HOST}/static/a.css`, { headers: { Range: 'bytes=0-0,2-2' } }),
    );
    const text = (await several?.text()) ?? '';
    expect(text).toMatch(/\r\n\r\na\r\n--[\s\S]*\r\n\r\n\}\r\n--/);
    expect(text.length).toBe(Number(several?.headers.get('content-length')));
  });

  test.runIf(TELLS_OPEN_FILES)(`closes the file, however it ends${untold}`, async () => {
    const { files, baseDir } = siteOf();
    const url = `${HOST}/static/big.txt`;
    await (await files.fetch(new Request(url)))?.text();
    await (await files.fetch(new Request(url)))?.body?.cancel();
    const reader = (await files.fetch(new Request(url)))?.body?.getReader();
    await reader?.read();
    expect(openFiles(baseDir)).toHaveLength(1);
    await reader?.cancel();
    expect(openFiles(baseDir)).toEqual([]);
    await files.fetch(new Request(url, { method: 'HEAD' }));
    await files.fetch(new Request(url, { headers: { Range: 'bytes=999999-' } }));
    expect(openFiles(baseDir)).toEqual([]);
  });

  test('breaks off where a file becomes shorter', async () => {
    const { files, baseDir } = siteOf();
    const reader = (await files.fetch(new Request(`${HOST}/static/big.txt`)))?.body?.getReader();
    await reader?.read();
    truncateSync(join(baseDir, 'static/big.txt'), 100);
    const rest = async () => {
      while (!(await reader?.read())?.done);
    };
    await expect(rest()).rejects.toThrow('became shorter');
    expect(openFiles(baseDir)).toEqual([]);
  });
});
