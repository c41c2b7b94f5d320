import { lookup } from 'mrmime';

/** Types that are text though they do not begin with `text/`: they get `charset=utf-8`. */
const TEXT =
  /^(?:text\/|application\/(?:json|xml|manifest\+json|ld\+json|xhtml\+xml)$|image\/svg\+xml$)/;

/** What the package's table lacks. */
const OURS: Readonly<Record<string, string>> = { cjs: 'text/javascript', ico: 'image/x-icon' };

/** The `Content-Type` of a file, by its name's extension. */
export function contentType(name: string): string {
  const extension = /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  const known = Object.hasOwn(OURS, extension) ? OURS[extension] : lookup(extension);
  // The package answers no string for `__proto__`.
  const type = typeof known === 'string' ? known : 'application/octet-stream';
  return TEXT.test(type) ? `${type}; charset=utf-8` : type;
}
