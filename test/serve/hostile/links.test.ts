import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { dirname, join, sep } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { APPLICATION } from '../http/answers.js';
import { MODES, type Mode } from '../http/site.js';
import { type HostileSite, hostileSite, SECRET } from './site.js';

const COLLECTED: readonly Mode[] = ['plain', 'hashed'];

async function expectMiss(site: HostileSite, path: string): Promise<void> {
  const answer = await site.ask({ target: path });
  expect({ path, status: answer?.status }).toEqual({ path, status: 404 });
  expect(answer?.body.includes(SECRET)).toBe(false);
}

async function expectFile(site: HostileSite, path: string, body: string): Promise<void> {
  const answer = await site.ask({ target: path });
  expect({ path, status: answer?.status }).toEqual({ path, status: 200 });
  expect(answer?.body.toString()).toBe(body);
}

/** Puts something else in the place of a file. */
function replace(path: string, put: (path: string) => void): void {
  rmSync(path, { recursive: true });
  put(path);
}

describe.each(COLLECTED)('links in the collected tree, %s:', (mode) => {
  it('a link that was put there leads nowhere', async () => {
    const site = await hostileSite(mode, {
      damage(root) {
        const at = (name: string) => join(root, 'collected', name);
        symlinkSync('../secret.txt', at('relative.txt'));
        symlinkSync(join(root, 'secret.txt'), at('absolute.txt'));
        symlinkSync('../../secret.txt', at('app/deep.txt'));
        symlinkSync('relative.txt', at('second.txt'));
        symlinkSync('..', at('folder'));
        symlinkSync(join(root, 'static-other'), at('app/folder'));
        symlinkSync('/', at('root'));
        symlinkSync('gone.txt', at('dangling.txt'));
        symlinkSync('loop.txt', at('loop.txt'));
        symlinkSync('.', at('itself'));
      },
    });
    const paths = ['relative.txt', 'absolute.txt', 'app/deep.txt', 'second.txt', 'folder'];
    const inner = ['folder/secret.txt', 'folder/static-other/secret.txt', 'app/folder/secret.txt'];
    const others = ['root/etc/passwd', 'dangling.txt', 'loop.txt', 'itself/folder/secret.txt'];
    const secret = join(site.root, 'secret.txt').slice(1);
    for (const path of [...paths, ...inner, ...others, `root/${secret}`]) {
      await expectMiss(site, `/static/${path}`);
    }
    await site.expectCalm();
  });

  it('a file that was replaced by a link is not answered with what that leads to', async () => {
    const site = await hostileSite(mode, {
      damage(root, diskPathOf) {
        replace(diskPathOf('app/site.css'), (path) => symlinkSync(join(root, 'secret.txt'), path));
      },
    });
    await expectMiss(site, site.pathOf('app/site.css'));
    const plain = await site.ask({ target: '/static/app/site.css' });
    expect(plain?.body.includes(SECRET)).toBe(false);
    await site.expectCalm();
  });

  it('nor a folder that was replaced', async () => {
    const site = await hostileSite(mode, {
      files: { 'static/sub/one.css': 'a{}' },
      damage(root, diskPathOf) {
        const folder = dirname(diskPathOf('sub/one.css'));
        renameSync(folder, join(root, 'outside'));
        const file = diskPathOf('sub/one.css').slice(folder.length + 1);
        writeFileSync(join(root, 'outside', file), SECRET);
        symlinkSync(join(root, 'outside'), folder);
      },
    });
    for (const path of [site.pathOf('sub/one.css'), '/static/sub/one.css']) {
      await expectMiss(site, path);
    }
    await site.expectCalm();
  });

  it('what collectstatic linked is served, from packages that are links themselves too', async () => {
    const site = await hostileSite(mode, {
      collect: { link: true },
      files: { 'store/package@1/dist/x.js': 'export {};' },
      before: (root) =>
        symlinkSync(join(root, 'store/package@1/dist'), join(root, 'static/package')),
    });
    expect(readFileSync(join(site.root, 'collected/package/x.js'), 'utf8')).toBe('export {};');
    for (const path of [site.pathOf('package/x.js'), '/static/package/x.js']) {
      await expectFile(site, path, 'export {};');
    }
    await site.expectCalm();
  });

  it('a static root that is a link is one, as deploys make it', async () => {
    const site = await hostileSite(mode, {
      damage(root) {
        mkdirSync(join(root, 'releases'));
        renameSync(join(root, 'collected'), join(root, 'releases/1'));
        symlinkSync('releases/1', join(root, 'collected'));
      },
    });
    for (const path of [site.pathOf('app/small.css'), '/static/app/small.css']) {
      await expectFile(site, path, 'a{}');
    }
    await site.expectCalm();
  });

  it('a project that is reached by a link is one', async () => {
    const site = await hostileSite(mode);
    const away = `${site.root}-moved`;
    renameSync(site.root, away);
    symlinkSync(away, site.root);
    onTestFinished(() => rmSync(away, { recursive: true, force: true }));
    for (const path of [site.pathOf('app/small.css'), '/static/app/site.css']) {
      expect((await site.ask({ target: path }))?.status).toBe(200);
    }
  });
});

