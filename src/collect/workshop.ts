import { createHash, hash } from 'node:crypto';
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type Coding, SUFFIXES } from '../codings.js';
import { hashedName } from '../names.js';
import type { Permissions } from '../storage.js';
import { encode } from './encode.js';
import { changedMeanwhile } from './fault.js';
import { placer } from './place.js';
import { type Scan, scanFile } from './scan.js';
import { contentPrint, linkPrint, type Print, printAt, printOf, sourcePrintOf } from './state.js';

export interface WorkshopOptions {
  /** The folder of the collected files; `undefined` where the storage is elsewhere. */
  readonly root: string | undefined;
  /** Whether nothing is written. */
  readonly dryRun: boolean;
  /** A folder of its own, for files that are being written; elsewhere, for those to be sent. */
  readonly scratchFolder: string;
  readonly permissions: Permissions;
  /** Whether plain names are symbolic links to the sources. */
  readonly link: boolean;
  /** Whether what stands in a file's way goes. */
  readonly clear: boolean;
}

/** What is there, as it should be, of what was written for a file earlier; prints may be empty. */
export interface Former {
  readonly hashedName: string;
  readonly hashed: Print;
  readonly plain: Print;
}

/** A source file to take in. */
export interface Intake {
  readonly name: string;
  readonly path: string;
  /** Whether it is to be looked into for references. */
  readonly scan: boolean;
  /** Whether it is wanted under its plain name. */
  readonly keep: boolean;
  /** Whether its name has a hash already, and stays. */
  readonly prehashed: boolean;
  readonly former: Former;
}

/** A source file that was taken in. Where it refers to others, its hashed name is empty yet. */
export interface Taken extends Former {
  readonly source: Print;
  readonly size: number;
  readonly scan: Scan;
  /** Whether anything was written, or would be. */
  readonly written: boolean;
}

/** A file that refers to others, whose targets have their hashed names. */
export interface Referrer {
  readonly name: string;
  readonly path: string;
  readonly source: Print;
  /** The bytes at which hashes go, and the hashes; empty for the one that its own cycle shares. */
  readonly edits: readonly (readonly [at: number, hash: string])[];
  readonly former: Former;
}

/** One file, or those of a cycle, in the order of their names. */
export interface Group {
  readonly members: readonly Referrer[];
  readonly isCycle: boolean;
}

export interface Finished {
  readonly hashedName: string;
  readonly hashed: Print;
  readonly size: number;
  readonly written: boolean;
  /** The path of the rewritten text, where the storage is elsewhere. */
  readonly staged?: string | undefined;
}

/** A collected content to compress. */
export interface Content {
  /** The name that it has in the storage, and others whose content it is too. */
  readonly names: readonly string[];
  /** With what. */
  readonly codings: readonly Coding[];
  /** Where it is, and its print, where the storage is elsewhere. */
  readonly from?: { readonly path: string; readonly print: Print } | undefined;
}

/** The sizes of its compressed forms in bytes, by coding; 0 where one is not worth its place. */
export interface Compressed {
  readonly sizes: Readonly<Partial<Record<Coding, number>>>;
  /** Where they are, and their prints, where the storage is elsewhere. */
  readonly staged?: Readonly<Partial<Record<Coding, { path: string; print: Print }>>>;
}

/** Reads, scans, hashes, rewrites and writes: what is done to a file without knowing the others. */
export interface Workshop {
  /** Reads a source once: finds its references; if it has none, hashes it and puts it in place. */
  take(file: Intake): Taken;
  /** Rewrites a file, or the files of a cycle, which share a hash, and puts them in place. */
  finish(group: Group): Finished[];
  /** Compresses a content, and puts its compressed forms beside all its names. */
  compress(content: Content): Compressed;
  close(): void;
}

/** What is read at once. Larger files that nobody looks into are copied part by part. */
const PART = 1 << 20;
/** How many bytes of texts wait for their rewriting; those beyond are read a second time. */
const HELD_LIMIT = 32 << 20;
/** How often a file is read that changes while it is read. */
const ATTEMPTS = 3;
/** So long nobody must have written to a file: they do it in steps, such as making it empty first. */
const QUIET_MS = 20;
/** Nothing is waited for that is no file: a pipe without a writer would never open (POSIX, `open`). */
const READING = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);
/** How many hexadecimal digits of MD5 are in a name; Django's. */
const DIGITS = 12;

