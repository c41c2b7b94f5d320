import { expect } from 'vitest';
import type { RawAnswer } from './connection.js';

export interface Part {
  /** Names in lower case. */
  readonly fields: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** The parts of a multipart/byteranges answer, read strictly (RFC 2046, 5.1.1). */
export function partsOf(answer: RawAnswer): Part[] {
  const type = answer.field('Content-Type') ?? '';
  const [, quoted, token] =
    /^multipart\/byteranges; ?boundary=(?:"([^"]{1,70})"|([\w'+.-]{1,70}))$/.exec(type) ?? [];
  const boundary = quoted ?? token;
  expect(boundary, `the boundary of ${type}`).toBeDefined();
  const delimiter = `--${boundary}`;
  // A byte is a character here. The first delimiter needs no line end before it.
  const text = `\r\n${answer.body.toString('latin1')}`.replace(/^(?:\r\n)+/, '\r\n');
  const [preamble, ...pieces] = text.split(`\r\n${delimiter}`);
  expect(preamble).toBe('');
  expect(pieces.pop(), 'after the last part').toMatch(/^--(?:\r\n)?$/);
  return pieces.map((piece) => {
    const end = piece.indexOf('\r\n\r\n');
    expect(piece.startsWith('\r\n') && end >= 0, 'a head and a body').toBe(true);
    const fields = piece
      .slice(2, end)
      .split('\r\n')
      .map((line) => {
        const [, name = line, value = ''] = /^([\w-]+): *(.*)$/.exec(line) ?? [];
        return [name.toLowerCase(), value] as const;
      });
    return {
      fields: Object.fromEntries(fields),
      body: Buffer.from(piece.slice(end + 4), 'latin1'),
    };
  });
}
