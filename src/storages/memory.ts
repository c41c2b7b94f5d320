import { normaliseName } from '../names.js';
import { baseUrlOption, checkOptions } from '../options.js';
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
  const own = baseUrlOption('memoryStorage()', options.baseUrl);
  const files = new Map<string, Entry>();
  return {
    ...over(files, own ?? '/static/'),
    attach: ({ settings }) => over(files, own ?? settings.staticUrl),
  };
}

/** The same files under a base URL. */
function over(files: Map<string, Entry>, baseUrl: string): Storage {
  return {
    read: async (name) => files.get(normaliseName(name))?.body.slice(),
    async write(name, body, { mtimeMs = Date.now() } = {}) {
      // Not `slice()`, by which a Buffer goes on sharing its memory.
      files.set(normaliseName(name), { body: new Uint8Array(body), size: body.length, mtimeMs });
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
  };
}
