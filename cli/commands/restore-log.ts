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
import { type Replace, type RestoreOptions, withRepository } from './restore-from.ts';

/** Finds the newer log that a restore is to take: of a folder, a home, or a repository; of the damaged home that was moved aside by itself. */
export async function withNewerLog<T>(
  call: Call<RestoreOptions>,
  aside: Aside | undefined,
  work: (log: NewerLog | undefined) => Promise<T>,
): Promise<T> {
  const { options, terminal } = call;
  const named = options.log ?? (aside?.hasLog === true ? aside.place : undefined);
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

/** A damaged home that was moved out of the way. */
export interface Aside {
  readonly place: string;
  /** Its log, or a copy of it, is in it. */
  readonly hasLog: boolean;
  readonly replace: Replace;
}

function asideOf(home: string, terminal: Call<RestoreOptions>['terminal']): string {
  return `${home}.damaged-${new Date(terminal.now()).toISOString().replaceAll(/[-:]|\.\d+/g, '')}`;
}

async function overContainers<T>(
  { home, options, terminal }: Pick<Call<RestoreOptions>, 'home' | 'options' | 'terminal'>,
  aside: string,
  work: (aside: Aside) => Promise<T>,
): Promise<T> {
  const { overLostStore } = await import('../life/over-lost-store.ts');
  const { openEngine } = await import('../provision/docker/open-engine.ts');
  const { findLogFolder } = await import('../life/backup/newer-log.ts');
  return overLostStore({ home, engine: openEngine(terminal, options.engine), aside }, ({ replace }) =>
    work({ place: aside, hasLog: findLogFolder(aside) !== undefined, replace }),
  );
}

/**
 * Moves a damaged home, which nothing may run in, out of the way for `work`, which gets its new place. It is kept, under a name that says
 * so; a restore that fails puts it back.
 */
export async function overDamagedHome<T>(
  { home, options, terminal }: Call<RestoreOptions>,
  work: (aside: Aside | undefined) => Promise<T>,
): Promise<T> {
  if (options.over !== true) return work(undefined);
  if (options.check === true)
    throw new NectarError('CLI_USAGE', { problem: '--check puts nothing in place: leave --over out' });
  const aside = asideOf(home, terminal);
  if (options.target === 'docker' && hasTarget(home)) return overContainers({ home, options, terminal }, aside, work);
  if (options.target !== 'process' || hasTarget(home))
    throw new NectarError('CLI_USAGE', {
      problem: '--over is for a home of the same target, process or docker; of pods, name --log',
    });
  if (!isNodeHome(home)) throw new NectarError('CLI_HOME_MISSING', { home });
  const locks: FolderLock[] = [];
  try {
    for (const path of homePaths(home).locks('all')) {
      const lock = await tryLock(path, 'restore');
      if (lock === undefined) throw new NectarError('NODE_HOME_IN_USE', { home });
      locks.push(lock);
    }
    await rename(home, aside);
    try {
      return await work({ place: aside, hasLog: true, replace: undefined });
    } catch (error) {
      await rename(aside, home);
      throw error;
    }
  } finally {
    for (const lock of locks) await lock.release();
  }
}
