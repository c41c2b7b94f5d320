import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ContainerClient, ContainerSASPermissions } from '@azure/storage-blob';
import { describe, expect, test } from 'vitest';
import { type AzureStorageOptions, azureStorage } from '../../adapters/azure.js';
import { type S3StorageOptions, s3Storage } from '../../adapters/s3.js';
import { reason } from '../../src/errors.js';
import { createStaticFiles } from '../../src/static-files.js';
import type { Storage } from '../../src/storage.js';
import { hashedStorage } from '../../src/storages/hashed.js';
import { azureStore, type Store, swiftStore } from '../examples/stores.js';
import { add, project } from '../project.js';
import type { Exchange } from '../proxy.js';
import { swiftMissing, withoutSwift } from '../swift.js';
import { thrownBy } from '../thrown.js';
import { examplesOf, firstColumn, pageText } from './page.js';

const PAGE = 'docs/object-storage.md';
const root = fileURLToPath(new URL('../..', import.meta.url));
const page = pageText(PAGE);
const examples = examplesOf(PAGE);

describe('the tables of the page on object storage', () => {
  test('have every option of s3Storage()', () => {
    const unknown = { bucket: 'example', qqqqqq: 1 } as S3StorageOptions;
    const known = namesIn(thrownBy(() => s3Storage(unknown)));
    const ofSdk = known.slice(known.indexOf('cloudFront') + 1);
    expect(ofSdk.length).toBeGreaterThan(3);
    expect(firstColumn(PAGE, '`s3Storage()`; all but')).toEqual(
      expect.arrayContaining(known.filter((name) => !ofSdk.includes(name))),
    );
    expect(known).toEqual(expect.arrayContaining(firstColumn(PAGE, '`s3Storage()`; all but')));
    for (const name of ofSdk) expect(page).toContain(`\`${name}\``);
  });

  test('have every option of azureStorage()', () => {
    const unknown = { container: 'example', qqqqqq: 1 } as AzureStorageOptions;
    const known = namesIn(thrownBy(() => azureStorage(unknown)));
    expect(firstColumn(PAGE, '`azureStorage()`; it needs').sort()).toEqual([...known].sort());
  });

  test('have sentences that the package says', () => {
    const said = ['adapters', 'src'].flatMap((part) => sourcesIn(join(root, part))).join('\n');
    const sentences = firstColumn(PAGE, '## When something is wrong');
    expect(sentences.length).toBeGreaterThan(20);
    for (const sentence of sentences) {
      for (const part of sentence.split('…')) expect(said).toContain(part.trim());
    }
  });
});

describe.skipIf(swiftMissing)(`the rights on the page on object storage${withoutSwift}`, () => {
  test('of a deployer are those that collecting and pruning take', async () => {
    const store = await swiftStore();
    const site = folder({ 'large.bin': randomBytes(9 * 2 ** 20) });
    await filesOf(site, store).collect();
    add(site, { 'static/a.css': 'a { color: red }' });
    await filesOf(site, store).collect();
    await filesOf(site, store).prune({ keep: 1 });
    add(site, { 'static/broken.bin': randomBytes(9 * 2 ** 20) });
    store.proxy.before = ({ path }) =>
      path.includes('partNumber=2') ? { status: 403, body: '' } : undefined;
    await expect(filesOf(site, store).collect()).rejects.toThrow('Grant them s3:PutObject');
    expect(rightsOf(store.proxy.requests)).toEqual(
      actionsIn('deployer.json').sort((a, b) => a.localeCompare(b)),
    );
  });

  test('of a server allow all that it asks for', async () => {
    const store = await swiftStore();
    const site = folder({ 'old.css': Buffer.from('a {}') });
    await filesOf(site, store).collect();
    rmSync(join(site, 'static/old.css'));
    await filesOf(site, store).collect();
    store.proxy.reset();
    const server = filesOf(site, store);
    await server.ready();
    server.staticUrl('a.css');
    await Promise.allSettled([(async () => server.staticUrl('old.css'))()]);
    await server.refresh();
    expect(store.proxy.count()).toBeGreaterThan(1);
    const isAllowed = allowedBy('server.json', `${store.options.bucket}`);
    expect(store.proxy.requests.filter((request) => !isAllowed(request))).toEqual([]);
  });
});

test('signatures need no more rights than the page on object storage says, and a public manifest none', async () => {
  const store = await azureStore();
  const [, deploying = '', pruning = '', reading = ''] =
    /shared access signature .*\| `(\w+)`; `(\w)` for .*\| `(\w)`; `l` for/.exec(page) ?? [];
  const container = `${store.options.container}`;
  const url = new URL('..', store.publicUrl).href.replace(/\/$/, '');
  const signed = async (rights: string) => {
    const client = new ContainerClient(`${store.options.connectionString}`, container);
    const permissions = ContainerSASPermissions.parse(rights);
    const expiresOn = new Date(Date.now() + 3_600_000);
    return new URL(await client.generateSasUrl({ permissions, expiresOn })).search.slice(1);
  };
  const withRights = async (site: string, rights: string) => {
    const over = azureStorage({ container, url, credential: await signed(rights) });
    return projectOf(site, over);
  };
  const site = folder();
  await (await withRights(site, deploying)).collect();
  add(site, { 'static/a.css': 'a { color: red }' });
  await (await withRights(site, deploying)).collect();
  await expect((await withRights(site, deploying)).prune({ keep: 1 })).rejects.toThrow('rwdl');
  await (await withRights(site, deploying + pruning)).prune({ keep: 1 });
  for (const server of [
    await withRights(site, reading),
    projectOf(site, azureStorage({ container, url })),
  ]) {
    await server.ready();
    expect(server.staticUrl('a.css')).toMatch(/\/a\.[\da-f]{12}\.css$/);
  }
});

