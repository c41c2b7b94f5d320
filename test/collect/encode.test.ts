import { randomBytes } from 'node:crypto';
import zlib from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { encode } from '../../src/collect/encode.js';

describe('encode()', () => {
  const text = Buffer.from('static files '.repeat(1000));
  it.each([
    ['br', (body: Uint8Array) => zlib.brotliDecompressSync(body)],
    ['gzip', (body: Uint8Array) => zlib.gunzipSync(body)],
  ] as const)('makes the same %s each time, which can be undone', (coding, undo) => {
    const encoded = encode(text, coding);
    expect(encoded?.length).toBeLessThan(300);
    expect(encode(text, coding)).toEqual(encoded);
    expect(undo(encoded as Uint8Array)).toEqual(text);
  });

  it.each([
    ['nothing', 0, 0, false],
    ['noise', 1000, 0, false],
    ['less than 5 %', 2000, 60, false],
    ['more than 5 %', 2000, 260, true],
  ])('is worth it for %s: noise of %i bytes and %i zeros → %s', (_, noise, zeros, isWorth) => {
    const body = Buffer.concat([randomBytes(noise), Buffer.alloc(zeros)]);
    for (const coding of ['br', 'gzip'] as const) {
      expect(encode(body, coding) !== undefined, coding).toBe(isWorth);
    }
  });
});
