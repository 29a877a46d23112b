import type { PeerIdText } from '../../protocol/brand.ts';
import type { ReplicationConfig } from './config.ts';
import { inParallel } from './in-parallel.ts';
import type { ReplicationDeps } from './needs.ts';

/** Holders told in one pass. */
const MAX_HOLDERS = 64;
/** Holders remembered as silent; beyond, all are tried again. */
const MAX_WAITING = 4_096;

interface Wait {
  readonly failures: number;
  readonly notBefore: number;
  readonly wasConnected: boolean;
}

export type ReleaseCounts = Record<'receipt' | 'told' | 'false' | 'silent', number>;

/**
 * One pass over the holders that are still to take away what was destroyed here. Adversary: a holder that is away for weeks, or never
 * signs: it is told again, ever more rarely, and at once when it is seen again; it delays no other.
 */
export function createReleaser(
  config: ReplicationConfig,
  deps: ReplicationDeps,
): (signal: AbortSignal) => Promise<ReleaseCounts> {
  const waits = new Map<PeerIdText, Wait>();

  function putOff(holder: PeerIdText, wasConnected: boolean): void {
    if (waits.size >= MAX_WAITING) waits.clear();
    const failures = (waits.get(holder)?.failures ?? 0) + 1;
    const ms = Math.min(config.releaseRetryMaxMs, config.retryMs * 2 ** Math.min(failures - 1, 30));
    waits.set(holder, { failures, notBefore: deps.now() + ms, wasConnected });
  }

  function isDue(holder: PeerIdText, isConnected: boolean): boolean {
    const wait = waits.get(holder);
    return wait === undefined || wait.notBefore <= deps.now() || (isConnected && !wait.wasConnected);
  }

  return async (signal) => {
    const counts: ReleaseCounts = { receipt: 0, told: 0, false: 0, silent: 0 };
    const pending = await deps.store.pendingReleases(MAX_HOLDERS);
    if (pending.length === 0) return counts;
    const connected = new Set(await deps.members());
    const due = pending.filter(({ holder }) => isDue(holder, connected.has(holder)));
    await inParallel(due, config.parallel, async ({ holder, roots }) => {
      signal.throwIfAborted();
      const answer = await deps.release(holder, roots, signal);
      counts[answer.outcome] += 1;
      if (answer.outcome !== 'receipt') return putOff(holder, connected.has(holder));
      waits.delete(holder);
      await deps.store.released({ holder, roots, receipt: answer.receipt });
    });
    return counts;
  };
}
