import { describe, expect, test } from 'vitest';
import { s3Storage } from '../../adapters/s3.js';
import { storageContract } from '../contracts/storage.js';
import { type Refusal, standIn } from './s3-stand-in.js';

// What Swift lacks: it answers 501 to every condition, which test/adapters/s3.test.ts sees.
storageContract(
  's3Storage over a store with conditions',
  async () => s3Storage((await standIn({ pageSize: 3 })).options),
  { recordsTimes: false, checksMd5: true, hasEntries: true, hasVersions: true, writeIf: 'works' },
);

const text = (content: string) => new TextEncoder().encode(content);

describe('writeIf', () => {
  test('sends the condition whatever the SDK knows of it, and all that write does', async () => {
    const store = await standIn();
    const storage = s3Storage({ ...store.options, headers: { 'Cache-Control': 'no-cache' } });
    await storage.writeIf('a.json', text('{}'), undefined);
    await storage.writeIf('a.json', text('{ }'), '"99914b932bd37a50b983c5e7c90ae93b"');
    expect(store.asked.map(({ headers }) => headers)).toMatchObject([
      {
        'if-none-match': '*',
        'content-type': 'application/json; charset=utf-8',
        'cache-control': 'no-cache',
      },
      { 'if-match': '"99914b932bd37a50b983c5e7c90ae93b"', 'cache-control': 'no-cache' },
    ]);
    expect(store.asked[0]?.headers.authorization).toContain('if-none-match');
  });

  test('knows its own write again when the answer to it was lost', async () => {
    const store = await standIn({ fate: (_, n) => (n === 1 ? 'lost' : undefined) });
    const storage = s3Storage(store.options);
    expect(await storage.writeIf('a.json', text('ours'), undefined)).toBe('written');
    const tag = store.files.get('a.json')?.tag;
    expect(await storage.writeIf('a.json', text('ours, again'), tag)).toBe('written');
    expect(store.asked.map(({ method }) => method)).toContain('HEAD');
  });

  test.each(['theirs', 'ours'])(
    'does not take %j, which others wrote, for its own',
    async (body) => {
      const store = await standIn({ fate: (_, n) => (n === 1 ? 'reset' : undefined) });
      const storage = s3Storage(store.options);
      store.files.set('a.json', { body: Buffer.from(body), tag: '"theirs"', headers: {} });
      expect(await storage.writeIf('a.json', text('ours'), undefined)).toBe('changed');
      expect(store.files.get('a.json')?.tag).toBe('"theirs"');
    },
  );

  test('does not take what is gone when it looks for its own', async () => {
    const store = await standIn({
      fate({ method }, n) {
        if (method === 'HEAD') store.files.clear();
        return method === 'PUT' && n === 1 ? 'lost' : undefined;
      },
    });
    expect(await s3Storage(store.options).writeIf('a.json', text('ours'), undefined)).toBe(
      'changed',
    );
  });

  test('asks again while another write is under way, and then knows how that ended', async () => {
    const conflict = { status: 409, code: 'ConditionalRequestConflict' };
    const store = await standIn({ fate: (_, n) => (n <= 2 ? conflict : undefined) });
    const storage = s3Storage(store.options);
    expect(await storage.writeIf('a.json', text('ours'), undefined)).toBe('written');
    expect(store.asked.map(({ method }) => method)).toEqual(['PUT', 'PUT', 'PUT']);
    store.files.set('b.json', { body: Buffer.from('theirs'), tag: '"theirs"', headers: {} });
    expect(await storage.writeIf('b.json', text('ours'), undefined)).toBe('changed');
    expect(store.files.get('b.json')?.body.toString()).toBe('theirs');
  });

  test('asks but once where the answer is clear', async () => {
    const store = await standIn();
    const storage = s3Storage(store.options);
    store.files.set('a.json', { body: Buffer.from('same'), tag: '"theirs"', headers: {} });
    expect(await storage.writeIf('a.json', text('same'), undefined)).toBe('changed');
    expect(store.asked.length).toBe(1);
  });

  test.each<[string, Refusal, 'changed' | 'unsupported']>([
    ['412', { status: 412, code: 'PreconditionFailed' }, 'changed'],
    [
      'a conflict with another write that has no end',
      { status: 409, code: 'ConditionalRequestConflict' },
      'changed',
    ],
    ['304, as of old MinIO', { status: 304 }, 'changed'],
    ['nothing to match', { status: 404, code: 'NoSuchKey' }, 'changed'],
    ['501', { status: 501, code: 'NotImplemented' }, 'unsupported'],
    ['501 without a body', { status: 501 }, 'unsupported'],
    [
      '400 for the header',
      {
        status: 400,
        code: 'InvalidArgument',
        message: 'A header you provided implies functionality that is not implemented',
      },
      'unsupported',
    ],
    [
      '400 for the condition',
      { status: 400, code: 'InvalidRequest', message: 'Conditional writes are not supported.' },
      'unsupported',
    ],
  ])('takes %s for what it is', async (_, refusal, answer) => {
    const store = await standIn({ fate: () => refusal });
    expect(await s3Storage(store.options).writeIf('a.json', text('a'), '"tag"')).toBe(answer);
  });

  test.each<[string, Refusal, string]>([
    [
      'another 400',
      { status: 400, code: 'InvalidArgument', message: 'No.' },
      'InvalidArgument: No',
    ],
    ['no bucket', { status: 404, code: 'NoSuchBucket' }, "there is no bucket 'shelf'"],
    ['no right', { status: 403, code: 'AccessDenied' }, 'Grant them s3:PutObject.'],
  ])('takes %s for a fault', async (_, refusal, words) => {
    const store = await standIn({ fate: () => refusal });
    await expect(s3Storage(store.options).writeIf('a.json', text('a'), '"tag"')).rejects.toThrow(
      words,
    );
  });
});
