import { describe, expect, test } from 'vitest';
import { NameError, SetupError } from '../../src/errors.js';
import { createStaticFiles } from '../../src/static-files.js';
import { memoryStorage } from '../../src/storages/memory.js';
import { storageContract } from '../contracts/storage.js';

storageContract('memoryStorage', () => memoryStorage());

describe('memoryStorage', () => {
  test('takes its base URL from its option, from the settings, or /static/', () => {
    const urlOf = (storage = memoryStorage()) =>
      createStaticFiles({ staticUrl: '/s/', storage }).staticUrl('a.css');
    expect(memoryStorage().url('a.css')).toBe('/static/a.css');
    expect(memoryStorage({ baseUrl: '/x/' }).url('a.css')).toBe('/x/a.css');
    expect(urlOf()).toBe('/s/a.css');
    expect(urlOf(memoryStorage({ baseUrl: 'https://cdn.example.com/ü/' }))).toBe(
      'https://cdn.example.com/%C3%BC/a.css',
    );
  });

  test('holds the same files in every project that it is handed to', async () => {
    const storage = memoryStorage();
    const context = {
      chosenStaticUrl: '/s/',
      hasSource: () => true,
      requireSource: () => {},
      under: () => storage,
    };
    const settings = { staticUrl: '/s/', staticRoot: undefined, baseDir: '/', debug: false };
    const attached = storage.attach?.({ ...context, settings });
    await storage.write('a.css', Buffer.from('a'));
    expect(await attached?.exists('a.css')).toBe(true);
  });

  test('keeps no name that could leave a folder', async () => {
    const storage = memoryStorage();
    await expect(storage.write('../a.css', Buffer.from('a'))).rejects.toThrow(NameError);
  });

  test.each([
    [{ baseURL: '/s/' }, "'baseURL' is no option of memoryStorage(). Did you mean 'baseUrl'?"],
    [{ baseUrl: '/s' }, "memoryStorage()'s baseUrl must end in a slash: '/s'."],
    [{ baseUrl: 7 }, "memoryStorage()'s baseUrl must be a string such as '/static/', not 7."],
  ])('refuses %j', (options, message) => {
    expect(() => memoryStorage(options as object)).toThrow(new SetupError(message));
  });
});
