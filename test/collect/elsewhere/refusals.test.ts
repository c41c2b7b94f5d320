import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { proxyTo, type StoreProxy } from '../../proxy.js';
import { type Site, SMALL, site } from './site.js';
import {
  isListing,
  lacking,
  objectOf,
  type Store,
  type StoreKind,
  type StoreOptions,
  sentThrough,
  useStores,
} from './stores.js';

const { swift, azurite } = useStores();

const TWO = {
  'robots.txt': 'User-agent: two\n',
  'css/base.css': 'p { color: blue }\n'.repeat(30),
};
/** Of the second release, that have to be sent: two plain names, and five hashed ones. */
const SENT = 5;

/** A store with a deploy, and a site that has changed since. */
async function changed(kind: StoreKind) {
  const store = await kind.create();
  const own = site();
  await own.files(store.storage()).collect();
  const before = await store.objects();
  own.change(TWO);
  const proxy = await proxyTo(store.origin);
  return { store, own, proxy, before };
}

/** What a person is told: the exit status, and one sentence or a few on one line. */
async function refusal(own: Site, store: Store, proxy: StoreProxy, options?: StoreOptions) {
  const { status, out, err } = await own.call(store.storage(options, proxy.url), ['collectstatic']);
  expect({ status, out }).toEqual({ status: 1, out: '' });
  expect(err).toMatch(/^Error: [^\n]+\n$/);
  expect(err).not.toMatch(/ at .*\.[jt]s:\d/);
  return err.slice('Error: '.length, -1).replaceAll(/127\.0\.0\.1:\d+/g, 'host');
}

/** What the first release names is as it was. */
function expectUntouched(before: object, after: object): void {
  const isHashed = (name: string) => /\.[\da-f]{12}\.|^staticfiles\.json$/.test(name);
  const old = Object.entries(before).filter(([name]) => isHashed(name));
  expect(Object.entries(after).filter(([name]) => old.some(([one]) => one === name))).toEqual(old);
}

type Row = [
  what: string,
  prepare: (store: Store, proxy: StoreProxy) => Promise<StoreOptions> | StoreOptions,
  sentence: RegExp,
];

const S3_ERROR = (status: number, code: string) => ({
  status,
  headers: { 'Content-Type': 'application/xml' },
  body: `<?xml version="1.0"?><Error><Code>${code}</Code><Message>No.</Message></Error>`,
});

const tester = { accessKeyId: 'test:tester', secretAccessKey: 'testing' };

const SWIFT: Row[] = [
  [
    'a wrong secret',
    () => ({ credentials: { ...tester, secretAccessKey: 'wrong' } }),
    /^Could not read s3:\/\/\S+\/staticfiles\.json: access key and secret key do not belong together\. Correct the credentials\. \(SignatureDoesNotMatch\)$/,
  ],
  [
    'an unknown key',
    () => ({ credentials: { ...tester, accessKeyId: 'test:nobody' } }),
    // Swift's way to say so; others say InvalidAccessKeyId.
    /^Could not read \S+: access key and secret key do not belong together\. Correct the credentials\./,
  ],
  [
    'no bucket',
    () => ({ bucket: 'no-such-bucket' }),
    /^Could not read \S+: there is no bucket 'no-such-bucket' at http:\/\/host\/?\. Create it, or correct 'bucket'\. \(NoSuchBucket\)$/,
  ],
  [
    'no right to list',
    (_, proxy) => {
      proxy.before = async (request) =>
        isListing(request) ? S3_ERROR(403, 'AccessDenied') : undefined;
      return {};
    },
    /^Could not list s3:\/\/\S+: the credentials do not allow that\. Grant them s3:ListBucket\./,
  ],
  [
    'no right to write',
    (store) => store.reader(),
    /^Could not write s3:\/\/\S+: the credentials do not allow that\. Grant them s3:PutObject\./,
  ],
  [
    'a clock that is off, and cannot be corrected',
    (_, proxy) => {
      const date = new Date(0).toUTCString();
      proxy.before = async () => {
        const { headers, ...answer } = S3_ERROR(403, 'RequestTimeTooSkewed');
        return { ...answer, headers: { ...headers, Date: date } };
      };
      return {};
    },
    /^Could not read \S+(?: \(\d times\))?: this machine's clock is off\. Set it, as by NTP\./,
  ],
  [
    'a full store',
    (_, proxy) => {
      proxy.before = async ({ method }) =>
        method === 'PUT' ? S3_ERROR(507, 'XMinioStorageFull') : undefined;
      return {};
    },
    /^Could not write \S+: the store has no room left\. Make some, as by staticfiles prune, or have its quota raised\. \(XMinioStorageFull: No\)$/,
  ],
];

