import type { ServerResponse } from 'node:http';

/** What `writeHead()` is handed after the status: maybe a message, maybe fields. */
export type Rest = readonly unknown[];

/**
 * Sets the fields that `writeHead()` is handed, as Node does itself where others were set before: then
 * all are in one place. Answers what is left to hand to it.
 */
export function settle(response: ServerResponse, rest: Rest): Rest {
  const fields = rest.find(isFields) ?? {};
  if (Array.isArray(fields)) setList(response, fields);
  else for (const [name, value] of Object.entries(fields)) response.setHeader(name, value);
  return rest.filter((part) => !isFields(part));
}

/** Node takes names and values in turn, and pairs; a name may be there several times. */
function setList(response: ServerResponse, list: readonly unknown[]): void {
  const flat = list.every(Array.isArray) ? list.flat() : list;
  const names = flat.filter((_, at) => at % 2 === 0).map(String);
  for (const name of names) response.removeHeader(name);
  for (const [at, name] of names.entries()) {
    response.appendHeader(name, flat[2 * at + 1] as string | string[]);
  }
}

function isFields(part: unknown): part is object {
  return typeof part === 'object' && part !== null;
}

/** The value of a field; empty where there is none. */
export function field(response: ServerResponse, name: string): string {
  return String(response.getHeader(name) ?? '');
}

/** Changes a field where it is there. */
export function edit(
  response: ServerResponse,
  name: string,
  change: (value: string) => string | number,
): void {
  const value = field(response, name);
  if (value !== '') response.setHeader(name, change(value));
}

/** Makes the length longer, where one is told. */
export function lengthen(response: ServerResponse, by: number): void {
  edit(response, 'content-length', (length) => Number(length) + by);
}

/** The same for the length that the listener of @hono/node-server leaves behind the headers' back. */
export function lengthenHidden(response: ServerResponse, by: number): void {
  const outgoing = response as { _contentLength?: unknown };
  if (typeof outgoing._contentLength === 'number') outgoing._contentLength += by;
}
