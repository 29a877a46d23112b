import { statfs } from 'node:fs/promises';
import { NectarError } from '../../protocol/errors.ts';

/** LevelDB hands the C library's text through; file calls have codes. */
export function isDiskFull(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') return true;
    if (/no space left on device|disk quota exceeded/i.test(cause.message)) return true;
  }
  return false;
}

/** The error to throw for one that a write met. */
export function diskError(error: unknown, path: string): unknown {
  if (error instanceof NectarError || !isDiskFull(error)) return error;
  return new NectarError('NODE_DISK_FULL', { path }, { cause: error });
}

/** Throws NODE_DISK_FULL when the volume has fewer free bytes (for this user) than the reserve plus what is to be written. */
export async function requireFree(path: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(path);
  if (bavail * bsize < bytes) throw new NectarError('NODE_DISK_FULL', { path });
}
