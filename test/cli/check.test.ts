import { describe, expect, it } from 'vitest';
import { project } from '../project.js';
import { run } from './run.js';

function site(settings: string, files: Record<string, string> = { 'site/a.css': '' }): string {
  return project({ 'staticfiles.config.mjs': `export default { ${settings} };`, ...files });
}

describe('check', () => {
  it('says when there is nothing to say', async () => {
    const root = site('dirs: ["site"], staticRoot: "collected"');
    expect(await run(root, ['check'])).toEqual({
      status: 0,
      out: 'System check identified no issues.\n',
      err: '',
    });
    expect(await run(root, ['check', '-v', '0'])).toEqual({ status: 0, out: '', err: '' });
  });

  it.each([
    ['dirs that are no array', 'dirs: "site"', 'staticfiles.E001'],
    ['dirs that hold the static root', 'dirs: ["site"], staticRoot: "site"', 'staticfiles.E002'],
    ['a prefix with a slash', 'dirs: [{ prefix: "v/", dir: "site" }]', 'staticfiles.E003'],
    ['an unknown setting', 'dir: ["site"]', 'staticfiles.E101'],
    ['a base URL without a slash', 'staticUrl: "/static"', 'staticfiles.E102'],
    ['one URL for static and media', 'mediaUrl: "/static/"', 'staticfiles.E110'],
    ['a static root in a source', 'dirs: ["site"], staticRoot: "site/x"', 'staticfiles.E112'],
    ['a source in the static root', 'dirs: ["site"], staticRoot: "."', 'staticfiles.E112'],
  ])('finds %s an error', async (_, settings, id) => {
    const { status, out, err } = await run(site(settings), ['check']);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(
      new RegExp(`^System check identified some issues:\n\nERRORS:\n\\(${id}\\) .+`),
    );
    expect(err).toMatch(/\n\nSystem check identified 1 issue\.\n$/);
  });

  it.each([
    ['a folder that does not exist', 'dirs: ["gone"]', 'staticfiles.W004'],
    ['an application that does not exist', 'apps: ["gone"]', 'staticfiles.W101'],
    ['a file that is shadowed', 'dirs: ["site", "other"]', 'staticfiles.W105'],
  ])('warns of %s', async (_, settings, id) => {
    const root = site(settings, { 'site/a.css': '', 'other/a.css': '' });
    const { status, err } = await run(root, ['check']);
    expect(status).toBe(0);
    expect(err).toContain(`WARNINGS:\n(${id}) `);
    expect(err).toContain('\n\tHINT: ');
    expect((await run(root, ['check', '--fail-level', 'WARNING'])).status).toBe(1);
  });

  it('answers JSON', async () => {
    const { status, out, err } = await run(site('dirs: ["gone"]'), ['check', '--json']);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    expect(JSON.parse(out)).toMatchObject({
      problems: [{ id: 'staticfiles.W004', level: 'warning' }],
    });
  });

  it('refuses a level that is none', async () => {
    const { status, err } = await run(site(''), ['check', '--fail-level', 'info']);
    expect(status).toBe(2);
    expect(err).toMatch(/^--fail-level is ERROR or WARNING, not 'info'\.\nUsage: /);
  });
});
