import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { disarmingHeaders } from '../../../src/disarm.js';
import { contentType } from '../../../src/media-types.js';
import { type HttpServer, listen } from '../../listen.js';
import { add } from '../../project.js';
import { askOnce, type RawAnswer } from '../../serve/http/connection.js';
import { run } from '../run.js';
import { isInstalled, missing, printAndStart, WEB_SERVERS } from './servers.js';

const INDEX = new URL('../../../src/index.ts', import.meta.url).pathname;

/** What an answer says, as far as a row looks at it. */
interface Row {
  readonly method?: string;
  /** A path; `<name>` stands for the hashed name, and `/S/` for the base URL's path. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly status: number;
  /** `undefined`: there must be none. */
  readonly fields?: Readonly<Record<string, string | undefined>>;
  readonly body?: string;
}

interface Project {
  readonly title: string;
  readonly config: string;
  /** Where the manifest is. */
  readonly manifest?: string;
  readonly files: Readonly<Record<string, string>>;
  /** Of the command, besides the port. */
  readonly options: (application: string) => string[];
  readonly rows: readonly Row[];
}

/** What the handler says of an upload. */
const policyOf = (name: string) =>
  disarmingHeaders(name, contentType(name))['Content-Security-Policy'];

const IMMUTABLE = { 'cache-control': 'public, max-age=315360000, immutable' };
const short = (seconds: number) => ({ 'cache-control': `public, max-age=${seconds}` });
const MISS = {
  status: 404,
  fields: { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' },
};
const APPLICATION = { status: 200, body: 'the application' };
const ODD = '0123456789ab';

const odd: Project = {
  title: 'with odd names and all settings',
  manifest: 'coll "ected\' #;<x>/assets/names.json',
  config: `
    staticUrl: 'https://cdn.example.com/my%20files/"x\\'y"/',
    staticRoot: 'coll "ected\\' #;<x>',
    storage: hashedStorage({ manifestName: 'assets/names.json' }),
    mediaUrl: '/up loads/'.replace(' ', '%20'),
    mediaRoot: 'up "loads',
    rootFiles: 'root files',
    prehashed: ['bundle/**', 'lib/{a,b}-*.js'],
    compress: ['gzip'],
    maxAge: 300,`,
  files: {
    'site/a.css': 'a { color: red }\n'.repeat(100),
    [`site/vendor/app.${ODD}.js`]: '1',
    [`site/we"i'rd $na{me} #;.${ODD}.txt`]: 'odd',
    'site/bundle/main-4f3a.js': '2',
    'site/lib/a-77.js': '3',
    'site/lib/c-77.js': '4',
    'site/LICENSE': 'free',
    'site/x.tar.gz': 'an archive',
    'site/y.html.unheardof': '<script>',
    'site/UPPER.CSS': 'b{}',
    'site/staticfiles.json': '{}',
    'up "loads/a.png': 'a picture',
    'up "loads/folder/page.HTML': '<script>',
    'up "loads/page.html.unheardof': '<script>',
    'up "loads/x.svg': '<svg/>',
    'up "loads/x.MP4': 'a film',
    'up "loads/x.pdf': 'pages',
    'root files/robots.txt': 'all',
    'root files/folder/x.txt': 'inner',
  },
  options: (application) => ['--proxy', application],
  rows: [
    { path: '/S/a.css', status: 200, fields: { ...short(300), vary: 'Accept-Encoding' } },
    { path: '/S/<a.css>', status: 200, fields: IMMUTABLE },
    {
      path: '/S/<a.css>',
      headers: { 'Accept-Encoding': 'gzip, br' },
      status: 200,
      fields: {
        ...IMMUTABLE,
        'content-encoding': 'gzip',
        'content-type': 'text/css; charset=utf-8',
      },
    },
    {
      path: '/S/<a.css>',
      headers: { 'Accept-Encoding': 'gzip', Via: '1.1 cdn' },
      status: 200,
      fields: { 'content-encoding': 'gzip', vary: 'Accept-Encoding' },
    },
    { path: '/S/a.css.gz', ...MISS },
    { path: `/S/vendor/app.${ODD}.js`, status: 200, fields: short(300), body: '1' },
    { path: `/S/<vendor/app.${ODD}.js>`, status: 200, fields: IMMUTABLE },
    { path: `/S/we"i'rd $na{me} #;.${ODD}.txt`, status: 200, fields: short(300), body: 'odd' },
    { path: '/S/bundle/main-4f3a.js', status: 200, fields: IMMUTABLE },
    { path: '/S/lib/a-77.js', status: 200, fields: IMMUTABLE },
    { path: '/S/lib/c-77.js', status: 200, fields: short(300) },
    { path: '/S/LICENSE', status: 200, fields: short(300) },
    { path: '/S/<LICENSE>', status: 200, fields: IMMUTABLE },
    {
      path: '/S/x.tar.gz',
      headers: { 'Accept-Encoding': 'gzip, br' },
      status: 200,
      fields: {
        'content-type': 'application/gzip',
        'content-encoding': undefined,
        vary: undefined,
      },
      body: 'an archive',
    },
    {
      path: '/S/y.html.unheardof',
      status: 200,
      fields: { 'content-type': 'application/octet-stream', 'x-content-type-options': 'nosniff' },
    },
    { path: '/S/UPPER.CSS', status: 200, fields: { 'content-type': 'text/css; charset=utf-8' } },
    { path: '/S/staticfiles.json', status: 200, body: '{}' },
    { path: '/S/assets/names.json', ...MISS },
    { path: '/S/.staticfiles/state.json', ...MISS },
    { path: '/S//.staticfiles/state.json', ...MISS },
    { path: '/S/bundle/..//.staticfiles//state.json', ...MISS },
    { path: '/S///assets//names.json', ...MISS },
    { path: '/S//a.css.gz', ...MISS },
    { path: '/S/bundle/.staticfiles-partial-7', ...MISS },
    { path: '/S/bundle', ...MISS },
    { path: '/S/', ...MISS },
    {
      path: '/up loads/a.png',
      status: 200,
      fields: {
        'content-type': 'image/png',
        'content-security-policy': policyOf('a.png'),
        'content-disposition': undefined,
        'x-content-type-options': 'nosniff',
      },
    },
    ...['folder/page.HTML', 'x.svg'].map((name) => ({
      path: `/up loads/${name}`,
      status: 200,
      fields: { 'content-disposition': 'attachment', 'content-security-policy': policyOf(name) },
    })),
    ...['x.MP4', 'x.pdf', 'page.html.unheardof'].map((name) => ({
      path: `/up loads/${name}`,
      status: 200,
      fields: { 'content-disposition': undefined, 'content-security-policy': policyOf(name) },
    })),
    {
      path: '/up loads/page.html.unheardof',
      status: 200,
      fields: { 'content-type': 'application/octet-stream' },
    },
    { path: '/up loads/folder', ...MISS },
    { path: '/up loads/folder/', ...MISS },
    { method: 'POST', path: '/up loads/a.png', status: 405 },
    {
      path: '/robots.txt',
      status: 200,
      fields: { ...short(300), 'content-type': 'text/plain; charset=utf-8' },
      body: 'all',
    },
    { path: '/folder/x.txt', status: 200, body: 'inner' },
    { path: '/folder', ...APPLICATION, fields: { 'cache-control': undefined } },
    { path: '/', ...APPLICATION, fields: { 'content-security-policy': undefined } },
    { method: 'POST', path: '/page?x=%2F', ...APPLICATION },
  ],
};

const root: Project = {
  title: "at the site's root, with a function that says what is hashed",
  manifest: 'collected/staticfiles.json',
  config: `
    staticUrl: '/', staticRoot: 'collected', storage: hashedStorage(),
    prehashed: (name) => name.startsWith('bundle/'),`,
  files: { 'site/app.css': 'a{}', 'site/bundle/x.js': '1', 'site/folder/y.js': '2' },
  options: (application) => ['--proxy', application],
  rows: [
    { path: '/app.css', status: 200, fields: short(60) },
    { path: '/<app.css>', status: 200, fields: IMMUTABLE },
    { path: '/bundle/x.js', status: 200, fields: IMMUTABLE },
    { path: '/folder', ...APPLICATION, fields: { 'cache-control': undefined } },
    { path: '/', ...APPLICATION },
    { path: '/staticfiles.json', ...APPLICATION },
    { path: '/.staticfiles/state.json', ...APPLICATION },
    { method: 'POST', path: '/login', ...APPLICATION },
    { method: 'POST', path: '/app.css', status: 405 },
  ],
};

const plain: Project = {
  title: 'with plain names, and what is not there left to the application',
  config: `staticRoot: 'collected', fallthrough: true, compress: ['br', 'gzip'], prehashed: '*.js',`,
  files: {
    [`site/app.${ODD}.css`]: 'a{}',
    'site/x.js': '1',
    'site/long.css': 'a { color: red }\n'.repeat(100),
  },
  options: (application) => ['--proxy', application],
  rows: [
    { path: `/static/app.${ODD}.css`, status: 200, fields: short(60) },
    { path: '/static/x.js', status: 200, fields: short(60) },
    {
      path: '/static/long.css',
      headers: { 'Accept-Encoding': 'br, gzip' },
      status: 200,
      // For Apache on Debian, .br is Breton.
      fields: { vary: 'Accept-Encoding', 'content-language': undefined },
    },
    { path: '/static/none.css?x=1', ...APPLICATION },
    {
      path: '/page',
      headers: { 'X-Forwarded-Proto': 'https' },
      ...APPLICATION,
      fields: { 'x-scheme': 'http' },
    },
  ],
};

const alone: Project = {
  title: 'with no application behind it',
  manifest: 'collected/staticfiles.json',
  config: `staticRoot: 'collected', storage: hashedStorage(), rootFiles: 'root',`,
  files: { 'site/x.js': '1', 'root/robots.txt': 'all' },
  options: () => ['--server-name', 'localhost', '--server-name', 'example.com'],
  rows: [
    { path: '/static/<x.js>', status: 200, fields: IMMUTABLE },
    { path: '/static/none.css', ...MISS },
    { path: '/robots.txt', status: 200, body: 'all' },
    { path: '/none.txt', status: 404 },
    { path: '/', status: 404 },
  ],
};

/** The path of a row, as a request spells it. */
function targetOf(path: string, manifest: () => Record<string, string>): string {
  const [named = '', query] = path.split('?');
  const known = named.replace(/<(.*)>/, (_, name) => manifest()[name] ?? 'no hashed name');
  const placed = known.replace('/S/', `/my files/"x'y"/`);
  const encoded = placed.split('/').map(encodeURIComponent).join('/');
  return query === undefined ? encoded : `${encoded}?${query}`;
}

/** The fields of an answer that a row has an opinion of. */
function shown(answer: RawAnswer, fields: NonNullable<Row['fields']>) {
  return Object.fromEntries(Object.keys(fields).map((name) => [name, answer.field(name)]));
}

async function laidOut({ config, files }: Project): Promise<string> {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), 'staticfiles-deployment-')));
  add(folder, {
    ...files,
    'staticfiles.config.ts': `import { hashedStorage } from ${JSON.stringify(INDEX)};
export default { dirs: ['site'], debug: false, ${config} };`,
  });
  const { status, err } = await run(folder, ['collectstatic', '--no-input']);
  if (status !== 0) throw new Error(err);
  return folder;
}