const NOTHING: Scan = { references: [] };

export function workshop(options: WorkshopOptions): Workshop {
  const { root, dryRun, permissions, link, clear, scratchFolder } = options;
  const writes = root !== undefined && !dryRun;
  const place = writes ? placer({ scratchFolder, clear, ...permissions }) : undefined;
  const isMasked = (permissions.fileMode & process.umask()) !== 0;
  const pathOf = (name: string) => join(root ?? '', name);
  const buffer = Buffer.allocUnsafeSlow(PART);
  const texts = heldTexts();

  /** `undefined`: the file changed meanwhile. */
  function takeOnce(file: Intake): Taken | undefined {
    const source = openSync(file.path, READING);
    try {
      const before = fstatSync(source, { bigint: true });
      if (!before.isFile()) throw new Error('it is no file');
      awaitQuiet(Number(before.mtimeMs));
      const size = Number(before.size);
      const print = sourcePrintOf(before);
      const isSame = () => sourcePrintOf(fstatSync(source, { bigint: true })) === print;
      if (size > PART && !file.scan) return takeParts(file, source, print, isSame);
      const body = readWhole(source, size <= PART ? buffer : Buffer.allocUnsafeSlow(size), size);
      return body !== undefined && isSame() ? takeBody(file, body, print) : undefined;
    } finally {
      closeSync(source);
    }
  }

  function takeBody(file: Intake, body: Buffer, source: Print): Taken {
    const { name, former, keep } = file;
    const scan = file.scan ? scanFile(name, body) : NOTHING;
    const size = body.length;
    if (scan.references.length === 0) {
      // What stands there is that file's only where it had its name alone before too.
      const isThere =
        file.prehashed &&
        former.hashedName === name &&
        former.hashed !== '' &&
        holds(pathOf(name), body);
      const leaf = putLeaf(file, size, md5Of(body), isThere, () => write(body));
      return { source, size, scan, ...leaf };
    }
    texts.keep(name, body);
    if (root === undefined) {
      const plain = keep ? contentPrint(size, md5Of(body)) : '';
      return { source, size, scan, hashedName: '', hashed: '', plain, written: true };
    }
    if (!keep || link) return { source, size, scan, hashedName: '', hashed: '', ...putLink(file) };
    const isThere = former.plain !== '' && holds(pathOf(name), body);
    const [plain = ''] = put([name], [isThere ? former.plain : ''], () => write(body));
    return { source, size, scan, hashedName: '', hashed: '', plain, written: !isThere };
  }

  /** Hashes and copies at once, part by part: a film does not fit into memory. */
  function takeParts(
    file: Intake,
    source: number,
    print: Print,
    isSame: () => boolean,
  ): Taken | undefined {
    const scratch = place?.scratch();
    const copy = scratch === undefined ? undefined : openSync(scratch, 'wx', permissions.fileMode);
    try {
      const hash = createHash('md5');
      let size = 0;
      for (let read = -1; read !== 0; size += read) {
        read = readSync(source, buffer, 0, PART, size);
        const part = buffer.subarray(0, read);
        hash.update(part);
        if (copy !== undefined) writeWhole(copy, part);
      }
      if (!isSame()) return undefined;
      const leaf = putLeaf(file, size, hash.digest('hex'), false, () => ({
        scratch: scratch as string,
        print: sealed(copy as number),
      }));
      return { source: print, size, scan: NOTHING, ...leaf };
    } finally {
      if (copy !== undefined) closeSync(copy);
      if (scratch !== undefined) rmSync(scratch, { force: true });
    }
  }

  /**
   * Puts a file that names no other under both its names, which are one file.
   *
   * @param isThere whether its content is; of a name that changes with it, the name tells
   */
  function putLeaf(
    file: Intake,
    size: number,
    md5: string,
    isThere: boolean,
    make: () => Made,
  ): Former & { written: boolean } {
    const { name, former, prehashed, keep } = file;
    const target = prehashed ? name : hashedName(name, md5.slice(0, DIGITS));
    if (root === undefined) {
      const print = contentPrint(size, md5);
      const plain = keep || prehashed ? print : '';
      return { hashedName: target, hashed: print, plain, written: true };
    }
    const hashed = isThere || (!prehashed && former.hashedName === target) ? former.hashed : '';
    if (prehashed || !keep || link) {
      const [print = ''] = put([target], [hashed], make);
      const { plain, written } = prehashed ? { plain: print, written: false } : putLink(file);
      return { hashedName: target, hashed: print, plain, written: written || hashed === '' };
    }
    const plain = former.plain === hashed ? hashed : '';
    const prints = put([target, name], [hashed, plain], make);
    const written = hashed === '' || plain === '';
    return { hashedName: target, hashed: prints[0] ?? '', plain: prints[1] ?? '', written };
  }

  /** What stands under the plain name of a file that has no copy there: a link, or nothing. */
  function putLink({ name, path, keep, former }: Intake): { plain: Print; written: boolean } {
    if (!keep) return { plain: '', written: false };
    const plain = linkPrint(path);
    if (former.plain === plain) return { plain, written: false };
    place?.symlink(path, pathOf(name));
    return { plain, written: true };
  }

  /** Puts one content under its names: made once, and only where it is not there yet. */
  function put(names: readonly string[], prints: readonly Print[], make: () => Made): Print[] {
    const there = prints.findIndex((print) => print !== '');
    if (place === undefined || prints.every((print) => print !== '')) return [...prints];
    const made = there < 0 ? make() : undefined;
    const from = made?.scratch ?? pathOf(names[there] as string);
    const own = made?.print ?? (prints[there] as Print);
    return names.map((name, index) => {
      const print = prints[index];
      if (print) return print;
      const target = pathOf(name);
      const isLast = made !== undefined && index === names.length - 1;
      const isOne = isLast ? place.move(from, target) : place.twin(from, target);
      return isOne ? own : printAt(target);
    });
  }

  function write(body: Uint8Array): Made {
    const scratch = place?.scratch() ?? '';
    const file = openSync(scratch, 'wx', permissions.fileMode);
    try {
      writeWhole(file, body);
      return { scratch, print: sealed(file) };
    } finally {
      closeSync(file);
    }
  }

  /** Gives a file its permissions, whatever the umask, and answers its print. */
  function sealed(file: number): Print {
    if (isMasked) fchmodSync(file, permissions.fileMode);
    return printOf(fstatSync(file, { bigint: true }));
  }

  /** Puts a body that nobody has yet where it can be sent from. */
  function stage(body: Uint8Array): string {
    mkdirSync(scratchFolder, { recursive: true, mode: 0o700 });
    const path = join(scratchFolder, crypto.randomUUID());
    writeFileSync(path, body);
    return path;
  }

  function finishOne(file: Referrer, body: Buffer, shared: string | undefined): Finished {
    const { name, former, edits } = file;
    const md5 = md5Of(body);
    const target = hashedName(name, shared ?? md5.slice(0, DIGITS));
    if (root === undefined) {
      // Where nothing was rewritten, the source is what is sent.
      const staged = edits.length > 0 && !dryRun ? stage(body) : undefined;
      const hashed = contentPrint(body.length, md5);
      return { hashedName: target, hashed, size: body.length, written: true, staged };
    }
    const there = former.hashedName === target ? former.hashed : '';
    const size = body.length;
    // Where nothing was rewritten, both names are one file.
    const isPlain = edits.length === 0 && former.plain !== '' && !link;
    const [hashed = ''] = isPlain
      ? put([target, name], [there, former.plain], () => write(body))
      : put([target], [there], () => write(body));
    const written = there === '';
    return { hashedName: target, hashed, size, written };
  }

  return {
    take(file) {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const taken = takeOnce(file);
        if (taken !== undefined) return taken;
      }
      throw new Error('it changes while it is read; run collectstatic again when it is whole');
    },
    finish({ members, isCycle }) {
      const bodies = members.map((file) => texts.release(file.name) ?? readAgain(file));
      const shared = isCycle ? cycleHash(members, bodies) : undefined;
      return members.map((file, index) => {
        const body = rewritten(bodies[index] as Buffer, file.edits, shared);
        return finishOne(file, body, shared);
      });
    },
    compress({ names, codings, from }) {
      const content = readFileSync(from?.path ?? pathOf(names[0] as string));
      if (from !== undefined && contentPrint(content.length, md5Of(content)) !== from.print) {
        throw changedMeanwhile();
      }
      const sizes: Partial<Record<Coding, number>> = {};
      const staged: Partial<Record<Coding, { path: string; print: Print }>> = {};
      for (const coding of codings) {
        const encoded = encode(content, coding);
        sizes[coding] = encoded?.length ?? 0;
        if (encoded === undefined) continue;
        if (root === undefined) {
          const print = contentPrint(encoded.length, md5Of(encoded));
          staged[coding] = { path: stage(encoded), print };
          continue;
        }
        const targets = names.map((name) => name + SUFFIXES[coding]);
        put(
          targets,
          targets.map(() => ''),
          () => write(encoded),
        );
      }
      return { sizes, staged };
    },
    close: () => place?.close(),
  };
}

