import { attachable } from '../attachable.js';
import { StorageError } from '../errors.js';
import { normaliseName } from '../names.js';
import { baseUrlOption, checkBody, checkOptions } from '../options.js';
import type { FileStat, Storage, WriteOptions } from '../storage.js';
import { joinUrl } from '../urls.js';

export interface MemoryStorageOptions {
  /** The base URL of the files, ending in `/`. @default the setting `staticUrl`; alone, `/static/` */
  readonly baseUrl?: string | undefined;
}

/** Files in the memory of this process: for tests, and for trees that are built anew at each start. */
export function memoryStorage(options: MemoryStorageOptions = {}): Storage {
  checkOptions('memoryStorage()', options, ['baseUrl']);
  const own = baseUrlOption('memoryStorage()', options.baseUrl);
  const shelf = emptyShelf();
  return attachable(over(shelf, own ?? '/static/'), ({ settings }) =>
    over(shelf, own ?? settings.staticUrl),
  );
}

/** The same files under a base URL. */
function over({ files, put }: Shelf, baseUrl: string): Storage {
  return {
    read: async (name) => files.get(normaliseName(name))?.body.slice(),
    async readVersion(name, unless) {
      const entry = files.get(normaliseName(name));
      if (entry === undefined) return undefined;
      return entry.tag === unless ? 'unchanged' : { body: entry.body.slice(), tag: entry.tag };
    },
    async write(name, body, writing) {
      put(normaliseName(name), body, writing);
    },
    async writeIf(name, body, tag, writing) {
      const key = normaliseName(name);
      checkBody(key, body);
      if (files.get(key)?.tag !== tag) return 'changed';
      put(key, body, writing);
      return 'written';
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
    async *entries(prefix = '') {
      for (const [name, entry] of [...files]) {
        if (!name.startsWith(prefix)) continue;
        entry.md5 ??= md5Of(entry.body);
        yield { name, size: entry.size, mtimeMs: entry.mtimeMs, md5: entry.md5 };
      }
    },
    url: (name) => joinUrl(baseUrl, name),
    stable: true,
  };
}

interface Entry extends FileStat {
  readonly body: Uint8Array;
  readonly tag: string;
  /** Known as soon as somebody has asked for it. */
  md5: string | undefined;
}

interface Shelf {
  readonly files: ReadonlyMap<string, Entry> & Pick<Map<string, Entry>, 'delete'>;
  put(name: string, body: Uint8Array, options?: WriteOptions): void;
}

function emptyShelf(): Shelf {
  const files = new Map<string, Entry>();
  let writes = 0;
  return {
    files,
    put(name, body, { mtimeMs = Date.now(), md5 } = {}) {
      checkBody(name, body);
      const own = new Uint8Array(body); // and not `slice()`, by which a Buffer goes on sharing its memory
      if (md5 !== undefined && md5.toLowerCase() !== md5Of(own)) {
        throw new StorageError(
          `'${name}' was not written: its MD5 is ${md5Of(own)}, and should be ${md5}. Send it again.`,
        );
      }
      writes++;
      files.set(name, {
        body: own,
        size: own.length,
        mtimeMs,
        md5: undefined,
        tag: String(writes),
      });
    },
  };
}

/** Loaded when somebody asks for it: no start needs it. */
function md5Of(body: Uint8Array): string {
  const { createHash } = process.getBuiltinModule('node:crypto');
  return createHash('md5').update(body).digest('hex');
}