const snippet: Project = {
  title: 'in a block of its own',
  config: `staticRoot: 'collected', storage: hashedStorage(), mediaUrl: '/media/', mediaRoot: 'up',`,
  manifest: 'collected/staticfiles.json',
  files: { 'site/x.css': 'a{}', 'up/a.html': 'page' },
  options: (application) => ['--snippet', '--proxy', application],
  rows: [
    {
      path: '/static/<x.css>',
      status: 200,
      fields: { ...IMMUTABLE, 'content-type': 'text/css; charset=utf-8' },
    },
    { path: '/media/a.html', status: 200, fields: { 'content-disposition': 'attachment' } },
    { path: '/static/none.css', ...MISS },
    { path: '/page', ...APPLICATION },
  ],
};

const RUNS = [odd, root, plain, alone, snippet].flatMap((project) =>
  WEB_SERVERS.map((server) => ({ project, server, title: project.title, name: server.name })),
);

describe.each(RUNS)('a site $title, by $name', ({ project, server }) => {
  if (!isInstalled(server)) {
    test.skip(missing(server), () => {});
    return;
  }
  let folder: string;
  let application: HttpServer;
  let running: HttpServer;
  beforeAll(async () => {
    folder = await laidOut(project);
    application = await listen((request, response) => {
      response.setHeader('X-Scheme', String(request.headers['x-forwarded-proto']));
      response.end(APPLICATION.body);
    });
    const options = [...project.options(application.url), ...server.options];
    running = await printAndStart(server, folder, options);
  });
  afterAll(async () => {
    await running?.close();
    await application?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const manifest = () =>
    JSON.parse(readFileSync(join(folder, project.manifest ?? ''), 'utf8')).paths;

  test.each(project.rows)('$path is $status', async ({ path, method, headers, ...row }) => {
    const answer = await askOnce(running.url, {
      ...(method && { method }),
      headers: { ...headers, ...(method && { 'Content-Length': '0' }) },
      target: targetOf(path, manifest),
    });
    expect(answer.status).toBe(row.status);
    expect(shown(answer, row.fields ?? {})).toEqual(row.fields ?? {});
    if (row.body !== undefined) expect(answer.body.toString()).toBe(row.body);
  });
});
