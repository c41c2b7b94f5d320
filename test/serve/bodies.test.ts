import { describe, expect, test } from 'vitest';
import { bodiesOf } from '../../src/serve/bodies.js';

describe('bodies in memory', () => {
  test('the least recently used give way', () => {
    const bodies = bodiesOf({ maxBytes: 10_000, maxFileBytes: 5000 });
    const [a, b, c] = [{}, {}, {}];
    bodies.set(a, new Uint8Array(4000));
    bodies.set(b, new Uint8Array(4000));
    expect(bodies.get(a)?.length).toBe(4000);
    bodies.set(c, new Uint8Array(4000));
    expect(bodies.get(b)).toBeUndefined();
    expect(bodies.get(a)?.length).toBe(4000);
    expect(bodies.get(c)?.length).toBe(4000);
  });

  test('none is larger than a file may be, or than all together', () => {
    const bodies = bodiesOf({ maxBytes: 10_000, maxFileBytes: 5000 });
    expect([5000, 5001].map(bodies.takes)).toEqual([true, false]);
    expect(bodiesOf({ maxBytes: 10_000, maxFileBytes: 1e9 }).takes(10_000)).toBe(false);
    expect(bodiesOf({ maxBytes: 10_000, maxFileBytes: 1e9 }).takes(9000)).toBe(true);
  });

  test('empty ones count too', () => {
    const bodies = bodiesOf({ maxBytes: 5000, maxFileBytes: 1000 });
    const keys = Array.from({ length: 100 }, () => ({}));
    for (const key of keys) bodies.set(key, new Uint8Array(0));
    expect(keys.filter((key) => bodies.get(key)).length).toBeLessThan(10);
  });

  test.each([
    { maxBytes: 0, maxFileBytes: 5000 },
    { maxBytes: 5000, maxFileBytes: 0 },
    { maxBytes: 100, maxFileBytes: 100 },
  ])('%j: none', (options) => {
    const bodies = bodiesOf(options);
    const key = {};
    bodies.set(key, new Uint8Array(1));
    expect([bodies.takes(0), bodies.get(key)]).toEqual([false, undefined]);
  });

  test('large ones that were driven out count while somebody still reads them', () => {
    const bodies = bodiesOf({ maxBytes: 1_000_000, maxFileBytes: 500_000 });
    const held: Uint8Array[] = [];
    for (let index = 0; index < 4; index++) {
      expect(bodies.takes(500_000)).toBe(true);
      const body = new Uint8Array(500_000);
      held.push(body);
      bodies.set({}, body);
    }
    expect(bodies.takes(500_000)).toBe(false);
    expect(bodies.takes(60_000)).toBe(true);
    expect(held).toHaveLength(4);
  });
});
