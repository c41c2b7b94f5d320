import type { FileHandle } from 'node:fs/promises';
import { NameError } from '../errors.js';
import { normaliseName } from '../names.js';
import { negotiate } from './negotiate.js';
import {
  type FileRequest,
  isAllowed,
  METHODS,
  type Piece,
  type Reply,
  refusal,
  respond,
} from './respond.js';
import type { ServedFile, ServedForm, Source } from './source.js';

/** An answer with everything that is needed to send it. */
export interface Answer extends Reply {
  /** The bytes of the form, in memory. */
  readonly bytes?: Uint8Array | undefined;
  /** They are in an open file, which whoever sends it must close. */
  readonly file?: FileHandle | undefined;
  /** Of the form, in bytes. */
  readonly size?: number;
}

/** A request, and its path as it was sent, without its query. */
export interface Asked extends FileRequest {
  readonly path: string;
}

/** Whether a path is one that the source answers. */
function isBelow({ prefix, mayHave }: Source, path: string): boolean {
  return path.startsWith(prefix) && (mayHave?.(path) ?? true);
}

/** Whether it must be asked for an answer at all. */
export function concerns(sources: readonly Source[], path: string): boolean {
  return sources.some((source) => isBelow(source, path));
}

/** The answer where it is known already and all of it is in memory. */
export function answerNow(sources: readonly Source[], request: Asked): Answer | undefined {
  if (!isAllowed(request.method)) return undefined;
  for (const source of sources) {
    if (!isBelow(source, request.path)) continue;
    const file = source.recall(request.path);
    const chosen = file && choose(request, file.forms);
    if (chosen?.form === undefined) return undefined;
    const reply = respond(request, chosen.form);
    if (reply.body === 'none') return reply;
    const bytes = chosen.body();
    // Written out: by `...reply` it would take twice as long as all else here together.
    return bytes && { status: reply.status, headers: reply.headers, body: reply.body, bytes };
  }
  return undefined;
}

/**
 * The answer to a request; `undefined` where it is the application's.
 *
 * @param sources those with the longer prefixes first
 */
export async function answer(
  sources: readonly Source[],
  request: Asked,
): Promise<Answer | undefined> {
  for (const source of sources) {
    if (!isBelow(source, request.path)) continue;
    if (!isAllowed(request.method)) {
      if (source.passes) continue;
      return refusal(405, ['Allow', METHODS]);
    }
    const found = await answerFrom(source, request);
    if (found !== undefined) return found;
    if (!source.passes) return refusal(404);
  }
  return undefined;
}

async function answerFrom(source: Source, request: Asked): Promise<Answer | undefined> {
  const name = nameOf(request.path.slice(source.prefix.length));
  const file = name === undefined ? undefined : await source.find(name);
  if (file === undefined) return undefined;
  if (file.location !== undefined) return redirect(file.location);
  return answerWith(request, file);
}

/** What cannot be decoded, or leaves the base, names no file. */
function nameOf(encoded: string): string | undefined {
  try {
    return normaliseName(decodeURIComponent(encoded));
  } catch (error) {
    if (error instanceof URIError || error instanceof NameError) return undefined;
    throw error;
  }
}

async function answerWith(request: Asked, { forms }: ServedFile): Promise<Answer | undefined> {
  const chosen = choose(request, forms);
  if (chosen === undefined) return refusal(406, ['Vary', 'Accept-Encoding']);
  const known = chosen.form && respond(request, chosen.form);
  if (known?.body === 'none') return known;
  const bytes = chosen.form && chosen.body();
  if (known && bytes) return { ...known, bytes };
  const opened = await chosen.open();
  if (opened === undefined) {
    // A compressed form is no more than a shortcut.
    const others = forms.filter((form) => form !== chosen);
    return chosen.coding === undefined ? undefined : answerWith(request, { forms: others });
  }
  const reply = respond(request, opened.form);
  if (hasBytes(reply)) {
    return { ...reply, bytes: opened.body, file: opened.file, size: opened.form.size };
  }
  await opened.file?.close();
  return reply;
}

/** Whether bytes of the form are part of it. */
function hasBytes({ body }: Reply): boolean {
  if (body === 'none') return false;
  return body === 'whole' || body.some((piece) => typeof piece !== 'string');
}

/** A file with one form does not vary, and so must not answer one client otherwise than another. */
function choose({ headers }: Asked, forms: readonly ServedForm[]): ServedForm | undefined {
  if (forms.length === 1) return forms[0];
  const accepted = headers['accept-encoding'];
  return negotiate(Array.isArray(accepted) ? accepted.join() : accepted, forms);
}

function redirect(location: string): Answer {
  const headers = ['Location', location, 'Content-Length', '0', 'Cache-Control', 'no-cache'];
  return { status: 302, headers, body: 'none' };
}

/** The body piece by piece. */
export function piecesOf({ body, size = 0 }: Answer): readonly Piece[] {
  if (body === 'none') return [];
  return body === 'whole' ? [{ start: 0, end: size - 1 }] : body;
}
