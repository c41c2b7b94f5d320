import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { start } from '../process.js';
import { add, project } from '../project.js';
import { standIn } from './s3-stand-in.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** A project where the package is installed as it is built, with these others. */
function installed(...peers: string[]): string {
  const folder = project({});
  const own = join(folder, 'node_modules/staticfiles');
  cpSync(join(root, 'dist'), join(own, 'dist'), { recursive: true });
  cpSync(join(root, 'package.json'), join(own, 'package.json'));
  for (const name of [...Object.keys(dependencies), ...peers]) {
    const link = join(folder, 'node_modules', name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), link, 'dir');
  }
  return folder;
}

/** What a module prints as JSON. */
function run(cwd: string, ...lines: string[]): unknown {
  const program = ["import { s3Storage } from 'staticfiles/s3';", ...lines].join('\n');
  const args = ['--input-type=module', '-e', program];
  return JSON.parse(execFileSync(process.execPath, args, { cwd, encoding: 'utf8' }));
}

/** What `staticfiles check` finds where files are to be in such a storage. */
function checked(cwd: string, module: 's3' | 'azure', options: string): unknown {
  add(cwd, {
    'staticfiles.config.mjs': `import { hashedStorage } from 'staticfiles';
      import { ${module}Storage } from 'staticfiles/${module}';
      export default { storage: hashedStorage({ over: ${module}Storage(${options}) }) };`,
  });
  const bin = join(cwd, 'node_modules/staticfiles/dist/src/cli/bin.js');
  const { AWS_REGION, AWS_DEFAULT_REGION, ...env } = process.env;
  Object.assign(env, { AWS_CONFIG_FILE: join(cwd, 'none'), NODE_ENV: 'production' });
  const { stdout } = spawnSync(process.execPath, [bin, 'check', '--json'], { cwd, env });
  return JSON.parse(stdout.toString()).problems;
}

const TOLD =
  '.catch(({ name, message, peer }) => console.log(JSON.stringify({ name, message, peer })))';
const STORE =
  "const store = s3Storage({ bucket: 'shelf', region: 'eu-west-1', credentials: { accessKeyId: 'k', secretAccessKey: 's' } });";

describe('without the SDK', () => {
  test('there are URLs', () => {
    expect(run(installed(), STORE, "console.log(JSON.stringify(store.url('a.css')));")).toBe(
      'https://shelf.s3.eu-west-1.amazonaws.com/a.css',
    );
  });

  test('whatever needs it says what to install', () => {
    const calls = ["read('a')", "write('a', Buffer.of())", 'list().next()', "signedUrl('a')"];
    const asking = calls.map((call) => `() => store.${call}`);
    expect(
      run(
        installed(),
        STORE,
        'const said = [];',
        `for (const ask of [${asking}]) await ask().catch((e) => said.push([e.name, e.peer, e.message]));`,
        'console.log(JSON.stringify(said));',
      ),
    ).toEqual(
      calls.map(() => [
        'PeerError',
        '@aws-sdk/client-s3',
        's3Storage() needs @aws-sdk/client-s3. Install it: npm install @aws-sdk/client-s3',
      ]),
    );
  });

  test('check says what to install', () => {
    const folder = installed();
    for (const [module, options] of [
      ['s3', "{ bucket: 'shelf' }"],
      ['azure', "{ container: 'shelf', accountName: 'example', accountKey: 'a2V5' }"],
    ] as const) {
      expect(checked(folder, module, options)).toEqual([
        {
          id: 'staticfiles.E111',
          level: 'error',
          message: expect.stringMatching(
            /^\w+Storage\(\) needs (@\S+)\. Install it: npm install \1$/,
          ),
        },
      ]);
    }
  });

  test('each signer is wanted for itself', () => {
    const folder = installed('@aws-sdk/client-s3');
    expect(run(folder, STORE, `await store.signedUrl('a')${TOLD};`)).toMatchObject({
      name: 'PeerError',
      peer: '@aws-sdk/s3-request-presigner',
    });
    const options =
      "{ bucket: 'b', publicUrl: 'https://x.example/', cloudFront: { keyPairId: 'K', privateKey: 'P' } }";
    expect(run(folder, `await s3Storage(${options}).signedUrl('a')${TOLD};`)).toMatchObject({
      name: 'PeerError',
      peer: '@aws-sdk/cloudfront-signer',
    });
  });
});

describe('with the SDK', () => {
  test('check says where no region is known', () => {
    const folder = installed('@aws-sdk/client-s3');
    expect(checked(folder, 's3', "{ bucket: 'shelf', region: 'eu-west-1' }")).toEqual([]);
    expect(checked(folder, 's3', "{ bucket: 'shelf' }")).toEqual([
      {
        id: 'staticfiles.W107',
        level: 'warning',
        message: expect.stringContaining("no region is known. Give the option 'region', or set"),
      },
    ]);
  });

  test('a program that is done ends, whatever connections it keeps', async () => {
    const store = await standIn();
    const program = `
      import { s3Storage } from 'staticfiles/s3';
      const store = s3Storage(${JSON.stringify(store.options)});
      await Promise.all(['a', 'b', 'c'].map((name) => store.write(name, Buffer.from(name))));
      console.log(Buffer.from(await store.read('a')).toString());`;
    const running = start(['--input-type=module', '-e', program], root);
    await running.waitFor(/^a$/m);
    const [status] = await new Promise<[number | null]>((resolve) => {
      if (running.process.exitCode !== null) resolve([running.process.exitCode]);
      running.process.on('exit', (code) => resolve([code]));
    });
    expect(status).toBe(0);
    expect([...store.files.keys()].sort()).toEqual(['a', 'b', 'c']);
  });
});
