import { generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { isInstalled, missing, startWebServer, WEB_SERVERS } from '../cli/deployment/servers.js';
import { azureStore, type Store, swiftStore } from '../examples/stores.js';
import { freePort } from '../free-port.js';
import { BIN, type Running, start } from '../process.js';
import { add, project } from '../project.js';
import { swiftMissing, withoutSwift } from '../swift.js';
import { examplesOf, pageText } from './page.js';

const PAGE = 'docs/object-storage.md';
const root = fileURLToPath(new URL('../..', import.meta.url));
const examples = examplesOf(PAGE);
const quickStart = examplesOf('README.md');
const picture = readFileSync(join(root, 'examples/polls/polls/static/polls/images/lake.jpg'));

/** Long enough to be worth a compressed form. */
const STYLE = `body { background: url("example.jpg") }\n${'/* a rule */\n'.repeat(100)}`;

/** In the place of the adapters: takes an example's options as they are, and then the store of the test. */
const HERE = `
  import { azureStorage as azure } from 'staticfiles/azure';
  import { s3Storage as s3 } from 'staticfiles/s3';
  const here = JSON.parse(process.env.HERE);
  export function s3Storage(options) {
    s3(options);
    const { acl, endpoint, region, ...rest } = options;
    return s3({ ...rest, ...here, publicUrl: options.publicUrl });
  }
  export function azureStorage(options) {
    azure(options);
    const { accountName, credential, ...rest } = options;
    return azure({ ...rest, ...here });
  }`;

/** The quick start's application, with the examples of the page. */
function site(files: Readonly<Record<string, string | Uint8Array>> = {}): string {
  const folder = project({
    'package.json': '{ "type": "module" }',
    'app.js': quickStart.get('app.js') ?? '',
    'my_app/static/my_app/example.jpg': picture,
    'my_app/static/my_app/style.css': STYLE,
    'here.js': HERE,
    ...files,
  });
  for (const [file, source] of examples) {
    add(folder, { [file]: source.replace(/'staticfiles\/(?:s3|azure)'/, "'./here.js'") });
  }
  const link = (name: string, target = join(root, 'node_modules', name)) => {
    mkdirSync(dirname(join(folder, 'node_modules', name)), { recursive: true });
    symlinkSync(target, join(folder, 'node_modules', name), 'junction');
  };
  link('staticfiles', root);
  for (const name of ['handlebars', 'nunjucks', '@azure']) link(name);
  return folder;
}

/** Where programs find the store of the test. */
function environment({ options, env }: Store): Record<string, string> {
  return {
    ...env,
    HERE: JSON.stringify(options),
    AZURE_STORAGE_CONNECTION_STRING: 'UseDevelopmentStorage=true',
    NODE_NO_WARNINGS: '1',
  };
}

/** Runs a program of Node to its end, and answers what it printed; fails where that fails. */
async function run(args: string[], folder: string, env: Record<string, string>): Promise<string> {
  const running = start(args, folder, env);
  const status = await ended(running);
  expect(`${status}${status === 0 ? '' : running.err()}`).toBe('0');
  return running.out();
}

function ended({ process: child }: Running): Promise<number | null> {
  return new Promise((resolve) => {
    child.once('close', resolve);
  });
}

function collect(folder: string, store: Store, config: string, env: Record<string, string> = {}) {
  const args = [BIN, 'collectstatic', '--no-input', '--config', config];
  return run(args, folder, { ...environment(store), ...env });
}

/** The URL of a name, as a server of that configuration has it. */
async function urlOf(folder: string, store: Store, config: string, name: string): Promise<string> {
  const program = `
    import { createStaticFiles, loadConfig } from 'staticfiles';
    const files = createStaticFiles(await loadConfig({ file: '${config}' }));
    await files.ready();
    process.stdout.write(files.staticUrl('${name}'));`;
  const env = { ...environment(store), NODE_ENV: 'production' };
  return run(['--input-type=module', '-e', program], folder, env);
}

/** What the store answers for the URL that a browser would ask the CDN for. */
function fromStore(url: string, config: string, store: Store): Promise<Response> {
  const source = examples.get(config) ?? '';
  const [, publicUrl = store.publicUrl] = /publicUrl: '(.+)'/.exec(source) ?? [];
  const [, prefix = ''] = /prefix: '(.+)'/.exec(source) ?? [];
  expect(url.startsWith(publicUrl), url).toBe(true);
  return fetch(store.publicUrl + prefix + url.slice(publicUrl.length));
}

/** Sizes and times differ from machine to machine. */
const sameAmounts = (text: string) =>
  text.replace(/[\d.]+(?= (?:[kM]?B|bytes?|s)\b)/g, 'N').replace(/ (?:bytes?|kB) /g, ' bytes ');

/** Makes a program print the port of each server that it starts. */
const PRINT_PORTS = `
  import { Server } from 'node:net';
  const { listen } = Server.prototype;
  Server.prototype.listen = function (port, ...args) {
    this.once('listening', () => console.log(this.address().port));
    return listen.call(this, 0, ...args);
  };`;

const S3_CONFIGS = [
  'staticfiles.config.js',
  'one-host.config.js',
  'r2.config.js',
  'spaces.config.js',
  'minio.config.js',
  'swift.config.js',
  'headers.config.js',
  'encoded.config.js',
  'image.config.js',
];
const AZURE_CONFIGS = ['azure.config.js', 'azure-identity.config.js'];
const OTHERS = [
  'choose.config.js',
  'media.js',
  'private-media.js',
  'private.js',
  'private-azure.js',
  'private-cloudfront.js',
  'server.js',
  'static.conf',
];

test('the page on object storage has no example that is not tried', () => {
  const programs = [...examples.keys()].filter((file) => !file.endsWith('.json'));
  expect(programs.sort()).toEqual([...S3_CONFIGS, ...AZURE_CONFIGS, ...OTHERS].sort());
});

describe.skipIf(swiftMissing)(`the page on object storage, on Swift${withoutSwift}`, () => {
  test.each(S3_CONFIGS)(
    'has an example %s that collects, and its URLs lead there',
    async (config) => {
      const store = await swiftStore();
      const folder = site();
      expect(await collect(folder, store, config)).toContain('4 objects');
      for (const name of ['my_app/example.jpg', 'my_app/style.css']) {
        const url = await urlOf(folder, store, config, name);
        expect(url).toMatch(/\.[\da-f]{12}\.\w+$/);
        expect((await fromStore(url, config, store)).status).toBe(200);
      }
    },
  );

  test('shows what collectstatic prints, and a page that is served', async () => {
    const store = await swiftStore();
    const folder = site({ 'ports.js': PRINT_PORTS });
    const [, shown = ''] = /```text\n(2 static files copied[\s\S]*?)```/.exec(pageText(PAGE)) ?? [];
    const printed = await collect(folder, store, 'staticfiles.config.js');
    const place = `s3://${store.options.bucket}/static/`;
    expect(sameAmounts(printed)).toBe(
      sameAmounts(`\n${shown.replace('s3://example-static/static/', place)}`),
    );
    const server = start(['--import', './ports.js', 'server.js'], folder, {
      ...environment(store),
      NODE_ENV: 'production',
    });
    const [, port] = await server.waitFor(/^(\d+)\n/m);
    const [, image] = /```html\n(.*)\n```/.exec(pageText(PAGE)) ?? [];
    for (const page of ['nunjucks', 'handlebars']) {
      expect(await (await fetch(`http://127.0.0.1:${port}/${page}`)).text()).toBe(image);
    }
    expect((await fetch(`http://127.0.0.1:${port}/static/my_app/example.jpg`)).status).toBe(404);
  });

  test('has a server that ends with a sentence where the store is away', async () => {
    const store = await swiftStore();
    await store.proxy.away();
    const env = { ...environment(store), NODE_ENV: 'production', AWS_MAX_ATTEMPTS: '2' };
    const server = start(['server.js'], site(), env);
    expect(await ended(server)).toBe(1);
    expect(server.err()).toContain(`nobody answers at ${store.proxy.url}`);
  });

  test('has a configuration that chooses the store by the environment', async () => {
    const store = await swiftStore();
    const folder = site();
    expect(await collect(folder, store, 'choose.config.js')).toContain(`'${folder}/collected'`);
    expect(store.proxy.requests).toEqual([]);
    const bucket = { STATIC_BUCKET: 'example', STATIC_PUBLIC_URL: 'https://cdn.example.com/' };
    expect(await collect(folder, store, 'choose.config.js', bucket)).toContain("'s3://");
  });

  test('says what header fields the objects have', async () => {
    const store = await swiftStore();
    const folder = site({ 'my_app/static/my_app/paper.pdf': 'a paper' });
    await collect(folder, store, 'headers.config.js');
    const url = await urlOf(folder, store, 'headers.config.js', 'my_app/paper.pdf');
    const { headers } = await fromStore(url, 'headers.config.js', store);
    expect(headers.get('content-type')).toBe('application/pdf');
    expect(headers.get('content-disposition')).toBe('attachment');
    expect(headers.get('x-object-meta-release')).toBe('2026-11');
    const page = pageText(PAGE).replace(/\s+/g, ' ');
    expect(page).toContain(`\`Cache-Control: ${headers.get('cache-control')}\``);
    const plain = await fetch(`${store.publicUrl}my_app/paper.pdf`);
    expect(page).toContain(`\`${plain.headers.get('cache-control')}\` without one`);
  });

  test('compresses files in their place', async () => {
    const store = await swiftStore();
    const folder = site();
    await collect(folder, store, 'encoded.config.js');
    const config = 'encoded.config.js';
    const style = await fromStore(
      await urlOf(folder, store, config, 'my_app/style.css'),
      config,
      store,
    );
    expect(style.headers.get('content-encoding')).toBe('gzip');
    expect(await style.text()).toContain('/* a rule */');
    const url = await urlOf(folder, store, config, 'my_app/example.jpg');
    expect((await fromStore(url, config, store)).headers.get('content-encoding')).toBe(null);
  });

  test('puts the manifest into the image, and then no server asks the store', async () => {
    const store = await swiftStore();
    const folder = site();
    await collect(folder, store, 'image.config.js');
    expect(existsSync(join(folder, 'release/staticfiles.json'))).toBe(true);
    store.proxy.reset();
    await urlOf(folder, store, 'image.config.js', 'my_app/example.jpg');
    expect(store.proxy.requests).toEqual([]);
  });

  test('goes back to an earlier release by switching the manifest alone', async () => {
    const store = await swiftStore();
    const folder = site();
    const config = 'hashed-only.config.js';
    const source = examples.get('swift.config.js') ?? '';
    const only = "refresh: '30s', keepOriginals: false";
    add(folder, {
      [config]: source.replace("'staticfiles/s3'", "'./here.js'").replace("refresh: '30s'", only),
    });
    const name = 'my_app/static/my_app/style.css';
    await collect(folder, store, config);
    const first = await urlOf(folder, store, config, 'my_app/style.css');
    add(folder, { [name]: `${STYLE}p{}` });
    expect(await collect(folder, store, config)).toContain('1 object ');
    expect(await urlOf(folder, store, config, 'my_app/style.css')).not.toBe(first);
    add(folder, { [name]: STYLE });
    expect(await collect(folder, store, config)).toContain('0 objects');
    expect(await urlOf(folder, store, config, 'my_app/style.css')).toBe(first);
  });

  test('has an upload that goes to the bucket, or to a folder, at one URL for all', async () => {
    const store = await swiftStore();
    const folder = site();
    const local = await run(['media.js'], folder, environment(store));
    expect(local).toBe('/media/avatars/my_photo.jpg\n'.repeat(2));
    expect(readdirSync(join(folder, 'media/avatars'))).toEqual(['my_photo.jpg']);
    expect(store.proxy.requests).toEqual([]);
    const env = { ...environment(store), MEDIA_BUCKET: 'example', MEDIA_URL: store.publicUrl };
    const [url = '', same] = (await run(['media.js'], folder, env)).trim().split('\n');
    expect(url).toMatch(/\/avatars\/my_photo_\w{7}\.jpg$/); // Swift knows no conditions
    expect(same).toBe(url);
    const answer = await fetch(url);
    expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'image/jpeg']);
    expect(await answer.text()).toBe('bytes, a Blob, or a stream of them');
  });

  test.each([
    ['private.js', 'file'],
    ['private-media.js', 'upload'],
  ])('has in %s a private %s that a signed URL shows, and nothing else', async (program) => {
    const { proxy, env, options } = await swiftStore();
    const store = { proxy, env, options: { ...options, bucket: `${options.bucket}-private` } };
    const { S3Client, CreateBucketCommand } = await import('@aws-sdk/client-s3');
    const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
      env;
    const client = new S3Client({
      endpoint: proxy.url,
      region: 'us-east-1',
      forcePathStyle: true,
      credentials: { accessKeyId, secretAccessKey },
    });
    await client.send(new CreateBucketCommand({ Bucket: store.options.bucket }));
    const env2 = { ...env, HERE: JSON.stringify(store.options), NODE_NO_WARNINGS: '1' };
    const url = (await run([program], site(), env2)).trim();
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([200, 'an invoice']);
    expect(answer.headers.get('content-type')).toBe('application/pdf');
    expect(new URL(url).searchParams.get('X-Amz-Expires')).toBe('300');
    expect((await fetch(url.split('?')[0] ?? '')).ok).toBe(false);
  });

  const [nginx] = WEB_SERVERS;
  const hasNginx = nginx !== undefined && isInstalled(nginx);
  test.skipIf(!hasNginx)(
    `has a configuration of nginx that chooses the form${hasNginx ? '' : ` (skipped: ${nginx && missing(nginx)})`}`,
    async () => {
      const store = await swiftStore();
      const folder = site();
      const config = 'compressed.config.js';
      const source = (examples.get('swift.config.js') ?? '').replace(
        "'staticfiles/s3'",
        "'./here.js'",
      );
      add(folder, { [config]: source.replace('apps:', 'compress: true,\n  apps:') });
      await collect(folder, store, config);
      const style = new URL(await urlOf(folder, store, config, 'my_app/style.css'));
      const image = new URL(await urlOf(folder, store, config, 'my_app/example.jpg'));
      const port = await freePort();
      const { host, pathname } = new URL(store.publicUrl);
      const cache = project({});
      const text = (examples.get('static.conf') ?? '')
        .replace('example-static.s3.eu-central-1.amazonaws.com:443', host)
        .replaceAll('https://store', `http://store${pathname.replace(/\/$/, '')}`)
        .replace('/var/cache/nginx/static', join(cache, 'files'))
        .replace('listen 80;', `listen ${port};`);
      const server = await startWebServer(nginx as (typeof WEB_SERVERS)[0], text, port, cache);
      onTestFinished(server.close);
      const ask = async (path: string, accepted: string) => {
        const answer = await fetch(server.url + path, { headers: { 'Accept-Encoding': accepted } });
        const { status, headers } = answer;
        await answer.arrayBuffer(); // nginx does not keep what nobody waits for
        return [status, headers.get('content-encoding'), headers.get('content-type')];
      };
      const name = (url: URL) => url.pathname.replace(/^.*(?=\/my_app)/, '');
      const css = 'text/css; charset=utf-8';
      for (const _ of ['asked', 'kept']) {
        store.proxy.reset();
        expect(await ask(name(style), 'gzip, deflate, br')).toEqual([200, 'br', css]);
        expect(await ask(name(style), 'gzip')).toEqual([200, 'gzip', css]);
        expect(await ask(name(style), 'identity')).toEqual([200, null, css]);
        expect(await ask(`${name(style)}?v=1`, 'br')).toEqual([200, 'br', css]);
        expect(await ask(name(image), 'gzip, br')).toEqual([200, null, 'image/jpeg']);
      }
      expect(store.proxy.requests).toEqual([]);
      expect((await ask('/my_app/gone.css', 'br'))[0]).toBe(404);
    },
  );
});

