import type { Stats } from 'node:fs';
import type { Coding } from '../codings.js';
import type { Bodies } from './bodies.js';
import { openFile, readFrom } from './disk.js';
import type { Form } from './form.js';
import type { Opened, ServedForm } from './source.js';

/** What was found in a file. */
export interface Found {
  readonly size: number;
  readonly mtimeMs: number;
  /** Absent: it is too large to be read at once. */
  readonly body?: Uint8Array;
}

export interface StoredFormOptions {
  readonly path: string;
  /** Absent: the file as it is. */
  readonly coding?: Coding | undefined;
  /** In bytes, as far as is known, for the choice among forms. */
  readonly size: number;
  /** Makes the form of what was found in the file. */
  readonly describe: (found: Found) => Form;
  readonly bodies: Bodies;
  /** Whether a file at that path may be served, asked when it is opened for the first time. */
  readonly isOurs?: (path: string) => Promise<boolean>;
  /** Called where there is no such file. */
  readonly onGone?: () => void;
}

/** A file so small is read at once even where bodies are not kept. */
const SMALL = 65_536;

/** A form that lies in a file of this machine. */
export function storedForm(options: StoredFormOptions): ServedForm {
  const { path, coding, size, describe, bodies, isOurs, onGone } = options;
  let key = {};
  let form: Form | undefined;
  let seen: Stats | undefined;
  let opening: Promise<Opened | undefined> | undefined;

  async function load(): Promise<Opened | undefined> {
    const opened = await openFile(path);
    if (opened === undefined) {
      onGone?.();
      return undefined;
    }
    const { handle, stats } = opened;
    let isHandedOn = false;
    try {
      if (isOurs && seen?.ino !== stats.ino && !(await isOurs(path))) return undefined;
      const isInMemory = bodies.takes(stats.size);
      if (!isInMemory && stats.size > SMALL) {
        isHandedOn = true;
        return { form: formFor(stats, { size: stats.size }), file: handle };
      }
      const body = await readFrom(handle, stats.size);
      const current = formFor(stats, { size: body.byteLength, body });
      if (isInMemory) bodies.set(key, body);
      return { form: current, body };
    } finally {
      if (!isHandedOn) await handle.close();
    }
  }

  function formFor(stats: Stats, found: Omit<Found, 'mtimeMs'>): Form {
    if (form === undefined || form.size !== found.size || seen?.mtimeMs !== stats.mtimeMs) {
      form = describe({ ...found, mtimeMs: stats.mtimeMs });
      key = {}; // what is kept is of another state
    }
    seen = stats;
    return form;
  }

  return {
    coding,
    size,
    get form() {
      return form;
    },
    body: () => bodies.get(key),
    async open() {
      // Many may ask for it at the same moment; one reads it for all.
      if (opening !== undefined) {
        const shared = await opening;
        if (shared?.body !== undefined) return shared;
      }
      const own = load();
      const end = () => {
        if (opening === own) opening = undefined;
      };
      opening = own;
      own.then(end, end);
      return own;
    },
  };
}
