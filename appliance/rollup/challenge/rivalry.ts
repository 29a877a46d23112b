import type { Hex } from '../../../protocol/brand.ts';
import type { GlobalState } from '../../../protocol/dispute/global-state.ts';
import type { SignedMove } from '../../../protocol/dispute/move.ts';
import type { Parties } from '../../../protocol/dispute/parties.ts';
import type { Side } from '../../../protocol/dispute/rounds.ts';
import type { ChallengeSubject } from '../../../protocol/dispute/verify-move.ts';

/** Two live stakes whose paths part, one of them this node's: what a challenge is, or would be, about. */
export interface Rivalry {
  readonly parties: Parties;
  /** This node's. */
  readonly side: Side;
  readonly subject: ChallengeSubject;
  /** G of the node where the paths part, which this node has derived itself. */
  readonly parent: GlobalState;
  /** The batch to which both assertions go. */
  readonly target: bigint;
  readonly configHash: Hex;
  /** What configHash is the Keccak-256 of: abi.encode(RollupConfig). */
  readonly rollupConfig: Hex;
  /** How the opponent wants to be reached; empty when it does not say. */
  readonly contact: string;
}

/** The position of a challenge on L1. */
export interface ChallengeRecord {
  /** The newest move, whose points L1 has in its logs. */
  readonly position: SignedMove['move'];
  readonly turn: Side;
  /** Seconds of the freeze clock that are left to whose turn it is; not above 0 when its time is over. */
  readonly leftS: bigint;
}

/** What L1 says of a challenge. */
export type ChallengeStanding = 'none' | 'closed' | ChallengeRecord;
