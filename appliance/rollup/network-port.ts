import { NectarError } from '../../protocol/errors.ts';
import type { NetworkDescriptor } from '../../protocol/network/descriptor.ts';
import type { Ordering } from './account/forwarder.ts';
import type { BatcherChain } from './batcher/batcher.ts';
import type { RollupConfig } from './config.ts';
import type { JsonRpc } from './l1/json-rpc.ts';
import type { RollupParts } from './rollup-parts.ts';
import type { PendingTransactions } from './rpc/pending-transactions.ts';
import type { SequencerChain } from './sequencer/sequencer.ts';
import { createSequencerChain } from './sequencer-chain.ts';

/** The node as its sequencer, batcher and auditor see it. Every call throws NODE_NOT_READY before the node has started. */
export interface NetworkPort {
  readonly descriptor: NetworkDescriptor;
  readonly config: RollupConfig;
  /** L1 by the endpoints that the node follows itself, in the order that it trusts them. */
  readonly l1Rpc: JsonRpc;
  /** `key`: the sequencer's, 32 bytes; it signs announcements. */
  sequencerChain(key: Uint8Array): SequencerChain;
  batcherChain(): BatcherChain;
  /** Orders transactions here instead of forwarding them. */
  setOrdering(ordering: LocalOrdering | undefined): void;
  /** Where this process's transactions are ordered. */
  readonly ordering: Ordering;
}

export type LocalOrdering = Ordering & { readonly pool: PendingTransactions };

export interface NetworkPortDeps {
  readonly parts: () => RollupParts;
  readonly descriptor: NetworkDescriptor;
  readonly config: RollupConfig;
  readonly setOrdering: (ordering: LocalOrdering | undefined) => void;
  readonly ordering: Ordering;
  readonly announce: (envelope: Uint8Array) => void;
}

export function createNetworkPort(deps: NetworkPortDeps): NetworkPort {
  const { parts, descriptor, config, setOrdering } = deps;
  return {
    descriptor,
    config,
    setOrdering,
    l1Rpc: {
      call: async (...input) => parts().l1Rpc.call(...input),
      distrust: () => parts().l1Rpc.distrust(),
    },
    ordering: deps.ordering,
    sequencerChain: (key) => createSequencerChain({ key, descriptor }, { parts, announce: deps.announce }),
    batcherChain: () => ({
      settled: () => parts().driver.settled(),
      async posted() {
        const { batchCount, safe, messagesAllowed } = await parts().store.cursor();
        return { batchCount, safe: safe.number, messagesRead: safe.messagesRead, messagesAllowed };
      },
      unsafeHead: () => parts().executor.heads().unsafe.number,
      async getBatchBlock(number) {
        const block = await parts().engine.batchBlockAt(number);
        if (block === undefined) throw new NectarError('ROLLUP_DERIVE_STATE_INVALID', { what: `no block ${number}` });
        return block;
      },
    }),
  };
}
