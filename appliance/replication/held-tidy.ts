import type { PeerIdText } from '../../protocol/brand.ts';
import type { ReplicationDeps } from './needs.ts';

/** One look at those whose blocks are here. A registry that gives no answer about an owner, or is not that of today, puts nobody out. */
export function createHeldTidy(
  deps: Pick<ReplicationDeps, 'held' | 'isMember' | 'isCurrent'>,
): (signal: AbortSignal) => Promise<void> {
  return async (signal) => {
    if (!deps.isCurrent()) return;
    const standings: { owner: PeerIdText; isMember: boolean }[] = [];
    for (const owner of await deps.held.owners()) {
      signal.throwIfAborted();
      const isMember = await deps.isMember(owner).catch(() => undefined);
      if (isMember !== undefined) standings.push({ owner, isMember });
    }
    await deps.held.tidy(standings);
  };
}
