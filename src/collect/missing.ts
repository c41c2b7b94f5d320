import { didYouMean, nearNames } from '../near.js';
import type { FoundReference } from './scan.js';

/** A reference to a file that is not among the static files. */
export interface MissingReference {
  /** The file that it stands in, and where, both from 1. */
  readonly name: string;
  readonly line: number;
  readonly column: number;
  /** As it is written, its escapes undone. */
  readonly reference: string;
  /** The name that it leads to; `undefined` where it leads out of the static files. */
  readonly target: string | undefined;
  /** Whether it is a source map, which tools ask for and pages do not. */
  readonly sourceMap: boolean;
  /** The whole of it in a sentence, with place and suggestion. */
  readonly message: string;
}

/** To look for names that look alike takes long; beyond so many, nobody reads them all. */
const SUGGESTIONS = 5;

const EXTENSIONS = ['.js', '.mjs', '/index.js', '/index.mjs'] as const;

/** Says what is missing, with the names that look alike. */
export function missingReporter(names: () => Iterable<string>) {
  let suggested = 0;
  let inLowerCase: Map<string, string> | undefined;

  function otherCase(target: string): string | undefined {
    if (inLowerCase === undefined) {
      inLowerCase = new Map();
      for (const name of names()) inLowerCase.set(name.toLowerCase(), name);
    }
    return inLowerCase.get(target.toLowerCase());
  }

  /** `import './util'` is what bundlers complete, and no browser does. */
  function withoutExtension(target: string): string | undefined {
    return EXTENSIONS.find((extension) => otherCase(target + extension) === target + extension);
  }

  function why(target: string | undefined, kind: FoundReference[4]): string {
    if (target === undefined) return 'leads out of the static files';
    const extension = kind === 'specifier' ? withoutExtension(target) : undefined;
    if (extension !== undefined) {
      return `is not found: the file is '${target}${extension}', and browsers complete no name`;
    }
    const spelled = otherCase(target);
    if (spelled !== undefined) {
      return `is not found in this spelling: the file is '${spelled}', and upper and lower case differ`;
    }
    if (kind === 'source-map') return `is not found: there is no source map '${target}'`;
    suggested++;
    const near = suggested > SUGGESTIONS ? [] : nearNames(target, names());
    return `is not found: there is no file '${target}'.${didYouMean(near)}`.replace(/\.$/, '');
  }

  return (
    name: string,
    [reference, , line, column, kind]: FoundReference,
    target: string | undefined,
  ): MissingReference => {
    const sourceMap = kind === 'source-map';
    const sentence = why(target, kind);
    const message = `${name}:${line}:${column}: ${reference} ${sentence}${sentence.endsWith('?') ? '' : '.'}`;
    return { name, line, column, reference, target, sourceMap, message: inOneLine(message) };
  };
}

/** A message goes to terminals and logs; what a vendor's file says must not move them. */
function inOneLine(text: string): string {
  return text.replace(
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
    /[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
