import { execFileSync } from 'node:child_process';
import { symlinkSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { django } from '../django.js';
import { project } from '../project.js';
import { run } from './run.js';

const FILES = {
  'staticfiles.config.mjs': 'export default { dirs: ["site"], apps: ["polls", "blog"] };',
  'site/both.css': 'site',
  'polls/static/both.css': 'polls',
  'polls/static/one.css': 'polls',
  'blog/static/blog/x.css': 'blog',
};

/** What is printed for each verbosity, with and without --first: Django's lines. */
function expected(root: string) {
  const both = [`${root}/site/both.css`, `${root}/polls/static/both.css`];
  const locations = [`${root}/site`, `${root}/polls/static`, `${root}/blog/static`];
  const lines = (title: string, paths: string[]) => `${[title, ...paths].join('\n  ')}\n`;
  const searched = (paths: string[]) => lines('Looking in the following locations:', paths);
  const found = "Found 'both.css' here:";
  return [
    { args: ['-v', '0'], out: `${both.join('\n')}\n` },
    { args: ['-v', '1'], out: lines(found, both) },
    { args: [], out: lines(found, both) },
    { args: ['-v', '2'], out: lines(found, both) + searched(locations) },
    { args: ['-v', '3'], out: lines(found, both) + searched(locations) },
    { args: ['--first', '-v', '0'], out: `${both[0]}\n` },
    { args: ['--first'], out: lines(found, both.slice(0, 1)) },
    {
      args: ['--first', '-v', '2'],
      out: lines(found, both.slice(0, 1)) + searched(locations.slice(0, 1)),
    },
  ];
}

describe('findstatic', () => {
  it('prints the files of a name as Django does', async () => {
    const root = project(FILES);
    for (const { args, out } of expected(root)) {
      expect(await run(root, ['findstatic', 'both.css', ...args]), args.join(' ')).toEqual({
        status: 0,
        out,
        err: '',
      });
    }
  });

  it('prints what it does not find to standard error, and ends with status 1', async () => {
    const root = project(FILES);
    expect(await run(root, ['findstatic', 'no.css', '-v', '0'])).toEqual({
      status: 1,
      out: '',
      err: '',
    });
    expect(await run(root, ['findstatic', 'no.css'])).toEqual({
      status: 1,
      out: '',
      err: "No matching file found for 'no.css'.\n",
    });
    const { err } = await run(root, ['findstatic', 'no.css', '-v', '2']);
    expect(err).toBe(
      `No matching file found for 'no.css'.\n\nLooking in the following locations:\n  ${root}/site\n  ${root}/polls/static\n  ${root}/blog/static\n`,
    );
  });

  it('takes several names', async () => {
    const root = project(FILES);
    const { status, out, err } = await run(root, ['findstatic', 'one.css', 'no.css', 'blog/x.css']);
    expect(status).toBe(1);
    expect(out).toBe(
      `Found 'one.css' here:\n  ${root}/polls/static/one.css\nFound 'blog/x.css' here:\n  ${root}/blog/static/blog/x.css\n`,
    );
    expect(err).toBe("No matching file found for 'no.css'.\n");
  });

  it('answers one JSON object', async () => {
    const root = project(FILES);
    const { out } = await run(root, ['findstatic', 'one.css', 'no.css', '--json']);
    expect(JSON.parse(out)).toEqual({
      found: [
        { name: 'one.css', paths: [`${root}/polls/static/one.css`] },
        { name: 'no.css', paths: [] },
      ],
      locations: [`${root}/site`, `${root}/polls/static`, `${root}/blog/static`],
    });
  });

  it('shows the real path of a link, as Django does', async () => {
    const root = project(FILES);
    symlinkSync(`${root}/site/both.css`, `${root}/site/link.css`);
    const { out } = await run(root, ['findstatic', 'link.css', '-v', '0']);
    expect(out).toBe(`${root}/site/both.css\n`);
  });

  it('refuses a name that leaves its folder', async () => {
    const { status, err } = await run(project(FILES), ['findstatic', '../staticfiles.config.mjs']);
    expect(status).toBe(1);
    expect(err).toContain("'..' goes above the base");
  });

  it.skipIf(!django.installed)(`says what real Django says${django.why}`, async () => {
    const root = project({
      ...FILES,
      'polls/__init__.py': '',
      'blog/__init__.py': '',
      'settings.py': [
        'import os',
        'BASE = os.path.dirname(os.path.abspath(__file__))',
        "SECRET_KEY = 'x'",
        "STATIC_URL = '/static/'",
        "STATICFILES_DIRS = [os.path.join(BASE, 'site')]",
        "INSTALLED_APPS = ['django.contrib.staticfiles', 'polls', 'blog']",
      ].join('\n'),
    });
    for (const { args } of expected(root)) {
      const theirs = execFileSync(
        django.python,
        [
          '-m',
          'django',
          'findstatic',
          'both.css',
          ...args,
          '--settings',
          'settings',
          '--pythonpath',
          root,
        ],
        { cwd: root, encoding: 'utf8' },
      );
      const ours = await run(root, ['findstatic', 'both.css', ...args]);
      expect(ours.out, args.join(' ')).toBe(theirs);
    }
  });
});
