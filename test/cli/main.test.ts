import { describe, expect, it } from 'vitest';
import { project } from '../project.js';
import { run } from './run.js';

const config = 'export default { dirs: ["static"], staticRoot: "collected" };';

describe('the command line', () => {
  it.each([
    ['no command', [], /^Usage: staticfiles <command>/],
    [
      'an unknown command',
      ['colectstatic'],
      /^Unknown command 'colectstatic'\. Did you mean 'collectstatic'\?/,
    ],
    [
      'an unknown option',
      ['collectstatic', '--dryrun'],
      /^Unknown option '--dryrun'\. Did you mean '--dry-run'\?\nUsage: staticfiles collectstatic \[options\]\n$/,
    ],
    ['an unknown letter', ['collectstatic', '-z'], /^Unknown option '-z'\.\nUsage: /],
    [
      'an option without its value',
      ['collectstatic', '--ignore'],
      /argument missing[\s\S]*\nUsage: staticfiles collectstatic/,
    ],
    [
      'a verbosity that is none',
      ['check', '-v', '4'],
      /^--verbosity is 0, 1, 2 or 3, not '4'\.\nUsage: staticfiles check/,
    ],
    ['an operand too many', ['collectstatic', 'x'], /^collectstatic takes options only\.\nUsage: /],
    ['a label missing', ['findstatic'], /^findstatic needs the name of a file\.\nUsage: /],
    [
      'an address that is none',
      ['runserver', '70000'],
      /^'70000' is no port[\s\S]*\nUsage: staticfiles runserver/,
    ],
  ])('ends with status 2 and the usage for %s', async (_, args, message) => {
    const { status, out, err } = await run(project({ 'staticfiles.config.mjs': config }), args);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toMatch(message);
  });

  it.each([['--help'], ['-h'], ['help']])('lists its commands for %s', async (option) => {
    const { status, out, err } = await run('/', [option]);
    expect({ status, err }).toEqual({ status: 0, err: '' });
    for (const command of [
      'collectstatic',
      'findstatic',
      'runserver',
      'check',
      'prune',
      'deployment',
    ]) {
      expect(out).toContain(`  ${command}`);
    }
  });

  it.each(['collectstatic', 'findstatic', 'runserver', 'check', 'prune', 'deployment'])(
    'has help for %s',
    async (command) => {
      const { status, out } = await run('/', [command, '--help']);
      expect(status).toBe(0);
      expect(out).toMatch(new RegExp(`^Usage: staticfiles ${command} \\[options\\]`));
      expect(out).toContain('--config FILE');
      expect(out).toContain('Examples:');
      expect(Math.max(...out.split('\n').map(({ length }) => length))).toBeLessThanOrEqual(100);
      expect(await run('/', ['help', command])).toEqual({ status: 0, out, err: '' });
    },
  );

  it('prints its version', async () => {
    const { status, out } = await run('/', ['--version']);
    expect(status).toBe(0);
    expect(out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('says how to write a configuration file where there is none', async () => {
    const { status, out, err } = await run(project({}), ['check']);
    expect({ status, out }).toEqual({ status: 1, out: '' });
    expect(err).toMatch(/^Error: There is no staticfiles\.config\.ts.*export default/s);
  });

  it('tells an error without its stack, and with it for --traceback', async () => {
    const root = project({ 'staticfiles.config.mjs': 'throw new Error("no luck");' });
    const plain = await run(root, ['check']);
    expect(plain.status).toBe(1);
    expect(plain.err).toContain('no luck');
    expect(plain.err).not.toMatch(/\n\s+at /);
    const traced = await run(root, ['check', '--traceback']);
    expect(traced.err).toMatch(/\n\s+at /);
    expect(traced.err).toContain('Caused by: Error: no luck');
  });

  it('answers an error as JSON where JSON was asked for', async () => {
    const root = project({ 'staticfiles.config.mjs': 'export default { staticUrl: "/s" };' });
    const { status, out } = await run(root, ['findstatic', 'x', '--json']);
    expect(status).toBe(1);
    expect(JSON.parse(out)).toEqual({
      error: {
        code: 'ERR_STATICFILES_SETTINGS',
        message: `${root}/staticfiles.config.mjs: staticUrl must end in a slash: '/s'. Write '/s/'.`,
      },
    });
  });

  it.each([
    [['collectstatic', '--json', '--nope']],
    [['nope', '--json']],
    [['findstatic', '--json']],
  ])('answers wrong usage as JSON: %j', async (args) => {
    const { status, out } = await run(project({ 'staticfiles.config.mjs': config }), args);
    expect(status).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ error: { code: 'ERR_STATICFILES_USAGE' } });
  });

  it('takes its configuration from --config, and from the environment', async () => {
    const root = project({
      'conf/other.mjs': 'export default { dirs: ["static"], staticRoot: "a" };',
      'conf/static/x.css': '',
    });
    const { status, out } = await run(root, ['collectstatic', '--config', 'conf/other.mjs'], {
      env: { STATIC_ROOT: 'b' },
    });
    expect(status).toBe(0);
    expect(out).toContain(`\n1 static file copied to '${root}/b'.\n`);
  });

  it('lists every fault of the settings', async () => {
    const root = project({
      'staticfiles.config.mjs': 'export default { staticUrl: "x", dirz: [] };',
    });
    const { err } = await run(root, ['collectstatic']);
    expect(err).toMatch(/^Error: The settings are wrong in 2 places:\n {2}.*\n {2}.*\n$/);
  });
});
