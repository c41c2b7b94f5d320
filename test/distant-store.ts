import type { Storage } from '../src/storage.js';
import { memoryStorage } from '../src/storages/memory.js';

/** A store elsewhere that is away, or silent, when it is told to be, and writes down what it is asked. */
export interface DistantStore {
  readonly storage: Storage;
  /** One for each reading: the tag that it was asked with, `undefined` without. */
  readonly asked: readonly (string | undefined)[];
  publish(text: string): Promise<void>;
  /** From now on readings fail so. */
  leave(fault: Error): void;
  /** From now on readings get no answer, not ever. */
  fallSilent(): void;
  /** From now on readings are held back until they are let go, each with what was there before. */
  hold(): void;
  release(): void;
  comeBack(): void;
}

export interface StoreTraits {
  /** Whether it knows versions. @default true */
  readonly hasVersions?: boolean;
}

export const manifestOf = (paths: object) => JSON.stringify({ paths, version: '1.0' });

/** Keeps its files in memory, and has no paths. */
export function distantStore({ hasVersions = true }: StoreTraits = {}): DistantStore {
  const { attach, readVersion, ...memory } = memoryStorage({ baseUrl: 'https://cdn.example.com/' });
  const asked: (string | undefined)[] = [];
  let answer = <T>(reading: Promise<T>): Promise<T> => reading;
  let held: (() => void)[] = [];
  return {
    storage: {
      ...memory,
      location: 's3://bucket/site/',
      read(name) {
        asked.push(undefined);
        return answer(memory.read(name));
      },
      ...(hasVersions && {
        readVersion(name, unless) {
          asked.push(unless);
          return answer(Promise.resolve(readVersion?.(name, unless)));
        },
      }),
    },
    asked,
    publish: (text) => memory.write('staticfiles.json', Buffer.from(text)),
    leave(fault) {
      answer = () => Promise.reject(fault);
    },
    fallSilent() {
      answer = () => new Promise(() => {});
    },
    hold() {
      answer = async (reading) => {
        await new Promise<void>((resolve) => void held.push(resolve));
        return reading;
      };
    },
    release() {
      for (const go of held) go();
      held = [];
    },
    comeBack() {
      answer = (reading) => reading;
    },
  };
}
