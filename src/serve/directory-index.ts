/** Placeholder until the page is made. */
export function directoryIndex(
  path: string,
  entries: readonly { name: string; isFolder: boolean; size: number; mtimeMs: number }[],
): string {
  return `${path} ${entries.length}`;
}
