import { constants } from 'node:fs';
import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { attachable } from '../attachable.js';
import { orUndefined, SetupError } from '../errors.js';
import { PARTIAL, pathUnder } from '../names.js';
import { baseUrlOption, checkBody, checkMode, checkOptions } from '../options.js';
import type { Storage, WriteOptions } from '../storage.js';
import { joinUrl } from '../urls.js';

export interface FileSystemStorageOptions {
  /** The folder of the files. @default the setting `staticRoot` */
  readonly root?: string | undefined;
  /** The base URL of the files, ending in `/`. @default the setting `staticUrl` */
  readonly baseUrl?: string | undefined;
  /** Each file's permissions; Django's `file_permissions_mode`. @default 0o644 */
  readonly fileMode?: number | undefined;
  /** The permissions of folders that it makes; Django's. @default what the umask leaves */
  readonly directoryMode?: number | undefined;
}

const OPTIONS = ['root', 'baseUrl', 'fileMode', 'directoryMode'] as const;
export const DEFAULT_FILE_MODE = 0o644;
/** After how long nobody can be writing a file any more: its process was killed. */
const ABANDONED_MS = 3_600_000;

/** Files in a folder of this machine; Django's StaticFilesStorage. The default `storage`. */
export function fileSystemStorage(options: FileSystemStorageOptions = {}): Storage {
  checkOptions('fileSystemStorage()', options, OPTIONS);
  checkMode('fileSystemStorage()', 'fileMode', options.fileMode);
  checkMode('fileSystemStorage()', 'directoryMode', options.directoryMode);
  const { fileMode = DEFAULT_FILE_MODE, directoryMode } = options;
  const baseUrl = baseUrlOption('fileSystemStorage()', options.baseUrl);
  const root = checkedRoot(options.root);

  function path(name: string): string {
    if (root !== undefined) return pathUnder(root, name);
    throw new SetupError(
      "The file system's storage has no folder: set staticRoot in the settings, or give fileSystemStorage() a root.",
    );
  }

  /** Lets `fill` make a file beside its place, and moves it there when it is whole. */
  async function put(
    name: string,
    fill: (partial: string) => Promise<void>,
    { mtimeMs }: WriteOptions,
  ): Promise<void> {
    const target = path(name);
    const folder = dirname(target);
    await makeFolder(folder, directoryMode);
    const partial = join(folder, PARTIAL + crypto.randomUUID());
    try {
      await fill(partial);
      await chmod(partial, fileMode);
      if (mtimeMs !== undefined) await utimes(partial, mtimeMs / 1000, mtimeMs / 1000);
      await rename(partial, target);
    } catch (error) {
      await rm(partial, { force: true });
      throw error;
    }
  }

  const storage: Storage = {
    read: async (name) => orUndefined(readFile(path(name))),
    async write(name, body, writing = {}) {
      checkBody(name, body);
      await put(name, (partial) => writeFile(partial, body, { flag: 'wx' }), writing);
    },
    writeFile: (name, source, writing = {}) =>
      put(name, (partial) => copyFile(source, partial, COPY), writing),
    async delete(name) {
      await orUndefined(unlink(path(name)));
    },
    async exists(name) {
      return (await orUndefined(stat(path(name))))?.isFile() ?? false;
    },
    async stat(name) {
      const found = await orUndefined(stat(path(name)));
      return found?.isFile() ? { size: found.size, mtimeMs: found.mtimeMs } : undefined;
    },
    list: () => listFolder(path(''), ''),
    url(name) {
      if (baseUrl !== undefined) return joinUrl(baseUrl, name);
      throw new SetupError(
        "The file system's storage has no base URL: give fileSystemStorage() a baseUrl, or hand it to createStaticFiles().",
      );
    },
    path,
    direct: { fileMode, directoryMode },
    stable: true,
  };
  return attachable(storage, ({ settings }) =>
    fileSystemStorage({
      ...options,
      root:
        options.root === undefined ? settings.staticRoot : resolve(settings.baseDir, options.root),
      baseUrl: baseUrl ?? settings.staticUrl,
    }),
  );
}

/** Never over another file, and by reference where the file system can (Btrfs, XFS, APFS). */
const COPY = constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE;

function checkedRoot(root: unknown): string | undefined {
  if (root === undefined) return undefined;
  if (typeof root === 'string' && root !== '') return resolve(root);
  throw new SetupError("fileSystemStorage()'s root must be the path of a folder.");
}

/** Makes a folder and those above it; the umask holds back no part of `mode` from those it makes. */
export async function makeFolder(folder: string, mode: number | undefined): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (first === undefined || mode === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) {
    await chmod(made, mode);
  }
}

/**
 * Every name below a folder. Links are named and not followed: they are files that it put there. A
 * `\` is part of no name, so what has one in it is nothing that it put there.
 */
async function* listFolder(folder: string, prefix: string): AsyncGenerator<string> {
  for (const entry of (await orUndefined(readdir(folder, { withFileTypes: true }))) ?? []) {
    if (entry.name.includes('\\')) continue;
    const name = prefix + entry.name;
    if (entry.name.startsWith(PARTIAL) && (await isInWork(join(folder, entry.name)))) continue;
    if (entry.isDirectory()) yield* listFolder(join(folder, entry.name), `${name}/`);
    else yield name;
  }
}

/** Whether a file that is still being written may be; the inode tells, for times are copied. */
async function isInWork(path: string): Promise<boolean> {
  const found = await orUndefined(stat(path));
  return found === undefined || Date.now() - found.ctimeMs < ABANDONED_MS;
}
