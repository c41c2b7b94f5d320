import { describe, expect, it, onTestFinished } from 'vitest';
import { type Exchange, proxyTo } from '../proxy.js';
import { swiftMissing, withoutSwift } from '../swift.js';
import {
  COLLECT,
  isAssetWrite,
  isDelete,
  isGenerationWrite,
  isLook,
  isManifestWrite,
  isSwitch,
  type Moment,
  run,
  succeed,
} from './deployer.js';
import { fleetOf } from './fleet.js';
import { pathsOf, place } from './place.js';
import { CHANGED, releases } from './releases.js';
import { visitors } from './visitors.js';

/** With the release before, and without. */
const PRUNE = ['prune', '--keep', '2'];
const PRUNE_ALL = ['prune', '--keep', '1'];
const FAULTY = { rate: 0.1, kinds: ['503', 'reset', 'delay', 'truncate'] } as const;

/** When a deployer dies before its release is published, from early to late. */
const KILLS: readonly (() => Moment)[] = [
  () => killedBefore(2, () => true),
  () => killedBefore(1, isGenerationWrite),
  () => killedBefore(4, isAssetWrite),
  () => killedBefore(9, isAssetWrite),
  () => killedBefore(1, isManifestWrite),
  () => killedBefore(1, isSwitch),
];

/** Before the request of that number, of those that are meant. */
function killedBefore(wanted: number, isMeant: (request: Exchange) => boolean): Moment {
  let number = 0;
  return (request) => {
    if (isMeant(request)) number++;
    return number === wanted ? 'kill' : undefined;
  };
}

/** The manifest arrives; the deployer never hears of that, and dies when it asks what became of it. */
function killedUnheard(): Moment {
  let isWritten = false;
  return (request) => {
    if (isWritten) return 'kill';
    isWritten = isSwitch(request);
    return isWritten ? 'reset-after' : undefined;
  };
}

it.skipIf(swiftMissing !== undefined)(
  `through a rolling deploy and its roll-back, every page refers to what is served only${withoutSwift}`,
  async () => {
    const store = await place();
    const { first, abandoned, second } = releases(store.config);
    const [one, two] = [await pathsOf(first), await pathsOf(second)];
    const proxy = (seed: number) =>
      proxyTo(store.endpoint, { faults: { ...FAULTY, seed }, delayMs: 50 });
    const [deploying, tidying, serving] = [await proxy(1), await proxy(2), await proxy(3)];
    const fleet = fleetOf(serving);

    await succeed(first, COLLECT, deploying);
    expect(await store.paths()).toEqual(one);
    for (let server = 0; server < 3; server++) await fleet.add(first);
    const audience = visitors(fleet.urls);
    onTestFinished(audience.leave);
    let kills = 0;

    /** Everybody sees everything, now and since the last time; pages that are still open as well. */
    async function expectWhole(...open: (typeof one)[]): Promise<void> {
      await audience.round();
      expect(audience.misses).toEqual([]);
      expect(await store.missing(open.flatMap((paths) => Object.values(paths)))).toEqual([]);
    }
    async function expectKilled(...asked: Parameters<typeof run>): Promise<void> {
      const { wasKilled, text } = await run(...asked);
      expect(wasKilled, text).toBe(true);
      kills++;
    }
    /** The processes have heard of the manifest of this release. */
    async function expectSeen(paths: typeof one): Promise<void> {
      expect(await store.paths()).toEqual(paths);
      await fleet.agree(CHANGED, store.publicUrl + paths[CHANGED]);
    }
    await expectWhole(one);

    // Release 2, by a deployer that dies again and again. Between two of its lives somebody prunes.
    for (const [number, moment] of KILLS.entries()) {
      await expectKilled(second, COLLECT, deploying, moment());
      if (number % 3 === 2) await succeed(second, PRUNE, tidying);
      expect(await store.paths()).toEqual(one);
      await expectWhole(one);
    }
    // Another one that never comes, and then release 2, of which nobody hears that it came.
    await expectKilled(abandoned, COLLECT, deploying, killedBefore(2, isAssetWrite));
    await expectKilled(second, COLLECT, deploying, killedUnheard());
    expect(await store.paths()).toEqual(two);
    await succeed(second, COLLECT, deploying);

    // The old processes have the new manifest, which lacks what their templates ask for.
    await expectSeen(two);
    await expectWhole(one, two);

    // One is restarted; then all are replaced. Somebody prunes, and the store is away for a while.
    await fleet.replace(0, first, audience);
    await expectWhole(one, two);
    await Promise.all([fleet.replace(0, second, audience), succeed(second, PRUNE, tidying)]);
    await expectWhole(one, two);
    await fleet.replace(1, second, audience);
    await serving.away();
    await expectWhole(one, two);
    await serving.back();
    await fleet.replace(2, second, audience);
    expect(fleet.releases()).toEqual([2, 2, 2]);

    // Back to release 1, in the same order; the deployer dies once more.
    await expectKilled(first, COLLECT, deploying, killedBefore(1, isSwitch));
    await expectWhole(one, two);
    await succeed(first, COLLECT, deploying);
    await expectSeen(one);
    await expectWhole(one, two);
    for (let server = 0; server < 3; server++) await fleet.replace(server, first, audience);
    await succeed(first, PRUNE, tidying);
    await expectWhole(one, two);

    // What was kept for the other release goes when that is told to, and nobody misses it.
    await expectKilled(first, PRUNE_ALL, tidying, killedBefore(4, isDelete));
    await expectWhole(one);
    await succeed(first, PRUNE_ALL, tidying);
    await expectWhole(one);
    const onlyTwo = Object.values(two).filter((name) => !Object.values(one).includes(name));
    expect(await store.missing(onlyTwo)).toEqual(onlyTwo);

    await audience.leave();
    expect(audience.misses).toEqual([]);
    const requests = [deploying, tidying, serving].flatMap((each) => each.requests);
    const faults = requests.filter(({ fault }) => fault !== undefined);
    console.log(
      `Rolling deploy: ${audience.pages} pages and ${audience.assets} assets fetched, ${kills} deployers and pruners killed, ${faults.length} faults in ${requests.length} requests to the store, nothing missed.`,
    );
  },
  900_000, // of which it takes two minutes where nothing else is to be done
);

