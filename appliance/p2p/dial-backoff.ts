import type { P2pConfig } from './config.ts';

interface Wait {
  readonly failures: number;
  readonly notBefore: number;
}

/** When a peer may be dialled again: each failure doubles the wait, up to the longest. */
export interface DialBackoff {
  isDue(peerId: string): boolean;
  /** Dials in a row that did not work. */
  failures(peerId: string): number;
  failed(peerId: string): void;
  reached(peerId: string): void;
  /** A connection ended. The shortest wait, never none: it may be that the peer drops us. */
  lost(peerId: string): void;
  /** Forgets everybody else. */
  keepOnly(peerIds: ReadonlyMap<string, unknown>): void;
}

export function createDialBackoff(
  { dialBackoffMinMs, dialBackoffMaxMs }: Pick<P2pConfig, 'dialBackoffMinMs' | 'dialBackoffMaxMs'>,
  now: () => number,
): DialBackoff {
  const waits = new Map<string, Wait>();

  function wait(peerId: string, failures: number): void {
    // 2 ** 30 is past any longest wait, and no overflow after years of failures.
    const ms = Math.min(dialBackoffMaxMs, dialBackoffMinMs * 2 ** Math.min(failures - 1, 30));
    waits.set(peerId, { failures, notBefore: now() + ms });
  }

  return {
    isDue: (peerId) => (waits.get(peerId)?.notBefore ?? 0) <= now(),
    failures: (peerId) => waits.get(peerId)?.failures ?? 0,
    failed: (peerId) => wait(peerId, (waits.get(peerId)?.failures ?? 0) + 1),
    reached: (peerId) => void waits.delete(peerId),
    lost(peerId) {
      if (!waits.has(peerId)) wait(peerId, 1);
    },
    keepOnly(peerIds) {
      for (const peerId of waits.keys()) if (!peerIds.has(peerId)) waits.delete(peerId);
    },
  };
}
