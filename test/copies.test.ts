import { describe, expect, it } from 'vitest';
import { collectFault } from '../src/collect/fault.js';
import * as errors from '../src/errors.js';
import { createStaticFiles } from '../src/static-files.js';
import type { Storage } from '../src/storage.js';
import { hashedStorage } from '../src/storages/hashed.js';
import { memoryStorage } from '../src/storages/memory.js';
import { freePort } from './free-port.js';
import { add, project } from './project.js';

/** Another copy of the package: such is the project's own beside a program that is installed globally. */
async function copy(): Promise<typeof errors> {
  return import(new URL('../dist/src/errors.js', import.meta.url).href);
}

async function s3Storage(options: object): Promise<Storage> {
  const module = new URL('../dist/adapters/s3.js', import.meta.url).href;
  return (await import(module)).s3Storage(options);
}

describe('errors of another copy of this package', () => {
  it('are instances of their classes, and of no others', async () => {
    const others = await copy();
    expect(others.StorageError).not.toBe(errors.StorageError);
    const away = new others.StorageError('It is away.');
    expect(away).toBeInstanceOf(errors.StorageError);
    expect(away).toBeInstanceOf(errors.StaticFilesError);
    expect(away).not.toBeInstanceOf(errors.SetupError);
    expect(new errors.NameError('m', 'a')).toBeInstanceOf(others.NameError);
    expect(new errors.NameError('m', 'a')).not.toBeInstanceOf(others.UnknownNameError);
  });

  it('are not what only looks alike', () => {
    class OwnError extends errors.StorageError {}
    expect(new OwnError('m')).toBeInstanceOf(errors.StorageError);
    expect(new errors.StorageError('m')).not.toBeInstanceOf(OwnError);
    const system = Object.assign(new Error('m'), { code: 'ENOENT', name: 'StorageError' });
    expect(system).not.toBeInstanceOf(errors.StorageError);
    expect(system).not.toBeInstanceOf(errors.StaticFilesError);
    for (const value of [
      undefined,
      null,
      'ERR_STATICFILES_NAME',
      { code: 'ERR_STATICFILES_NAME' },
    ]) {
      expect(value).not.toBeInstanceOf(errors.StaticFilesError);
    }
  });

  it('are told as they are', async () => {
    const others = await copy();
    const away = new others.StorageError('It is away.');
    expect(collectFault({ name: 'a', path: '/a' }, away)).toBe(away);
  });
});

describe('a store that is away is told as that alone', () => {
  function filesOver(over: Storage) {
    const baseDir = project({ 'static/a.css': 'a' });
    return createStaticFiles({
      baseDir,
      dirs: ['static'],
      debug: false,
      storage: hashedStorage({ over }),
    });
  }

  it.each([{}, { clear: true }])('by a storage of another copy, %j', async (options) => {
    const endpoint = `http://127.0.0.1:${await freePort()}`;
    const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
    const over = await s3Storage({ bucket: 'b', endpoint, credentials, maxAttempts: 1 });
    const fault = await filesOver(over).collect(options).catch(errors.reason);
    expect(fault).toBe(
      `Could not read s3://b/staticfiles.json: nobody answers at ${endpoint}/ (ECONNREFUSED). Is the store up, 'endpoint' right, and the network?`,
    );
  });

  it.each([
    ['connect ECONNREFUSED 10.0.0.7:80', 'connect ECONNREFUSED 10.0.0.7:80.'],
    ['It sleeps.', 'It sleeps.'],
  ])('by a storage of the project’s own, which says: %s', async (words, told) => {
    const read = async () => {
      throw new Error(words);
    };
    const { attach, readVersion, ...memory } = memoryStorage();
    const files = filesOver({ ...memory, read });
    const sentence = `The manifest 'staticfiles.json' could not be read: ${told}`;
    expect(await files.collect().catch(errors.reason)).toBe(sentence);
    expect(await files.prune().catch(errors.reason)).toBe(sentence);
  });

  it('also of the manifest of an earlier deploy', async () => {
    const { attach, ...memory } = memoryStorage();
    let isAway = false;
    const over: Storage = {
      ...memory,
      async read(name) {
        if (isAway && name.startsWith('.staticfiles/')) throw new Error('connect ETIMEDOUT');
        return memory.read(name);
      },
    };
    const files = filesOver(over);
    await files.collect();
    add(files.settings.baseDir, { 'static/a.css': 'b' });
    await files.collect();
    isAway = true;
    expect(await files.prune().catch(errors.reason)).toMatch(
      /^The manifest '\.staticfiles\/manifests\/\S+' of another deploy could not be read: connect ETIMEDOUT\.$/,
    );
  });
});
