import { stripVTControlCharacters, styleText } from 'node:util';
import { describe, expect, it } from 'vitest';
import { logRequest } from '../../src/cli/request-log.js';
import { serve } from '../listen.js';

type Style = Parameters<typeof styleText>[0];

/** The line of one request that is answered with a status. */
async function lineOf(status: number, isFile: boolean, colors = true): Promise<string> {
  let line = '';
  const origin = await serve((request, response) => {
    const write = (text: string) => {
      line += text;
    };
    logRequest(request, response, { write, colors, isFile: () => isFile });
    response.writeHead(status).end();
  });
  await (await fetch(`${origin}/a%20b`)).text();
  await expect.poll(() => line).toContain('\n');
  return line.trimEnd();
}

describe('the request log', () => {
  it.each<[string, number, boolean, Style | undefined]>([
    ['a page', 200, false, undefined],
    ['a file', 200, true, 'dim'],
    ['part of a file', 206, true, 'dim'],
    ['what the browser has', 304, true, 'dim'],
    ['a page that the browser has', 304, false, 'dim'],
    ['a file that is not there', 404, true, 'yellow'],
    ['a page that is not there', 404, false, 'yellow'],
    ['a fault', 500, true, 'red'],
  ])('shows %s (%i, file: %s) in the style %s', async (_, status, isFile, style) => {
    const line = await lineOf(status, isFile);
    const plain = stripVTControlCharacters(line);
    expect(plain).toMatch(
      new RegExp(`^\\[\\d\\d:\\d\\d:\\d\\d\\] GET /a%20b ${status} \\d+ B \\d+ ms$`),
    );
    const expected = style && styleText(style, plain, { validateStream: false });
    expect(line).toBe(expected ?? plain);
  });

  it('has no styles without colours', async () => {
    const line = await lineOf(200, true, false);
    expect(line).toBe(stripVTControlCharacters(line));
  });
});
