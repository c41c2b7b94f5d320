import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { NameError, UnknownNameError } from '../src/errors.js';
import { createStaticFiles, type StaticFiles } from '../src/static-files.js';
import { hashedStorage } from '../src/storages/hashed.js';
import { memoryStorage } from '../src/storages/memory.js';

/** What real Django answers; see "URLs: one contract for every storage" in ARCHITECTURE.md. */
const django: {
  django: string;
  manifest: Record<string, string>;
  rows: { storage: Kind; base: string; path: string; url: Answer; tag: Answer }[];
} = JSON.parse(readFileSync(new URL('fixtures/django-urls.json', import.meta.url), 'utf8'));

type Kind = 'plain' | 'manifest';
type Answer = string | { error: string };

/** What we answer instead: the URL behind the base, or the class of the error. */
type Ours = string | typeof NameError | typeof UnknownNameError;

/** Where we deviate from Django, each with its reason. Every row of the table must be used. */
const DEVIATIONS: { why: string; storage: Kind; rows: Record<string, Ours> }[] = [
  {
    why: 'rule 1: as browsers resolve relative references, and encodeURI encodes',
    storage: 'plain',
    rows: {
      'a+b.css': 'a+b.css',
      'a&b.css': 'a&b.css',
      'a;b,c=d$e@f.txt': 'a;b,c=d$e@f.txt',
      'a:b.txt': 'a:b.txt',
    },
  },
  {
    why: 'rule 1: the result is always a valid URL, from a manifest too',
    storage: 'manifest',
    rows: {
      'a b.css': 'a%20b.0123456789ab.css',
      'ünï/⊗.txt': '%C3%BCn%C3%AF/%E2%8A%97.0123456789ab.txt',
    },
  },
  {
    why: 'rule 2: suffixes work in every storage, as they do in the manifest storage of Django',
    storage: 'plain',
    rows: {
      'x.css?v=1': 'x.css?v=1',
      'x.css#frag': 'x.css#frag',
      'x.svg?q=1#icon': 'x.svg?q=1#icon',
      'font.eot?#iefix': 'font.eot?#iefix',
      'path/?query': 'path/?query',
    },
  },
  {
    why: 'rule 3: a name is made safe before any storage sees it, as in the plain storage of Django',
    storage: 'manifest',
    rows: {
      '/my_app/example.jpg': 'my_app/example.0123456789ab.jpg',
      '//my_app/example.jpg': 'my_app/example.0123456789ab.jpg',
      'a/./b.css': 'a/b.0123456789ab.css',
      'a//b.css': 'a/b.0123456789ab.css',
    },
  },
  {
    why: 'rule 3: what leaves the base, and NUL, are refused',
    storage: 'plain',
    rows: { '../secret.txt': NameError, 'nul\0.css': NameError },
  },
  {
    why: 'rule 4: the empty name is the base URL',
    storage: 'manifest',
    rows: { '': '' },
  },
  {
    why: 'a name is literal, and no URL: %20 in it is three characters',
    storage: 'manifest',
    rows: { 'a%20b.css': UnknownNameError },
  },
];

const manifest = JSON.stringify({ version: '1.0', paths: django.manifest });

async function filesOf(kind: Kind, staticUrl: string): Promise<StaticFiles> {
  if (kind === 'plain') return createStaticFiles({ staticUrl });
  const over = memoryStorage();
  await over.write('staticfiles.json', new TextEncoder().encode(manifest));
  const files = createStaticFiles({ staticUrl, debug: false, storage: hashedStorage({ over }) });
  await files.ready();
  return files;
}

function answerOf(files: StaticFiles, name: string): unknown {
  try {
    return files.staticUrl(name);
  } catch (error) {
    return (error as Error).constructor;
  }
}

function deviationOf(storage: Kind, path: string) {
  return DEVIATIONS.find((each) => each.storage === storage && Object.hasOwn(each.rows, path));
}

describe(`the answers of Django ${django.django}`, () => {
  test('are all here', () => {
    expect(django.rows).toHaveLength(326);
  });

  const rows = django.rows.map((row) => ({
    ...row,
    deviation: deviationOf(row.storage, row.path),
  }));

  test.each(rows.filter(({ deviation }) => deviation === undefined))(
    '$storage storage at $base: $path as there',
    async ({ storage, base, path, url }) => {
      const answer = answerOf(await filesOf(storage, base), path);
      if (typeof url === 'string') expect(answer).toBe(url);
      else expect([NameError, UnknownNameError]).toContain(answer);
    },
  );

  test.each(rows.filter(({ deviation }) => deviation !== undefined))(
    '$storage storage at $base: $path otherwise ($deviation.why)',
    async ({ storage, base, path, url, deviation }) => {
      const ours = deviation?.rows[path];
      const expected = typeof ours === 'string' ? base + ours : ours;
      expect(answerOf(await filesOf(storage, base), path)).toBe(expected);
      expect(expected, 'no deviation: Django answers the same').not.toEqual(url);
    },
  );

  test('no deviation is left over', () => {
    const used = new Set(rows.map(({ storage, path }) => `${storage} ${path}`));
    const all = DEVIATIONS.flatMap(({ storage, rows }) =>
      Object.keys(rows).map((path) => `${storage} ${path}`),
    );
    expect(all.filter((key) => !used.has(key))).toEqual([]);
  });

  test("the tag's answers are the URLs, HTML-escaped: the engine's work, and tested with each", () => {
    const escapes: Record<string, string> = {
      '&': '&amp;',
      "'": '&#x27;',
      '"': '&quot;',
      '<': '&lt;',
    };
    for (const { path, url, tag } of django.rows) {
      const escaped =
        typeof url === 'string' ? url.replace(/[&'"<]/g, (char) => escapes[char] ?? char) : url;
      expect(tag, path).toEqual(escaped);
    }
  });
});
