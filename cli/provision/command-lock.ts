import { join } from 'node:path';
import { withLock } from '../../appliance/folder-lock.ts';
import type { Say } from '../render/work.ts';

/** The longest work under such a lock is making a devnet, about a minute on a slow machine. */
const TIMEOUT_MS = 180_000;

export interface CommandLock {
  readonly home: string;
  /** `lock-NAME` below HOME/run. */
  readonly name: 'devnet' | 'converge';
  readonly purpose: string;
  readonly signal: AbortSignal;
  readonly say: Say;
}

/** One command at a time does such work to a home; another one waits, and says for whom. @throws NectarError NODE_LOCK_HELD */
export function withCommandLock<T>({ home, name, say, ...lock }: CommandLock, work: () => Promise<T>): Promise<T> {
  const onWait = (holder: string): void => say(`waiting for another command: ${holder}`, 'matters');
  return withLock({ ...lock, path: join(home, 'run', `lock-${name}`), timeoutMs: TIMEOUT_MS, onWait }, work);
}
