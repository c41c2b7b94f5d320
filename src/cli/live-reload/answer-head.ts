import type { ServerResponse } from 'node:http';

/** What `writeHead()` is handed after the status: maybe a message, maybe fields. */
export type Rest = readonly unknown[];

type Pair = readonly [name: string, value: unknown];

/** The head of an answer: what was set before, and over it what `writeHead()` is handed. */
export class AnswerHead {
  readonly #response: ServerResponse;
  #rest: Rest;

  constructor(response: ServerResponse, rest: Rest) {
    this.#response = response;
    this.#rest = rest;
  }

  /** What `writeHead()` is to be handed, with what was edited. */
  get rest(): Rest {
    return this.#rest;
  }

  /** The value of a field; empty where there is none. The name is in lower case. */
  get(name: string): string {
    const own = this.#pairs().findLast((pair) => isNamed(pair, name));
    return String(own?.[1] ?? this.#response.getHeader(name) ?? '');
  }

  /** Changes a field where it is there. */
  edit(name: string, change: (value: string) => string | number): void {
    const value = this.get(name);
    if (value === '') return;
    const pairs = this.#pairs();
    if (!pairs.some((pair) => isNamed(pair, name))) {
      this.#response.setHeader(name, change(value));
      return;
    }
    const edited = pairs.map(
      (pair): Pair => (isNamed(pair, name) ? [pair[0], change(value)] : pair),
    );
    this.#rest = this.#rest.map((part) => {
      if (!isFields(part)) return part;
      return Array.isArray(part) ? edited.flat() : Object.fromEntries(edited);
    });
  }

  /** Makes the length longer, where one is told. */
  lengthen(by: number): void {
    this.edit('content-length', lengthened(by));
    // Where the listener of @hono/node-server leaves it, behind the headers' back.
    const outgoing = this.#response as { _contentLength?: unknown };
    if (typeof outgoing._contentLength === 'number') outgoing._contentLength += by;
  }

  /** Node takes an object, names and values in turn, and pairs. */
  #pairs(): Pair[] {
    const fields = this.#rest.find(isFields) ?? {};
    if (!Array.isArray(fields)) return Object.entries(fields);
    const flat: unknown[] = fields.every(Array.isArray) ? fields.flat() : fields;
    return flat.flatMap((name, at): Pair[] => (at % 2 === 0 ? [[String(name), flat[at + 1]]] : []));
  }
}

export function lengthened(by: number): (length: string) => number {
  return (length) => Number(length) + by;
}

function isFields(part: unknown): part is object {
  return typeof part === 'object' && part !== null;
}

function isNamed([name]: Pair, wanted: string): boolean {
  return name.toLowerCase() === wanted;
}