test('the other JSON on the page on object storage is such', () => {
  for (const file of ['lifecycle.json', 'bucket-policy.json', 'cors.json']) {
    expect(JSON.parse(examples.get(file) ?? '')).toBeTypeOf('object');
  }
});

test('the requests on the page on object storage are those that are made', async () => {
  const store = await azureStore();
  const site = folder();
  const requestsOf = async () => {
    store.proxy.reset();
    const { sent } = await filesOf(site, store).collect();
    const { requests } = store.proxy;
    const counts = { GET: 0, LIST: 0, PUT: 0 };
    for (const { method, path } of requests) {
      counts[path.includes('comp=list') ? 'LIST' : (method as 'GET' | 'PUT')]++;
    }
    return { changed: sent?.files, ...counts };
  };
  const [nothing, deploy] = ['nothing changed', 'a deploy'].map((run) => {
    const [, GET, LIST, PUT] =
      new RegExp(`^\\| ${run} \\| (\\d) \\| (\\d) \\+ n / 1000 \\| (\\S.*) \\|$`, 'm').exec(page) ??
      [];
    return { GET: Number(GET), LIST: Number(LIST) + 1, PUT };
  });
  expect([nothing?.PUT, deploy?.PUT]).toEqual(['0', 'c + 2']);
  const { GET, LIST } = deploy as { GET: number; LIST: number };
  expect(await requestsOf()).toEqual({ changed: 4, GET, LIST, PUT: 4 + 2 });
  expect(await requestsOf()).toEqual({ changed: 0, ...nothing, PUT: 0 });
  add(site, { 'static/a.css': 'a { color: red }' });
  expect(await requestsOf()).toEqual({ changed: 2, GET, LIST, PUT: 2 + 2 });
});

/** What the message about an unknown option says that there is. */
function namesIn(error: unknown): string[] {
  const [, names = ''] = /There are (.*)\.$/.exec(reason(error)) ?? [];
  return names.split(', ');
}

/** The texts of all modules in a folder. */
function sourcesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => readFileSync(join(folder, path), 'utf8'));
}

function folder(files: Readonly<Record<string, Uint8Array>> = {}): string {
  const site = project({ 'static/a.css': 'a { color: blue }', 'static/b.js': 'let b = 1' });
  for (const [name, body] of Object.entries(files)) add(site, { [`static/${name}`]: body });
  return site;
}

/** A process's static files. */
function filesOf(baseDir: string, { options, env }: Store) {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = env;
  const over =
    'bucket' in options
      ? s3Storage({
          ...(options as unknown as S3StorageOptions),
          prefix: 'static/',
          credentials: { accessKeyId, secretAccessKey },
        })
      : azureStorage(options);
  return projectOf(baseDir, over);
}

function projectOf(baseDir: string, over: Storage) {
  const storage = hashedStorage({ over });
  return createStaticFiles({ baseDir, dirs: ['static'], storage, debug: false });
}

/** The rights that requests to S3 need, in Amazon's words. */
function rightsOf(requests: readonly Exchange[]): string[] {
  return [...new Set(requests.map(rightOf))].sort((a, b) => a.localeCompare(b));
}

function rightOf({ method, path }: Exchange): string {
  const { searchParams } = new URL(path, 'http://localhost');
  if (searchParams.has('list-type')) return 's3:ListBucket';
  if (method === 'GET' || method === 'HEAD') return 's3:GetObject';
  if (method !== 'DELETE') return 's3:PutObject';
  return searchParams.has('uploadId') ? 's3:AbortMultipartUpload' : 's3:DeleteObject';
}

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string | readonly string[];
  readonly Condition?: { readonly StringLike: { readonly 's3:prefix': string } };
}

/** What a policy on the page says. */
function statementsIn(file: string): readonly Statement[] {
  return JSON.parse(examples.get(file) ?? '').Statement;
}

function actionsIn(file: string): string[] {
  return statementsIn(file).flatMap(({ Action }) => Action);
}

/** Whether a policy on the page, which is for the bucket `example-static`, allows a request. */
function allowedBy(file: string, bucket: string): (request: Exchange) => boolean {
  const like = (pattern: string, text: string) =>
    pattern.endsWith('*') ? text.startsWith(pattern.slice(0, -1)) : text === pattern;
  return (request) => {
    const { pathname, searchParams } = new URL(request.path, 'http://localhost');
    const resource = `arn:aws:s3::${pathname.replace(`/${bucket}`, ':example-static')}`;
    return statementsIn(file).some(
      ({ Action, Resource, Condition }) =>
        [Action].flat().includes(rightOf(request)) &&
        [Resource].flat().some((pattern) => like(pattern, resource.replace(/\/$/, ''))) &&
        (Condition === undefined ||
          like(Condition.StringLike['s3:prefix'], searchParams.get('prefix') ?? '')),
    );
  };
}
