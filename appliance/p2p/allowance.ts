import type { PeerIdText } from '../../protocol/brand.ts';

export interface AllowanceLimits {
  /** Requests of one peer that are taken at once. */
  readonly burst: number;
  /** How soon another one is. */
  readonly refillMs: number;
}

/** Peers whose allowance is remembered; a stranger is refused before it has one. */
const MAX_PEERS = 4_096;

/** Counts requests by peer. True: this one is taken. */
export function createAllowance(
  { burst, refillMs }: AllowanceLimits,
  now: () => number,
): (peerId: PeerIdText) => boolean {
  const allowances = new Map<PeerIdText, { left: number; at: number }>();
  return (peerId) => {
    const time = now();
    const known = allowances.get(peerId) ?? { left: burst, at: time };
    const left = Math.min(burst, known.left + Math.max(0, time - known.at) / refillMs);
    if (allowances.size >= MAX_PEERS) allowances.clear();
    allowances.set(peerId, { left: left < 1 ? left : left - 1, at: time });
    return left >= 1;
  };
}
