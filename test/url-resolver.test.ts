import { describe, expect, test, vi } from 'vitest';
import { NameError, UnknownNameError } from '../src/errors.js';
import { createStaticFiles, type StaticFiles } from '../src/static-files.js';
import type { Storage } from '../src/storage.js';
import { hashedStorage } from '../src/storages/hashed.js';
import { memoryStorage } from '../src/storages/memory.js';
import { urlResolver } from '../src/url-resolver.js';
import { encodePath } from '../src/urls.js';
import { thrownBy } from './thrown.js';

/** Every name that a hashed storage below knows, and its hashed name. */
const PATHS: Record<string, string> = {
  'my_app/example.jpg': 'my_app/example.5d41402abc4b.jpg',
  'x.css': 'x.0123456789ab.css',
  'sprite.svg': 'sprite.0123456789ab.svg',
  'font.eot': 'font.0123456789ab.eot',
  'b.css': 'b.0123456789ab.css',
  'a/b.css': 'a/b.0123456789ab.css',
  'whole.css?v=1': 'whole.css?v=1.0123456789ab',
  'a#b.css': 'a#b.0123456789ab.css',
  'dir/file#1': 'dir/file#1.0123456789ab',
  'a b.css': 'a b.0123456789ab.css',
  'emoji/😀.png': 'emoji/😀.0123456789ab.png',
  '@lit/x.js': '@lit/x.0123456789ab.js',
  'a[1]|b^c.js': 'a[1]|b^c.0123456789ab.js',
};

const plain = createStaticFiles();
const hashed = await hashedFiles(PATHS);

async function hashedFiles(paths: Record<string, string>): Promise<StaticFiles> {
  const over = memoryStorage();
  const manifest = JSON.stringify({ version: '1.1', paths });
  await over.write('staticfiles.json', new TextEncoder().encode(manifest));
  const files = createStaticFiles({ debug: false, storage: hashedStorage({ over }) });
  await files.ready();
  return files;
}

