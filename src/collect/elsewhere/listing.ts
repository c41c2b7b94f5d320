import type { ListedFile, Storage } from '../../storage.js';

/**
 * Every file whose name begins with `prefix`, with what is known of it.
 *
 * @param isWanted which to ask for singly, where the storage cannot list more than names
 */
export async function* entriesOf(
  storage: Storage,
  prefix = '',
  isWanted: (name: string) => boolean = () => true,
): AsyncGenerator<ListedFile> {
  if (storage.entries) return yield* storage.entries(prefix);
  for await (const name of storage.list()) {
    if (!name.startsWith(prefix) || !isWanted(name)) continue;
    const found = await storage.stat(name);
    if (found !== undefined) yield { name, ...found };
  }
}

/** What a listing tells of one file; `undefined` where there is none. */
export async function entryOf(storage: Storage, name: string): Promise<ListedFile | undefined> {
  for await (const entry of entriesOf(storage, name, (one) => one === name)) {
    if (entry.name === name) return entry;
  }
  return undefined;
}
