import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { add, project } from '../project.js';
import { hashedProject } from './hashed-project.js';
import { run } from './run.js';

const SERVERS = ['nginx', 'caddy', 'apache'];
const IMMUTABLE = 'max-age=315360000, immutable';

function site(settings: string): string {
  return project({ 'staticfiles.config.mjs': `export default { ${settings} };` });
}

async function printed(root: string, server: string, ...options: string[]): Promise<string> {
  const { status, out, err } = await run(root, ['deployment', server, ...options]);
  expect({ status, err }).toEqual({ status: 0, err: '' });
  return out;
}

describe('deployment', () => {
  it.each([
    ['no server', [], /^deployment needs one server: nginx, caddy or apache\.\nUsage: /],
    ['an unknown server', ['iis'], /^deployment needs one server/],
    ['two servers', ['nginx', 'caddy'], /^deployment needs one server/],
    ['a proxy without a port', ['nginx', '--proxy', 'localhost'], /^--proxy is a host and a port/],
    ['a proxy with a path', ['nginx', '--proxy', 'http://a:1/x'], /^--proxy is a host and a port/],
    ['a proxy that is more', ['nginx', '--proxy', 'a:1; evil on'], /^--proxy is a host and a port/],
    ['a name that is none', ['apache', '--server-name', 'a b'], /^--server-name is a host name/],
    ['a name of two lines', ['caddy', '--server-name', 'a\nb'], /^--server-name is a host name/],
    ['a port that is none', ['caddy', '--listen', '70000'], /^--listen is a port/],
    ['a folder that may be anywhere', ['nginx', '--root', 'static'], /^--root is the whole path/],
    ['brotli for another', ['caddy', '--brotli'], /^--brotli is for nginx: caddy serves brotli/],
  ])('is called wrongly with %s', async (_, args, message) => {
    const { status, out, err } = await run(site("staticRoot: 'c'"), ['deployment', ...args]);
    expect({ status, out }).toEqual({ status: 2, out: '' });
    expect(err).toMatch(message);
  });

  it.each(SERVERS)(
    'prints for %s where it goes, what it serves and when it is out of date',
    async (server) => {
      const root = site(
        "staticRoot: 'c', mediaUrl: '/m/', mediaRoot: 'u', rootFiles: 'r', headers: () => ({})",
      );
      const out = await printed(root, server);
      expect(out).toMatch(/^(?:# .*\n)+\n/);
      expect(out).toContain(
        `#   "${root}/c" under "/static/"\n#   "${root}/u" under "/m/"\n#   "${root}/r" at the root\n`,
      );
      expect(out).toContain('# Print it again when settings change.\n');
      expect(out).toContain('# The setting headers is a function, which no server can call');
      expect(out).not.toContain('immutable');
    },
  );

  it.each([
    ['nginx', 'server {', /^ {4}location /m],
    ['caddy', ':80 {', /^handle_path /m],
    ['apache', '<VirtualHost *:80>', /^RewriteEngine On/m],
  ])('prints for %s a whole site, or what belongs into one', async (server, beginning, inner) => {
    const root = site("staticRoot: 'c'");
    expect(await printed(root, server)).toContain(`\n${beginning}\n`);
    const snippet = await printed(root, server, '--snippet');
    expect(snippet).not.toContain(beginning);
    expect(snippet).toMatch(new RegExp(inner.source.replace(' {4}', ''), 'm'));
  });

  it.each([
    ['nginx', 'server_name a.example *.b.example;'],
    ['caddy', 'a.example, *.b.example {'],
    ['apache', 'ServerName a.example\n    ServerAlias *.b.example'],
  ])('prints for %s the names of the site', async (server, line) => {
    const names = ['--server-name', 'a.example', '--server-name', '*.b.example'];
    expect(await printed(site("staticRoot: 'c'"), server, ...names)).toContain(line);
  });

  it('serves another folder, where the files are elsewhere on the server', async () => {
    const root = hashedProject({ 'a.0123456789ab.css': '' });
    expect((await run(root, ['collectstatic'])).status).toBe(0);
    for (const server of SERVERS) {
      const out = await printed(root, server, '--root', '/srv/static/');
      expect(out).toMatch(`# Printed by: staticfiles deployment ${server} --root "/srv/static"\n`);
      expect(out).toContain('"/srv/static" under "/static/"');
      expect(out).not.toContain(root);
      expect(out).toContain('a\\.0123456789ab\\.css');
    }
  });

  it('looks for brotli in nginx where it is told that nginx can', async () => {
    const root = site("staticRoot: 'c', compress: true");
    expect(await printed(root, 'nginx')).not.toContain('brotli');
    expect(await printed(root, 'nginx', '--brotli')).toContain('brotli_static on;');
    expect(await printed(root, 'nginx')).toContain('gzip_static on;');
  });

  it('answers JSON', async () => {
    const root = site("staticRoot: 'c'");
    const { status, out } = await run(root, ['deployment', 'nginx', '--json']);
    expect(status).toBe(0);
    expect(JSON.parse(out)).toEqual({
      server: 'nginx',
      configuration: await printed(root, 'nginx'),
    });
  });

  it.each([
    ['no static root', 'staticUrl: "/s/"', 'set staticRoot in the settings'],
    [
      'a storage that is elsewhere',
      `storage: { ${['read', 'write', 'delete', 'exists', 'stat', 'list'].map((key) => `${key}() {}`).join(', ')}, url: (name) => '/' + name }`,
      'point staticUrl at that place',
    ],
    [
      'files of the root at the root',
      "staticRoot: 'c', staticUrl: '/', rootFiles: 'r'",
      'name their folder in dirs instead',
    ],
    [
      'a base URL that is no UTF-8',
      "staticRoot: 'c', staticUrl: '/%ff/'",
      "staticUrl is '/%ff/', and no server can be told to serve that path",
    ],
    [
      'a base URL with an encoded slash',
      "staticRoot: 'c', mediaRoot: 'm', mediaUrl: '/a%2Fb/'",
      "mediaUrl is '/a%2Fb/', and no server can be told to serve that path",
    ],
    [
      'a base URL with an encoded line',
      "staticRoot: 'c', staticUrl: '/a%0Ainclude%20x/'",
      'no server can be told to serve that path',
    ],
  ])('says what to do about %s', async (_, settings, message) => {
    for (const server of SERVERS) {
      const { status, out, err } = await run(site(settings), ['deployment', server]);
      expect({ status, out }).toEqual({ status: 1, out: '' });
      expect(err).toContain(message);
    }
  });

  it.each([
    ['nginx', 'a$b', '"$"'],
    ['nginx', 'a\\\\b', '"\\\\"'],
    ['nginx', 'a\\nb', '"\\n"'],
    ['caddy', 'a{path}b', '"{"'],
    ['caddy', 'a*', '"*"'],
    ['caddy', 'a\\nb', '"\\n"'],
    ['apache', `a\${HOME}b`, '"${"'],
    ['apache', 'a\\nb', '"\\n"'],
  ])('refuses for %s a path that it cannot write: %s', async (server, folder, fault) => {
    for (const setting of ['staticRoot', 'mediaRoot', 'rootFiles']) {
      const rest = setting === 'staticRoot' ? '' : "staticRoot: 'c', mediaUrl: '/m/',";
      const root = site(`${rest} ${setting}: '${folder}'`);
      const { status, out, err } = await run(root, ['deployment', server]);
      expect({ status, out }).toEqual({ status: 1, out: '' });
      expect(err).toContain(`for it holds ${fault}: choose another one, or make a symbolic link`);
    }
  });

  it.each(['/{x}/', '/a*/', '/[a]/', '/%C3%BC/'])(
    'refuses for Caddy the base URL %s',
    async (url) => {
      const root = site(`staticRoot: 'c', staticUrl: '${url}'`);
      const { status, err } = await run(root, ['deployment', 'caddy']);
      expect(status).toBe(1);
      expect(err).toContain("A configuration of Caddy has no way to write the base URL's path");
    },
  );

  it('goes by the manifest, and says when there is none yet', async () => {
    const root = hashedProject(
      { 'a.0123456789ab.css': '', 'b-1.js': '', 'c.js': '' },
      'prehashed: (name) => name.startsWith("b-"),',
    );
    for (const server of SERVERS) {
      const out = await printed(root, server);
      expect(out).toContain('# There is no manifest yet');
      expect(out).toContain(IMMUTABLE);
      expect(out).not.toContain('b-1\\.js');
    }
    expect((await run(root, ['collectstatic'])).status).toBe(0);
    for (const server of SERVERS) {
      const out = await printed(root, server);
      expect(out).not.toContain('# There is no manifest yet');
      expect(out).toContain(
        '# Listed by name: 1 with a hash of another shape, 1 that only looks hashed.',
      );
      expect(out.match(/^.*b-1\\\.js.*$/gm)).toHaveLength(1);
      expect(out.match(/^.*a\\\.0123456789ab\\\.css.*$/gm)).toHaveLength(1);
      expect(out).not.toContain('c\\.js');
    }
  });

  it('lists so many names and no more, and says so', async () => {
    const names = Array.from({ length: 120 }, (_, at) => `b-${at}.js`);
    const root = hashedProject({ 'x.js': '' }, 'prehashed: (name) => name.startsWith("b-"),');
    add(root, Object.fromEntries(names.map((name) => [`site/${name}`, ''])));
    expect((await run(root, ['collectstatic'])).status).toBe(0);
    for (const server of SERVERS) {
      const out = await printed(root, server);
      expect(out).toContain(
        '# Listed by name: 100 of 120 with a hash of another shape, 0 that only look hashed.',
      );
      expect(out).toContain(
        '# The others are kept for a short time only: say by globs in prehashed what they are.',
      );
      expect(out.match(/\bb-\d+\\\.js/g)).toHaveLength(100);
    }
  });

  it('has a page whose commands run', async () => {
    const page = readFileSync(new URL('../../docs/deployment.md', import.meta.url), 'utf8');
    const commands = [...page.matchAll(/^npx staticfiles (.*)$/gm)].map(([, line = '']) => line);
    expect(commands.length).toBeGreaterThan(5);
    const root = hashedProject({ 'x.js': '' });
    for (const command of commands) {
      const { status, err } = await run(root, command.split(' '));
      expect({ command, status, err }).toEqual({ command, status: 0, err: '' });
    }
  });

  it('does not go by a manifest that is none', async () => {
    const root = hashedProject({ 'x.js': '' });
    add(root, { 'collected/staticfiles.json': 'no' });
    const { status, err } = await run(root, ['deployment', 'nginx']);
    expect(status).toBe(1);
    expect(err).toContain('staticfiles.json is no JSON');
  });
});
