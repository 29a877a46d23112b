import type { PeerIdText } from '../../protocol/brand.ts';
import { MAX_GOSSIP_BLOCK_BYTES } from '../../protocol/network/frame.ts';
import {
  encodeRangeRequest,
  MAX_RANGE_BLOCKS,
  MAX_RANGE_BYTES,
  parseRangeRequest,
  RANGE_REQUEST_BYTES,
} from '../../protocol/network/unsafe-range.ts';
import type { Logger } from '../telemetry/index.ts';
import type { FrameStream } from './frame-stream.ts';
import type { P2pMetrics } from './metrics.ts';
import type { UnsafeBlocks } from './needs.ts';

/** Between two catch-ups from one peer, however many of its blocks leave a gap. */
const MIN_INTERVAL_MS = 250;
const MAX_WAITING = 64;

export interface UnsafeSyncDeps {
  readonly unsafe: UnsafeBlocks;
  readonly open: (peerId: PeerIdText, signal: AbortSignal) => Promise<FrameStream>;
  readonly log: Logger;
  readonly metrics: P2pMetrics;
  readonly now: () => number;
}

export interface UnsafeSync {
  /** Serves one range request. */
  serve(frames: FrameStream, peerId: PeerIdText): Promise<void>;
  /** Asks the peer for what follows our head, soon; one peer at a time, so that memory holds one answer. */
  request(peerId: PeerIdText): void;
  /** Works off requests until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/** Catch-up of unsafe blocks by range. Every block is judged like one from gossip: a peer's word counts for nothing. */
export function createUnsafeSync(deps: UnsafeSyncDeps): UnsafeSync {
  const waiting = new Set<PeerIdText>();
  const lastAsked = new Map<PeerIdText, number>();
  let arrival = Promise.withResolvers<void>();

  async function catchUp(peerId: PeerIdText, signal: AbortSignal): Promise<void> {
    let before: bigint;
    let received: number;
    do {
      before = deps.unsafe.head();
      const blocks = await ask(peerId, before + 1n, signal);
      received = blocks.length;
      for (const block of blocks) {
        const verdict = await deps.unsafe.accept(block);
        deps.metrics.gossip.inc({ verdict });
        if (verdict === 'reject') {
          deps.log.warn({ peerId }, 'peer sent an invalid unsafe block');
          return;
        }
      }
    } while (received > 0 && deps.unsafe.head() > before && !signal.aborted);
  }

  async function ask(peerId: PeerIdText, from: bigint, signal: AbortSignal): Promise<Uint8Array[]> {
    const frames = await deps.open(peerId, signal);
    try {
      await frames.write(encodeRangeRequest({ from, limit: MAX_RANGE_BLOCKS }));
      const blocks: Uint8Array[] = [];
      let room = MAX_RANGE_BYTES;
      while (blocks.length < MAX_RANGE_BLOCKS) {
        const block = await frames.read(Math.min(MAX_GOSSIP_BLOCK_BYTES, room));
        if (block.length === 0) break;
        blocks.push(block);
        room -= block.length;
      }
      await frames.close();
      return blocks;
    } catch (error) {
      frames.reset(error);
      throw error;
    }
  }

  return {
    async serve(frames, peerId) {
      try {
        const { from, limit } = parseRangeRequest(await frames.read(RANGE_REQUEST_BYTES));
        for (const block of fitting(await deps.unsafe.range(from, limit), limit)) await frames.write(block);
        await frames.write(new Uint8Array(0));
        await frames.close();
      } catch (error) {
        frames.reset(error);
        deps.log.debug({ peerId, err: error }, 'range for a peer ended early');
      }
    },
    request(peerId) {
      if (waiting.size >= MAX_WAITING) return;
      if (deps.now() - (lastAsked.get(peerId) ?? 0) < MIN_INTERVAL_MS) return;
      if (lastAsked.size >= MAX_WAITING) lastAsked.clear();
      waiting.add(peerId);
      arrival.resolve();
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
        lastAsked.set(peerId, deps.now());
        await catchUp(peerId, signal).catch((error: unknown) =>
          deps.log.debug({ peerId, err: error }, 'no catch-up from a peer'),
        );
      }
    },
  };
}

/** As many of the blocks as one answer carries: MAX_RANGE_BYTES in all, and an empty frame would end it early. */
function fitting(blocks: readonly Uint8Array[], limit: number): Uint8Array[] {
  const taken: Uint8Array[] = [];
  let room = MAX_RANGE_BYTES;
  for (const block of blocks.slice(0, limit)) {
    if (block.length === 0 || block.length > Math.min(room, MAX_GOSSIP_BLOCK_BYTES)) break;
    taken.push(block);
    room -= block.length;
  }
  return taken;
}
