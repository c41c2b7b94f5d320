import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import { type Running, start } from '../process.js';
import type { StoreProxy } from '../proxy.js';
import type { Release } from './releases.js';
import type { Visitors } from './visitors.js';

const SERVER = fileURLToPath(new URL('server.mjs', import.meta.url));

interface Server {
  readonly release: Release;
  readonly running: Running;
  readonly url: string;
}

/** The processes that visitors are led to. */
export interface Fleet {
  urls(): readonly string[];
  releases(): readonly number[];
  /** Starts one more, to which visitors are led as soon as it listens. */
  add(release: Release): Promise<void>;
  /**
   * Puts a process in the place of another: it is started, visitors are led to it, and the old one
   * ends when those that are there still have left.
   */
  replace(at: number, release: Release, audience: Visitors): Promise<void>;
  /** Ends when every process answers this URL for a name. */
  agree(name: string, url: string): Promise<void>;
}

export function fleetOf(proxy: StoreProxy): Fleet {
  const servers: Server[] = [];

  async function boot(release: Release): Promise<Server> {
    const world = { NODE_ENV: 'production', STORE: proxy.url };
    const running = start([SERVER], release.root, world);
    const [, url = ''] = await running.waitFor(/listening on (\S+)/);
    return { release, running, url };
  }

  return {
    urls: () => servers.map(({ url }) => url),
    releases: () => servers.map(({ release }) => release.number),
    async add(release) {
      servers.push(await boot(release));
    },
    async replace(at, release, audience) {
      const [old] = servers.splice(at, 1, await boot(release));
      await audience.settled();
      expect(await old?.running.end(), old?.running.err()).toBe(0);
    },
    async agree(name, url) {
      for (const server of servers) {
        const asked = `${server.url}/url?name=${encodeURIComponent(name)}`;
        await expect.poll(async () => (await fetch(asked)).text()).toBe(url);
      }
    },
  };
}
