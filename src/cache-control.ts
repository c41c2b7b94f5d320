/** Browsers and caches keep it for good, and do not ask again (RFC 8246). */
export const IMMUTABLE = 'public, max-age=315360000, immutable';

/** Browsers and caches keep it for so many seconds, and then ask. */
export function keptFor(seconds: number): string {
  return `public, max-age=${seconds}`;
}

/** Browsers may keep what is being worked on, and must ask each time whether it is still so. */
export const REVALIDATE = 'no-cache';
