import zlib from 'node:zlib';
import type { Coding } from '../codings.js';

/** A compressed form is worth its place where it saves at least this part. */
const SAVING = 0.05;

/** Zstandard's levels end at 22, of which those above 19 ask readers for much memory. */
const ZSTD_LEVEL = 19;

/**
 * The compressed form of a content, the same at every run; `undefined` where it saves less than 5 %.
 * Brotli of quality 11 (RFC 7932), gzip of level 9 without a time (RFC 1952), Zstandard of level 19
 * (RFC 8878).
 */
export function encode(body: Uint8Array, coding: Coding): Uint8Array | undefined {
  const encoded = ENCODERS[coding](body);
  return encoded.length <= body.length * (1 - SAVING) ? encoded : undefined;
}

const ENCODERS: Readonly<Record<Coding, (body: Uint8Array) => Uint8Array>> = {
  br: (body) =>
    zlib.brotliCompressSync(body, {
      params: {
        [zlib.constants.BROTLI_PARAM_QUALITY]: zlib.constants.BROTLI_MAX_QUALITY,
        [zlib.constants.BROTLI_PARAM_SIZE_HINT]: body.length,
      },
    }),
  gzip: (body) => zlib.gzipSync(body, { level: zlib.constants.Z_BEST_COMPRESSION }),
  zstd: (body) => {
    const { zstdCompressSync, constants } = zlib as unknown as Zstd;
    return zstdCompressSync(body, {
      params: { [constants.ZSTD_c_compressionLevel]: ZSTD_LEVEL },
    });
  },
};

/** From Node 22.15 on, which the settings check for; the types are those of Node 20. */
interface Zstd {
  zstdCompressSync(body: Uint8Array, options: { params: Record<number, number> }): Uint8Array;
  readonly constants: { readonly ZSTD_c_compressionLevel: number };
}
