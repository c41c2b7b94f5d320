import { expect } from 'vitest';
import { type Check, sound } from './answers.js';
import { Connection, type Fields } from './connection.js';
import type { Coding, HttpSite, Mode } from './site.js';
import { type Address, type Asked, type HttpTarget, type Known, known, pathOf } from './target.js';

/** A request, and the answer to it that every way of serving gives. */
export interface HttpCase {
  /** For lists of what a server is known to do in another way. */
  readonly id: string;
  /** What is so, as a sentence. */
  readonly says: string;
  /** @default every one */
  readonly modes?: readonly Mode[];
  readonly method?: string;
  /** The file that is asked for: by its plain name, and where it has one, by its hashed name too. */
  readonly name?: string;
  /** Where it asks for no file, or for one in a way of its own: the request target. */
  readonly path?: string | ((site: HttpSite) => string);
  /** Put after the path of `name`. */
  readonly query?: string;
  /** The form that the request selects, where the file has it. @default 'identity' */
  readonly selects?: Coding;
  readonly headers?: Fields | ((known: Known, identity: Known) => Fields);
  readonly body?: string;
  readonly answer: Check;
}

/** What is said of a group's cases before each `id`. */
export function group(prefix: string, cases: readonly HttpCase[]): HttpCase[] {
  return cases.map((row) => ({ ...row, id: `${prefix}/${row.id}` }));
}

/** In which ways a case asks for its file in a mode; none where it is not for that mode. */
export function addressesOf({ modes, name, path }: HttpCase, mode: Mode): readonly Address[] {
  if (modes !== undefined && !modes.includes(mode)) return [];
  const isOfFile = name !== undefined && path === undefined;
  return mode === 'hashed' && isOfFile ? ['name', 'hash'] : ['name'];
}

/**
 * Asks, checks the answer, and that the connection goes on being usable: after the answer there is
 * nothing more, and the next request gets its own.
 *
 * @throws {Error} where something is not as the case says.
 */
export async function checkCase(
  row: HttpCase,
  target: HttpTarget,
  address: Address = 'name',
): Promise<void> {
  const { method, headers, body, selects = 'identity' } = row;
  const asked: Asked = { target, address, name: row.name, coding: selects };
  const path = typeof row.path === 'function' ? row.path(target.site) : row.path;
  const connection = await Connection.open(target.url);
  try {
    const answer = await connection.ask({
      ...(method === undefined ? {} : { method }),
      ...(body === undefined ? {} : { body }),
      target: (path ?? pathOf(asked)) + (row.query ?? ''),
      headers:
        typeof headers === 'function'
          ? headers(await known(asked), await known({ ...asked, coding: 'identity' }))
          : (headers ?? {}),
    });
    await row.answer(answer, asked, method === 'HEAD');
    await sound(answer, asked, method === 'HEAD');
    await expectUsable(connection);
  } finally {
    connection.close();
  }
}

async function expectUsable(connection: Connection): Promise<void> {
  const { status, body } = await connection.ask({ target: '/static/app/small.css' });
  expect({ status, body: body.toString() }, 'the next answer').toEqual({
    status: 200,
    body: 'a{}',
  });
}