describe('compressed forms that were replaced', () => {
  it('are not answered with what a link leads to', async () => {
    const site = await hostileSite('hashed', {
      damage(root, diskPathOf) {
        for (const suffix of ['.br', '.gz']) {
          const put = (path: string) => symlinkSync(join(root, 'secret.txt'), path);
          replace(diskPathOf('app/site.css') + suffix, put);
        }
      },
    });
    for (const accepted of ['br', 'gzip', 'br, gzip', '*']) {
      for (const target of [site.pathOf('app/site.css'), '/static/app/site.css']) {
        const answer = await site.ask({ target, headers: { 'Accept-Encoding': accepted } });
        expect([200, 404]).toContain(answer?.status);
        expect(answer?.body.includes(SECRET)).toBe(false);
      }
    }
    await site.expectCalm();
  });
});

describe('links in source folders, live', () => {
  it('are followed, as those of packages are, and no round is run', async () => {
    const site = await hostileSite('live', {
      files: { 'store/package@1/dist/x.js': 'export {};' },
      before(root) {
        symlinkSync(join(root, 'store/package@1/dist'), join(root, 'static/package'));
        symlinkSync('small.css', join(root, 'static/app/linked.css'));
        symlinkSync('loop.css', join(root, 'static/app/loop.css'));
        symlinkSync('..', join(root, 'static/app/up'));
        symlinkSync('gone.css', join(root, 'static/app/dangling.css'));
      },
    });
    await expectFile(site, '/static/package/x.js', 'export {};');
    await expectFile(site, '/static/app/linked.css', 'a{}');
    await expectMiss(site, '/static/app/loop.css');
    await expectMiss(site, '/static/app/dangling.css');
    await expectMiss(site, `/static/${'app/up/'.repeat(50)}none.css`);
    await expectMiss(site, '/static/package/../secret.txt');
    await site.expectCalm();
  });
});

describe.each(MODES)("links among uploads and files of the site's root, %s:", (mode) => {
  it('lead nowhere', async () => {
    const site = await hostileSite(mode, {
      before(root) {
        for (const folder of ['uploads', 'public']) {
          symlinkSync('../secret.txt', join(root, folder, 'link.txt'));
          symlinkSync('..', join(root, folder, 'up'));
          symlinkSync('loop.txt', join(root, folder, 'loop.txt'));
        }
      },
    });
    for (const base of ['/', '/media/']) {
      for (const name of ['link.txt', 'up/secret.txt', 'up/up/secret.txt', 'loop.txt', 'up']) {
        const answer = await site.ask({ target: base + name });
        expect([404, APPLICATION]).toContain(
          answer?.status === 200 ? answer.body.toString() : answer?.status,
        );
      }
    }
    await site.expectCalm();
  });
});

