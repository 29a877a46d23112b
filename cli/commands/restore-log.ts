import { existsSync } from 'node:fs';
import { rename } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { homePaths } from '../../appliance/config/index.ts';
import { type FolderLock, tryLock } from '../../appliance/folder-lock.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Call } from '../call.ts';
import { isNodeHome } from '../home-folder.ts';
import type { NewerLog } from '../life/backup/newer-log.ts';
import { hasTarget } from '../provision/docker/target-path.ts';
import { type RestoreOptions, withRepository } from './restore-from.ts';

/** Finds the newer log that a restore is to take: of a folder, a home, or a repository; of the damaged home that was moved aside by itself. */
export async function withNewerLog<T>(
  call: Call<RestoreOptions>,
  aside: string | undefined,
  work: (log: NewerLog | undefined) => Promise<T>,
): Promise<T> {
  const { options, terminal } = call;
  const named = options.log ?? aside;
  if (named === undefined) return work(undefined);
  const { findLogFolder } = await import('../life/backup/newer-log.ts');
  const folder = resolve(terminal.workingFolder, named);
  if (/^[a-z0-9]+:\/\//.test(named) || existsSync(join(folder, 'repository.json')))
    return fromRepository(call, named, work);
  const found = findLogFolder(folder);
  if (found === undefined) throw new NectarError('BACKUP_LOG_REFUSED', { place: named, problem: 'there is none' });
  return work({ place: named, folder: found });
}

/** The log as the newest snapshot has it, in a folder that goes again. */
async function fromRepository<T>(
  call: Call<RestoreOptions>,
  place: string,
  work: (log: NewerLog) => Promise<T>,
): Promise<T> {
  const { withScratch } = await import('../provision/staging-folder.ts');
  const { unpackSnapshot } = await import('../life/repository/restore-snapshot.ts');
  const { terminal, home } = call;
  return withScratch(`${home}.log`, async (scratch) => {
    await withRepository({ ...call, operands: [place] }, async (target, unlock) => {
      const about = { home, check: true, keyFile: undefined, generation: undefined, blocks: false };
      const of = { signal: terminal.signal, now: () => terminal.now(), onBytes: () => undefined };
      let close = async (): Promise<void> => undefined;
      try {
        await unpackSnapshot({ ...about, ...of, target, unlock }, scratch, (keys) => {
          close = () => keys.stop();
          return keys;
        });
      } finally {
        await close();
      }
    });
    return work({ place, folder: join(scratch, 'audit') });
  });
}

/**
 * Moves a damaged home, which nothing may run in, out of the way for `work`, which gets its new place. It is kept, under a name that says
 * so; a restore that fails puts it back.
 */
export async function overDamagedHome<T>(
  { home, options, terminal }: Call<RestoreOptions>,
  work: (aside: string | undefined) => Promise<T>,
): Promise<T> {
  if (options.over !== true) return work(undefined);
  if (options.target !== 'process' || hasTarget(home) || options.check === true)
    throw new NectarError('CLI_USAGE', {
      problem: '--over is for the home of a process; of containers or pods, name --log',
    });
  if (!isNodeHome(home)) throw new NectarError('CLI_HOME_MISSING', { home });
  const locks: FolderLock[] = [];
  const moment = new Date(terminal.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '');
  const aside = `${home}.damaged-${moment}`;
  try {
    for (const path of homePaths(home).locks('all')) {
      const lock = await tryLock(path, 'restore');
      if (lock === undefined) throw new NectarError('NODE_HOME_IN_USE', { home });
      locks.push(lock);
    }
    await rename(home, aside);
    try {
      return await work(aside);
    } catch (error) {
      await rename(aside, home);
      throw error;
    }
  } finally {
    for (const lock of locks) await lock.release();
  }
}
