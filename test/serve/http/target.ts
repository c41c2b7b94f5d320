import { expect } from 'vitest';
import { askOnce, type Fields, type RawAnswer } from './connection.js';
import type { Coding, HttpSite } from './site.js';

/** An entity tag that tells every byte (RFC 9110, 8.8.3). */
export const STRONG = /^"[\x21\x23-\x7e]+"$/;

/** A server that serves a site. */
export interface HttpTarget {
  /** Its origin: `http://127.0.0.1:1234`. */
  readonly url: string;
  readonly site: HttpSite;
}

/** How a file is asked for: by its plain name or by the one with its hash. */
export type Address = 'name' | 'hash';

/** What a case is run on: a target, and the file that it asks for. */
export interface Asked {
  readonly target: HttpTarget;
  readonly address: Address;
  /** Absent where it asks for no file. */
  readonly name: string | undefined;
  /** The form that the request selects, where the file has more than one. */
  readonly coding: Coding;
}

/** What is known of a representation before a case asks for it in its own way. */
export interface Known {
  readonly etag: string;
  readonly lastModified: string;
  readonly size: number;
  readonly bytes: Buffer;
  readonly contentType: string;
}

/** The path that a file is asked for at, each character encoded that may be. */
export function pathOf({ target, address, name = '' }: Asked): string {
  const spelled = address === 'hash' ? target.site.hashedName(name) : name;
  if (spelled === undefined) throw new Error(`${name} has no hashed name.`);
  return `/static/${spelled.split('/').map(encodeURIComponent).join('/')}`;
}

export function codingOf({ target, name, coding }: Asked): Coding {
  const has = name !== undefined && target.site.codings(name).includes(coding);
  return has ? coding : 'identity';
}

export function hasVariants({ target, name }: Asked): boolean {
  return name !== undefined && target.site.codings(name).length > 1;
}

/** How long the file of a name may be kept, as the `Cache-Control` of a 200 says it. */
export function cacheControl({ target, address }: Asked): string {
  if (address === 'hash') return 'public, max-age=315360000, immutable';
  return target.site.mode === 'live' ? 'no-cache' : 'public, max-age=60';
}

const knownOf = new WeakMap<HttpTarget, Map<string, Promise<Known>>>();

/** Asks for the representation with nothing else in the request, once for each target. */
export function known(asked: Asked): Promise<Known> {
  const [path, coding] = [pathOf(asked), codingOf(asked)];
  const all = knownOf.get(asked.target) ?? new Map<string, Promise<Known>>();
  knownOf.set(asked.target, all);
  const key = `${coding} ${path}`;
  const found = all.get(key) ?? ask(asked, path, coding);
  all.set(key, found);
  return found;
}

async function ask({ target, name = '' }: Asked, path: string, coding: Coding): Promise<Known> {
  const headers: Fields = coding === 'identity' ? {} : { 'Accept-Encoding': coding };
  const answer = await askOnce(target.url, { target: path, headers });
  expect(answer.status, `${path}, asked for with nothing special`).toBe(200);
  expect(answer.field('Content-Encoding') ?? 'identity').toBe(coding);
  const [etag = '', lastModified = ''] = [answer.field('ETag'), answer.field('Last-Modified')];
  expect(etag, 'a strong tag').toMatch(STRONG);
  expect(lastModified, 'a date').not.toBe('');
  const bytes = target.site.bytes(name, coding);
  return {
    etag,
    lastModified,
    size: bytes.length,
    bytes,
    contentType: answer.field('Content-Type') ?? '',
  };
}

/** The fields of an answer that begin so. */
export function fieldsLike(answer: RawAnswer, beginning: string): string[] {
  return answer.fields.map(([name]) => name).filter((name) => name.startsWith(beginning));
}
