import { beforeEach, describe, expect, test, vi } from 'vitest';
import { NameError, SettingsError, SetupError } from '../src/errors.js';
import { createStaticFiles } from '../src/static-files.js';
import { thrownBy } from './thrown.js';

type DefaultInstance = typeof import('../src/default-instance.js');

/** The module as it is when a program starts. */
let instance: DefaultInstance;
beforeEach(async () => {
  vi.resetModules();
  instance = await import('../src/default-instance.js');
});

describe('configure', () => {
  test('with settings makes static files, and answers them', () => {
    const files = instance.configure({ staticUrl: '/s/', mediaUrl: '/m/' });
    expect(instance.staticUrl('a.css')).toBe('/s/a.css');
    expect(instance.mediaUrl('a.jpg')).toBe('/m/a.jpg');
    expect(files.settings.staticUrl).toBe('/s/');
  });

  test('takes static files that are made already', () => {
    const files = createStaticFiles({ staticUrl: '/s/' });
    expect(instance.configure(files)).toBe(files);
    expect(instance.staticUrl('a.css')).toBe('/s/a.css');
  });

  test('again replaces what was set', () => {
    instance.configure({ staticUrl: '/one/' });
    instance.configure({ staticUrl: '/two/' });
    expect(instance.staticUrl('a.css')).toBe('/two/a.css');
  });

  test('with wrong settings throws, and what was set stays', () => {
    instance.configure({ staticUrl: '/one/' });
    expect(() => instance.configure({ staticUrl: '/two' })).toThrowError(
      expect.objectContaining({ name: SettingsError.name }),
    );
    expect(() => instance.configure(null as never)).toThrow('must be an object, not null');
    expect(() => instance.configure(Promise.resolve({}) as object)).toThrow('Write await before');
    expect(instance.staticUrl('a.css')).toBe('/one/a.css');
  });
});

test.each(['staticUrl', 'mediaUrl'] as const)('%s() before configure() says what to do', (name) => {
  const error = thrownBy(() => instance[name]('a.css')) as SetupError;
  expect(error.name).toBe(SetupError.name);
  expect(error.message).toBe(
    `${name}() was called before configure(). Call configure({ … }) or configure(await loadConfig()) when the program starts.`,
  );
});

test('names are refused as everywhere', () => {
  instance.configure({});
  expect(thrownBy(() => instance.staticUrl('../a'))).toMatchObject({ name: NameError.name });
  expect(thrownBy(() => instance.mediaUrl(7 as never))).toMatchObject({ name: NameError.name });
});