describe('rule 1: paths are percent-encoded as encodeURI does it, and are valid URLs', () => {
  test.each([
    ['@lit/x.js', '@lit/x.js', '@lit/x.0123456789ab.js'],
    ['a b.css', 'a%20b.css', 'a%20b.0123456789ab.css'],
    ['emoji/😀.png', 'emoji/%F0%9F%98%80.png', 'emoji/%F0%9F%98%80.0123456789ab.png'],
    ['a[1]|b^c.js', 'a%5B1%5D%7Cb%5Ec.js', 'a%5B1%5D%7Cb%5Ec.0123456789ab.js'],
  ])('%j', (name, plainUrl, hashedUrl) => {
    expect(plain.staticUrl(name)).toBe(`/static/${plainUrl}`);
    expect(hashed.staticUrl(name)).toBe(`/static/${hashedUrl}`);
  });

  const names = [
    ...Object.keys(PATHS).filter((name) => !/[?#]/.test(name)),
    ...Array.from({ length: 0x17f }, (_, code) => `a${String.fromCodePoint(code + 1)}b/c.js`),
    ...['日本語/ファイル.css', 'e\u0301.css', 'é.css', '\u2028\u2029', '\ufeffbom', "it's (1)!.js"],
    '%2e%2e/%2F.txt',
  ].filter((name) => !/[?#]/.test(name));

  test.each(['/static/', '/', 'https://cdn.example.com/v1/', '//cdn.example.com/s/', 'static/'])(
    'under %j every answer is a valid URL that a parser leaves as it is',
    (staticUrl) => {
      const files = createStaticFiles({ staticUrl, scriptName: '/app' });
      for (const name of names) {
        const url = files.staticUrl(name);
        expect(url, name).toMatch(/^(?:%[\dA-F]{2}|[\w.~:/@!$&'()*+,;=-])+$/);
        const parsed = new URL(url, 'https://page.example.com/');
        expect(parsed.href.endsWith(url), `${parsed.href} is ${url}`).toBe(true);
        expect(decodeURIComponent(parsed.pathname).endsWith(name.replaceAll('\\', '/'))).toBe(true);
      }
    },
  );

  test('a relative reference that a browser resolves to the file gives the same string', () => {
    // `%` is the start of an escape in a reference, `\` a slash, and tabs and newlines vanish. Of
    // `[ ] ^ |` no valid reference holds any; a parser lets some pass, and so would an invalid URL.
    const referable = names.filter((name) => !/[%\\\t\n\r[\]^|]/.test(name));
    expect(referable.length).toBeGreaterThan(300);
    for (const name of referable) {
      const resolved = new URL(`./${name}`, 'https://page.example.com/static/app.js');
      expect(resolved.pathname, name).toBe(plain.staticUrl(name));
    }
    for (const name of names.filter((name) => /[[\]^|]/.test(name))) {
      const resolved = new URL(`./${encodePath(name)}`, 'https://page.example.com/static/app.js');
      expect(resolved.pathname, name).toBe(plain.staticUrl(name));
    }
  });
});

describe('rule 2: from the first ? or # on, the text is a suffix', () => {
  test.each([
    ['sprite.svg', '#icon', '#icon'],
    ['x.css', '?v=1', '?v=1'],
    ['font.eot', '?#iefix', '?#iefix'],
    ['x.css', '?', '?'],
    ['x.css', '#', '#'],
    ['sprite.svg', '?v=1#icon', '?v=1#icon'],
    ['sprite.svg', '#a?b', '#a?b'],
    ['sprite.svg', '#a#b', '#a%23b'],
    ['x.css', '?a b', '?a%20b'],
    ['x.css', '?q=ünï&e=😀', '?q=%C3%BCn%C3%AF&e=%F0%9F%98%80'],
    ['x.css', '?100%', '?100%25'],
    ['x.css', '?100%25', '?100%25'],
    ['x.css', '?path=/../a', '?path=/../a'],
    ['x.css', '?\\', '?%5C'],
  ])('%s with %j ends in %j, in every storage', (name, suffix, encoded) => {
    expect(plain.staticUrl(name + suffix)).toBe(`/static/${name}${encoded}`);
    expect(hashed.staticUrl(name + suffix)).toBe(`/static/${PATHS[name]}${encoded}`);
  });

  test('of the base URL, and of a folder, too', () => {
    for (const files of [plain, hashed]) {
      expect(files.staticUrl('?v=1')).toBe('/static/?v=1');
      expect(files.staticUrl('dir/#x')).toBe('/static/dir/#x');
    }
  });

  test.each([
    ['whole.css?v=1', 'whole.css%3Fv=1.0123456789ab'],
    ['a#b.css', 'a%23b.0123456789ab.css'],
    ['dir/file#1', 'dir/file%231.0123456789ab'],
  ])('but a name that stands whole in the manifest comes before: %s', (name, url) => {
    expect(hashed.staticUrl(name)).toBe(`/static/${url}`);
  });

  test('a storage never sees a suffix', () => {
    const url = vi.fn(() => '/u');
    expect(urlResolver({ url }).url('a/../b.css?c/../d#e')).toBe('/u?c/../d#e');
    expect(url.mock.calls).toEqual([['b.css']]);
  });

  test('a suffix does not make an unknown name known', () => {
    expect(() => hashed.staticUrl('y.css?v=1')).toThrow(UnknownNameError);
  });
});

describe('rule 3: names are made safe, or refused', () => {
  test.each([
    ['/my_app/example.jpg', 'my_app/example.jpg'],
    ['///my_app//example.jpg', 'my_app/example.jpg'],
    ['my_app\\example.jpg', 'my_app/example.jpg'],
    ['\\\\my_app\\example.jpg', 'my_app/example.jpg'],
    ['./my_app/./example.jpg', 'my_app/example.jpg'],
    ['my_app/x/../example.jpg', 'my_app/example.jpg'],
    ['a/../b.css', 'b.css'],
  ])('%j is %j', (given, name) => {
    expect(plain.staticUrl(given)).toBe(`/static/${name}`);
    expect(hashed.staticUrl(given)).toBe(`/static/${PATHS[name]}`);
  });

  test.each([
    ['../secret.txt'],
    ['a/../../secret.txt'],
    ['..'],
    ['nul\0.css'],
    ['x.css?\0'],
    ['a\ud83d.css'],
    ['x.css#\udc00'],
    [undefined],
    [null],
    [7],
    [{}],
    [['x.css']],
  ])('%j is refused in every storage, by an error that names it', (given) => {
    for (const files of [plain, hashed]) {
      for (const method of [files.staticUrl, files.mediaUrl]) {
        const error = thrownBy(() => method(given as string));
        expect(error).toBeInstanceOf(NameError);
        expect((error as NameError).given).toBe(given);
      }
    }
  });

  test('the part before a suffix is refused as it would be alone', () => {
    expect(() => plain.staticUrl('..?v=1')).toThrow(NameError);
    expect(() => hashed.staticUrl('a/../..#x')).toThrow(NameError);
  });

  test('a name cannot lead to another host', () => {
    const files = createStaticFiles({ staticUrl: '/' });
    for (const name of [
      '//evil.example/x',
      '\\\\evil.example\\x',
      '/\\evil.example/x',
      './/x.y/',
    ]) {
      expect(files.staticUrl(name)).toMatch(/^\/[^/]/);
    }
  });
});

describe('rule 4: a name that ends in a slash is a folder, the empty name the base URL', () => {
  test.each([
    ['', '/static/'],
    ['/', '/static/'],
    ['.', '/static/'],
    ['a/..', '/static/'],
    ['dir/', '/static/dir/'],
    ['a/b/..', '/static/a/'],
    ['my_app//', '/static/my_app/'],
  ])('%j is %j in every storage', (name, url) => {
    expect(plain.staticUrl(name)).toBe(url);
    expect(hashed.staticUrl(name)).toBe(url);
  });

  test('neither needs a manifest', () => {
    const files = createStaticFiles({
      debug: false,
      storage: hashedStorage({ over: memoryStorage() }),
    });
    expect(files.staticUrl('')).toBe('/static/');
    expect(files.staticUrl('dir/')).toBe('/static/dir/');
  });
});

describe('what is remembered', () => {
  /** A storage that counts how often it is asked. */
  function counting(members: Partial<Storage> = {}) {
    let version = 1;
    const url = vi.fn((name: string) => `/v${version}/${name}`);
    return {
      storage: { url, ...members },
      url,
      next: () => {
        version++;
      },
    };
  }

  test('a stable storage is asked once for a name', () => {
    const { storage, url } = counting({ stable: true });
    const resolver = urlResolver(storage);
    for (let i = 0; i < 3; i++) expect(resolver.url('a.css')).toBe('/v1/a.css');
    expect(url).toHaveBeenCalledTimes(1);
  });

  test('one that is not stable, every time', () => {
    const { storage, url, next } = counting();
    const resolver = urlResolver(storage);
    expect(resolver.url('a.css')).toBe('/v1/a.css');
    next();
    expect(resolver.url('a.css')).toBe('/v2/a.css');
    expect(resolver.constantUrl('a.css')).toBeUndefined();
    expect(url).toHaveBeenCalledTimes(2);
  });

  test('an error is not remembered', () => {
    let known = false;
    const resolver = urlResolver({
      stable: true,
      url: (name) => {
        if (known) return `/${name}`;
        throw new UnknownNameError('unknown', name, []);
      },
    });
    expect(() => resolver.url('a.css')).toThrow(UnknownNameError);
    expect(resolver.constantUrl('a.css')).toBeUndefined();
    known = true;
    expect(resolver.url('a.css')).toBe('/a.css');
    expect(resolver.constantUrl('a.css')).toBe('/a.css');
  });

  test('constantUrl hides errors of ours only', () => {
    const fault = new TypeError('a fault in the storage');
    const resolver = urlResolver({
      stable: true,
      url: () => {
        throw fault;
      },
    });
    expect(() => resolver.constantUrl('a.css')).toThrow(fault);
    expect(resolver.constantUrl('../a.css')).toBeUndefined();
  });

  test('clear() forgets, the names in the manifest too', () => {
    const hashing = {
      manifestName: 'staticfiles.json',
      manifestStorage: memoryStorage(),
      keepOriginals: true,
      baseUrl: async () => '/static/',
      hashedName: (name: string) => (name === 'listed.css' ? name : undefined),
      manifest: () => undefined,
    };
    const { storage, next } = counting({ stable: true, hashing });
    const resolver = urlResolver(storage);
    for (const name of ['listed.css', 'other.css']) {
      expect(resolver.url(name)).toBe(`/v1/${name}`);
    }
    next();
    expect(resolver.url('listed.css')).toBe('/v1/listed.css');
    expect(resolver.url('other.css')).toBe('/v1/other.css');
    resolver.clear();
    expect(resolver.url('listed.css')).toBe('/v2/listed.css');
    expect(resolver.url('other.css')).toBe('/v2/other.css');
  });

  test('of 100,000 names that no manifest bounds, the last 10,000', () => {
    const { storage, url } = counting({ stable: true });
    const resolver = urlResolver(storage);
    for (let i = 0; i < 100_000; i++) resolver.url(`a.css?v=${i}`);
    expect(url).toHaveBeenCalledTimes(100_000);
    for (let i = 99_999; i >= 90_000; i--) resolver.url(`a.css?v=${i}`);
    expect(url).toHaveBeenCalledTimes(100_000);
    resolver.url('a.css?v=89999');
    resolver.url('a.css?v=0');
    expect(url).toHaveBeenCalledTimes(100_002);
  });

  test('of the names in a manifest, all, and other spellings do not drive them out', () => {
    const hashing = {
      manifestName: 'staticfiles.json',
      manifestStorage: memoryStorage(),
      keepOriginals: true,
      baseUrl: async () => '/static/',
      hashedName: (name: string) => (/^\d+\.css$/.test(name) ? name : undefined),
      manifest: () => undefined,
    };
    const { storage, url } = counting({ stable: true, hashing });
    const resolver = urlResolver(storage);
    for (let i = 0; i < 20_000; i++) resolver.url(`${i}.css`);
    for (let i = 0; i < 20_000; i++) resolver.url(`/${i}.css`);
    expect(url).toHaveBeenCalledTimes(40_000);
    for (let i = 0; i < 20_000; i++) resolver.url(`${i}.css`);
    expect(url).toHaveBeenCalledTimes(40_000);
    resolver.url('/0.css');
    expect(url).toHaveBeenCalledTimes(40_001);
  });
});
