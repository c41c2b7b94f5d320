import { realpath } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { NameError, orUndefined, SetupError } from '../errors.js';
import { isInside, pathUnder } from '../names.js';
import { baseUrlOption, checkMode, checkOptions } from '../options.js';
import { passedOn } from '../passed-on.js';
import { isStorage, kindOf } from '../settings-checks.js';
import type { Storage } from '../storage.js';
import { joinStoreUrl } from '../urls.js';
import { fileSystemStorage } from './filesystem.js';
import type { UploadBody } from './upload-body.js';

export interface MediaStorageOptions {
  /**
   * The storage of the files where they are elsewhere, such as `s3Storage({ … })`; in the place of
   * `root`, `fileMode` and `directoryMode`. @default a folder of this machine
   */
  readonly over?: Storage | undefined;
  /** The folder of the files. @default the setting `mediaRoot` */
  readonly root?: string | undefined;
  /**
   * The base URL of the files, ending in `/`.
   * @default the setting `mediaUrl`; without one, that of `over`
   */
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
   * Over a storage elsewhere all of a body is read before anything is sent: up to 8 MiB of it into
   * memory, more into a temporary file. There a name always has the random characters where the body
   * is larger than that, or the store cannot write on a condition. A store that keeps header fields
   * gets those under which a browser stores what is active, such as HTML, and does not open it.
   *
   * @throws {NameError} where nothing of the name is left, or it leaves the folder.
   * @throws {TooLargeError} for a body of more than `maxBytes`.
   */
  save(name: string, body: UploadBody): Promise<string>;
}

const FOLDER_OPTIONS = ['root', 'fileMode', 'directoryMode'] as const;
const OPTIONS = ['over', ...FOLDER_OPTIONS, 'baseUrl', 'maxBytes'] as const;

/**
 * Uploaded files in a folder of this machine, Django's FileSystemStorage; or in a storage elsewhere, as
 * django-storages keeps them. It takes what `createStaticFiles()` answers, and options that replace
 * what is set there; or options alone.
 *
 * @throws {SetupError} where there is neither folder nor `over`, and for an unknown option.
 */
export function mediaStorage(files: MediaSettings, options?: MediaStorageOptions): MediaStorage;
export function mediaStorage(options: MediaStorageOptions): MediaStorage;
export function mediaStorage(
  first: MediaSettings | MediaStorageOptions,
  second: MediaStorageOptions = {},
): MediaStorage {
  const [settings, options] = isSettings(first) ? [first.settings, second] : [undefined, first];
  checkOptions('mediaStorage()', options, OPTIONS);
  const { over, fileMode, directoryMode, maxBytes = Number.POSITIVE_INFINITY } = options;
  const baseUrl = baseUrlOption('mediaStorage()', options.baseUrl) ?? settings?.mediaUrl;
  checkMaxBytes(maxBytes);
  if (over !== undefined) {
    checkOver(over, options);
    return inStore(over, baseUrl, maxBytes);
  }
  const root = checkedRoot(options.root ?? settings?.mediaRoot);
  checkMode('mediaStorage()', 'fileMode', fileMode);
  checkMode('mediaStorage()', 'directoryMode', directoryMode);
  return inFolder({ root, fileMode, directoryMode }, baseUrl, maxBytes);
}

interface Folder {
  readonly root: string;
  readonly fileMode: number | undefined;
  readonly directoryMode: number | undefined;
}

function inFolder(folder: Folder, baseUrl: string | undefined, maxBytes: number): MediaStorage {
  const { root } = folder;
  const files = fileSystemStorage(folder);

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
      if (baseUrl !== undefined) return joinStoreUrl(baseUrl, name);
      throw new SetupError(
        'mediaStorage() has no base URL: give it a baseUrl, or what createStaticFiles() answers.',
      );
    },
    save: holdingErrors(async (name, body) => {
      const { saveToFolder } = await import('./upload-folder.js');
      return saveToFolder({ ...folder, path, inside, maxBytes }, name, body);
    }),
  };
}

/**
 * A base URL that was given or set comes before the store's own, for `mediaUrl()` and templates know no
 * other. The store is not completed by `attach()`: that gives it the base URL of static files.
 */
function inStore(over: Storage, baseUrl: string | undefined, maxBytes: number): MediaStorage {
  const { path, direct, encoding, ...files } = passedOn(over);
  let saver: MediaStorage['save'] | undefined;
  return {
    ...files,
    ...(baseUrl
      ? { url: (name) => joinStoreUrl(baseUrl, name), stable: true }
      : {
          url: (name) => over.url(name),
          stable: over.stable ?? false,
          ...(over.ready && { ready: async () => over.ready?.() }),
        }),
    save: holdingErrors(async (name, body) => {
      const { storeSaver } = await import('./upload-store.js');
      saver ??= storeSaver(over, maxBytes);
      return saver(name, body);
    }),
  };
}

function isSettings(first: MediaSettings | MediaStorageOptions): first is MediaSettings {
  return typeof first === 'object' && first !== null && 'settings' in first;
}

function checkOver(over: unknown, options: MediaStorageOptions): void {
  const other = FOLDER_OPTIONS.find((key) => options[key] !== undefined);
  if (other !== undefined) {
    throw new SetupError(
      `mediaStorage() takes ${other} for a folder of this machine, and over for a storage elsewhere: leave one of them out.`,
    );
  }
  if (isStorage(over) && over.hashing === undefined) return;
  const what = isStorage(over)
    ? 'hashedStorage(), whose names are known by a manifest'
    : kindOf(over);
  throw new SetupError(
    `mediaStorage()'s over must be a storage such as s3Storage({ … }), not ${what}.`,
  );
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
