/** What distinguishes one state of a form from another (RFC 9110, 8.8). */
export interface Validators {
  /** A strong entity tag, its quotes included. */
  readonly etag: string;
  /** When it was last changed, in milliseconds since 1970; whole seconds. */
  readonly lastModifiedMs: number;
}

/** The header fields of a request, named in lower case. */
export type RequestHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** What the conditions of a request lead to: the file, 304, or 412. */
export type Verdict = 'send' | 'not-modified' | 'failed';

/**
 * Weighs the conditions of a GET or HEAD in the order of RFC 9110, 13.2.2: where an entity tag was
 * sent, the date beside it says nothing.
 */
export function weigh(headers: RequestHeaders, validators: Validators): Verdict {
  const match = field(headers, 'if-match');
  if (match !== undefined) {
    if (!lists(match, validators.etag, isSameStrongly)) return 'failed';
  } else {
    const since = dateOf(field(headers, 'if-unmodified-since'));
    if (since !== undefined && validators.lastModifiedMs > since) return 'failed';
  }
  const noneMatch = field(headers, 'if-none-match');
  if (noneMatch !== undefined) {
    return lists(noneMatch, validators.etag, isSameWeakly) ? 'not-modified' : 'send';
  }
  const since = dateOf(field(headers, 'if-modified-since'));
  return since !== undefined && validators.lastModifiedMs <= since ? 'not-modified' : 'send';
}

/**
 * Whether a range is of the state that the client has a part of (RFC 9110, 13.1.5). A weak tag is
 * never good enough; a date is, where it is the very one.
 */
export function isRangeCurrent(headers: RequestHeaders, validators: Validators): boolean {
  const condition = field(headers, 'if-range');
  if (condition === undefined) return true;
  if (condition.includes('"')) return condition.trim() === validators.etag;
  return dateOf(condition) === validators.lastModifiedMs;
}

function field(headers: RequestHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(', ') : value;
}

const TAG = /(?:W\/)?"[^"]*"/g;

/** Whether a list of entity tags, or `*`, holds this one. */
function lists(
  list: string,
  etag: string,
  isSame: (listed: string, etag: string) => boolean,
): boolean {
  if (list === etag) return true;
  return list.trim() === '*' || (list.match(TAG) ?? []).some((listed) => isSame(listed, etag));
}

/** RFC 9110, 8.8.3.2. */
function isSameStrongly(listed: string, etag: string): boolean {
  return listed === etag;
}

function isSameWeakly(listed: string, etag: string): boolean {
  return (listed.startsWith('W/') ? listed.slice(2) : listed) === etag;
}

/** The three forms of a date that RFC 9110, 5.6.7 knows; all name the time of Greenwich. */
const DATE =
  /^(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT|[A-Z][a-z]+day, \d\d-[A-Z][a-z]{2}-\d\d [\d:]{8} GMT|[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d [\d:]{8} \d{4})$/;

/** Milliseconds since 1970; `undefined` for what is no date, which then is no condition. */
function dateOf(text: string | undefined): number | undefined {
  if (text === undefined || !DATE.test(text)) return undefined;
  const time = Date.parse(text.endsWith('GMT') ? text : `${text} GMT`);
  return Number.isNaN(time) ? undefined : time;
}
