/**
 * Names of the p2p protocols. Each carries the L2 chain id, so that nodes of two networks have nothing to say to each
 * other even when one machine runs both, and ends in its format version.
 */
export interface ProtocolNames {
  /** gossipsub topic of signed unsafe blocks. */
  readonly blocksTopic: string;
  /** Stream: range of unsafe blocks, see unsafe-range.ts. */
  readonly unsafeRange: string;
  /** Stream: get, hold and release ciphertext blocks, see block-exchange.ts. */
  readonly blockExchange: string;
  /** Stream: whether a block is still held, see block-proof.ts. */
  readonly proofs: string;
  /** Stream: that held blobs need not be kept, and a signed receipt, see release-exchange.ts. */
  readonly releases: string;
  /** Stream: cosign a checkpoint, see witness-exchange.ts. */
  readonly witness: string;
  /** Stream: the data of a batch, see batch-exchange.ts. */
  readonly batches: string;
  /** Stream: what a holder offers, shards that are to be taken, and questions about their leaves, see shard-exchange.ts. */
  readonly shards: string;
  /** Stream: the moves of a challenge, see challenge-exchange.ts. */
  readonly challenges: string;
}

export function protocolNames(l2ChainId: bigint): ProtocolNames {
  return {
    blocksTopic: `/nectar/${l2ChainId}/blocks/1`,
    unsafeRange: `/nectar/${l2ChainId}/unsafe/1`,
    blockExchange: `/nectar/${l2ChainId}/blocks/1`,
    proofs: `/nectar/${l2ChainId}/proofs/1`,
    releases: `/nectar/${l2ChainId}/releases/1`,
    witness: `/nectar/${l2ChainId}/witness/1`,
    batches: `/nectar/${l2ChainId}/batches/1`,
    shards: `/nectar/${l2ChainId}/shards/1`,
    challenges: `/nectar/${l2ChainId}/challenges/1`,
  };
}
