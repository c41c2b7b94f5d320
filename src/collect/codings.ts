import type { Coding } from '../settings.js';

/** What is appended to a name, by coding; as nginx and other servers look for them. */
export const SUFFIXES: Readonly<Record<Coding, string>> = { br: '.br', gzip: '.gz', zstd: '.zst' };
