import { describe, expect, test } from 'vitest';
import { contentType, isCompressible } from '../src/media-types.js';

test.each([
  ['a.css', 'text/css; charset=utf-8'],
  ['a.js', 'text/javascript; charset=utf-8'],
  ['a.mjs', 'text/javascript; charset=utf-8'],
  ['a.cjs', 'text/javascript; charset=utf-8'],
  ['a.html', 'text/html; charset=utf-8'],
  ['a.txt', 'text/plain; charset=utf-8'],
  ['a.svg', 'image/svg+xml; charset=utf-8'],
  ['a.json', 'application/json; charset=utf-8'],
  ['a.js.map', 'application/json; charset=utf-8'],
  ['a.xml', /^(?:text|application)\/xml; charset=utf-8$/],
  ['site.webmanifest', 'application/manifest+json; charset=utf-8'],
  ['a.png', 'image/png'],
  ['a.JPG', 'image/jpeg'],
  ['a.webp', 'image/webp'],
  ['a.avif', 'image/avif'],
  ['favicon.ico', 'image/x-icon'],
  ['a.woff2', 'font/woff2'],
  ['a.wasm', 'application/wasm'],
  ['a.mp4', 'video/mp4'],
  ['a.pdf', 'application/pdf'],
  ['a.0123456789ab.css', 'text/css; charset=utf-8'],
  ['noext', 'application/octet-stream'],
  ['png', 'application/octet-stream'],
  ['folder.css/noext', 'application/octet-stream'],
  ['a.unknown-type', 'application/octet-stream'],
  ['a.', 'application/octet-stream'],
  ['', 'application/octet-stream'],
  ['a.__proto__', 'application/octet-stream'],
  ['a.constructor', 'application/octet-stream'],
  ['a.toString', 'application/octet-stream'],
])('%j is of type %s', (name, type) => {
  if (type instanceof RegExp) expect(contentType(name)).toMatch(type);
  else expect(contentType(name)).toBe(type);
});

/** Of WhiteNoise 6, `SKIP_COMPRESS_EXTENSIONS`. */
const WHITENOISE =
  'jpg jpeg png gif webp zip gz tgz bz2 tbz xz br swf flv woff woff2 3gp 3gpp asf avi m4v mov mp4 mpeg mpg webm wmv';
const MORE =
  'avif heic heif jxl apng svgz zst tzst 7z rar jar docx epub mkv ogv m4s mp3 m4a ogg opus flac weba';
const TEXTS =
  'css js mjs html svg json map xml txt ts md wasm ttf otf eot ico bmp tiff wav pdf bin';

describe('isCompressible', () => {
  test.each(`${WHITENOISE} ${MORE}`.split(' '))(
    'not .%s, which is compressed already',
    (ending) => {
      expect(isCompressible(`a.css.${ending}`)).toBe(false);
      expect(isCompressible(`dir/a.0123456789ab.${ending.toUpperCase()}`)).toBe(false);
    },
  );

  test.each([
    ...TEXTS.split(' ').map((ending) => `a.png.${ending}`),
    'a.CSS',
    'noext',
    'png',
    'folder.png/noext',
    'a.pngx',
    'a.',
    '',
    'a.__proto__',
  ])('%j', (name) => {
    expect(isCompressible(name)).toBe(true);
  });
});
