import { LRUCache } from 'lru-cache';
import type { Coding } from '../codings.js';

/** What is to be chosen from: a form of a file, compressed or as it is. */
export interface Choice {
  /** Absent: it is as it is, which HTTP calls `identity`. */
  readonly coding?: Coding | undefined;
  /** In bytes. */
  readonly size: number;
}

/** How much a client wants each coding: its weight from 0, not at all, to 1. */
type Weights = Readonly<Record<Coding | 'identity', number>>;

/** Browsers send a handful of different values, and whoever makes up more must not fill the memory. */
const read = new LRUCache<string, Weights>({ max: 100 });

/** Less than any weight that can be written: only where nothing that is named can be had. */
const UNNAMED = 0.0001;

/**
 * The form that an `Accept-Encoding` asks for (RFC 9110, 12.5.3): the greatest weight wins, among
 * equals the smallest. Without the header it is the file as it is, which all clients can read.
 *
 * @param choices the file as it is, and its compressed forms
 * @returns `undefined` where the client refuses all of them
 */
export function negotiate<T extends Choice>(
  header: string | undefined,
  choices: readonly T[],
): T | undefined {
  if (header === undefined) return choices.find(({ coding }) => coding === undefined);
  const weights = read.get(header) ?? remember(header);
  let best: T | undefined;
  let most = 0;
  for (const choice of choices) {
    const weight = weights[choice.coding ?? 'identity'];
    if (weight === 0 || weight < most) continue;
    if (best !== undefined && weight === most && choice.size >= best.size) continue;
    best = choice;
    most = weight;
  }
  return best;
}

function remember(header: string): Weights {
  const weights = weightsOf(header);
  read.set(header, weights);
  return weights;
}

function weightsOf(header: string): Weights {
  const named = new Map<string, number>();
  for (const item of header.split(',')) {
    const [, name = '', weight] = ITEM.exec(item) ?? [];
    const coding = name.toLowerCase().replace(/^x-(?=gzip$)/, ''); // RFC 9110, 8.4.1.3
    if (coding !== '') named.set(coding, Math.min(1, Number(weight ?? 1)));
  }
  const others = named.get('*');
  const weightOf = (coding: Coding) => named.get(coding) ?? others ?? 0;
  return {
    br: weightOf('br'),
    gzip: weightOf('gzip'),
    zstd: weightOf('zstd'),
    identity: named.get('identity') ?? others ?? UNNAMED,
  };
}

/** A coding, and its weight by RFC 9110, 12.4.2; what is neither says nothing. */
const ITEM = /^[ \t]*([!#$%&'*+.^_`|~\w-]+)[ \t]*(?:;[ \t]*q=([01](?:\.\d{0,3})?)[ \t]*)?$/i;
