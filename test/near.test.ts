import { describe, expect, test } from 'vitest';
import { didYouMean, nearNames } from '../src/near.js';
import { cpuTimeOf } from './cpu-time.js';

describe('nearNames', () => {
  const names = [
    'polls/style.css',
    'polls/script.js',
    'admin/base.css',
    'Logo.png',
    'img/logo.png',
  ];

  test.each([
    ['polls/stile.css', ['polls/style.css']],
    ['polls/Style.css', ['polls/style.css']],
    ['style.css', ['polls/style.css']],
    ['other/base.css', ['admin/base.css']],
    ['logo.png', ['Logo.png', 'img/logo.png']],
    ['something/else.txt', []],
    ['', []],
    ['x', []],
  ])('%j is near %j', (given, near) => {
    expect(nearNames(given, names)).toEqual(near);
  });

  test('names at most three, the nearest first', () => {
    const many = ['aaaaaaaaxx', 'aaaaaaaaax', 'aaaaaaaaaa', 'aaaaaaaxax', 'aaaaaaaaab'];
    expect(nearNames('AAAAAAAAAA', many)).toEqual(['aaaaaaaaaa', 'aaaaaaaaax', 'aaaaaaaaab']);
  });

  test('among files of one name, those in the folders that look most alike come first', () => {
    const many = ['accounts/logo.png', 'billing/logo.png', 'catalogue/logo.png', 'pols/logo.png'];
    expect(nearNames('polls/logo.png', many)[0]).toBe('pols/logo.png');
  });

  test('looks through 100,000 names in less than a second', () => {
    const many = Array.from(
      { length: 100_000 },
      (_, i) => `folder-${i % 100}/file-number-${i}.css`,
    );
    const look = () => expect(nearNames('folder-1/file-numbr-1.css', many)).toHaveLength(3);
    expect(cpuTimeOf(look)).toBeLessThan(1000);
  });
});

test.each([
  [[], ''],
  [['a'], " Did you mean 'a'?"],
  [['a', 'b'], " Did you mean 'a' or 'b'?"],
  [['a', 'b', 'c'], " Did you mean 'a', 'b' or 'c'?"],
])('didYouMean of %j is %j', (near, text) => {
  expect(didYouMean(near)).toBe(text);
});
