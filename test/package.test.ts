import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
const execute = promisify(execFile);

/** Adapters of stores are named after these, and not after the packages of their makers. */
const STORES: Readonly<Record<string, string>> = {
  '@aws-sdk/client-s3': './s3',
  '@aws-sdk/cloudfront-signer': './s3',
  '@aws-sdk/s3-request-presigner': './s3',
  '@azure/storage-blob': './azure',
};
/** The subpaths that are no adapters. */
const OWN = ['./testing'];

const subpaths = Object.keys(manifest.exports).filter((path) => /^\.\/[^.]+$/.test(path));

describe('the package', () => {
  it('has the files that its exports name', () => {
    for (const target of Object.values<string | Record<string, string>>(manifest.exports)) {
      for (const path of typeof target === 'string' ? [target] : Object.values(target)) {
        expect(existsSync(join(root, path)), path).toBe(true);
      }
    }
    expect(existsSync(join(root, manifest.bin.staticfiles))).toBe(true);
  });

  it('exports every adapter, and nothing that is none', () => {
    const adapters = readdirSync(join(root, 'adapters'))
      // handlebars-tree is a part of handlebars, and what is in s3/ of s3.
      .filter((file) => file.endsWith('.ts') && !file.includes('-'))
      .map((file) => `./${file.replace(/\.ts$/, '')}`);
    expect(subpaths.toSorted()).toEqual([...adapters, ...OWN].sort());
  });

  it('has an optional peer for each adapter', () => {
    const peers = Object.keys(manifest.peerDependencies);
    const paths = new Set(peers.map((peer) => STORES[peer] ?? `./${peer}`));
    expect([...paths, ...OWN].sort()).toEqual(subpaths.toSorted());
    expect(manifest.peerDependenciesMeta).toEqual(
      Object.fromEntries(peers.map((peer) => [peer, { optional: true }])),
    );
    expect(Object.keys(manifest.devDependencies)).toEqual(expect.arrayContaining(peers));
  });

  it('has dependencies without install scripts', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'));
    const packages = Object.entries<{ dev?: boolean; hasInstallScript?: boolean; peer?: boolean }>(
      lock.packages,
    );
    const runtime = packages.filter(([path, { dev }]) => path !== '' && !dev);
    expect(runtime.length).toBeGreaterThanOrEqual(Object.keys(manifest.dependencies).length);
    expect(
      runtime.filter(([, { hasInstallScript }]) => hasInstallScript).map(([path]) => path),
    ).toEqual([]);
  });

  it('can be imported and required, and is the same for both', async () => {
    const require = createRequire(import.meta.url);
    for (const path of [
      'staticfiles',
      ...subpaths.map((subpath) => `staticfiles${subpath.slice(1)}`),
    ]) {
      const imported = await import(/* @vite-ignore */ path);
      expect(Object.keys(imported).length, path).toBeGreaterThan(0);
      // Node adds it to what has a default export.
      const { __esModule: _, ...required } = require(path);
      expect(Object.keys(required).sort(), path).toEqual(Object.keys(imported).sort());
    }
  });

  it('has no fault that publint finds', async () => {
    const { messages, pkg } = await publint({ pkgDir: root, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('has types that resolve for every kind of importer', async () => {
    const { stdout } = await execute(
      'npx',
      ['--no-install', 'attw', '--pack', '.', '--profile', 'esm-only', '--format', 'json'],
      {
        cwd: root,
        maxBuffer: 1 << 26,
        shell: process.platform === 'win32',
      },
    );
    const { problems } = JSON.parse(stdout).analysis ?? {};
    const relevant = problems.filter(
      ({ kind, resolutionKind }: { kind: string; resolutionKind?: string }) =>
        // ESM only: CommonJS gets it by require(), and the resolution of Node 10 is out of support.
        kind !== 'CJSResolvesToESM' && resolutionKind !== 'node10',
    );
    expect(relevant).toEqual([]);
  });
});
