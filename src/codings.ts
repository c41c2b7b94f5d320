/** A coding that collected files are compressed with, as HTTP names it (RFC 9110, 8.4.1). */
export type Coding = 'br' | 'gzip' | 'zstd';

/** What is appended to a name, by coding; as nginx and other servers look for them. */
export const SUFFIXES: Readonly<Record<Coding, string>> = { br: '.br', gzip: '.gz', zstd: '.zst' };

/** All of them. */
export const CODINGS = Object.keys(SUFFIXES) as Coding[];
