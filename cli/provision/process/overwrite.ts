import { randomBytes } from 'node:crypto';
import { open, rm } from 'node:fs/promises';

/**
 * Overwrites a small secret file, syncs, and removes it. On a copy-on-write file system or a wearing-levelled disk old blocks may
 * stay: what was in them is a key wrapped by a passphrase or by the other file, not a bare one.
 */
export async function overwriteAndRemove(path: string): Promise<void> {
  try {
    const handle = await open(path, 'r+');
    try {
      const { size } = await handle.stat();
      await handle.write(randomBytes(size), 0, size, 0);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rm(path, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
