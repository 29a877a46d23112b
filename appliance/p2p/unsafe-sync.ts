import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerIdText } from '../../protocol/brand.ts';
import type { Logger } from '../telemetry/index.ts';
import type { FrameStream } from './frame-stream.ts';
import type { P2pMetrics } from './metrics.ts';
import type { UnsafeBlocks } from './needs.ts';
import { askRange, serveRange } from './range-exchange.ts';

/** Between two catch-ups, however many blocks leave a gap: gossip that came out of order has this time to fill it. */
const MIN_INTERVAL_MS = 100;
/** Peers waiting to be asked; the rest is asked at the next turn. */
const MAX_WAITING = 64;

export interface UnsafeSyncDeps {
  readonly unsafe: UnsafeBlocks;
  readonly open: (peerId: PeerIdText, signal: AbortSignal) => Promise<FrameStream>;
  readonly log: Logger;
  readonly metrics: P2pMetrics;
}

export interface UnsafeSync {
  /** Serves one range request. */
  serve(frames: FrameStream, peerId: PeerIdText): Promise<void>;
  /** Asks the peer for what follows our head, soon; one peer at a time, so that memory holds one answer. */
  request(peerId: PeerIdText): void;
  /** Asks the peer now; true when it answered. */
  ask(peerId: PeerIdText, signal: AbortSignal): Promise<boolean>;
  /** Works off requests until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Catch-up of unsafe blocks by range. Every block is judged like one from gossip: a peer's word counts for nothing. */
export function createUnsafeSync(deps: UnsafeSyncDeps): UnsafeSync {
  const waiting = new Set<PeerIdText>();
  let arrival = Promise.withResolvers<void>();

  return {
    async serve(frames, peerId) {
      await serveRange(frames, deps.unsafe).catch((error: unknown) =>
        deps.log.debug({ peerId, err: error }, 'range for a peer ended early'),
      );
    },
    request(peerId) {
      if (waiting.size < MAX_WAITING) waiting.add(peerId);
      arrival.resolve();
    },
    async ask(peerId, signal) {
      try {
        await catchUp(peerId, signal, deps);
        return true;
      } catch (error) {
        deps.log.debug({ peerId, err: error }, 'catching up from a peer failed');
        return false;
      }
    },
    async run(signal) {
      signal.addEventListener('abort', () => arrival.resolve(), { once: true });
      while (!signal.aborted) {
        const [peerId] = waiting;
        if (peerId === undefined) {
          arrival = Promise.withResolvers();
          await arrival.promise;
          continue;
        }
        waiting.delete(peerId);
        await catchUp(peerId, signal, deps).catch((error: unknown) =>
          deps.log.debug({ peerId, err: error }, 'catching up from a peer failed'),
        );
        await sleep(MIN_INTERVAL_MS, undefined, { signal }).catch(() => {});
      }
    },
  };
}

/** Asks for more as long as it gets us further. */
async function catchUp(peerId: PeerIdText, signal: AbortSignal, deps: UnsafeSyncDeps): Promise<void> {
  const { unsafe, open, metrics, log } = deps;
  for (;;) {
    const before = unsafe.head();
    for (const block of await askRange(await open(peerId, signal), before + 1n)) {
      const verdict = await unsafe.accept(block);
      metrics.gossip.inc({ verdict });
      if (verdict === 'reject') {
        log.warn({ peerId }, 'peer sent an invalid unsafe block');
        return;
      }
    }
    if (unsafe.head() <= before || signal.aborted) return;
  }
}
