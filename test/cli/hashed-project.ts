import { project } from '../project.js';

const INDEX = new URL('../../src/index.ts', import.meta.url).pathname;

/** A project that is collected under hashed names from `site/` into `collected/`. */
export function hashedProject(files: Readonly<Record<string, string>>, settings = ''): string {
  return project({
    'staticfiles.config.ts': `import { hashedStorage } from ${JSON.stringify(INDEX)};
      export default { dirs: ['site'], staticRoot: 'collected', storage: hashedStorage(), ${settings} };`,
    ...Object.fromEntries(Object.entries(files).map(([name, text]) => [`site/${name}`, text])),
  });
}
