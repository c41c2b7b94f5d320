import { NameError } from './errors.js';
import { assertName, DEVICE, extensionAt } from './names.js';

/** What file systems take for one part of a path: ext4, XFS, APFS, NTFS. */
const MAX_BYTES = 255;
/** A longer ending is none, and may be cut. */
const MAX_EXTENSION_BYTES = 64;

/**
 * The name under which an upload is saved: the folders that were given, and a plain form of the
 * file's name by the rules of Django's `generate_filename()` and `get_valid_name()`. Names of uploads
 * are their sender's choice, so these go further where Django's would let something dangerous pass:
 *
 * - of a path with a drive letter, `C:\fakepath\me.jpg`, the last part alone counts;
 * - leading dots (`.htaccess`) get a `_` before them, trailing ones go, and so does nothing of the
 *   extension;
 * - names of devices on Windows (`con.txt`) get a `_` before them, on every system;
 * - a name has at most 255 bytes, and keeps its extension;
 * - folders are given by the application, and are refused where they are no plain ones.
 *
 * @throws {NameError} where nothing is left of the name, or a folder is refused.
 * @see https://docs.djangoproject.com/en/stable/ref/files/storage/
 */
export function uploadName(name: string): string {
  if (typeof name !== 'string') assertName(name);
  const parts = name.normalize('NFC').replaceAll('\\', '/').split('/');
  const last = parts.pop() ?? '';
  const drive = parts.findIndex((part) => /^[a-z]:$/i.test(part));
  const folders = parts
    .slice(0, drive < 0 ? undefined : drive)
    .filter((part) => part !== '' && part !== '.');
  for (const folder of folders) assertFolder(folder, name);
  return [...folders, fitted(validName(last, name))].join('/');
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Another name for the same upload where that one is taken; Django's: `me_Xk3b9Qa.jpg`. */
export function alternativeName(name: string): string {
  const numbers = crypto.getRandomValues(new Uint32Array(7));
  const random = Array.from(numbers, (number) => LETTERS[number % LETTERS.length]).join('');
  const slash = name.lastIndexOf('/') + 1;
  return name.slice(0, slash) + fitted(name.slice(slash), `_${random}`);
}

const EDGES = /^[\p{White_Space}\p{Cc}]+|[\p{White_Space}\p{Cc}]+$/gu;
/** Python's `[^-\w.]`. */
const REMOVED = /[^-\p{L}\p{N}_.]/gu;

const OF_DEVICE = new RegExp(`^${DEVICE}(?:\\.|$)`, 'i');

function validName(given: string, name: string): string {
  const plain = given.replace(EDGES, '').replaceAll(' ', '_').replace(REMOVED, '');
  const valid = plain.replace(/\.+$/, '').replace(/^\.+/, '_.');
  if (valid === '') {
    throw new NameError(
      `The name ${JSON.stringify(name)} leaves nothing to name a file by. Give the upload another name.`,
      name,
    );
  }
  return OF_DEVICE.test(valid) ? `_${valid}` : valid;
}

/** The name with `suffix` before its extension, cut to what file systems take. */
function fitted(name: string, suffix = ''): string {
  const whole = name.slice(extensionAt(name));
  const extension = byteLength(whole) > MAX_EXTENSION_BYTES ? '' : whole;
  const stem = name.slice(0, name.length - extension.length);
  const cut = cutTo(stem, MAX_BYTES - byteLength(suffix + extension));
  return (cut + suffix + extension).replace(/\.+$/, '');
}

/** As many whole characters as fit. */
function cutTo(text: string, bytes: number): string {
  return text.slice(0, new TextEncoder().encodeInto(text, new Uint8Array(bytes)).read);
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}

function assertFolder(folder: string, name: string): void {
  const why = folderFault(folder);
  if (why === undefined) return;
  throw new NameError(
    `The name ${JSON.stringify(name)} cannot be saved: its folder ${JSON.stringify(folder)} ${why}.`,
    name,
  );
}

function folderFault(folder: string): string | undefined {
  if (folder === '..') return 'goes up. Use a name inside the folder of uploads';
  if (folder.startsWith('.')) return 'is hidden by a leading dot';
  if (/[. ]$/.test(folder)) return 'ends in a dot or a space, which Windows drops';
  if (/[\p{Cc}\p{Cf}\p{Cs}<>:"|?*#]/u.test(folder)) {
    return 'holds what is invisible, or one of < > : " | ? * #';
  }
  return byteLength(folder) > MAX_BYTES ? `is longer than ${MAX_BYTES} bytes` : undefined;
}
