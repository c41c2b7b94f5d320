import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { CollectError } from '../../../src/errors.js';
import type { Storage } from '../../../src/storage.js';
import { proxyTo, type StoreProxy } from '../../proxy.js';
import { randomNumbers } from '../random.js';
import { type Site, SMALL, site } from './site.js';
import { lacking, objectOf, type Store, useStores } from './stores.js';

const { swift, azurite } = useStores();

/** What two releases of a site differ in. */
const RELEASES = ['red', 'blue'].map((color) => ({
  ...SMALL,
  'css/base.css': `p { color: ${color} }\n`.repeat(30),
  'only.txt': color,
  [`${color}.txt`]: color,
}));

/** Two machines that deploy the same site into one store, each through a proxy of its own. */
async function two(store: Store, releases: readonly Record<string, string | Uint8Array>[]) {
  return Promise.all(
    releases.map(async (sources) => {
      const proxy = await proxyTo(store.origin);
      return { own: site(sources), proxy, storage: store.storage({}, proxy.url) };
    }),
  );
}

const isSwitch = (request: Parameters<typeof objectOf>[0]) =>
  request.method === 'PUT' && objectOf(request) === 'staticfiles.json';

/** Lets each of them come as far as that the manifest is sent, and then all go on. */
function meetBeforeTheSwitch(proxies: readonly StoreProxy[]): void {
  let open = () => {};
  const all = new Promise<void>((resolve) => {
    open = resolve;
  });
  let waiting = 0;
  for (const proxy of proxies) {
    let isFirst = true;
    proxy.before = async (request) => {
      if (!isSwitch(request) || !isFirst) return;
      isFirst = false;
      waiting++;
      if (waiting === proxies.length) open();
      await all;
      return undefined;
    };
  }
}

type Ended = PromiseSettledResult<unknown>;
const faultsOf = (ended: readonly Ended[]) =>
  ended.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));

/** The names that are published. */
async function published(storage: Storage): Promise<string[]> {
  const manifest = await storage.read('staticfiles.json');
  return Object.keys(JSON.parse(Buffer.from(manifest ?? []).toString()).paths);
}

/** Plain names may be those of the deploy that lost, until somebody deploys again. */
async function lackingHashed(storage: Storage): Promise<string[]> {
  const plain = await published(storage);
  return (await lacking(storage)).filter((name) => !plain.includes(name));
}

const collect = ({ own, storage }: { own: Site; storage: Storage }) => own.files(storage).collect();

describe.each([swift, azurite])('two deploys at once on $name', (kind) => {
  it.skipIf(kind.missing)('of one release both succeed', async () => {
    const store = await kind.create();
    const machines = await two(store, [SMALL, SMALL]);
    meetBeforeTheSwitch(machines.map(({ proxy }) => proxy));
    const ended = await Promise.allSettled(machines.map(collect));
    expect(faultsOf(ended)).toEqual([]);
    expect(await lacking(store.storage())).toEqual([]);
  });

  it.skipIf(kind.missing)('of one release both succeed, one after the other', async () => {
    const store = await kind.create();
    const machines = await two(store, [SMALL, SMALL]);
    const [first, second] = machines as [(typeof machines)[0], (typeof machines)[0]];
    let ended: Promise<unknown> | undefined;
    // The second has looked what is published when the first comes and goes.
    second.proxy.before = async (request) => {
      if (!isSwitch(request)) return;
      ended ??= collect(first);
      await ended;
      return undefined;
    };
    await collect(second);
    await ended;
    expect(await lacking(store.storage())).toEqual([]);
  });
});

