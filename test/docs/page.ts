import { readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** The text of a page of the documentation. */
export function pageText(page: string): string {
  return readFileSync(new URL(page, root), 'utf8');
}

/** Its examples that have a file's name: ```js app.js */
export function examplesOf(page: string): ReadonlyMap<string, string> {
  const found = pageText(page).matchAll(/^```\w+ (\S+)\n([\s\S]*?)^```$/gm);
  return new Map([...found].map(([, file = '', source = '']) => [file, source]));
}

/** The first column of the first table after a text, as far as it is code. */
export function firstColumn(page: string, after: string): string[] {
  const [, rest = ''] = pageText(page).split(after);
  const [table = ''] = /^\|[\s\S]*?(?=\n\n)/m.exec(rest) ?? [];
  return [...table.matchAll(/^\| `([^`]+)`/gm)].map(([, cell = '']) => cell);
}
