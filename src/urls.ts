/** A name in two parts: the path, and from the first `?` or `#` on the suffix that URLs keep. */
export function splitSuffix(name: string): { path: string; suffix: string } {
  const at = name.search(/[?#]/);
  return at < 0 ? { path: name, suffix: '' } : { path: name.slice(0, at), suffix: name.slice(at) };
}

/** The URL of a path under a base URL. All of `path` belongs to the file's name, `?` and `#` too. */
export function joinUrl(baseUrl: string, path: string): string {
  return baseUrl + encodePath(path);
}

/**
 * As {@link joinUrl}, for files that may be in a store: S3 takes a `+` in a path for a space, as in a
 * form, and `%2B` is a plus everywhere. Django writes it so, too.
 */
export function joinStoreUrl(baseUrl: string, path: string): string {
  return baseUrl + encodePath(path).replaceAll('+', '%2B');
}

/**
 * Percent-encodes a path as `encodeURI` does (ECMAScript, 19.2.6.4), `?` and `#` too. Browsers
 * leave the same characters alone when they resolve a relative reference, so both ways to a file
 * give one URL, and a module is loaded once.
 */
export function encodePath(path: string): string {
  return encodeURI(path).replaceAll('?', '%3F').replaceAll('#', '%23');
}

/**
 * A query and fragment as they are, but for what no URL may hold (RFC 3986, 3.4 and 3.5): a `%`
 * that begins no escape, a second `#`, and every character outside the URL's alphabet.
 */
export function encodeSuffix(suffix: string): string {
  const hash = suffix.indexOf('#');
  const query = hash < 0 ? suffix : suffix.slice(0, hash);
  const fragment = hash < 0 ? '' : suffix.slice(hash + 1);
  return encodeForbidden(query) + (hash < 0 ? '' : `#${encodeForbidden(fragment)}`);
}

// Without the flag `i`, with which `\w` would take the Kelvin sign for a K.
const FORBIDDEN = /%(?![\da-fA-F]{2})|[^\w.~:/?@!$&'()*+,;=%-]/gu;

function encodeForbidden(text: string): string {
  return text.replace(FORBIDDEN, encodeURIComponent);
}

/**
 * Why a setting cannot be a base URL, or `undefined` where it can: it ends in `/`, and is a path
 * (`/static/`), an absolute URL of http or https, `//host/…`, or relative (`static/`).
 */
export function baseUrlFault(value: string): string | undefined {
  if (!value.endsWith('/')) return 'must end in a slash';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
  if (/[\u0000-\u0020\u007f\\?#]/.test(value)) {
    return "must not contain spaces, control characters, '\\', '?' or '#'";
  }
  // The URL Standard takes `%2e` for a dot here.
  if (/(?:^|\/)(?:\.|%2e){1,2}\//i.test(value)) return "must not contain '.' or '..' as a part";
  if (!value.isWellFormed()) return 'must not contain half of a surrogate pair';
  if (/^[a-z][\da-z+.-]*:/i.test(value) && !/^https?:\/\/[^/]/i.test(value)) {
    return "must be a path, '//host/…', or an absolute URL of http or https";
  }
  if (value.startsWith('///') || !URL.canParse(value, 'http://localhost/')) {
    return 'is not a valid URL';
  }
  return undefined;
}

/** A base URL that is complete: a relative one put under `scriptName`, and every character valid. */
export function resolveBaseUrl(value: string, scriptName: string): string {
  const [origin = ''] = /^(?:https?:)?\/\/[^/]*/i.exec(value) ?? [];
  if (origin !== '') return origin + encodeForbidden(value.slice(origin.length));
  return encodeForbidden(value.startsWith('/') ? value : normaliseScriptName(scriptName) + value);
}

/** The path under which an application is mounted, with one slash at each end. */
export function normaliseScriptName(scriptName: string): string {
  const inner = scriptName.replace(/^\/+|\/+$/g, '');
  return inner === '' ? '/' : `/${inner}/`;
}

/** The path part of a base URL, where requests for its files arrive; of an absolute one as well. */
export function basePath(baseUrl: string): string {
  return new URL(baseUrl, 'http://localhost/').pathname;
}

/** Whether a complete base URL is a path of this site, where development may answer. */
export function isLocal(baseUrl: string): boolean {
  return /^\/(?!\/)/.test(baseUrl);
}
