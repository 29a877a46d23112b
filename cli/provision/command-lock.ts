import { join } from 'node:path';
import { withLock } from '../../appliance/folder-lock.ts';
import type { Say } from '../render/work.ts';

/**
 * How long a command waits for another one: for the longest work but a backup (making a devnet, about a minute on a slow machine),
 * and for a backup of ordinary size.
 */
const TIMEOUT_MS = { devnet: 180_000, converge: 180_000, backup: 1_800_000 } as const;

export interface CommandLock {
  readonly home: string;
  /** `lock-NAME` below HOME/run. */
  readonly name: keyof typeof TIMEOUT_MS;
  readonly purpose: string;
  readonly signal: AbortSignal;
  readonly say: Say;
}

/** One command at a time does such work to a home; another one waits, and says for whom. @throws NectarError NODE_LOCK_HELD */
export function withCommandLock<T>({ home, name, say, ...lock }: CommandLock, work: () => Promise<T>): Promise<T> {
  const onWait = (holder: string): void => say(`waiting for another command: ${holder}`, 'matters');
  return withLock({ ...lock, path: join(home, 'run', `lock-${name}`), timeoutMs: TIMEOUT_MS[name], onWait }, work);
}
