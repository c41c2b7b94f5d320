import { extensionAt } from '../names.js';

/** The languages whose references are known. */
export type Language = 'css' | 'javascript';

const LANGUAGES: Readonly<Record<string, Language>> = {
  '.css': 'css',
  '.js': 'javascript',
  '.mjs': 'javascript',
};

/** The language that a file is in, by its name; `undefined` where it refers to nothing we know. */
export function languageOf(name: string): Language | undefined {
  const extension = name.slice(extensionAt(name)).toLowerCase();
  return Object.hasOwn(LANGUAGES, extension) ? LANGUAGES[extension] : undefined;
}
