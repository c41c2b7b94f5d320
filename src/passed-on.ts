import type { Storage } from './storage.js';

/** What a storage does as the one underneath does it; its URLs are its own. */
export function passedOn(files: Storage): Omit<Storage, 'url'> {
  const { path, writeFile, direct, entries, readVersion, writeIf } = files;
  const { location, concurrency, keptHeaders, encoding, checkName, check } = files;
  return {
    read: (name) => files.read(name),
    write: (name, body, writing) => files.write(name, body, writing),
    delete: (name) => files.delete(name),
    exists: (name) => files.exists(name),
    stat: (name) => files.stat(name),
    list: () => files.list(),
    ...(path && { path: (name) => path.call(files, name) }),
    ...(direct && { direct }),
    ...(writeFile && { writeFile: (...args) => writeFile.apply(files, args) }),
    ...(entries && { entries: (prefix) => entries.call(files, prefix) }),
    ...(readVersion && { readVersion: (...args) => readVersion.apply(files, args) }),
    ...(writeIf && { writeIf: (...args) => writeIf.apply(files, args) }),
    ...(location !== undefined && { location }),
    ...(concurrency !== undefined && { concurrency }),
    ...(keptHeaders && { keptHeaders }),
    ...(encoding && { encoding }),
    ...(checkName && { checkName: (name) => checkName.call(files, name) }),
    ...(check && { check: () => check.call(files) }),
  };
}
