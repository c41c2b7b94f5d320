import { expect, test } from 'vitest';
import { SetupError } from '../src/errors.js';
import { baseUrlOption, checkFiles, checkOptions } from '../src/options.js';
import { createStaticFiles } from '../src/static-files.js';
import { thrownBy } from './thrown.js';

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

test('what createStaticFiles() answers passes for files', () => {
  checkFiles('serve(files)', createStaticFiles());
});

test.each([undefined, null, { dirs: ['static'] }, 'static'])('%j are no files', (files) => {
  expect(() => checkFiles('serve(files)', files)).toThrow(
    new SetupError('serve(files) takes what createStaticFiles() answers.'),
  );
});

test('the option baseUrl is completed, or absent', () => {
  expect(baseUrlOption('storage()', undefined)).toBeUndefined();
  expect(baseUrlOption('storage()', '/ü/')).toBe('/%C3%BC/');
  expect(baseUrlOption('storage()', 'static/')).toBe('/static/');
});

test.each([
  ['/s', "storage()'s baseUrl must end in a slash: '/s'."],
  ['ftp://host/', "storage()'s baseUrl must be a path, '//host/…', or an absolute URL of http or"],
  [7, "storage()'s baseUrl must be a string such as '/static/', not 7."],
  [null, "storage()'s baseUrl must be a string such as '/static/', not null."],
])('the option baseUrl cannot be %j', (baseUrl, message) => {
  const error = thrownBy(() => baseUrlOption('storage()', baseUrl));
  expect(error).toBeInstanceOf(SetupError);
  expect((error as Error).message).toContain(message);
});
