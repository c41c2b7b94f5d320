import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { serve } from '../listen.js';

/** A request as the store got it. */
export interface Asked {
  readonly method: string;
  /** Decoded; empty for the bucket itself. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
}

/** What a store says when something is wrong. */
export interface Refusal {
  readonly status: number;
  /** None: no body, as of what is no store. */
  readonly code?: string;
  readonly message?: string;
  /** Further elements of the body. */
  readonly more?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of XML. */
  readonly text?: string;
}

/**
 * What becomes of a request: it is refused; the connection ends before (`reset`) or after (`lost`) it
 * is done; no answer comes at all (`silence`), or half of one (`half`); `undefined` does it.
 */
export type Fate = Refusal | 'reset' | 'lost' | 'silence' | 'half' | undefined;

export interface StandIn {
  readonly endpoint: string;
  /** The options of a storage over it. */
  readonly options: {
    readonly bucket: string;
    readonly endpoint: string;
    readonly forcePathStyle: boolean;
    readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  };
  readonly asked: Asked[];
  readonly files: Map<string, Kept>;
  /** How many uploads in parts are under way. */
  readonly uploads: Map<string, Upload>;
}

export interface Kept {
  readonly body: Buffer;
  readonly tag: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Upload {
  readonly headers: Readonly<Record<string, string>>;
  readonly parts: Map<number, Buffer>;
}

interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer | string;
}

export interface StandInOptions {
  /** How many keys a page of a listing has. */
  readonly pageSize?: number;
  /** The fate of each request; `n` counts those that are alike from 1 on. */
  readonly fate?: (asked: Asked, n: number) => Fate | Promise<Fate>;
}

/**
 * A store that speaks as S3 does, in memory, over a real socket: for what Swift lacks (conditions) and
 * for what no store does when it is told (lost answers).
 */
export async function standIn({ pageSize = 1000, fate }: StandInOptions = {}): Promise<StandIn> {
  const files = new Map<string, Kept>();
  const uploads = new Map<string, Upload>();
  const asked: Asked[] = [];
  const counts = new Map<string, number>();
  const store = { files, uploads, pageSize };
  const endpoint = await serve(async (request, response) => {
    const given = await read(request);
    asked.push(given);
    const kind = `${given.method} ${given.key} ${[...given.query.keys()]}`;
    const n = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, n);
    const becomes = await fate?.(given, n);
    if (becomes === 'reset') return void request.socket.destroy();
    if (becomes === 'silence') return;
    const answer = typeof becomes === 'object' ? refusal(becomes) : perform(store, given);
    if (becomes === 'lost') return void request.socket.destroy();
    send(response, answer, given.method === 'HEAD', becomes === 'half');
  });
  return {
    endpoint,
    options: {
      bucket: 'shelf',
      endpoint,
      forcePathStyle: true,
      credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
    },
    asked,
    files,
    uploads,
  };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const { pathname, searchParams } = new URL(request.url ?? '', 'http://localhost');
  const [, , ...key] = pathname.split('/');
  return {
    method: request.method ?? '',
    key: decodeURIComponent(key.join('/')),
    query: searchParams,
    headers: request.headers as Asked['headers'],
    body: await buffer(request),
  };
}

function send(response: ServerResponse, answer: Answer, isHead: boolean, isHalf: boolean): void {
  const body = Buffer.from(answer.body ?? '');
  response.writeHead(answer.status, {
    Date: new Date().toUTCString(),
    'Content-Length': body.length,
    ...answer.headers,
  });
  if (isHead) response.end();
  else if (!isHalf) response.end(body);
  else response.write(body.subarray(0, body.length / 2), () => response.destroy());
}

interface Store {
  readonly files: Map<string, Kept>;
  readonly uploads: Map<string, Upload>;
  readonly pageSize: number;
}

function perform(store: Store, asked: Asked): Answer {
  const { files } = store;
  const { method, key, query, headers } = asked;
  if (key === '') return list(store, query);
  if (query.has('uploads') || query.has('uploadId')) return performPart(store, asked);
  const kept = files.get(key);
  if (method === 'DELETE') {
    files.delete(key);
    return { status: 204 };
  }
  if (method === 'PUT') {
    const condition = conditionFault(headers, kept);
    if (condition !== undefined) return refusal(condition);
    return put(files, asked);
  }
  if (kept === undefined) return refusal({ status: 404, code: 'NoSuchKey', message: 'No key.' });
  if (headers['if-none-match'] === kept.tag) return { status: 304 };
  const known = { ...kept.headers, ETag: kept.tag, 'Last-Modified': new Date().toUTCString() };
  return { status: 200, headers: known, body: kept.body };
}

