import { describe, expect, it } from 'vitest';
import type { Coding } from '../../../src/codings.js';
import type { Content } from '../../../src/collect/elsewhere/content.js';
import { readRecord as read, sumsOf } from '../../../src/collect/elsewhere/record.js';
import { serialiseManifest } from '../../../src/collect/publish.js';

const source = { name: 'a.css', path: '/a.css' };
const hashed: Content = {
  ...{ name: 'a.0123456789ab.css', source, from: '/a.css', size: 9, md5: 'of the hashed one' },
  ...{ isImmutable: true, isNamedByContent: true },
};
const plain: Content = {
  ...{ name: 'a.css', source, from: '/a.css', size: 9, md5: 'of the plain one' },
  ...{ isImmutable: false, isNamedByContent: false },
};

function manifest(encoding?: 'br' | 'gzip') {
  const entry = { name: 'a.css', hashedName: hashed.name, size: 9, checksum: plain.md5 };
  const other = { name: 'b.css', hashedName: 'b.0123456789ab.css', size: 9 };
  return serialiseManifest([{ ...entry, variants: { br: 4 } }, other], {
    codings: ['br', 'gzip'],
    encoding,
  });
}

const witness = async () => () => false;
const readRecord = (body: Uint8Array, encoding: Coding | undefined, isPlainSure: boolean) =>
  read(body, encoding, isPlainSure, witness);

describe('the record of a deploy', () => {
  it('vouches for what it published, and for nothing else', () => {
    const { vouchesFor } = readRecord(manifest(), undefined, true);
    expect([vouchesFor(hashed), vouchesFor(plain)]).toEqual([true, true]);
    expect(vouchesFor({ ...hashed, name: 'a.ba9876543210.css' })).toBe(false);
    expect(vouchesFor({ ...plain, md5: 'other' })).toBe(false);
    const b = { name: 'b.css', path: '/b.css' };
    expect(vouchesFor({ ...plain, name: 'b.css', source: b })).toBe(false); // was not sent
    const c = { name: 'toString', path: '/toString' };
    expect(vouchesFor({ ...plain, name: 'toString', source: c })).toBe(false);
  });

  it('does not for plain names that somebody else may have written', () => {
    const { vouchesFor } = readRecord(manifest(), undefined, false);
    expect([vouchesFor(hashed), vouchesFor(plain)]).toEqual([true, false]);
  });

  it('does not for files in another coding', () => {
    for (const [stored, wanted, is] of [
      ['gzip', 'gzip', true],
      ['gzip', 'br', false],
      ['gzip', undefined, false],
      [undefined, 'gzip', false],
    ] as const) {
      const { vouchesFor } = readRecord(manifest(stored), wanted, true);
      expect([vouchesFor(hashed), vouchesFor(plain)]).toEqual([is, is]);
    }
  });

  it('tells the forms that were tried: 0 is one that was not worth its place', () => {
    const { formsOf } = readRecord(manifest(), undefined, true);
    expect(formsOf(hashed)).toEqual({ br: 4, gzip: 0 });
    expect(formsOf({ ...hashed, name: 'a.ba9876543210.css' })).toBe(undefined);
  });

  it('of Django’s manifest are the hashed names', () => {
    const django = Buffer.from(
      JSON.stringify({ paths: { 'a.css': hashed.name }, version: '1.1', hash: '' }),
    );
    const { vouchesFor, formsOf } = readRecord(django, undefined, true);
    expect([vouchesFor(hashed), vouchesFor(plain)]).toEqual([true, false]);
    expect(formsOf(hashed)).toEqual({});
  });
});

describe('what a manifest says of plain names', () => {
  const names = ['a.css', 'b.css', hashed.name, 'c.css'];
  const told = (body: Uint8Array | undefined, encoding?: Coding) =>
    names.map((name) => sumsOf(body, encoding)(name));

  it('is the sums of those that were sent', () => {
    expect(told(manifest())).toEqual([plain.md5, undefined, '', undefined]);
  });

  it('is nothing certain of files in another coding, and where it is not ours', () => {
    expect(told(manifest('gzip'))).toEqual(['', '', '', undefined]);
    expect(told(manifest('gzip'), 'gzip')).toEqual([plain.md5, undefined, '', undefined]);
    const django = JSON.stringify({ paths: { 'a.css': hashed.name }, version: '1.1', hash: '' });
    expect(told(Buffer.from(django))).toEqual(['', undefined, '', undefined]);
  });

  it('is nothing certain of all names where it is damaged, or gone', () => {
    for (const text of ['{}', '[', 'null', '7']) {
      expect(told(Buffer.from(text))).toEqual(['', '', '', '']);
    }
    expect(told(undefined)).toEqual(['', '', '', '']);
  });
});