const AZURITE: Row[] = [
  [
    'a wrong key',
    () => ({ accountKey: Buffer.from('wrong').toString('base64') }),
    /^Could not read 'staticfiles\.json' of \S+: the accountKey is not that of the account at host\. Copy one/,
  ],
  [
    'no container',
    () => ({ container: 'no-such-container' }),
    /^Could not read .*: there is no container 'no-such-container' at host\. Create it/,
  ],
  [
    'no right to list',
    (_, proxy) => {
      proxy.before = async (request) =>
        isListing(request)
          ? { status: 403, headers: { 'x-ms-error-code': 'AuthorizationPermissionMismatch' } }
          : undefined;
      return {};
    },
    /^Could not list \S+: the store answers 403 AuthorizationPermissionMismatch\. /,
  ],
  [
    'no right to write',
    (store) => store.reader(),
    /^Could not write .*: the store answers 403 \w+\. The shared access signature has the permissions 'rl'; collecting needs 'rwdl'/,
  ],
  [
    'a clock that is off',
    (_, proxy) => {
      const date = new Date(Date.now() + 3_600_000).toUTCString();
      proxy.before = async () => ({
        status: 403,
        headers: { Date: date, 'x-ms-error-code': 'AuthenticationFailed' },
      });
      return {};
    },
    /^Could not read .*: this machine's clock is 60 minutes behind the store's, which refuses that\. Set it \(NTP\)\.$/,
  ],
  [
    'a full store',
    (_, proxy) => {
      proxy.before = async ({ method }) =>
        method === 'PUT'
          ? { status: 507, headers: { 'x-ms-error-code': 'InsufficientStorage' } }
          : undefined;
      return {};
    },
    /^Could not write .*: the store answers 507 InsufficientStorage: it has no room left\. Make some,/,
  ],
];

describe.each([[swift, SWIFT] as const, [azurite, AZURITE] as const])(
  'collectstatic says what to do',
  (kind, rows) => {
    it.skipIf(kind.missing).each(rows)(`${kind.name}: %s`, async (_, prepare, sentence) => {
      const { store, own, proxy, before } = await changed(kind);
      const options = await prepare(store, proxy);
      expect(await refusal(own, store, proxy, options)).toMatch(sentence);
      expectUntouched(before, await store.objects());

      proxy.before = undefined;
      const good = await own.call(store.storage({}, proxy.url), ['collectstatic']);
      expect(good.status).toBe(0);
      expect(await lacking(store.storage())).toEqual([]);
    });
  },
);

const AWAY = /^Could not (?:read|list|write) .*: nobody answers|^Could not \w+ .*: .*ECONNREFUSED/;

describe.each([swift, azurite])('collectstatic into $name that is away', (kind) => {
  it.skipIf(kind.missing)('from the beginning', async () => {
    const { store, own, proxy, before } = await changed(kind);
    await proxy.away();
    expect(await refusal(own, store, proxy)).toMatch(AWAY);
    expectUntouched(before, await store.objects());
    await proxy.back();
    const good = await own.call(store.storage({}, proxy.url), ['collectstatic']);
    expect(good.status).toBe(0);
    expect(await lacking(store.storage())).toEqual([]);
  });

  it.skipIf(kind.missing)('in the middle: the next run sends the rest only', async () => {
    const { store, own, proxy, before } = await changed(kind);
    let files = 0;
    proxy.before = async (request) => {
      if (request.method !== 'PUT' || objectOf(request).startsWith('.staticfiles/')) return;
      files++;
      if (files < 3) return;
      await proxy.away();
      return 'hang'; // there is nobody any more who could answer
    };
    expect(await refusal(own, store, proxy, { concurrency: 1 })).toMatch(AWAY);
    const arrived = sentThrough(
      proxy.requests.filter(({ status }) => status === 200 || status === 201),
    );
    expect(arrived.length).toBe(2);
    expectUntouched(before, await store.objects());

    proxy.before = undefined;
    proxy.reset();
    await proxy.back();
    const good = await own.call(store.storage({}, proxy.url), ['collectstatic']);
    expect(good.status).toBe(0);
    expect(sentThrough(proxy.requests).length).toBe(SENT - 2);
    expect(await lacking(store.storage())).toEqual([]);
  });

  it.skipIf(kind.missing)('for a moment: nobody is told', async () => {
    const { store, own, proxy } = await changed(kind);
    let isFirst = true;
    proxy.before = async (request) => {
      if (request.method !== 'PUT' || !isFirst) return;
      isFirst = false;
      await proxy.away();
      await proxy.back();
      return 'hang';
    };
    expect(await own.call(store.storage({}, proxy.url), ['collectstatic'])).toMatchObject({
      status: 0,
    });
    expect(await lacking(store.storage())).toEqual([]);
  });
});

