import { open, realpath } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import { NectarError } from '../../../protocol/errors.ts';

const OTHERS = 0o007;
const GROUP_WRITE_OR_RUN = 0o030;
const GROUP_READ = 0o040;
/** As in docs/design/0002-containers.md. */
const STORE_GROUP = 64_002;

/**
 * Reads a small secret that nobody else may read, and that does not lie in the home that it opens. undefined: it is longer than
 * `maxBytes`. KEY_FILE_MISSING, KEY_FILE_PERMISSIONS, KEY_FILE_INSIDE_HOME. The caller wipes it.
 */
export async function readSecretFile(
  path: string,
  { home, maxBytes }: { readonly home: string; readonly maxBytes: number },
): Promise<{ readonly bytes: Uint8Array; readonly size: number }> {
  await refuseInsideHome(path, home);
  const file = await open(path, 'r').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') throw new NectarError('KEY_FILE_MISSING', { path });
    if (error.code === 'EACCES')
      throw new NectarError('KEY_FILE_PERMISSIONS', { path, mode: 'not readable by this user' });
    throw error;
  });
  try {
    const { size, mode, uid, gid } = await file.stat();
    if (isOpenToOthers({ mode, uid, gid })) {
      throw new NectarError('KEY_FILE_PERMISSIONS', { path, mode: (mode & 0o777).toString(8).padStart(4, '0') });
    }
    const bytes = new Uint8Array(Math.min(size, maxBytes));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, 0);
    return { bytes: bytes.subarray(0, bytesRead), size };
  } finally {
    await file.close();
  }
}

/**
 * A Secret's file belongs to root, and reaches the process by the group that the kubelet gave it (fsGroup): its group may read it. In a
 * file of our own the group has no business, unless it is that of the store's container, which no account of a machine has.
 */
export function isOpenToOthers(
  { mode, uid, gid }: { readonly mode: number; readonly uid: number; readonly gid: number },
  ours: number | undefined = process.getuid?.(),
): boolean {
  if ((mode & (OTHERS | GROUP_WRITE_OR_RUN)) !== 0) return true;
  return (mode & GROUP_READ) !== 0 && uid === ours && gid !== STORE_GROUP;
}

/** A key beside what it opens protects nothing from whoever takes the disk. Links are resolved first. */
export async function refuseInsideHome(path: string, home: string): Promise<void> {
  const [file, folder] = await Promise.all([realOrResolved(path), realOrResolved(home)]);
  const below = relative(folder, file);
  if (below === '' || (!below.startsWith('..') && !isAbsolute(below))) {
    throw new NectarError('KEY_FILE_INSIDE_HOME', { path, home });
  }
}

/** The real path of what exists; below it, the names as given. */
async function realOrResolved(path: string): Promise<string> {
  const full = resolve(path);
  try {
    return await realpath(full);
  } catch {
    const parent = dirname(full);
    return parent === full ? full : join(await realOrResolved(parent), basename(full));
  }
}
