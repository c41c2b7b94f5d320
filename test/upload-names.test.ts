import { execFileSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { NameError } from '../src/errors.js';
import { alternativeName, uploadName } from '../src/upload-names.js';
import { django } from './django.js';
import { thrownBy } from './thrown.js';

const bytes = (text: string) => Buffer.byteLength(text);

/** Names that Django makes the same of. */
const AS_DJANGO: readonly (readonly [given: string, saved: string])[] = [
  ['me.jpg', 'me.jpg'],
  ["john's portrait in 2004.jpg", 'johns_portrait_in_2004.jpg'],
  ['  me.jpg\n', 'me.jpg'],
  ['a\u00a0b.jpg', 'ab.jpg'],
  ['a\tb.jpg', 'ab.jpg'],
  ['a&b=c;d,e+f!(1)[2]{3}@4$5^6~7`8.jpg', 'abcdef12345678.jpg'],
  ['100%.css', '100.css'],
  ['a?b#c.png', 'abc.png'],
  ['"quoted" <b>.html', 'quoted_b.html'],
  ["'; DROP TABLE users; --.sql", '_DROP_TABLE_users_--.sql'],
  ['-rf', '-rf'],
  ['a..b...c.txt', 'a..b...c.txt'],
  ['README', 'README'],
  ['Ünïcödé ß.png', 'Ünïcödé_ß.png'],
  ['日本語 ファイル.pdf', '日本語_ファイル.pdf'],
  ['صورة.jpg', 'صورة.jpg'],
  ['x² ½ ٣.txt', 'x²_½_٣.txt'],
  ['emoji 😀.png', 'emoji_.png'],
  ['a\0b.jpg', 'ab.jpg'],
  ['half\ud800.jpg', 'half.jpg'],
  ['C:me.jpg', 'Cme.jpg'],
  ['me.jpg::$DATA', 'me.jpgDATA'],
  ['esc\u001b[2J.jpg', 'esc2J.jpg'],
  ['gpj.\u202eexe', 'gpj.exe'],
  ['zero\u200bwidth\ufeff.txt', 'zerowidth.txt'],
  ['full．width／slash.txt', 'fullwidthslash.txt'],
  ['line\r\nSet-Cookie: a=b.txt', 'lineSet-Cookie_ab.txt'],
  ['avatars/me.jpg', 'avatars/me.jpg'],
  ['user uploads/größe/me too.jpg', 'user uploads/größe/me_too.jpg'],
  ['a/./b//me.jpg', 'a/b/me.jpg'],
  ['avatars\\me.jpg', 'avatars/me.jpg'],
  ['con-stant.txt', 'con-stant.txt'],
];

/** What Django saves under a name that is dangerous somewhere, or refuses. */
const SAFER: readonly (readonly [given: string, saved: string])[] = [
  ['C:\\fakepath\\me.jpg', 'me.jpg'],
  ['c:/Users/me/../../me too.jpg', 'me_too.jpg'],
  ['avatars/C:\\fakepath\\me.jpg', 'avatars/me.jpg'],
  ['\\\\server\\share\\me.jpg', 'server/share/me.jpg'],
  ['/etc/passwd', 'etc/passwd'],
  ['.htaccess', '_.htaccess'],
  ['avatars/.htaccess', 'avatars/_.htaccess'],
  ['...hidden', '_.hidden'],
  ['😀.jpg', '_.jpg'],
  ['.staticfiles-partial-0', '_.staticfiles-partial-0'],
  ['me.jpg.', 'me.jpg'],
  ['me.jpg. . .', 'me.jpg._._'],
  ['con', '_con'],
  ['NUL.txt', '_NUL.txt'],
  ['aux.tar.gz', '_aux.tar.gz'],
  ['Com1.log', '_Com1.log'],
  ['LPT²', '_LPT²'],
  ['e\u0301.jpg', 'é.jpg'],
];

describe('an upload is saved under', () => {
  test.each([...AS_DJANGO, ...SAFER])('%j: %j', (given, saved) => {
    expect(uploadName(given)).toBe(saved);
    expect(uploadName(saved)).toBe(saved);
  });

  test.each([
    ['a'.repeat(300), 'a'.repeat(255)],
    [`${'a'.repeat(300)}.jpg`, `${'a'.repeat(251)}.jpg`],
    [`${'ü'.repeat(300)}.jpeg`, `${'ü'.repeat(125)}.jpeg`],
    [`${'日'.repeat(100)}.jpg`, `${'日'.repeat(83)}.jpg`],
    [`${'𝒜'.repeat(100)}.tar.gz`, `${'𝒜'.repeat(63)}.gz`],
    [`a.${'x'.repeat(300)}`, `a.${'x'.repeat(253)}`],
    [`${'a'.repeat(254)}.${'x'.repeat(65)}`, 'a'.repeat(254)],
    [`avatars/${'a'.repeat(300)}.jpg`, `avatars/${'a'.repeat(251)}.jpg`],
  ])('at most 255 bytes, the extension kept: %s', (given, saved) => {
    expect(uploadName(given)).toBe(saved);
    expect(bytes(saved.replace(/.*\//, ''))).toBeLessThanOrEqual(255);
  });

  test.each([
    ['', 'leaves nothing'],
    ['.', 'leaves nothing'],
    ['..', 'leaves nothing'],
    ['...', 'leaves nothing'],
    ['   ', 'leaves nothing'],
    ['/', 'leaves nothing'],
    ['avatars/', 'leaves nothing'],
    ['avatars/..', 'leaves nothing'],
    ['C:\\', 'leaves nothing'],
    ['😀', 'leaves nothing'],
    ['../../x', '".." goes up'],
    ['..\\x', '".." goes up'],
    ['avatars/../../x', '".." goes up'],
    ['.git/config', '".git" is hidden'],
    ['.staticfiles/x', '".staticfiles" is hidden'],
    ['a./x', '"a." ends in a dot'],
    ['a /x', '"a " ends in a dot or a space'],
    ['a?b/x', 'holds what is invisible, or one of'],
    ['a#b/x', 'holds what is invisible, or one of'],
    ['a:b/x', 'holds what is invisible, or one of'],
    ['a\0b/x', 'holds what is invisible, or one of'],
    ['a\u202eb/x', 'holds what is invisible, or one of'],
    ['a\ud800b/x', 'holds what is invisible, or one of'],
    [`${'a'.repeat(256)}/x`, 'is longer than 255 bytes'],
    [undefined, 'must be a string, not undefined'],
    [7, 'must be a string, not the number 7'],
  ])('no name for %j', (given, message) => {
    const error = thrownBy(() => uploadName(given as string));
    expect(error).toBeInstanceOf(NameError);
    expect(error).toMatchObject({ given, message: expect.stringContaining(message) });
  });
});

describe('where a name is taken, the next', () => {
  test.each([
    ['me.jpg', /^me_[A-Za-z0-9]{7}\.jpg$/],
    ['a.tar.gz', /^a\.tar_[A-Za-z0-9]{7}\.gz$/],
    ['README', /^README_[A-Za-z0-9]{7}$/],
    ['avatars/v1.2/me', /^avatars\/v1\.2\/me_[A-Za-z0-9]{7}$/],
    [`${'ü'.repeat(125)}.jpeg`, /^ü{121}_[A-Za-z0-9]{7}\.jpeg$/],
    ['a'.repeat(255), /^a{247}_[A-Za-z0-9]{7}$/],
  ])('after %s has seven random characters before the extension', (name, expected) => {
    const names = Array.from({ length: 50 }, () => alternativeName(name));
    for (const next of names) {
      expect(next).toMatch(expected);
      expect(bytes(next.replace(/.*\//, ''))).toBeLessThanOrEqual(255);
    }
    expect(new Set(names).size).toBe(50);
  });
});

describe(`real Django${django.why}`, () => {
  test.runIf(django.installed)('saves the same names as we, but for the safer ones', () => {
    const program = `
import json, sys
from django.conf import settings
settings.configure(MEDIA_ROOT='/nowhere')
from django.core.files.storage import FileSystemStorage
storage = FileSystemStorage()
taken = type('Taken', (FileSystemStorage,), {'exists': lambda self, name: name == self.wanted})()
def answer(name):
    try:
        taken.wanted = storage.generate_filename(name)
        return [taken.wanted, taken.get_available_name(taken.wanted)]
    except Exception as error:
        return [type(error).__name__, '']
print(json.dumps([answer(name) for name in json.load(sys.stdin)]))`;
    const ask = (names: readonly string[]): [string, string][] =>
      JSON.parse(
        execFileSync(django.python, ['-c', program], {
          input: JSON.stringify(names),
          encoding: 'utf8',
        }),
      );
    const random = (name: string) => name.replace(/_[A-Za-z0-9]{7}(?=\.[^./]*$|$)/, '_*');
    const ours = AS_DJANGO.map(([, saved]) => [saved, random(alternativeName(saved))]);
    const theirs = ask(AS_DJANGO.map(([given]) => given));
    expect(theirs.map(([saved, next]) => [saved, random(next)])).toEqual(ours);
    const others = ask(SAFER.map(([given]) => given)).map(([saved]) => saved);
    expect(SAFER.filter(([, saved], i) => others[i] === saved)).toEqual([]);
    for (const [refused] of ask(['', '.', '..', 'a/..', '../../x', '😀'])) {
      expect(refused).toBe('SuspiciousFileOperation');
    }
  });
});