describe.each([swift, azurite])('a source, on its way to $name,', (kind) => {
  /** What is told where something happens to `robots.txt` when the deploy is announced. */
  async function toldAfter(happen: (path: string) => void) {
    const { store, own, proxy, before } = await changed(kind);
    proxy.before = async (request) => {
      if (objectOf(request).startsWith('.staticfiles/manifests/')) {
        happen(join(own.root, 'static/robots.txt'));
      }
      return undefined;
    };
    const sentence = await refusal(own, store, proxy);
    expectUntouched(before, await store.objects());
    proxy.before = undefined;
    own.change(TWO);
    const good = await own.call(store.storage({}, proxy.url), ['collectstatic']);
    expect(good.status).toBe(0);
    expect(await lacking(store.storage())).toEqual([]);
    return sentence.replaceAll(own.root, '');
  }

  it.skipIf(kind.missing)('that changes is told, and not kept', async () => {
    expect(await toldAfter((path) => writeFileSync(path, 'User-agent: new\n'))).toBe(
      "'robots.txt' could not be collected from /static/robots.txt: it changed while files were collected; run collectstatic again when it is whole.",
    );
  });

  it.skipIf(kind.missing)('that vanishes is told', async () => {
    expect(await toldAfter((path) => rmSync(path))).toMatch(
      /^'robots\.txt' could not be collected from \/static\/robots\.txt: ENOENT.* The source vanished meanwhile; run collectstatic again\.$/,
    );
  });
});

describe.each([swift, azurite])('a damaged manifest on $name', (kind) => {
  it.skipIf(kind.missing)('is refused, and forgotten by --clear', async () => {
    const { store, own, proxy } = await changed(kind);
    const damaged = Buffer.from('{"paths": {"a.css": "a.0123');
    await store.storage().write('staticfiles.json', damaged);
    expect(await refusal(own, store, proxy)).toMatch(
      /^The manifest of the last deploy cannot be read, and nothing was changed\. \S+staticfiles\.json is no JSON: .*\. collectstatic --clear forgets it, and the files of earlier deploys with it\.$/,
    );
    const { 'staticfiles.json': manifest, 'robots.txt': robots } = await store.objects();
    expect(manifest?.body).toEqual(damaged);
    expect(robots?.body.toString()).toBe(SMALL['robots.txt']);

    const clearing = await own.call(store.storage({}, proxy.url), ['collectstatic', '--clear']);
    expect(clearing.status).toBe(0);
    expect(await lacking(store.storage())).toEqual([]);
    expect(
      Object.keys(await store.objects()).filter((name) => name.includes('robots')).length,
    ).toBe(2);
  });
});

describe('a clock that is off', () => {
  it.skipIf(swift.missing)(`is corrected by the SDK of ${swift.name}`, async () => {
    const { store, own } = await changed(swift);
    const preload = `data:text/javascript,${encodeURIComponent(
      'const now = Date.now; const off = 7_200_000; Date.now = () => now() + off; const Old = Date; globalThis.Date = class extends Old { constructor(...args) { if (args.length) super(...args); else super(now() + off); } static now() { return now() + off; } };',
    )}`;
    expect(await own.start(store.source(), [], { preload }).ended).toMatchObject({ status: 0 });
    expect(await lacking(store.storage())).toEqual([]);
  });
});
