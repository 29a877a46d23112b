import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { NectarError } from '../../protocol/errors.ts';

/** Puts a whole file in place, durably: old or new after a crash. @throws NectarError NODE_DISK_FULL */
export async function replaceFile(path: string, content: string, mode: number): Promise<void> {
  const temporary = `${path}.new-${process.pid}`;
  try {
    const file = await open(temporary, 'w', mode);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    const folder = await open(dirname(path), 'r');
    await folder.sync().finally(() => folder.close());
  } catch (error) {
    await rm(temporary, { force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw new NectarError('NODE_DISK_FULL', { path }, { cause: error });
    throw error;
  }
}
