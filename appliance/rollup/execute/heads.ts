import type { BlockHeader } from '@ethereumjs/block';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';

export interface BlockRef {
  readonly number: bigint;
  readonly hash: Hex;
  /** Seconds since 1970. */
  readonly timestamp: bigint;
}

/** How far the chain is known, and how well: announced by the sequencer, derived from L1, derived from finalized L1. */
export interface Heads {
  readonly unsafe: BlockRef;
  readonly safe: BlockRef;
  readonly finalized: BlockRef;
}

export function refOf(header: BlockHeader): BlockRef {
  return { number: header.number, hash: bytesToHex(header.hash()), timestamp: header.timestamp };
}
