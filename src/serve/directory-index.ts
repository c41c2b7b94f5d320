import { encodePath } from '../urls.js';

/** What stands in a folder. */
export interface IndexEntry {
  readonly name: string;
  readonly isFolder: boolean;
  /** In bytes. */
  readonly size: number;
  /** When it was last changed, in milliseconds since 1970. */
  readonly mtimeMs: number;
}

/** A Content-Security-Policy that the page works under. It has no scripts, and asks for nothing. */
export const INDEX_POLICY = "default-src 'none'; style-src 'unsafe-inline'";

/**
 * The page that lists a folder; Django's `show_indexes`. Folders come first, numbers in names count
 * as such, and what begins with a dot is left out, as are names that no URL leads to.
 *
 * @param path the decoded path of the folder's URL; ends in `/`.
 */
export function directoryIndex(path: string, entries: readonly IndexEntry[]): string {
  const title = `Index of ${shown(path)}`;
  const rows = entries.filter(isListed).sort(compare).map(row);
  const parent = path === '/' ? [] : ['<tr><td><a href="../">../</a><td><td>'];
  const empty = rows.length === 0 ? ['<p>This folder is empty.</p>'] : [];
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<meta charset="utf-8">',
    '<meta name="viewport" content="width=device-width, initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    `<title>${title}</title>`,
    `<style>${STYLE}</style>`,
    `<h1>${title}</h1>`,
    '<table>',
    '<thead><tr><th scope="col">Name<th scope="col">Size<th scope="col">Changed (UTC)',
    '<tbody>',
    ...parent,
    ...rows,
    '</table>',
    ...empty,
    '</html>',
    '',
  ].join('\n');
}

const STYLE = [
  'body{font:1rem/1.5 system-ui,sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}',
  'h1{font-size:1.25rem;overflow-wrap:anywhere}',
  'table{border-collapse:collapse;width:100%}',
  'th,td{padding:.25rem .5rem;text-align:start;vertical-align:top}',
  'tr>:nth-child(n+2){text-align:end;white-space:nowrap;font-variant-numeric:tabular-nums}',
  'td:first-child{overflow-wrap:anywhere;white-space:pre-wrap}',
  'tbody tr:hover{background:color-mix(in srgb,currentColor 8%,transparent)}',
].join('\n');

/** In the URL, `\` is a slash, and half a character cannot be. */
function isListed({ name }: IndexEntry): boolean {
  return name !== '' && !/^\.|[\\/]/.test(name) && name.isWellFormed();
}

const collator = new Intl.Collator('en', { numeric: true });

function compare(a: IndexEntry, b: IndexEntry): number {
  return Number(b.isFolder) - Number(a.isFolder) || collator.compare(a.name, b.name);
}

function row({ name, isFolder, size, mtimeMs }: IndexEntry): string {
  const slash = isFolder ? '/' : '';
  // What stands before a colon would be a scheme, as in `javascript:x` (RFC 3986, 4.2).
  const here = name.includes(':') ? './' : '';
  const href = escapeHtml(here + encodePath(name) + slash);
  const amount = isFolder ? '' : amountOf(size);
  return `<tr><td><a href="${href}">${shown(name)}${slash}</a><td>${amount}<td>${timeOf(mtimeMs)}`;
}

const UNITS = ['kB', 'MB', 'GB', 'TB', 'PB'];

function amountOf(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  let amount = bytes / 1000;
  let unit = 0;
  for (; amount >= 999.95 && unit < UNITS.length - 1; unit++) amount /= 1000;
  return `${amount.toFixed(1)} ${UNITS[unit]}`;
}

/** To the minute. A time that no calendar knows is left out; damaged disks have some. */
function timeOf(mtimeMs: number): string {
  const date = new Date(mtimeMs);
  const iso = Number.isNaN(date.getTime()) ? '' : date.toISOString();
  if (!/^\d{4}-/.test(iso)) return '';
  return `<time datetime="${iso}">${iso.slice(0, 16).replace('T', ' ')}</time>`;
}

/** Marks that turn the direction of text around, so that `gpj.exe` looks like `exe.jpg`. */
const DIRECTION = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A name as text of the page, with what would be invisible made visible. */
function shown(name: string): string {
  const visible = name.replace(/\p{Cc}/gu, controlPicture).replace(DIRECTION, '\ufffd');
  return escapeHtml(visible);
}

/** Unicode's block of pictures for the ASCII control characters; there are none for others. */
function controlPicture(character: string): string {
  const code = character.charCodeAt(0);
  if (code < 0x20) return String.fromCharCode(0x2400 + code);
  return code === 0x7f ? '\u2421' : '\ufffd';
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character);
}
