import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Settings } from '../../../src/settings.js';
import { createStaticFiles, type StaticFiles } from '../../../src/static-files.js';
import type { Storage } from '../../../src/storage.js';
import { type HashedStorageOptions, hashedStorage } from '../../../src/storages/hashed.js';
import { type Outcome, run } from '../../cli/run.js';
import { add, project } from '../../project.js';
import { type Collecting, start } from '../program.js';

/** A small site of which every kind of file is one: rewritten, compressible, a picture. */
export const SMALL: Readonly<Record<string, string | Uint8Array>> = {
  'css/base.css': `${'p { color: red }\n'.repeat(30)}`,
  'css/site.css': `@import "base.css";\n${'a { background: url("../img/dot.png") }\n'.repeat(30)}`,
  'img/dot.png': Buffer.from('89504e470d0a1a0a00', 'hex'),
  'js/app.js': `import './part.js';\n${'// a line\n'.repeat(60)}`,
  'js/part.js': `${'export const a = 1;\n'.repeat(30)}`,
  'robots.txt': 'User-agent: *\n',
};

export type Sources = Readonly<Record<string, string | Uint8Array>>;

export interface SiteOptions {
  readonly settings?: Settings;
  readonly hashed?: HashedStorageOptions;
  /** Under plain names. */
  readonly isPlain?: boolean;
}

/** Sources, and the ways to collect them into a storage. */
export interface Site {
  readonly root: string;
  /** Writes these sources. */
  change(sources: Sources): void;
  remove(name: string): void;
  files(storage: Storage, options?: SiteOptions): StaticFiles;
  /** Calls the command line in this process. */
  call(storage: Storage, args: readonly string[], options?: SiteOptions): Promise<Outcome>;
  /** Starts the built collectstatic in a process of its own, with a module that exports `storage`. */
  start(source: string, args?: readonly string[], world?: World): Collecting;
}

export interface World extends NonNullable<Parameters<typeof start>[2]> {
  readonly settings?: Settings;
  readonly hashed?: object;
}

/** What the configuration file of a site in this process answers, by its root. */
const settingsOf = new Map<string, Settings>();
Object.assign(globalThis, { settingsOfTests: settingsOf });

export function site(sources: Sources = SMALL): Site {
  const root = project({});
  let calls = 0;
  add(join(root, 'static'), sources);

  function all(storage: Storage, { settings, hashed, isPlain = false }: SiteOptions): Settings {
    return {
      baseDir: root,
      dirs: ['static'],
      debug: false,
      storage: isPlain ? storage : hashedStorage({ over: storage, ...hashed }),
      ...settings,
    };
  }

  return {
    root,
    change: (changed) => add(join(root, 'static'), changed),
    remove: (name) => rmSync(join(root, 'static', name)),
    files: (storage, options = {}) => createStaticFiles(all(storage, options)),
    call(storage, args, options = {}) {
      settingsOf.set(root, all(storage, options));
      onTestFinished(() => void settingsOf.delete(root));
      calls++;
      const name = `staticfiles-${calls}.config.mjs`; // a module is loaded once
      add(root, { [name]: `export default settingsOfTests.get(${JSON.stringify(root)});` });
      return run(root, [...args, '--config', name]);
    },
    start(source, args = [], { settings, hashed, ...world } = {}) {
      const own = new URL('../../../dist/src/index.js', import.meta.url);
      add(root, {
        'store.mjs': source,
        'staticfiles.config.mjs': `import { hashedStorage } from ${JSON.stringify(own)};
          import { storage } from './store.mjs';
          const hashed = ${JSON.stringify(hashed ?? {})};
          export default {
            dirs: ['static'], debug: false, ...${JSON.stringify(settings ?? {})},
            storage: hashedStorage({ over: storage, ...hashed }),
          };`,
      });
      return start(root, args, world);
    },
  };
}
