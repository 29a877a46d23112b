import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive } from './running.ts';

const POLL_MS = 100;

/** Does `work` while no other process of ours holds the lock; waits for a living holder, takes over from a dead one. */
export async function withLock<T>(path: string, signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  while (!take(path)) await sleep(POLL_MS, undefined, { signal });
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

/** `link` makes the lock and the pid in it appear in one step. */
function take(path: string): boolean {
  const mine = `${path}.${process.pid}`;
  writeFileSync(mine, String(process.pid));
  try {
    linkSync(mine, path);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    dropIfDead(path);
    return false;
  } finally {
    rmSync(mine, { force: true });
  }
}

function dropIfDead(path: string): void {
  try {
    if (isAlive(Number(readFileSync(path, 'utf8')))) return;
    // Moved aside first: of two that see the same dead lock only one removes it.
    renameSync(path, `${path}.dead.${process.pid}`);
    rmSync(`${path}.dead.${process.pid}`, { force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
