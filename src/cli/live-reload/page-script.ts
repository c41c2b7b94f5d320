import type { IncomingMessage, ServerResponse } from 'node:http';
import { edit, field, lengthen, lengthenHidden, type Rest, settle } from './answer-head.js';

/** What an answer gets besides its own. */
interface Addition {
  readonly bytes: Buffer;
  /** Whether it comes before all else, and not after. */
  readonly isFirst: boolean;
}

/**
 * Adds a script to the page that the answer turns out to be. It comes last, after `</html>`, where
 * the parser takes it into the body (HTML, 13.2.6.4.19): so whatever is written passes by as it is,
 * when it is, and a `</body>` in a script's text is none of our concern. An error in plain text
 * becomes a page too: it should reload when it is mended.
 *
 * The answer's length and ETag become those of what is sent, and an ETag of ours in the request the
 * application's again (RFC 9110, 8.8.3: one tag is one sequence of bytes). Otherwise a page that the
 * browser knows from another server on this port would go without.
 */
export function addScript(url: string, request: IncomingMessage, response: ServerResponse): void {
  if (request.method !== 'GET' || !isNavigation(request)) return;
  const isOurs = takeEtags(request);
  const { writeHead, write, end } = response;
  let addition: Addition | undefined;
  let isCounted = false;

  response.writeHead = ((status: number, ...rest: Rest) => {
    let left = rest;
    if (!response.headersSent) {
      left = settle(response, rest);
      addition = additionTo(url, status, response);
      if (addition?.isFirst) edit(response, 'content-type', asHtml);
      if (addition !== undefined && !isCounted) {
        lengthen(response, addition.bytes.length);
        lengthenHidden(response, addition.bytes.length);
      }
      if (addition !== undefined || (status === 304 && isOurs)) edit(response, 'etag', marked);
    }
    return writeHead.apply(response, [status, ...left] as Parameters<typeof writeHead>);
  }) as ServerResponse['writeHead'];

  response.write = ((...args: Parameters<typeof write>) => {
    if (!response.headersSent) response.writeHead(response.statusCode);
    if (addition?.isFirst) {
      write.call(response, addition.bytes, 'utf8');
      addition = undefined;
    }
    return write.apply(response, args);
  }) as ServerResponse['write'];

  response.end = ((...args: unknown[]) => {
    if (!response.headersSent) {
      // Node counts the bytes of an answer that ends with its first: it has to see all of them.
      addition = additionTo(url, response.statusCode, response);
      if (addition !== undefined) lengthen(response, addition.bytes.length);
      isCounted = true;
    }
    const all = addition === undefined || response.writableEnded ? args : withBytes(args, addition);
    return end.apply(response, all as Parameters<typeof end>);
  }) as ServerResponse['end'];
}

const PAGES: ReadonlySet<unknown> = new Set(['document', 'iframe', 'frame', 'embed', 'object']);

/** Parts of pages that scripts ask for stay as they are. https://www.w3.org/TR/fetch-metadata/ */
function isNavigation({ headers }: IncomingMessage): boolean {
  const destination = headers['sec-fetch-dest'];
  // Browsers tell nothing to hosts without TLS, this machine's own names apart.
  if (destination === undefined) return headers.accept?.includes('text/html') ?? false;
  return PAGES.has(destination);
}

const PAGE = /^\s*text\/html\s*(?:;|$)/;
const TEXT = /^\s*(?:text\/plain|application\/json)\s*(?:;|$)/;

/** `undefined` for what is no page, or cannot be added to. */
function additionTo(url: string, status: number, response: ServerResponse): Addition | undefined {
  const type = field(response, 'content-type').toLowerCase();
  const isPage = PAGE.test(type) && ((status >= 200 && status < 204) || status >= 400);
  if (!isPage && !(TEXT.test(type) && status >= 400)) return undefined;
  if (/charset\s*=\s*"?utf-?(?:16|32)/.test(type)) return undefined; // what is added is ASCII
  if (!/^(?:identity)?$/i.test(field(response, 'content-encoding'))) return undefined;
  if (/^\s*attachment/i.test(field(response, 'content-disposition'))) return undefined;
  const nonce = /'nonce-([\w+/=-]+)'/.exec(field(response, 'content-security-policy'))?.[1];
  const attributes = nonce === undefined ? '' : ` nonce="${nonce}"`;
  const script = `<script src="${url}" async${attributes}></script>`;
  // After `<plaintext>` everything is text, to the end (HTML, 13.2.5.5).
  return { bytes: Buffer.from(isPage ? `${script}\n` : `${script}<plaintext>`), isFirst: !isPage };
}

function asHtml(type: string): string {
  return `text/html${type.includes('json') ? '; charset=utf-8' : type.replace(/^[^;]*/, '')}`;
}

/** The arguments of `end()`, in each of its forms, with bytes before or after what they hold. */
function withBytes(args: readonly unknown[], { bytes, isFirst }: Addition): unknown[] {
  const callback = args.filter((arg) => typeof arg === 'function');
  const [chunk, encoding] = args;
  if (chunk === undefined || chunk === null || typeof chunk === 'function') {
    return [bytes, ...callback];
  }
  const known = typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8';
  const own = typeof chunk === 'string' ? Buffer.from(chunk, known) : chunk;
  if (!(own instanceof Uint8Array)) return [...args]; // Node's to refuse
  return [Buffer.concat(isFirst ? [bytes, own] : [own, bytes]), ...callback];
}

/** What marks the ETag of a page that has the script. */
const MARK = '+reload';

function marked(etag: string): string {
  return etag.replace(/"$/, `${MARK}"`);
}

/**
 * Gives the application its own ETags back. Of a page without the script, which another server on
 * this port has sent, it does not hear: it would answer that nothing has changed.
 */
function takeEtags({ headers, rawHeaders }: IncomingMessage): boolean {
  const asked = headers['if-none-match'];
  if (asked === undefined || asked.trim() === '*') return false;
  const ours = (asked.match(/(?:W\/)?"[^"]*"/g) ?? []).filter((tag) => tag.endsWith(`${MARK}"`));
  const own = ours.map((tag) => tag.replace(`${MARK}"`, '"')).join(', ');
  if (own !== '') headers['if-none-match'] = own;
  else {
    delete headers['if-none-match'];
    delete headers['if-modified-since'];
  }
  // Some servers of the Web's `Request` read these instead.
  for (let at = rawHeaders.length - 2; at >= 0; at -= 2) {
    const name = rawHeaders[at]?.toLowerCase();
    if (name !== 'if-none-match' && name !== 'if-modified-since') continue;
    if (own === '') rawHeaders.splice(at, 2);
    else if (name === 'if-none-match') rawHeaders[at + 1] = own;
  }
  return own !== '';
}
