import { contentType, EXTENSIONS } from '../../media-types.js';

/** Where Content-Types look first, for some servers go through them one by one. */
const COMMON = 'js css png jpg svg woff2 webp avif json map ico html txt gif mp4 woff'.split(' ');

/** A Content-Type, as the handler answers it, with its extensions. */
export interface TypeRow {
  readonly type: string;
  readonly extensions: readonly string[];
}

/** Every Content-Type that the handler knows; what is in no row is `application/octet-stream`. */
export function typeRows(): TypeRow[] {
  const rows = new Map<string, Set<string>>();
  for (const extension of [...COMMON, ...EXTENSIONS]) {
    const type = contentType(`x.${extension}`);
    if (type === OTHER) continue;
    rows.set(type, (rows.get(type) ?? new Set()).add(extension));
  }
  return [...rows].map(([type, extensions]) => ({ type, extensions: [...extensions] }));
}

export const OTHER = 'application/octet-stream';

/** Of files that a browser would run, or may take for such: a pattern of what names end with. */
export function activePattern(): string {
  const active = typeRows().filter(({ type }) => /html|xml|svg|script/.test(type));
  return `\\.(?:${active.flatMap(({ extensions }) => extensions).join('|')})`;
}
