import { realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { NameError, orUndefined, SetupError } from '../errors.js';
import { isInside, pathUnder } from '../names.js';
import { baseUrlOption, checkMode, checkOptions } from '../options.js';
import type { Storage } from '../storage.js';
import { joinUrl } from '../urls.js';
import { fileSystemStorage } from './filesystem.js';
import type { UploadBody } from './upload-body.js';

export interface MediaStorageOptions {
  /** The folder of the files. @default the setting `mediaRoot` */
  readonly root?: string | undefined;
  /** The base URL of the files, ending in `/`. @default the setting `mediaUrl` */
  readonly baseUrl?: string | undefined;
  /** Each file's permissions; Django's FILE_UPLOAD_PERMISSIONS. @default 0o644 */
  readonly fileMode?: number | undefined;
  /** The permissions of folders that it makes; Django's. @default what the umask leaves */
  readonly directoryMode?: number | undefined;
  /** How many bytes `save()` takes of one file. @default any number */
  readonly maxBytes?: number | undefined;
}

/** What is needed of `createStaticFiles()`'s answer. */
export interface MediaSettings {
  readonly settings: { readonly mediaUrl: string; readonly mediaRoot: string | undefined };
}

/** Uploaded files. Nothing of it leaves its folder, by symbolic links neither. */
export interface MediaStorage extends Storage {
  /**
   * Saves a new file, and answers its name: the one that was given, made plain, and where that is
   * taken, with seven random characters before its extension. It is there whole or not at all, and
   * never in the place of another, whoever else is saving.
   *
   * @throws {NameError} where nothing of the name is left, or it leaves the folder.
   * @throws {TooLargeError} for a body of more than `maxBytes`.
   */
  save(name: string, body: UploadBody): Promise<string>;
}

const OPTIONS = ['root', 'baseUrl', 'fileMode', 'directoryMode', 'maxBytes'] as const;

/**
 * Uploaded files in a folder of this machine; Django's FileSystemStorage. It takes what
 * `createStaticFiles()` answers, and options that replace what is set there; or options alone.
 *
 * @throws {SetupError} where there is no folder, and for an unknown option.
 */
export function mediaStorage(files: MediaSettings, options?: MediaStorageOptions): MediaStorage;
export function mediaStorage(options: MediaStorageOptions): MediaStorage;
export function mediaStorage(
  first: MediaSettings | MediaStorageOptions,
  second: MediaStorageOptions = {},
): MediaStorage {
  const [settings, options] = isSettings(first) ? [first.settings, second] : [undefined, first];
  checkOptions('mediaStorage()', options, OPTIONS);
  const { fileMode, directoryMode, maxBytes = Number.POSITIVE_INFINITY } = options;
  const baseUrl = baseUrlOption('mediaStorage()', options.baseUrl) ?? settings?.mediaUrl;
  const root = checkedRoot(options.root ?? settings?.mediaRoot);
  checkMode('mediaStorage()', 'fileMode', fileMode);
  checkMode('mediaStorage()', 'directoryMode', directoryMode);
  checkMaxBytes(maxBytes);
  const files = fileSystemStorage({ root, fileMode, directoryMode });

  const path = (name: string) => pathUnder(root, name);

  async function inside(name: string): Promise<void> {
    if (!(await leadsInside(root, path(name)))) {
      throw new NameError(
        `The name ${JSON.stringify(name)} leaves '${root}': a symbolic link in it leads outside. Make it a folder, or a mount.`,
        name,
      );
    }
  }

  const guarded =
    <Rest extends unknown[], Answer>(call: (name: string, ...rest: Rest) => Promise<Answer>) =>
    async (name: string, ...rest: Rest): Promise<Answer> => {
      await inside(name);
      return call(name, ...rest);
    };

  return {
    read: guarded(files.read),
    write: guarded(files.write),
    delete: guarded(files.delete),
    exists: guarded(files.exists),
    stat: guarded(files.stat),
    list: files.list,
    path,
    stable: true,
    url(name) {
      if (baseUrl !== undefined) return joinUrl(baseUrl, name);
      throw new SetupError(
        'mediaStorage() has no base URL: give it a baseUrl, or what createStaticFiles() answers.',
      );
    },
    save: holdingErrors(async (name, body) => {
      const { saveToFolder } = await import('./upload-folder.js');
      return saveToFolder({ path, inside, fileMode, directoryMode, maxBytes }, name, body);
    }),
  };
}

function isSettings(first: MediaSettings | MediaStorageOptions): first is MediaSettings {
  return typeof first === 'object' && first !== null && 'settings' in first;
}

function checkedRoot(root: unknown): string {
  if (typeof root === 'string' && root !== '') return resolve(root);
  throw new SetupError(
    'mediaStorage() has no folder: set mediaRoot in the settings, or give it a root, the path of a folder.',
  );
}

function checkMaxBytes(maxBytes: number): void {
  if (typeof maxBytes === 'number' && maxBytes >= 0) return;
  throw new SetupError(`mediaStorage()'s maxBytes must be a number of bytes, not ${maxBytes}.`);
}

/** Whether a path under `root`, or as much of it as is there, is still under it behind its links. */
async function leadsInside(root: string, path: string): Promise<boolean> {
  const base = await orUndefined(realpath(root));
  if (base === undefined) return true; // no folder is there yet, and so no link
  for (let at = path; at !== root; at = dirname(at)) {
    const found = await orUndefined(realpath(at));
    if (found !== undefined) return isInside(found, base);
  }
  return true;
}

/**
 * A stream of Node that fails while nobody reads it yet ends the process, unless somebody listens.
 * Whoever reads it then learns of it all the same.
 */
function holdingErrors(save: MediaStorage['save']): MediaStorage['save'] {
  const listener = () => {};
  return async (name, body) => {
    const { on, off } = Object(body) as Partial<NodeJS.EventEmitter>;
    const isEmitter = typeof on === 'function' && typeof off === 'function';
    if (isEmitter) on.call(body, 'error', listener);
    try {
      return await save(name, body);
    } finally {
      if (isEmitter) off.call(body, 'error', listener);
    }
  };
}
