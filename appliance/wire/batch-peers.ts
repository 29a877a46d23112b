import type { P2p } from '../p2p/index.ts';
import type { BatchPeers } from '../rollup/index.ts';

/**
 * Whoever is connected may have what L1 has forgotten, bootstrap peers too: what a peer gives is proved, so it need not be a member.
 * One after another, so that memory holds one answer.
 */
export function batchPeers(p2p: () => Pick<P2p, 'peers' | 'askBatch'>): BatchPeers {
  return {
    async ask(wanted, take, signal) {
      for (const { peerId } of p2p().peers()) {
        const encoded = await p2p()
          .askBatch(peerId, wanted, signal)
          .catch(() => undefined);
        signal.throwIfAborted();
        if (encoded !== undefined && (await take(encoded))) return;
      }
    },
  };
}