describe('the page on object storage, on Azurite', () => {
  test.each(AZURE_CONFIGS)(
    'has an example %s that collects, and its URLs lead there',
    async (config) => {
      const store = await azureStore();
      const folder = site();
      expect(await collect(folder, store, config)).toContain('4 objects');
      const url = await urlOf(folder, store, config, 'my_app/style.css');
      expect(url.startsWith(store.publicUrl)).toBe(true);
      expect((await fetch(url)).status).toBe(200);
    },
  );

  test('has a private file that a signed URL shows', async () => {
    const store = await azureStore();
    const url = (await run(['private-azure.js'], site(), environment(store))).trim();
    const answer = await fetch(url);
    expect([answer.status, await answer.text()]).toEqual([200, 'an invoice']);
    expect(new URL(url).searchParams.get('sp')).toBe('r');
  });
});

test('the page on object storage has a URL that CloudFront takes', async () => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const folder = site({ 'cloudfront.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }) });
  add(folder, { 'private-cloudfront.js': examples.get('private-cloudfront.js') ?? '' });
  const url = new URL((await run(['private-cloudfront.js'], folder, {})).trim());
  expect(`${url.origin}${url.pathname}`).toBe(
    'https://d222222abcdef8.cloudfront.net/2026/0042.pdf',
  );
  expect([...url.searchParams.keys()].sort()).toEqual(['Expires', 'Key-Pair-Id', 'Signature']);
});
