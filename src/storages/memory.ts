import { normaliseName } from '../names.js';
import { checkOptions } from '../options.js';
import type { FileStat, Storage } from '../storage.js';
import { joinUrl } from '../urls.js';

export interface MemoryStorageOptions {
  /** The base URL of the files, ending in `/`. @default the setting `staticUrl`; alone, `/static/` */
  readonly baseUrl?: string | undefined;
}

interface Entry extends FileStat {
  readonly body: Uint8Array;
}

/** Files in the memory of this process: for tests, and for trees that are built anew at each start. */
export function memoryStorage(options: MemoryStorageOptions = {}): Storage {
  checkOptions('memoryStorage()', options, ['baseUrl']);
  return over(new Map(), options.baseUrl ?? '/static/', options);
}

/** Attaching gives another base URL to the same files. */
function over(files: Map<string, Entry>, baseUrl: string, options: MemoryStorageOptions): Storage {
  return {
    read: async (name) => files.get(normaliseName(name))?.body.slice(),
    async write(name, body, { mtimeMs = Date.now() } = {}) {
      files.set(normaliseName(name), { body: body.slice(), size: body.length, mtimeMs });
    },
    async delete(name) {
      files.delete(normaliseName(name));
    },
    exists: async (name) => files.has(normaliseName(name)),
    async stat(name) {
      const entry = files.get(normaliseName(name));
      return entry && { size: entry.size, mtimeMs: entry.mtimeMs };
    },
    async *list() {
      yield* [...files.keys()];
    },
    url: (name) => joinUrl(baseUrl, name),
    stable: true,
    attach: ({ settings }) => over(files, options.baseUrl ?? settings.staticUrl, options),
  };
}
