export type { Coding } from './codings.js';
export type { Deploy, PruneReport } from './collect/deploys.js';
export type { MissingReference } from './collect/missing.js';
export type { ShadowedFile } from './collect/plan.js';
export type { PruneOptions } from './collect/prune.js';
export type {
  CollectEvent,
  CollectOptions,
  CollectReport,
  CompressionReport,
  Progress,
  SendingReport,
} from './collect/run.js';
export { configure, mediaUrl, staticUrl } from './default-instance.js';
export {
  CollectError,
  ConfigError,
  ManifestError,
  NameError,
  NotReadyError,
  PeerError,
  type Problem,
  SettingsError,
  SetupError,
  StaticFilesError,
  StorageError,
  TooLargeError,
  UnknownNameError,
} from './errors.js';
export type { Finder, FinderDefaults, FoundFile, ListOptions } from './finder.js';
export { appDirsFinder } from './finders/app-dirs.js';
export { dirsFinder } from './finders/dirs.js';
export { type Packages, packagesFinder } from './finders/packages.js';
export { type LoadConfigOptions, loadConfig } from './load-config.js';
export type { Next, NodeHandler } from './next.js';
export type { Ignore } from './patterns.js';
export type { ReadyOptions } from './ready.js';
export type { FetchHandler } from './serve/web.js';
export {
  type DirectoryServer,
  type ServeDirectoryOptions,
  serveDirectory,
} from './serve-directory.js';
export {
  type CacheSettings,
  defineConfig,
  type FinderSetting,
  type HeadersSetting,
  type ReferenceSettings,
  type ResolvedSettings,
  type Settings,
  type SourceDir,
  type StorageSetting,
} from './settings.js';
export { createStaticFiles, type StaticFiles } from './static-files.js';
export type {
  FileStat,
  Hashing,
  ListedFile,
  Permissions,
  Storage,
  StorageContext,
  StorageDefaults,
  Version,
  WriteOptions,
} from './storage.js';
export { type FileSystemStorageOptions, fileSystemStorage } from './storages/filesystem.js';
export { type HashedStorageOptions, hashedStorage } from './storages/hashed.js';
export {
  type MediaSettings,
  type MediaStorage,
  type MediaStorageOptions,
  mediaStorage,
} from './storages/media.js';
export { type MemoryStorageOptions, memoryStorage } from './storages/memory.js';
export type { UploadBody } from './storages/upload-body.js';
