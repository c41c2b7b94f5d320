import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { PAGES } from './releases.js';

export interface Visitors {
  readonly pages: number;
  readonly assets: number;
  /** What anybody did not get as it should be: the page, what refers to it, and why. */
  readonly misses: readonly string[];
  /**
   * Visits every page of every process once, each asset once for all of them, and ends when all have
   * been seen.
   */
  round(): Promise<void>;
  /** Ends when the visits that have begun are over. */
  settled(): Promise<void>;
  leave(): Promise<void>;
}

/** Between the visits of one visitor: a store on a small machine must serve the deploy besides. */
const PAUSE_MS = 100;

/**
 * Visits pages of the processes in turn, all the time: each page, every asset that it refers to, and
 * those that the assets refer to, as browsers with empty caches do.
 */
export function visitors(processes: () => readonly string[], count = 2): Visitors {
  const misses = new Set<string>();
  const visits = new Set<Promise<void>>();
  let pages = 0;
  let assets = 0;
  let turn = 0;
  let here = true;

  /** @param seen what is in the cache */
  async function visit(url: string, seen: Set<string>): Promise<void> {
    const page = await get(url);
    pages++;
    const { release } = page;
    const miss = (path: readonly string[], why: string | undefined) => {
      if (why !== undefined) misses.add(`release ${release}: ${path.join(' > ')}: ${why}`);
    };
    miss([url], page.why);
    const left = page.references.map((reference) => [url, reference]);
    for (let path = left.pop(); path !== undefined; path = left.pop()) {
      const target = path.at(-1) ?? '';
      if (seen.has(target)) continue;
      seen.add(target);
      const asset = await get(target);
      assets++;
      miss(path, asset.why);
      for (const reference of asset.references) left.push([...path, reference]);
    }
  }

  function begin(url: string, seen = new Set<string>()): Promise<void> {
    const visiting = visit(url, seen).finally(() => visits.delete(visiting));
    visits.add(visiting);
    return visiting;
  }

  async function stroll(): Promise<void> {
    while (here) {
      const urls = processes().flatMap((process) => PAGES.map((page) => process + page));
      const url = urls[turn++ % urls.length];
      if (url !== undefined) await begin(url);
      await pause(PAUSE_MS);
    }
  }

  const strolling = Promise.all(Array.from({ length: count }, stroll));
  return {
    get pages() {
      return pages;
    },
    get assets() {
      return assets;
    },
    get misses() {
      return [...misses];
    },
    async round() {
      const seen = new Set<string>();
      for (const process of processes()) {
        await Promise.all(PAGES.map((page) => begin(process + page, seen)));
      }
    },
    async settled() {
      await Promise.all(visits);
    },
    async leave() {
      here = false;
      await strolling;
    },
  };
}

interface Got {
  /** What is wrong with it. */
  readonly why: string | undefined;
  readonly release: string | null;
  /** Absolute URLs. */
  readonly references: readonly string[];
}

async function get(url: string): Promise<Got> {
  try {
    const response = await fetch(url);
    const body = Buffer.from(await response.arrayBuffer());
    const release = response.headers.get('x-release');
    if (response.status !== 200) {
      return { why: `${response.status} ${body.subarray(0, 400)}`, release, references: [] };
    }
    const type = response.headers.get('content-type') ?? '';
    return { why: faultOf(url, body), release, references: referencesIn(url, type, String(body)) };
  } catch (error) {
    const { cause } = error as Error;
    return { why: `${error}: ${cause}`, release: null, references: [] };
  }
}

function faultOf(url: string, body: Buffer): string | undefined {
  const { pathname } = new URL(url);
  if (body.length === 0) return 'It is empty.';
  if (PAGES.some((page) => page === pathname)) return undefined;
  const [, digest] = /\.([0-9a-f]{12})\.\w+$/.exec(pathname) ?? [];
  if (digest === undefined) return 'Its name has no hash.';
  // Images are named by their own bytes; what refers to others, by more than that.
  if (!pathname.endsWith('.svg')) return undefined;
  const found = createHash('md5').update(body).digest('hex').slice(0, 12);
  return digest === found ? undefined : `The bytes are others: ${found}.`;
}

const REFERENCES: readonly (readonly [type: RegExp, reference: RegExp])[] = [
  [/html/, /(?:href|src)="([^"]+)"/g],
  [/css/, /url\(\s*["']?([^"')]+)/g],
  [/css/, /@import\s+["']([^"']+)/g],
  [/javascript/, /(?:from|import)\s*\(?\s*'([^']+)'/g],
  [/javascript/, /new URL\('([^']+)', import\.meta\.url\)/g],
];

/** Simply, for texts of which we know what stands in them. */
function referencesIn(url: string, type: string, text: string): string[] {
  return REFERENCES.flatMap(([types, pattern]) =>
    types.test(type)
      ? Array.from(text.matchAll(pattern), ([, target = '']) => new URL(target, url).href)
      : [],
  );
}
