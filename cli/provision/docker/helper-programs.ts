/**
 * What helpers run inside an image that has no shell: small modules, given to node as text. They print nothing but the reason of a
 * failure, and no secret is ever an argument.
 */

/** Arguments: files with the SHA-256 that each must have. Checks and syncs them and their folders: only then is a copy a copy. */
export const VERIFY_AND_SYNC = `
import { createHash } from 'node:crypto';
import { closeSync, fsyncSync, openSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
const sync = (path) => { const fd = openSync(path, 'r'); try { fsyncSync(fd); } finally { closeSync(fd); } };
const folders = new Set();
for (const item of process.argv.slice(1)) {
  const [digest, path] = [item.slice(0, 64), item.slice(65)];
  const found = createHash('sha256').update(readFileSync(path)).digest('hex');
  if (found !== digest) throw new Error('another content in ' + path);
  sync(path);
  folders.add(dirname(path));
}
for (const folder of folders) sync(folder);
`;

/** Arguments: uid, file. Gives a file of the host to one user, to be read by that user alone. */
export const GIVE_FILE = `
import { chmodSync, chownSync } from 'node:fs';
const [uid, path] = process.argv.slice(1);
chmodSync(path, 0o400);
chownSync(path, Number(uid), Number(uid));
`;

/** Arguments: the uid of a container, that of the admin, file. Lets the container read it by its group; the owner stays, and may copy it. */
export const LET_READ = `
import { chmodSync, chownSync, statSync } from 'node:fs';
const [container, admin, path] = process.argv.slice(1);
const { uid } = statSync(path);
chmodSync(path, 0o400);
chownSync(path, uid === Number(container) ? Number(admin) : uid, Number(container));
chmodSync(path, 0o440);
`;

/** Arguments: files and folders. Overwrites every file below, syncs it, and removes it where that is allowed (not a mount). */
export const SHRED = `
import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, existsSync, fstatSync, fsyncSync, openSync, readdirSync, rmSync, statSync, writeSync } from 'node:fs';
import { join } from 'node:path';
const shred = (path, isRoot) => {
  if (statSync(path).isDirectory()) {
    for (const name of readdirSync(path)) shred(join(path, name), false);
    if (!isRoot) rmSync(path, { recursive: true });
    return;
  }
  chmodSync(path, 0o600);
  const fd = openSync(path, 'r+');
  try {
    const { size } = fstatSync(fd);
    for (let at = 0; at < size; at += 65536) writeSync(fd, randomBytes(Math.min(65536, size - at)), 0, undefined, at);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  if (!isRoot) rmSync(path);
};
for (const path of process.argv.slice(1)) if (existsSync(path)) shred(path, true);
`;
