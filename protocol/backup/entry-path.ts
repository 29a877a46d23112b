/** Which paths a backup may hold: nothing else is ever written by a restore, whatever the file says. */

const SEGMENT = /^[A-Za-z0-9][A-Za-z0-9._-]*$/;
const MAX_PATH_LENGTH = 240;

/** The home's small files: they come first, so that a restore learns early whether the key at hand opens them. */
const FILES: readonly string[] = [
  'format.json',
  'config.json',
  'network.json',
  'keys.json',
  'tokens.json',
  'identity/public.json',
  'tls/ca.crt',
  // Of backups of earlier versions; nothing reads it any more, what is waived is in the log.
  'hardening/waivers.json',
  'hardening/history.json',
];
const SEALED_IDENTITY = /^identity\/[a-z][a-z0-9-]{0,63}\.sealed$/;
const FOLDERS: readonly string[] = ['store/index/', 'store/blocks/', 'store/held/', 'audit/', 'anchor/'];

/** First entry: what the backup is of (BackupHeader). */
export const HEADER_PATH = 'BACKUP.json';
/** Last but one: the hash of every entry before it, in the form that `sha256sum -c` reads. */
export const MANIFEST_PATH = 'SHA256SUMS';
/** Last: the signed statement over the manifest. */
export const STATEMENT_PATH = 'BACKUP.note';

/** True for a file of the home that belongs into a backup. Relative, `/` between the parts, no part that begins with a dot. */
export function isBackupPath(path: string): boolean {
  if (path.length > MAX_PATH_LENGTH || !path.split('/').every((segment) => SEGMENT.test(segment))) return false;
  return isSmallFile(path) || FOLDERS.some((folder) => path.startsWith(folder));
}

/** True for the files that come before all else. */
export function isSmallFile(path: string): boolean {
  return FILES.includes(path) || SEALED_IDENTITY.test(path);
}
