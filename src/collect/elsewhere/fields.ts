import { IMMUTABLE, keptFor } from '../../cache-control.js';
import { checkedFields } from '../../header-fields.js';
import { contentType } from '../../media-types.js';
import type { ResolvedSettings } from '../../settings.js';
import type { Storage } from '../../storage.js';
import { encodePath } from '../../urls.js';
import type { Content } from './content.js';

export type Fields = Readonly<Record<string, string>>;

/** The header fields of files in a storage, which answers with them later. */
export interface FieldRules {
  fieldsOf(content: Content): Fields;
  /** What a person should know of the fields that were asked for so far. */
  warnings(): string[];
}

/** @param base what the URLs of the storage begin with */
export function fieldRules(
  storage: Storage,
  { headers, maxAge }: Pick<ResolvedSettings, 'headers' | 'maxAge'>,
  base: string,
): FieldRules {
  const kept = storage.keptHeaders ?? new Set();
  const lost = new Set<string>();

  function chosen(content: Content): [string, string][] {
    if (headers === undefined) return [];
    const { name } = content.source;
    const given = checkedFields(headers(name, base + encodePath(content.name)), name);
    return Object.entries(given).filter(([field]) => {
      if (kept.has(field.toLowerCase())) return true;
      lost.add(field);
      return false;
    });
  }

  return {
    warnings: () =>
      [...lost].map(
        (field) =>
          `The setting headers wants ${field}, which ${storage.location ?? 'the storage'} cannot keep with a file: have it added where the files are answered, such as by a rule of the CDN.`,
      ),
    fieldsOf(content) {
      const { source, coding, isImmutable } = content;
      const fields = new Map([
        ['content-type', ['Content-Type', contentType(source.name)]],
        ['cache-control', ['Cache-Control', isImmutable ? IMMUTABLE : keptFor(maxAge)]],
        ...chosen(content).map((field) => [field[0].toLowerCase(), field] as const),
      ] as [string, [string, string]][]);
      if (coding !== undefined) fields.set('content-encoding', ['Content-Encoding', coding]);
      return Object.fromEntries(fields.values());
    },
  };
}
