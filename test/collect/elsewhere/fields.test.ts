import { describe, expect, it } from 'vitest';
import type { Content } from '../../../src/collect/elsewhere/content.js';
import { fieldRules } from '../../../src/collect/elsewhere/fields.js';
import { SetupError } from '../../../src/errors.js';
import type { Storage } from '../../../src/storage.js';
import { memoryStorage } from '../../../src/storages/memory.js';

const content: Content = {
  ...{ name: 'css/ä b.0123456789ab.css', from: '/x', size: 9, md5: '', isNamedByContent: true },
  source: { name: 'css/ä b.css', path: '/x' },
  isImmutable: true,
};
const plain: Content = { ...content, name: 'css/ä b.css', isImmutable: false };
const BASE = 'https://cdn.example.com/';

function rules(
  headers?: (name: string, url: string) => Record<string, string>,
  kept: readonly string[] = ['cache-control', 'content-language'],
) {
  const storage: Storage = { ...memoryStorage(), keptHeaders: new Set(kept), location: 's3://b/' };
  return fieldRules(storage, { headers, maxAge: 60 }, BASE);
}

describe('the fields of a file in a store', () => {
  it('are its type by its source, and how long it is kept', () => {
    const { fieldsOf, warnings } = rules();
    expect(fieldsOf(content)).toEqual({
      'Content-Type': 'text/css; charset=utf-8',
      'Cache-Control': 'public, max-age=315360000, immutable',
    });
    expect(fieldsOf(plain)).toMatchObject({ 'Cache-Control': 'public, max-age=60' });
    expect(fieldsOf({ ...content, name: `${content.name}.br`, coding: 'br' })).toEqual({
      'Content-Type': 'text/css; charset=utf-8',
      'Cache-Control': 'public, max-age=315360000, immutable',
      'Content-Encoding': 'br',
    });
    expect(warnings()).toEqual([]);
  });

  it('are over that those of the setting, once each whatever their case', () => {
    const asked: string[][] = [];
    const { fieldsOf } = rules((...args) => {
      asked.push(args);
      return { 'cache-control': 'no-store', 'Content-Language': 'de' };
    });
    expect(fieldsOf(content)).toEqual({
      'Content-Type': 'text/css; charset=utf-8',
      'cache-control': 'no-store',
      'Content-Language': 'de',
    });
    expect(asked).toEqual([['css/ä b.css', `${BASE}css/%C3%A4%20b.0123456789ab.css`]]);
  });

  it('are without those that the store cannot keep, of which one warns once', () => {
    const { fieldsOf, warnings } = rules(() => ({ 'X-Robots-Tag': 'none' }));
    for (const one of [content, plain]) expect(Object.keys(fieldsOf(one)).length).toBe(2);
    expect(warnings()).toEqual([
      expect.stringMatching(
        /^The setting headers wants X-Robots-Tag, which s3:\/\/b\/ cannot keep/,
      ),
    ]);
  });

  it('never say in which coding it is', () => {
    const { fieldsOf } = rules(() => ({ 'Content-Encoding': 'gzip' }));
    expect(() => fieldsOf(content)).toThrow(SetupError);
  });
});
