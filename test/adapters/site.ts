import { join } from 'node:path';
import { createStaticFiles, type Settings, type StaticFiles } from '../../src/index.js';
import { project } from '../project.js';

export interface Site {
  readonly files: StaticFiles;
  /** The folder of the templates. */
  readonly views: string;
}

/** A project of one stylesheet and one upload, with templates; live unless it is to be collected. */
export async function site(
  views: Readonly<Record<string, string>> = {},
  settings: Settings = {},
): Promise<Site> {
  const root = project({
    'static/app/a.css': 'a{}',
    'uploads/me.txt': 'me',
    ...Object.fromEntries(Object.entries(views).map(([name, text]) => [`views/${name}`, text])),
  });
  const all = {
    baseDir: root,
    dirs: ['static'],
    staticRoot: 'collected',
    mediaUrl: '/media/',
    mediaRoot: 'uploads',
    debug: true,
    ...settings,
  };
  if (!all.debug) await createStaticFiles({ ...all, debug: true }).collect();
  return { files: createStaticFiles(all), views: join(root, 'views') };
}

/** A project whose every static file is a fault. */
export function brokenFiles(): StaticFiles {
  const find = () => {
    throw new Error('the finder is broken');
  };
  return createStaticFiles({ finders: [{ find, list: () => [] }], debug: true });
}

/** The status and the text of an answer. */
export async function get(
  url: string,
  init?: RequestInit,
): Promise<[status: number, text: string]> {
  const response = await fetch(url, init);
  return [response.status, await response.text()];
}
