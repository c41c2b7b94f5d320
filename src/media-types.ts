import { lookup, mimes } from 'mrmime';

/** Types that are text though they do not begin with `text/`: they get `charset=utf-8`. */
const TEXT =
  /^(?:text\/|application\/(?:json|xml|manifest\+json|ld\+json|xhtml\+xml)$|image\/svg\+xml$)/;

/** What the package's table lacks. */
const OURS: Readonly<Record<string, string>> = { cjs: 'text/javascript', ico: 'image/x-icon' };

/** Every extension that has a type. */
export const EXTENSIONS: readonly string[] = Object.keys({ ...mimes, ...OURS });

/**
 * Extensions of files that are compressed already: WhiteNoise's, and more of each kind. `ts` is none
 * of them, for it is TypeScript far more often than video.
 */
const COMPRESSED = new Set(
  [
    'jpg jpeg jpe jfif pjpeg png apng gif webp avif avifs heic heif jxl jp2 j2k jpx jxr svgz',
    'mp4 m4v m4s mov webm mkv ogv avi mpg mpeg mpe m2ts wmv asf flv f4v 3gp 3gpp 3g2',
    'mp3 m4a m4b aac ogg oga opus weba flac wma',
    'zip gz gzip tgz bz2 tbz tbz2 xz txz lzma lz lz4 zst tzst br 7z rar cab',
    'jar war apk ipa crx xpi vsix whl deb rpm dmg docx xlsx pptx odt ods odp epub swf',
    'woff woff2',
  ].flatMap((kind) => kind.split(' ')),
);

/** Whether compressing a file may be worth the while, by its name's extension. */
export function isCompressible(name: string): boolean {
  return !COMPRESSED.has(extensionOf(name));
}

/** The `Content-Type` of a file, by its name's extension. */
export function contentType(name: string): string {
  const extension = extensionOf(name);
  const known = Object.hasOwn(OURS, extension) ? OURS[extension] : lookup(extension);
  // The package answers no string for `__proto__`.
  const type = typeof known === 'string' ? known : 'application/octet-stream';
  return TEXT.test(type) ? `${type}; charset=utf-8` : type;
}

/** In lower case; empty where there is none. */
function extensionOf(name: string): string {
  return /\.([^./\\]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}
