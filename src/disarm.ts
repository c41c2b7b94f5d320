/**
 * The headers that take the harm out of an uploaded file, beside `X-Content-Type-Options: nosniff`.
 * Anybody may have sent it, and it comes from the site's own origin: what runs in it could act for
 * whoever looks at it.
 *
 * - A `Content-Security-Policy` under which nothing runs and nothing is fetched. Images, films, sounds
 *   and PDFs show all the same, also within pages, which know nothing of it.
 * - `Content-Disposition: attachment` for what is active, so that it is stored and not opened. Pages
 *   go on showing SVG images, for whose sake it stays their type.
 *
 * Every value is printable ASCII, whatever the name is made of.
 *
 * @param name the file's name, or the end of it
 * @param contentType as it is sent
 */
export function disarmingHeaders(name: string, contentType: string): Record<string, string> {
  const type = contentType.replace(/;.*/s, '').trim().toLowerCase();
  return {
    'Content-Security-Policy': policyOf(type),
    ...(isActive(name, type) && { 'Content-Disposition': attachment(name) }),
  };
}

/** Tools write `data:` images into SVGs, and styles: neither runs. */
const POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox";

/** A browser's page for a film fetches it from there, which it may not from an origin of its own. */
const FILM_POLICY =
  "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-same-origin";

/** Older browsers show a PDF by a plug-in, and none in a sandbox. Its scripts never reach the site. */
const PDF_POLICY = "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'";

function policyOf(type: string): string {
  if (/^(?:audio|video)\//.test(type)) return FILM_POLICY;
  return type === 'application/pdf' ? PDF_POLICY : POLICY;
}

/**
 * Types that a browser opens as a document with scripts: HTML; every XML, which may be XHTML or SVG
 * inside, or name an XSLT; archives of pages. Scripts themselves, which would otherwise be shown as
 * the site's own. Flash, which runs with the rights of the site in browsers that still have it.
 *
 * Not so: PDF, whose viewers keep scripts to themselves; WebAssembly, CSS and JSON, which do nothing
 * until a page of the site fetches them; plain text, which `nosniff` keeps plain.
 */
const ACTIVE_TYPE =
  /^(?:text\/html|(?:application|text)\/(?:xml|xsl)|.*\+xml|multipart\/.*|message\/rfc822|application\/x-(?:shockwave-flash|mimearchive)|(?:text|application)\/(?:x-)?(?:java|ecma|live)script.*)$/;

/** The same by the name: caches and other servers go by that, and so does a disk. */
const ACTIVE_NAME =
  /\.(?:s?html?|x?html|xht|hta|htc|mht|mhtml|svgz?|xml|xslt?|xsd|rdf|rss|atom|mathml|[cm]?js|swf)$/i;

function isActive(name: string, type: string): boolean {
  return ACTIVE_TYPE.test(type) || ACTIVE_NAME.test(name);
}

/** RFC 6266; the name for browsers by RFC 8187, and a plain one for those who know none of that. */
function attachment(name: string): string {
  const last = name.replace(/.*[/\\]/s, '').toWellFormed();
  const shown = last.replace(/[\p{Cc}\p{Cf}]/gu, '_');
  if (shown === '') return 'attachment';
  // Some readers take an escape for what it means, and a quoted pair for two characters: none here.
  const plain = shown.replace(/[^ -~]|["\\%]/gu, '_');
  const extended = plain === shown ? '' : `; filename*=UTF-8''${encoded(shown)}`;
  return `attachment; filename="${plain}"${extended}`;
}

/** RFC 8187, 3.2.1: `'`, `(`, `)` and `*` are escaped as well. */
function encoded(text: string): string {
  return encodeURIComponent(text).replace(
    /['()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
