import { readdirSync, rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { add, project } from '../project.js';
import { hashedProject } from './hashed-project.js';
import { run } from './run.js';

const collected = (root: string) => readdirSync(`${root}/collected`).sort();

/** A project with so many deploys of one file. */
async function deployed(count: number): Promise<string> {
  const root = hashedProject({});
  for (let deploy = 1; deploy <= count; deploy++) {
    add(root, { 'site/a.txt': `${deploy}` });
    await run(root, ['collectstatic']);
  }
  return root;
}

const [ONE, TWO, THREE] = ['c4ca4238a0b9', 'c81e728d9d4c', 'eccbc87e4b5c'].map(
  (hash) => `a.${hash}.txt`,
);

describe('prune', () => {
  it('removes the files of earlier deploys, and sums up', async () => {
    const root = await deployed(3);
    expect(collected(root)).toEqual(['.staticfiles', ONE, TWO, THREE, 'a.txt', 'staticfiles.json']);
    expect(await run(root, ['prune', '--keep', '2'])).toEqual({
      status: 0,
      out: expect.stringMatching(
        /^2 files \(\d{3} bytes\) deleted; 2 deploys kept, 1 dropped\.\n$/,
      ),
      err: '',
    });
    expect(collected(root)).toEqual(['.staticfiles', TWO, THREE, 'a.txt', 'staticfiles.json']);
    const { out } = await run(root, ['prune', '--keep', '1', '-v', '2']);
    expect(out).toContain(`Deleting '${TWO}'\n`);
    expect(out).toContain('; 1 deploy kept, 1 dropped.\n');
  });

  it('removes nothing in a dry run, and nothing that is young', async () => {
    const root = await deployed(2);
    const dry = await run(root, ['prune', '--keep=1', '--dry-run']);
    expect(dry.out).toMatch(
      new RegExp(
        `^Pretending to delete '${ONE}'\n.*\n2 files \\(\\d{3} bytes\\) would be deleted; `,
      ),
    );
    const young = await run(root, ['prune', '--older-than', '30d']);
    expect(young.out).toBe('0 files (0 bytes) deleted; 2 deploys kept, 0 dropped.\n');
    expect(collected(root)).toContain(ONE);
  });

  it('answers its report as JSON', async () => {
    const { status, out, err } = await run(await deployed(2), ['prune', '--keep', '1', '--json']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({
      dryRun: false,
      kept: [{ names: 1 }],
      dropped: [{ names: 1 }],
      deleted: [ONE, expect.stringContaining('.staticfiles/manifests/')],
      bytes: expect.toSatisfy((bytes: number) => bytes > 100),
    });
  });

  it.each([
    [['--keep', '0'], "--keep is a whole number from 1, not '0'."],
    [['--keep', 'all'], "--keep is a whole number from 1, not 'all'."],
    [['--older-than', '30'], "--older-than is an age such as 30d, 12h or 90m, not '30'."],
    [['--older-than', 'a month'], "not 'a month'."],
    [['now'], 'prune takes options only.'],
    [['--kep', '3'], "Unknown option '--kep'. Did you mean '--keep'?"],
  ])('refuses %j', async (args, message) => {
    const root = await deployed(1);
    const { status, out, err } = await run(root, ['prune', ...args]);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toContain(message);
    expect(err).toContain('Usage: staticfiles prune [options]');
  });

  it('fails where nothing tells what is needed', async () => {
    const root = await deployed(2);
    rmSync(`${root}/collected/staticfiles.json`);
    const lost = await run(root, ['prune', '--keep', '1']);
    expect(lost.status).toBe(1);
    expect(lost.err).toMatch(/^Error: Nothing was pruned: there is no manifest/);
    expect(collected(root)).toContain(ONE);
    const plain = project({ 'staticfiles.config.mjs': 'export default { staticRoot: "out" };' });
    const refused = await run(plain, ['prune']);
    expect(refused.status).toBe(1);
    expect(refused.err).toMatch(/^Error: There is nothing to prune: only hashedStorage\(\)/);
  });
});
