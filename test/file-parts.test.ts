import { writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { byteBudget, md5Of, readPart } from '../src/file-parts.js';
import { project } from './project.js';

describe('a part of a file', () => {
  async function opened(text: string) {
    const path = join(project({ 'a.txt': text }), 'a.txt');
    const file = await open(path);
    onTestFinished(() => file.close());
    return { path, file };
  }

  test('is so many bytes from there', async () => {
    const { file } = await opened('0123456789');
    expect(String(await readPart(file, 0, 4))).toBe('0123');
    expect(String(await readPart(file, 4, 6))).toBe('456789');
  });

  test('is shorter where the file has become so', async () => {
    const { path, file } = await opened('0123456789');
    writeFileSync(path, '012345');
    expect(String(await readPart(file, 4, 6))).toBe('45');
    expect(await readPart(file, 8, 2)).toHaveLength(0);
  });
});

test('md5Of() is RFC 1321’s', () => {
  expect(md5Of(Buffer.from('abc')).toString('hex')).toBe('900150983cd24fb0d6963f7d28e17f72');
});

describe('a budget of bytes', () => {
  test('is not overdrawn, but by what is too large for it alone', async () => {
    const take = byteBudget(10);
    let taken = 0;
    const seen: string[] = [];
    const work = async (bytes: number) => {
      const giveBack = await take(bytes);
      taken += bytes;
      seen.push(`${bytes} of ${taken}`);
      await new Promise(setImmediate);
      taken -= bytes;
      giveBack();
    };
    await Promise.all([5, 5, 1, 30, 0, 4, 10].map(work));
    expect(seen).toEqual([
      '5 of 5',
      '5 of 10',
      '1 of 6',
      '30 of 30',
      '0 of 0',
      '4 of 4',
      '10 of 10',
    ]);
  });
});
