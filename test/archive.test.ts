import { describe, expect, it } from 'vitest';
import {
  archiveName,
  archiveOf,
  begunSince,
  digestsIn,
  generationOf,
  inOrder,
  isCopyOf,
  manifestNameOf,
  publishedAt,
  publishedOf,
} from '../src/archive.js';
import { MANIFEST_NAME } from '../src/manifest.js';

/** Generations from texts such as `b<a`: b, that was to replace a; each written a second after the last. */
function line(...texts: string[]) {
  return texts.map((text, at) => {
    const [digest = '', after] = text.split('<');
    return generationOf({
      name: archiveName(MANIFEST_NAME, digest, at * 1000, after),
      size: 1,
      mtimeMs: at * 1000,
    });
  });
}

const texts = (generations: ReturnType<typeof line>) =>
  generations.map(({ digest, after }) => (after === undefined ? digest : `${digest}<${after}`));

describe('the name of an archived manifest', () => {
  it('tells its time, its digest, and that of the one it replaces', () => {
    const time = Date.UTC(2026, 10, 22, 18, 15, 0, 7);
    const name = archiveName(MANIFEST_NAME, '0123456789ab', time, 'none');
    expect(name).toBe('.staticfiles/manifests/20261122T181500.007Z-0123456789ab-after-none.json');
    expect(publishedAt(name)).toBe(time);
    expect(digestsIn(name)).toEqual({ digest: '0123456789ab', after: 'none' });
    expect(digestsIn(archiveName(MANIFEST_NAME, '0123456789ab', time))).toEqual({
      digest: '0123456789ab',
    });
    expect(publishedAt('.staticfiles/manifests/strange.json')).toBe(0);
  });

  it.each([
    ['staticfiles.json', ''],
    ['names.json', 'names.json/'],
    ['conf/names', 'conf/names/'],
    ['20250101T000000.000Z-ffffffffffff.json', '20250101T000000.000Z-ffffffffffff.json/'],
  ])('tells that it was published as %s', (manifestName, folder) => {
    const time = Date.UTC(2026, 10, 22, 18, 15, 0, 7);
    const name = archiveName(manifestName, '0123456789ab', time, 'none');
    expect(archiveOf(manifestName)).toBe(`.staticfiles/manifests/${folder}`);
    expect(name.startsWith(archiveOf(manifestName))).toBe(true);
    expect(manifestNameOf(name)).toBe(manifestName);
    expect(publishedAt(name)).toBe(time);
    expect(digestsIn(name)).toEqual({ digest: '0123456789ab', after: 'none' });
    expect(isCopyOf(name, manifestName, '0123456789ab')).toBe(true);
    expect(isCopyOf(name, manifestName, 'ffffffffffff')).toBe(false);
    expect(isCopyOf(name, 'other.json', '0123456789ab')).toBe(false);
  });

  it('tells the order where the clock of a store does not', () => {
    const [a, b] = line('a<none', 'b<a').map((one) => ({ ...one, written: 0 }));
    expect(texts(inOrder([b, a] as ReturnType<typeof line>))).toEqual(['a<none', 'b<a']);
  });
});

describe('the deploys that were published', () => {
  it.each<[string, string[], string, string[]]>([
    ['are those that replaced each other', ['a<none', 'b<a', 'c<b'], 'c', ['c<b', 'b<a', 'a<none']],
    ['do not count who never came', ['a<none', 'x<a', 'b<a'], 'b', ['b<a', 'a<none']],
    ['do not count who comes later', ['a<none', 'b<a', 'x<b'], 'b', ['b<a', 'a<none']],
    [
      'count a roll-back each time',
      ['a<none', 'b<a', 'a<b', 'c<a'],
      'c',
      ['c<a', 'a<b', 'b<a', 'a<none'],
    ],
    ['are all, where nobody knows', ['a', 'b', 'c'], 'c', ['c', 'b', 'a']],
    ['are all before the one that is lost', ['a<none', 'c<b'], 'c', ['c<b', 'a<none']],
    ['are all where the present one is lost', ['a<none', 'b<a'], 'c', ['b<a', 'a<none']],
    ['are none where there is nothing', [], 'c', []],
  ])('%s', (_, generations, digest, expected) => {
    expect(texts(publishedOf(line(...generations), digest))).toEqual(expected);
  });
});

describe('the deploys that have begun since', () => {
  it.each<[string, string[], string, string[]]>([
    ['come after the present one', ['a<none', 'b<a', 'x<b', 'y<b'], 'b', ['x<b', 'y<b']],
    ['come after its last time', ['a<none', 'b<a', 'a<b', 'x<a'], 'a', ['x<a']],
    ['are none where it is not known', ['x<a'], 'a', []],
  ])('%s', (_, generations, digest, expected) => {
    expect(texts(begunSince(line(...generations), digest))).toEqual(expected);
  });
});