function put(files: Map<string, Kept>, { key, headers, body }: Asked): Answer {
  const digest = headers['content-md5'];
  if (digest !== undefined && digest !== md5(body).toString('base64')) {
    return refusal({ status: 400, code: 'BadDigest', message: 'Not what was said.' });
  }
  const tag = `"${md5(body).toString('hex')}"`;
  files.set(key, { body, tag, headers: keptHeaders(headers) });
  return { status: 200, headers: { ETag: tag } };
}

/** https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html */
function conditionFault(headers: Asked['headers'], kept: Kept | undefined): Refusal | undefined {
  const unmet = { status: 412, code: 'PreconditionFailed', message: 'A condition does not hold.' };
  if (headers['if-none-match'] === '*' && kept !== undefined) return unmet;
  const wanted = headers['if-match'];
  if (wanted === undefined || wanted === kept?.tag) return undefined;
  return kept === undefined ? { status: 404, code: 'NoSuchKey', message: 'No key.' } : unmet;
}

function performPart(
  { files, uploads }: Store,
  { method, key, query, headers, body }: Asked,
): Answer {
  if (query.has('uploads')) {
    const id = String(uploads.size + 1);
    uploads.set(id, { headers: keptHeaders(headers), parts: new Map() });
    return xml(
      `<InitiateMultipartUploadResult><UploadId>${id}</UploadId></InitiateMultipartUploadResult>`,
    );
  }
  const id = query.get('uploadId') ?? '';
  const upload = uploads.get(id);
  if (upload === undefined) {
    return refusal({ status: 404, code: 'NoSuchUpload', message: 'No such upload.' });
  }
  if (method === 'PUT') {
    upload.parts.set(Number(query.get('partNumber')), body);
    return { status: 200, headers: { ETag: `"${md5(body).toString('hex')}"` } };
  }
  uploads.delete(id);
  if (method === 'DELETE') return { status: 204 };
  const parts = [...upload.parts.entries()].sort(([a], [b]) => a - b).map(([, part]) => part);
  const tag = `"${md5(Buffer.concat(parts.map(md5))).toString('hex')}-${parts.length}"`;
  files.set(key, { body: Buffer.concat(parts), tag, headers: upload.headers });
  return xml(`<CompleteMultipartUploadResult><ETag>${tag}</ETag></CompleteMultipartUploadResult>`);
}

function list({ files, pageSize }: Store, query: URLSearchParams): Answer {
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64url').toString();
  const keys = [...files.keys()].filter((key) => key.startsWith(query.get('prefix') ?? '')).sort();
  const rest = keys.filter((key) => key > after);
  const page = rest.slice(0, pageSize);
  const isTruncated = rest.length > page.length;
  // As S3 does it: a space is a plus.
  const encode = (key: string) => encodeURIComponent(key).replaceAll('%20', '+');
  const items = page.map((key) => {
    const { body, tag } = files.get(key) as Kept;
    const time = new Date().toISOString();
    return `<Contents><Key>${encode(key)}</Key><Size>${body.length}</Size><ETag>&quot;${tag.slice(1, -1)}&quot;</ETag><LastModified>${time}</LastModified></Contents>`;
  });
  const next = isTruncated
    ? `<NextContinuationToken>${Buffer.from(page.at(-1) ?? '').toString('base64url')}</NextContinuationToken>`
    : '';
  return xml(
    `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${isTruncated}</IsTruncated>${next}${items.join('')}</ListBucketResult>`,
  );
}

function refusal({ status, code, message = '', more = {}, headers = {}, text }: Refusal): Answer {
  if (text !== undefined) return { status, headers, body: text };
  if (code === undefined) return { status, headers };
  const elements = Object.entries({ Code: code, Message: message, ...more }).map(
    ([name, value]) => `<${name}>${value}</${name}>`,
  );
  return { ...xml(`<Error>${elements.join('')}</Error>`), status, headers };
}

const xml = (body: string): Answer => ({
  status: 200,
  headers: { 'Content-Type': 'application/xml' },
  body: `<?xml version="1.0" encoding="UTF-8"?>${body}`,
});

function keptHeaders(headers: Asked['headers']): Record<string, string> {
  const kept = Object.entries(headers).filter(([name]) =>
    /^(?:cache-control|content-(?:type|encoding|disposition|language)|expires|x-amz-meta-.*)$/.test(
      name,
    ),
  );
  return Object.fromEntries(kept) as Record<string, string>;
}

const md5 = (body: Uint8Array) => createHash('md5').update(body).digest();