describe.each([swift, azurite])('two releases at once on $name, after a third', (kind) => {
  it.skipIf(kind.missing)('who has begun before another was published, loses', async () => {
    const store = await kind.create();
    await site({ 'a.txt': 'first' }).files(store.storage()).collect();
    const machines = await two(store, RELEASES);
    const [first, second] = machines as [(typeof machines)[0], (typeof machines)[0]];
    let ended: Promise<unknown> | undefined;
    second.proxy.before = async ({ method }) => {
      if (method !== 'PUT') return;
      ended ??= collect(first);
      await ended;
      return undefined;
    };
    await expect(collect(second)).rejects.toThrow('Another deploy was published');
    expect(await published(store.storage())).toContain('red.txt');
    expect(await lackingHashed(store.storage())).toEqual([]);
  });
});

describe('two releases at once', () => {
  it('on Azurite: one is published, and the other says why it lost', async () => {
    const store = await azurite.create();
    const machines = await two(store, RELEASES);
    meetBeforeTheSwitch(machines.map(({ proxy }) => proxy));
    const outcomes = await Promise.all(
      machines.map(({ own, storage }) => own.call(storage, ['collectstatic'])),
    );
    expect(outcomes.map(({ status }) => status).sort()).toEqual([0, 1]);
    const lost = outcomes.findIndex(({ status }) => status === 1);
    expect(outcomes[lost]?.err).toMatch(
      /^Error: Another deploy was published at \S+staticfiles\.json since this one began, and that one stands; .* run collectstatic again: .*\.\n$/,
    );
    const winner = ['red', 'blue'][1 - lost];
    expect(await lackingHashed(store.storage())).toEqual([]);
    expect(await published(store.storage())).toContain(`${winner}.txt`);

    // Who lost and is the newer release, is published by the next run, with its own plain names.
    const loser = machines[lost];
    loser?.proxy.reset();
    expect(await loser?.own.call(loser.storage, ['collectstatic'])).toMatchObject({ status: 0 });
    expect(await published(store.storage())).not.toContain(`${winner}.txt`);
    expect(await lacking(store.storage())).toEqual([]);
  });

  it('on Azurite, at any moment: the winner lacks nothing', async () => {
    const random = randomNumbers(20261123);
    const store = await azurite.create();
    const machines = await two(store, RELEASES);
    const first = site({ 'a.txt': 'first' });
    for (let round = 0; round < 12; round++) {
      await first.files(store.storage()).collect();
      for (const { proxy } of machines) {
        proxy.before = async () => {
          await pause(random(12));
          return undefined;
        };
      }
      const ended = await Promise.allSettled(
        machines.map(async (machine) => {
          await pause(random(40));
          return collect(machine);
        }),
      );
      const faults = faultsOf(ended);
      for (const fault of faults) expect(fault).toBeInstanceOf(CollectError);
      expect(faults.length).toBeLessThan(2);
      expect(await lackingHashed(store.storage())).toEqual([]);
    }
  });

  it.skipIf(swift.missing)(`on ${swift.name}: told once that nobody can exclude it`, async () => {
    const store = await swift.create();
    const own = site();
    const first = await own.call(store.storage(), ['collectstatic']);
    expect(first.err).toMatch(
      /^\nA warning:\n {2}The manifest was published, and read back as it was written\. .* Let one deploy run at a time\.\n$/,
    );
    const again = await own.call(store.storage(), ['collectstatic']);
    expect(again).toMatchObject({ status: 0, err: '' });
  });

  it.skipIf(swift.missing)(`on ${swift.name}: who comes later by a moment loses`, async () => {
    const store = await swift.create();
    const machines = await two(store, RELEASES);
    const [first, second] = machines as [(typeof machines)[0], (typeof machines)[0]];
    let ended: Promise<unknown> | undefined;
    second.proxy.before = async (request) => {
      if (!isSwitch(request)) return;
      ended ??= collect(first);
      await ended;
      return undefined;
    };
    const { status, err } = await second.own.call(second.storage, ['collectstatic']);
    expect({ status, err }).toEqual({
      status: 1,
      err: expect.stringContaining('Another deploy was published'),
    });
    expect(await published(store.storage())).toContain('red.txt');
    expect(await lackingHashed(store.storage())).toEqual([]);
  });
});
