import { expect, test } from 'vitest';
import { SetupError } from '../src/errors.js';
import { checkOptions } from '../src/options.js';

const KNOWN = ['root', 'baseUrl'];

test('known options pass, undefined ones too', () => {
  checkOptions('storage()', {}, KNOWN);
  checkOptions('storage()', { root: undefined, baseUrl: '/' }, KNOWN);
});

test.each([
  [{ baseURL: '/' }, "'baseURL' is no option of storage(). Did you mean 'baseUrl'?"],
  [{ zzzzzzz: 1 }, "'zzzzzzz' is no option of storage(). There are root, baseUrl."],
  [{ constructor: 1 }, "'constructor' is no option of storage(). There are root, baseUrl."],
  [null, 'storage() takes an object of options: { root, baseUrl }.'],
  [[], 'storage() takes an object of options: { root, baseUrl }.'],
  ['/static', 'storage() takes an object of options: { root, baseUrl }.'],
])('%j is refused', (options, message) => {
  expect(() => checkOptions('storage()', options, KNOWN)).toThrow(new SetupError(message));
});
