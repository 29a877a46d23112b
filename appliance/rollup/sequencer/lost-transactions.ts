import type { Hex } from '../../../protocol/brand.ts';

/** Why a transaction that the sequencer had taken is in no block and will be in none. */
export interface Loss {
  readonly hash: Hex;
  /** An obstacle of the chain's rules, or `expired`, `evicted`. */
  readonly reason: string;
}

/** The last transactions that were lost, so that nobody waits for one in vain. */
export interface LostTransactions {
  add(losses: readonly Loss[]): void;
  reasonOf(hash: Hex): string | undefined;
}

export function createLostTransactions(maxKept: number): LostTransactions {
  const reasons = new Map<Hex, string>();
  return {
    add(losses) {
      for (const { hash, reason } of losses) {
        reasons.delete(hash);
        reasons.set(hash, reason);
      }
      for (const oldest of reasons.keys()) {
        if (reasons.size <= maxKept) break;
        reasons.delete(oldest);
      }
    },
    reasonOf: (hash) => reasons.get(hash),
  };
}
