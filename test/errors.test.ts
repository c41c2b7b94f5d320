import { expect, test } from 'vitest';
import * as errors from '../src/errors.js';

const problem = { id: 'x.E1', level: 'error', message: 'It is wrong.' } as const;

const ALL = [
  new errors.SettingsError([problem]),
  new errors.ConfigError('m', 'file'),
  new errors.NameError('m', 7),
  new errors.UnknownNameError('m', 'a', ['b']),
  new errors.ManifestError('m', 'place'),
  new errors.NotReadyError('m'),
  new errors.SetupError('m'),
  new errors.PeerError('nunjucks', 'm'),
  new errors.CollectError('m'),
  new errors.StorageError('m'),
  new errors.TooLargeError('a', 7),
];

test('every class is in the table above', () => {
  const classes = Object.values(errors).filter(
    (value) => value.prototype instanceof errors.StaticFilesError,
  );
  expect(new Set(ALL.map((error) => error.constructor))).toEqual(new Set(classes));
});

test.each(ALL)('$name is an Error of ours with a code of its own', (error) => {
  expect(error).toBeInstanceOf(Error);
  expect(error).toBeInstanceOf(errors.StaticFilesError);
  expect(error.name).toBe(error.constructor.name);
  expect(error.code).toMatch(/^ERR_STATICFILES_[A-Z_]+$/);
  expect(ALL.filter(({ code }) => code === error.code)).toHaveLength(1);
});

test('a SettingsError names every problem, each with its hint', () => {
  const error = new errors.SettingsError([problem, { ...problem, hint: 'Do this.' }]);
  expect(error.message).toBe('It is wrong.\nIt is wrong. Do this.');
  expect(error.problems).toHaveLength(2);
});

test('a PeerError says how to install the package', () => {
  const cause = new Error('not found');
  const error = new errors.PeerError('nunjucks', 'The adapter needs nunjucks.', { cause });
  expect(error.message).toBe('The adapter needs nunjucks. Install it: npm install nunjucks');
  expect(error).toMatchObject({ peer: 'nunjucks', cause });
});

test('reason and systemCode read what was thrown, whatever it is', () => {
  expect(errors.reason(new Error('why'))).toBe('why');
  expect(errors.reason('text')).toBe('text');
  expect(errors.reason(undefined)).toBe('undefined');
  expect(errors.systemCode(Object.assign(new Error('x'), { code: 'ENOENT' }))).toBe('ENOENT');
  expect(errors.systemCode(Object.assign(new Error('x'), { code: 7 }))).toBeUndefined();
  expect(errors.systemCode({ code: 'ENOENT' })).toBeUndefined();
  expect(errors.systemCode(new Error('x'))).toBeUndefined();
});
