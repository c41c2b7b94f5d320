import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import {
  change,
  collectstatic,
  configure,
  deployed,
  digestOf,
  filesOf,
  KILL_AT,
  leftBehind,
  manifestOf,
  site,
  start,
  tree,
  waitsForNobody,
} from './program.js';

const KILLS = 100;
/** After so many a run is let to its end; after each kill, the test would take two minutes. */
const IN_A_ROW = 10;
/** So many at a time that several threads are at work. */
const CHANGED = 820;
const PICTURES = 1100;
const STYLES = 200;
const SCRIPTS = 200;

/** A source by its number: pictures, chains of stylesheets that name them, cycles of scripts. */
function source(number: number, version: number): [name: string, content: string] {
  if (number < PICTURES) return [`img/${number % 10}/${number}.png`, `${number} ${version}`];
  if (number < PICTURES + STYLES) {
    const picture = (number * 7) % PICTURES;
    const rule = `a { background: url("../img/${picture % 10}/${picture}.png") }\n`;
    const above = number % 20 === 0 ? '' : `@import "${number - 1}.css";\n`;
    return [`css/${number}.css`, `${above}/* ${version} */\n${rule.repeat(8)}`];
  }
  const next = number % 4 === 3 ? number - 3 : number + 1;
  return [`js/${number}.js`, `import './${next}.js';\nexport const v${number} = ${version};\n`];
}

/** Mulberry32: the same moments at every run of this test. */
function randoms(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

it(`what is published survives each of ${KILLS} kills, and the next run heals`, async () => {
  const random = randoms(20261122);
  const versions = new Array<number>(PICTURES + STYLES + SCRIPTS).fill(0);
  const root = site(Object.fromEntries(versions.map((version, index) => source(index, version))));
  const cold = site({});
  /** What each hashed name held when it was published. */
  const held = new Map<string, string>();

  /** Changes sources, of which some go back to what they were. */
  function edit(): void {
    const changed: Record<string, string> = {};
    const first = Math.floor(random() * versions.length);
    for (let count = 0; count < CHANGED; count++) {
      const number = (first + count) % versions.length;
      const version = Math.floor(random() * 3);
      versions[number] = version;
      const [name, content] = source(number, version);
      changed[name] = content;
    }
    change(root, changed);
  }

  /** Collects the same sources elsewhere; a hashed name always holds the same. */
  async function collectCold(compress: boolean): Promise<void> {
    const files = filesOf(root, { staticRoot: join(cold, 'collected'), compress });
    await files.collect({ clear: true });
    for (const [name, digest] of Object.entries(deployed(cold))) {
      if (held.has(name)) expect([name, digest]).toEqual([name, held.get(name)]);
      held.set(name, digest);
    }
  }

  /** How long the last run took that was not killed, with compressed forms or without. */
  const duration = new Map<boolean, number>();
  for (const compress of [false, true, false, true]) {
    edit();
    configure(root, { compress });
    const { status, milliseconds } = await collectstatic(root);
    expect(status).toBe(0);
    duration.set(compress, milliseconds);
  }
  await collectCold(true);
  expect(manifestOf(root)).toBe(manifestOf(cold));

  let killed = 0;
  for (let kill = 1; kill <= KILLS; kill++) {
    const compress = kill % (4 * IN_A_ROW) < IN_A_ROW;
    const before = manifestOf(root);
    edit();
    configure(root, { compress });
    const run = start(root);
    const timer = setTimeout(run.kill, 1.1 * random() * (duration.get(compress) ?? 0));
    const { status, milliseconds } = await run.ended;
    clearTimeout(timer);
    if (status === null) killed++;
    else duration.set(compress, milliseconds); // the machine may be less busy than it was

    if (manifestOf(root) !== before) {
      await collectCold(compress); // it had come to its end, but for its last words
      expect(manifestOf(root)).toBe(manifestOf(cold));
    }
    const lost = Object.entries(deployed(root)).filter(([name, digest]) => {
      const isMisnamed = name.endsWith('.png') && !name.includes(`.${digest}.`);
      return held.get(name) !== digest || isMisnamed;
    });
    expect(lost).toEqual([]);

    if (kill % IN_A_ROW > 0) continue;
    const clear = kill % (2 * IN_A_ROW) === 0 ? ['--clear'] : [];
    expect(await collectstatic(root, ...clear)).toMatchObject({ status: 0, err: '' });
    await collectCold(compress);
    expect(leftBehind(root)).toEqual([]);
    expect(manifestOf(root)).toBe(manifestOf(cold));
    const healed = tree(root);
    const expected = tree(cold);
    const wrong = Object.keys(expected).filter((name) => healed[name] !== expected[name]);
    expect(wrong).toEqual([]);
    if (clear.length > 0) expect(Object.keys(healed).sort()).toEqual(Object.keys(expected).sort());
  }
  expect(killed).toBeGreaterThan(KILLS / 2);
}, 600_000);

const ONE = {
  'css/a.css': `@import 'b.css'; ${'a { background: url(../img/x.png) }'.repeat(20)}`,
  'css/b.css': `${'b { color: red }'.repeat(50)}`,
  'img/x.png': 'one',
  'js/a.js': `import './b.js'; ${'// one\n'.repeat(50)}`,
  'js/b.js': `import './a.js'; ${'// one\n'.repeat(50)}`,
};
const TWO = {
  'css/b.css': `${'b { color: blue }'.repeat(50)}`,
  'img/x.png': 'two',
  'js/b.js': `import './a.js'; ${'// two\n'.repeat(50)}`,
};

it('a kill before any single change to the disk is healed by the next run', async () => {
  // The next run finds the sources as the killed one did, or as they were before that.
  await Promise.all([killAtEachStep(TWO), killAtEachStep(ONE)]);
}, 400_000);

async function killAtEachStep(after: typeof ONE | typeof TWO): Promise<void> {
  const settings = { compress: ['br'] } as const;
  const root = site(ONE, settings);
  const collect = () => filesOf(root, settings).collect({ clear: true });
  /** What a run makes of the sources that could not have gone wrong. */
  async function made(files: typeof ONE | typeof TWO) {
    change(root, files);
    await collect();
    return { manifest: manifestOf(root), files: deployed(root), tree: tree(root) };
  }
  const one = await made(ONE);
  const two = await made(TWO);
  const healed = after === ONE ? one : two;
  const deploys = new Set<string>();
  let at = 1;
  for (let ended = false; !ended; at++) {
    change(root, ONE);
    await collect();
    change(root, TWO);
    const world = { preload: KILL_AT, env: { KILL_AT: String(at) } };
    const { status, err } = await start(root, [], world).ended;
    ended = status === 0;
    if (!ended) expect({ status, err }).toEqual({ status: null, err: '' });
    const { manifest, files } = manifestOf(root) === two.manifest ? two : one;
    expect([manifestOf(root), deployed(root)]).toEqual([manifest, files]);
    deploys.add(digestOf(Buffer.from(manifest)));

    change(root, after);
    await filesOf(root, settings).collect({ onEvent: waitsForNobody });
    expect(manifestOf(root)).toBe(healed.manifest);
    expect(tree(root)).toMatchObject(healed.tree);
    expect(leftBehind(root)).toEqual([]);
    deploys.add(digestOf(Buffer.from(healed.manifest)));
    // What was never published is no deploy, of which prune would keep the files.
    const archive = readdirSync(join(root, 'collected/.staticfiles/manifests'));
    expect(archive.filter((name) => !deploys.has(name.slice(-17, -5)))).toEqual([]);
  }
  expect(at).toBeGreaterThan(50);
}