/** A file that is whole and waits in scratch. */
interface Made {
  readonly scratch: string;
  readonly print: Print;
}

/** Texts between their scanning and their rewriting, as many as memory may hold. */
function heldTexts() {
  const held = new Map<string, Buffer>();
  let bytes = 0;
  return {
    keep(name: string, body: Buffer): void {
      if (bytes + body.length > HELD_LIMIT) return;
      bytes += body.length;
      held.set(name, Buffer.from(body));
    },
    release(name: string): Buffer | undefined {
      const body = held.get(name);
      bytes -= body?.length ?? 0;
      held.delete(name);
      return body;
    },
  };
}

/** Reads a source that was read before; its references stand where they stood only if it is the same. */
function readAgain({ path, source }: Referrer): Buffer {
  const file = openSync(path, 'r');
  try {
    const body = readFileSync(file);
    if (sourcePrintOf(fstatSync(file, { bigint: true })) === source) return body;
    throw changedMeanwhile();
  } finally {
    closeSync(file);
  }
}

/**
 * Waits where a file has changed this moment: whoever did that may be in the middle of it, and file
 * systems tell times in steps of milliseconds, so that the rest of it might not be seen.
 */
function awaitQuiet(mtimeMs: number): void {
  const age = Date.now() - mtimeMs;
  if (Math.abs(age) < QUIET_MS) Atomics.wait(NEVER, 0, 0, QUIET_MS - age);
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** `size` bytes of an open file; `undefined` where it has fewer by now. */
function readWhole(file: number, into: Buffer, size: number): Buffer | undefined {
  for (let at = 0; at < size; ) {
    const read = readSync(file, into, at, size - at, at);
    if (read === 0) return undefined;
    at += read;
  }
  return into.subarray(0, size);
}

function writeWhole(file: number, body: Uint8Array): void {
  for (let at = 0; at < body.length; ) at += writeSync(file, body, at);
}

/** Whether the file at the path has just these bytes. */
function holds(path: string, body: Buffer): boolean {
  return readFileSync(path).equals(body);
}

function md5Of(body: Uint8Array): string {
  return hash('md5', body);
}

/** The bytes with hashes put into the references; of those without one of their own, the shared. */
function rewritten(body: Buffer, edits: Referrer['edits'], shared?: string): Buffer {
  const parts: Buffer[] = [];
  let from = 0;
  for (const [at, hash] of edits) {
    if (hash === '' && shared === undefined) continue;
    parts.push(body.subarray(from, at), Buffer.from(`.${hash || shared}`));
    from = at;
  }
  return parts.length === 0 ? body : Buffer.concat([...parts, body.subarray(from)]);
}

/**
 * The hash that the files of a cycle share: over what each contains, with the hashed names of what
 * it points to outside of the cycle, and without those inside, which the hash itself decides: of them
 * only the places count.
 */
function cycleHash(group: readonly Referrer[], bodies: readonly Buffer[]): string {
  const hash = createHash('md5');
  group.forEach(({ name, edits }, index) => {
    const body = rewritten(bodies[index] as Buffer, edits);
    const inside = edits.flatMap(([at, outside]) => (outside === '' ? at : []));
    hash.update(`${JSON.stringify([name, body.length, inside])}\n`).update(body);
  });
  return hash.digest('hex').slice(0, DIGITS);
}
