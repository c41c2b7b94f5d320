import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { createStaticFiles } from '../../src/static-files.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { add, project } from '../project.js';
import { warnings } from '../warnings.js';
import { asking } from './ask.js';

describe('live', () => {
  test('every request sees the files as they are', async () => {
    const baseDir = project({ 'static/a.txt': 'one' });
    const ask = await asking(createStaticFiles({ baseDir, dirs: ['static'], debug: true }).handler);
    const first = await ask('/static/a.txt');
    expect(first).toMatchObject({ body: 'one', headers: { 'cache-control': 'no-cache' } });
    writeFileSync(join(baseDir, 'static/a.txt'), 'another');
    const condition = { 'If-None-Match': first.headers.etag ?? '' };
    expect(await ask('/static/a.txt', condition)).toMatchObject({ status: 200, body: 'another' });
    rmSync(join(baseDir, 'static/a.txt'));
    expect((await ask('/static/a.txt')).status).toBe(404);
    add(baseDir, { 'static/b/c.txt': 'new' });
    expect((await ask('/static/b/c.txt')).body).toBe('new');
  });

  test('large files are sent from the disk, whole and in parts', async () => {
    const big = Buffer.alloc(300_000, 'abcdefghij').toString();
    const baseDir = project({ 'static/big.txt': big });
    const ask = await asking(createStaticFiles({ baseDir, dirs: ['static'], debug: true }).handler);
    expect((await ask('/static/big.txt')).body).toBe(big);
    expect(await ask('/static/big.txt', { Range: 'bytes=65530-65545' })).toMatchObject({
      status: 206,
      body: big.slice(65_530, 65_546),
    });
    const several = await ask('/static/big.txt', { Range: 'bytes=0-69999,200000-200004' });
    expect(several.body).toContain(`\r\n\r\n${big.slice(0, 70_000)}\r\n--`);
    expect(several.body).toContain(`\r\n\r\n${big.slice(200_000, 200_005)}\r\n--`);
    expect(several.body.length).toBe(Number(several.headers['content-length']));
  });

  test('a hashed name of a manifest is answered with the source of its name, as it is now', async () => {
    const baseDir = project({ 'static/a.txt': 'one' });
    const settings = { baseDir, dirs: ['static'], staticRoot: 'c', storage: hashedStorage() };
    const ask = await asking(createStaticFiles({ ...settings, debug: true }).handler);
    expect((await ask('/static/a.f97c5d29941b.txt')).status).toBe(404);
    const collected = createStaticFiles({ ...settings, debug: false });
    await collected.collect();
    const url = collected.staticUrl('a.txt');
    expect(await ask(url)).toMatchObject({ body: 'one', headers: { 'cache-control': 'no-cache' } });
    writeFileSync(join(baseDir, 'static/a.txt'), 'edited');
    expect((await ask(url)).body).toBe('edited');
    expect((await ask('/static/a.000000000000.txt')).status).toBe(404);
    writeFileSync(join(baseDir, 'c/staticfiles.json'), '{');
    const heard = warnings(baseDir);
    expect((await ask(url)).status).toBe(404);
    expect(heard).toEqual([expect.stringContaining('is no JSON')]);
  });

  test('the setting headers is asked each time', async () => {
    const baseDir = project({ 'static/a.txt': 'one' });
    const headers = vi.fn((name: string, url: string) => ({ 'X-Of': `${name} ${url}` }));
    const files = createStaticFiles({ baseDir, dirs: ['static'], debug: true, headers });
    const ask = await asking(files.handler);
    for (let index = 0; index < 2; index++) {
      expect((await ask('/static/a.txt')).headers['x-of']).toBe('a.txt /static/a.txt');
    }
    expect(headers).toHaveBeenCalledTimes(2);
  });

  test('uploads come with headers that make them harmless', async () => {
    const baseDir = project({ 'uploads/evil.html': '<script>', 'uploads/me.jpg': 'jpg' });
    const files = createStaticFiles({
      baseDir,
      mediaUrl: '/media/',
      mediaRoot: 'uploads',
      debug: true,
    });
    const ask = await asking(files.handler);
    const evil = await ask('/media/evil.html');
    expect(evil.headers['x-content-type-options']).toBe('nosniff');
    expect(evil.headers['content-security-policy']).toContain('sandbox');
    expect(evil.headers['content-disposition']).toContain('attachment');
    const picture = await ask('/media/me.jpg');
    expect(picture).toMatchObject({ status: 200, body: 'jpg' });
    expect(picture.headers['content-disposition']).toBeUndefined();
  });
});
