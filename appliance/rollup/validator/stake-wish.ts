import { lstat, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { makeFolder, replaceFile, syncFolder } from '../../durable-file.ts';

/** Whether the account that asserts is to have a stake, over restarts. */
export interface StakeWish {
  isWanted(): Promise<boolean>;
  set(wanted: boolean): Promise<void>;
}

const FILE_MODE = 0o600;
const SAYS = 'This node takes its stake back, and stakes no more: nectar-byon validator stake\n';

/** A file that is there or not, so that there is nothing in it to be damaged. A home without it stakes. */
export function createStakeWish(path: string): StakeWish {
  const folder = dirname(path);
  return {
    async isWanted() {
      try {
        await lstat(path);
        return false;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
        throw error;
      }
    },
    async set(wanted) {
      await makeFolder(folder);
      if (!wanted) return replaceFile(path, SAYS, FILE_MODE);
      await rm(path, { force: true });
      await syncFolder(folder);
    },
  };
}