describe('a manifest that names files outside', () => {
  it.each(['../secret.txt', '/secret.txt', 'app/../../secret.txt', '..\\secret.txt', './x', 'x\0'])(
    'is none: %j',
    async (hashedName) => {
      const site = await hostileSite('hashed', {
        damage(root) {
          const path = join(root, 'collected/staticfiles.json');
          const manifest = JSON.parse(readFileSync(path, 'utf8'));
          manifest.paths['app/evil.txt'] = hashedName;
          writeFileSync(path, JSON.stringify(manifest));
        },
      });
      for (const path of ['app/evil.txt', hashedName, '../secret.txt', 'secret.txt']) {
        const answer = await site.ask({ target: `/static/${encodeURIComponent(path)}` });
        expect([404, 500]).toContain(answer?.status);
        expect(answer?.body.includes(SECRET)).toBe(false);
      }
    },
  );
});

/** What is no file, though it has a name: [what, how it is put there]. */
const NO_FILES: readonly (readonly [string, (path: string) => void])[] = [
  ['a pipe that nobody writes into', pipe],
  ['a socket', (path) => void createSocket(path)],
  ['a device', (path) => symlinkSync('/dev/zero', path)],
  ['a folder', (path) => mkdirSync(path)],
];

/** Opening it waits for a writer; there is one at last, so that whoever waits wrongly need not for ever. */
function pipe(path: string): void {
  execFileSync('mkfifo', [path]);
  onTestFinished(() => {
    if (existsSync(path)) closeSync(openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
  });
}

function createSocket(path: string): void {
  // The address of a socket is short: from where it is, not from the root.
  const server = createServer().listen(path.length < 100 ? path : 'too-long');
  onTestFinished(() => void server.close());
}

describe.skipIf(sep !== '/').each(MODES)(
  'what is no file (not on Windows, which has none), %s:',
  (mode) => {
    it.each(NO_FILES)('%s is a miss, and nobody waits for it', async (_what, put) => {
      const site = await hostileSite(mode, {
        files: { 'static/app/odd.css': 'odd' },
        damage: (_root, diskPathOf) => replace(diskPathOf('app/odd.css'), put),
      });
      // More than there are threads that open files.
      const paths = Array.from({ length: 16 }, () => site.pathOf('app/odd.css'));
      await Promise.all(paths.map((path) => expectMiss(site, path)));
      await site.expectCalm();
    });
  },
);

describe.each(COLLECTED)('what changes behind the server, %s:', (mode) => {
  it('a file that has vanished is a miss', async () => {
    const site = await hostileSite(mode, {
      damage: (_root, diskPathOf) => rmSync(diskPathOf('app/site.css')),
    });
    await expectMiss(site, site.pathOf('app/site.css'));
    await site.expectCalm();
  });

  it('a file that vanishes later is answered or missed, and others are served', async () => {
    const site = await hostileSite(mode);
    const target = site.pathOf('app/site.css');
    expect((await site.ask({ target }))?.status).toBe(200);
    rmSync(site.diskPathOf('app/site.css'));
    for (const headers of [{}, { Range: 'bytes=0-9' }, { 'Accept-Encoding': 'br' }]) {
      expect([200, 206, 404]).toContain((await site.ask({ target, headers }))?.status);
    }
    await site.expectCalm();
  });

  it('all of them may vanish', async () => {
    const site = await hostileSite(mode);
    const target = site.pathOf('app/site.css');
    renameSync(join(site.root, 'collected'), join(site.root, 'elsewhere'));
    expect([404, 500]).toContain((await site.ask({ target }))?.status);
    renameSync(join(site.root, 'elsewhere'), join(site.root, 'collected'));
    await site.expectCalm();
  });
});

describe('compressed forms that have vanished', () => {
  it('are done without', async () => {
    const site = await hostileSite('hashed', {
      damage(_root, diskPathOf) {
        for (const suffix of ['.br', '.gz']) rmSync(diskPathOf('app/site.css') + suffix);
      },
    });
    const headers = { 'Accept-Encoding': 'br, gzip' };
    const answer = await site.ask({ target: site.pathOf('app/site.css'), headers });
    expect([200, 404]).toContain(answer?.status);
    await site.expectCalm();
  });
});