/** Where one process waits for another: `arrived` when it is there, and it goes on after `open()`. */
function gate() {
  let open = () => {};
  let arrive = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const arrived = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const wait = (isHere: (request: Exchange) => boolean): Moment => {
    return async (request) => {
      if (!isHere(request)) return undefined;
      arrive();
      await opened;
      return undefined;
    };
  };
  return { arrived, open, wait };
}

describe.skipIf(swiftMissing !== undefined)(`deployers and pruners at once${withoutSwift}`, () => {
  async function nothingDeployed() {
    const store = await place();
    const [deploying, other] = [await proxyTo(store.endpoint), await proxyTo(store.endpoint)];
    return { store, ...releases(store.config), deploying, other };
  }
  async function firstDeployed() {
    const { other: tidying, ...rest } = await nothingDeployed();
    await succeed(rest.first, COLLECT, rest.deploying);
    return { ...rest, tidying };
  }

  it('what has been sent and not been published yet stays', async () => {
    const { store, first, second, deploying, tidying } = await firstDeployed();
    const { arrived, open, wait } = gate();
    const collecting = run(second, COLLECT, deploying, wait(isManifestWrite));
    await Promise.race([arrived, collecting]);
    await succeed(first, PRUNE_ALL, tidying);
    open();
    const { status, text } = await collecting;
    expect(status, text).toBe(0);
    await succeed(second, PRUNE_ALL, tidying);
    const two = await pathsOf(second);
    expect(await store.paths()).toEqual(two);
    expect(await store.missing(Object.values(two))).toEqual([]);
  });

  it('what is about to go and is needed again meanwhile is waited for, and sent again', async () => {
    const { store, first, second, deploying, tidying } = await firstDeployed();
    await succeed(second, COLLECT, deploying);
    const { arrived, open, wait } = gate();
    const pruning = run(second, PRUNE_ALL, tidying, wait(isDelete));
    await Promise.race([arrived, pruning]);
    // At first it looks what there is; then who prunes, again and again.
    let looks = 0;
    const collecting = run(first, COLLECT, deploying, (request) => {
      if (isLook(request) && ++looks === 3) open();
      return undefined;
    });
    await Promise.race([collecting, pruning]);
    open();
    await pruning;
    const { status, text } = await collecting;
    expect(status, text).toBe(0);
    expect(text).toContain('waiting for the end of that');
    const one = await pathsOf(first);
    expect(await store.paths()).toEqual(one);
    expect(await store.missing(Object.values(one))).toEqual([]);
  });

  it('of two deployers, the one that is overtaken says so, and what was published stands', async () => {
    const { store, first, second, deploying, other } = await nothingDeployed();
    const { arrived, open, wait } = gate();
    const late = run(first, COLLECT, deploying, wait(isManifestWrite));
    await Promise.race([arrived, late]);
    await succeed(second, COLLECT, other);
    open();
    const { status, text } = await late;
    expect(status, text).toBe(1);
    expect(text).toContain('Another deploy was published');
    const two = await pathsOf(second);
    expect(await store.paths()).toEqual(two);
    expect(await store.missing(Object.values(two))).toEqual([]);
  });
});
