import type { Dropped } from '../derive/dropped.ts';
import type { RpcMethods } from './json-rpc.ts';
import { parseHash } from './params.ts';
import { quantity } from './render.ts';
import type { RpcDeps } from './rpc-deps.ts';

/** What is not on L2 although somebody sent it, and why: nothing that a rule drops vanishes silently. */
export function createLossMethods({ dropped, whyLost }: Pick<RpcDeps, 'dropped' | 'whyLost'>): RpcMethods {
  return {
    /** The last things that L1 holds and a rule keeps out of L2, oldest first, since the node's start. */
    nectar_dropped: () => (dropped?.() ?? []).map(describe),
    /** Why a transaction that the sequencer had taken will be in no block; null when nothing is known of it. */
    async nectar_whyLost([hash]) {
      const reason = await whyLost?.(parseHash(hash));
      return reason === undefined ? null : { reason };
    },
  };
}

function describe({ what, sequenceNumber, block, reason, hash }: Dropped): Record<string, unknown> {
  const dropped = { what, batch: quantity(sequenceNumber), block: quantity(block), reason };
  return hash === undefined ? dropped : { ...dropped, hash };
}
