import { disarmingHeaders } from '../../disarm.js';
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

/** What the handler says of uploads, by their extensions, as patterns of what names end with. */
export interface Disarming {
  /** The `Content-Security-Policy` of what none of `policies` matches. */
  readonly policy: string;
  readonly policies: readonly { readonly pattern: string; readonly policy: string }[];
  /** What is to be stored and not opened. */
  readonly active: string;
}

export function disarming(): Disarming {
  const policies = new Map<string, string[]>();
  const active: string[] = [];
  const general = headersOf('unknown')[POLICY] ?? '';
  for (const extension of EXTENSIONS) {
    const { [POLICY]: policy = '', 'Content-Disposition': disposition } = headersOf(extension);
    if (policy !== general) policies.set(policy, [...(policies.get(policy) ?? []), extension]);
    if (disposition !== undefined) active.push(extension);
  }
  return {
    policy: general,
    policies: [...policies].map(([policy, some]) => ({ pattern: ending(some), policy })),
    active: ending(active),
  };
}

const POLICY = 'Content-Security-Policy';

function headersOf(extension: string): Record<string, string> {
  return disarmingHeaders(`x.${extension}`, contentType(`x.${extension}`));
}

/** Of names that end with one of the extensions. */
function ending(extensions: readonly string[]): string {
  return `\\.(?:${extensions.join('|')})`;
}
