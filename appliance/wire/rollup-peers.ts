import type { P2p, P2pDeps } from '../p2p/index.ts';
import { type BatchPeers, contactOf, type Rollup, type RollupDeps } from '../rollup/index.ts';

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

/** What the rollup has of the peers: how many there are, the data of old batches, and opponents in challenges. */
export function rollupPeers(p2p: () => P2p): Pick<RollupDeps, 'peerCount' | 'batchPeers' | 'challengePeers'> {
  return {
    peerCount: () => p2p().peers().length,
    batchPeers: batchPeers(p2p),
    challengePeers: {
      ask: (...input) => p2p().askChallenge(...input),
      contact: () => (p2p().readiness().ready ? contactOf(p2p().peerId()) : ''),
    },
  };
}

/** What peers have of the rollup. A node that stakes nothing has no challenges, and does not know their protocol. */
export function servedToPeers(
  rollup: Pick<Rollup, 'keptBatch' | 'hearChallenge'>,
  { validator }: { readonly validator: { readonly enabled: boolean } },
): Pick<P2pDeps, 'batches' | 'challenges'> {
  return {
    batches: { find: (batch) => rollup.keptBatch(batch) },
    ...(validator.enabled && { challenges: { hear: (encoded) => rollup.hearChallenge(encoded) } }),
  };
}
