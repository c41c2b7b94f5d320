import { LRUCache } from 'lru-cache';

/** The bodies of files that are kept in memory, the least recently used ones giving way. */
export interface Bodies {
  /** Whether a body of that many bytes may be kept now. */
  takes(size: number): boolean;
  get(key: object): Uint8Array | undefined;
  set(key: object, body: Uint8Array): void;
}

export interface BodiesOptions {
  /** Of all together, in bytes; 0: none is kept. */
  readonly maxBytes: number;
  /** Of one, in bytes. */
  readonly maxFileBytes: number;
}

/** What a body costs besides its bytes, for very small ones are not free either. */
const OVERHEAD = 512;

/** Up to this size in bytes, a body that is sent slowly holds no more than a chunk of a file would. */
const SMALL = 65_536;

export const NO_BODIES: Bodies = { takes: () => false, get: () => undefined, set: () => {} };

export function bodiesOf({ maxBytes, maxFileBytes }: BodiesOptions): Bodies {
  const most = Math.min(maxFileBytes, maxBytes - OVERHEAD);
  if (most <= 0) return NO_BODIES;
  const cache = new LRUCache<object, Uint8Array>({
    maxSize: maxBytes,
    sizeCalculation: ({ byteLength }) => byteLength + OVERHEAD,
  });
  // A body that has given way stays in memory until its last reader has it, which may take long.
  let resident = 0;
  const collected = new FinalizationRegistry<number>((size) => {
    resident -= size;
  });
  return {
    takes: (size) => size <= most && (size <= SMALL || resident + size <= 2 * maxBytes),
    get: (key) => cache.get(key),
    set(key, body) {
      cache.set(key, body);
      if (body.byteLength <= SMALL) return;
      resident += body.byteLength;
      collected.register(body, body.byteLength);
    },
  };
}
