import { type GossipSub, TopicValidatorResult } from '@libp2p/gossipsub';
import { MAX_GOSSIP_BLOCK_BYTES } from '../../protocol/network/frame.ts';
import type { Logger } from '../telemetry/index.ts';
import type { P2pMetrics } from './metrics.ts';
import type { UnsafeBlocks, Verdict } from './needs.ts';

export interface GossipDeps {
  readonly gossip: GossipSub;
  readonly unsafe: UnsafeBlocks;
  /** A block came that does not follow our head: this peer may have what lies between. */
  readonly onGap: (peerId: string) => void;
  readonly log: Logger;
  readonly metrics: P2pMetrics;
}

const RESULT: Readonly<Record<Verdict, TopicValidatorResult>> = {
  accept: TopicValidatorResult.Accept,
  ignore: TopicValidatorResult.Ignore,
  reject: TopicValidatorResult.Reject,
};

/**
 * Joins the topic of unsafe blocks: what arrives is judged by the rollup before it is forwarded, and what the sequencer
 * of this process makes is published. Returns what leaves the topic.
 */
export function joinGossip(topic: string, deps: GossipDeps): () => void {
  deps.gossip.topicValidators.set(topic, async (peer, message) => {
    const verdict = await judge(message.data, deps);
    deps.metrics.gossip.inc({ verdict });
    if (verdict === 'ignore') deps.onGap(peer.toString());
    return RESULT[verdict];
  });
  deps.gossip.subscribe(topic);
  const unsubscribe = deps.unsafe.onUnsafe((encoded) => {
    void publish(topic, encoded, deps);
  });
  return () => {
    unsubscribe();
    deps.gossip.unsubscribe(topic);
    deps.gossip.topicValidators.delete(topic);
  };
}

async function judge(encoded: Uint8Array, deps: GossipDeps): Promise<Verdict> {
  if (encoded.length > MAX_GOSSIP_BLOCK_BYTES) return 'reject';
  try {
    return await deps.unsafe.accept(encoded);
  } catch (error) {
    // Our own trouble (a start-up, a full disk) is no fault of the peer.
    deps.log.debug({ err: error }, 'unsafe block not judged');
    return 'ignore';
  }
}

async function publish(topic: string, encoded: Uint8Array, deps: GossipDeps): Promise<void> {
  try {
    if (encoded.length > MAX_GOSSIP_BLOCK_BYTES) throw new RangeError('block larger than gossip carries');
    await deps.gossip.publish(topic, encoded);
  } catch (error) {
    deps.log.warn({ err: error, bytes: encoded.length }, 'unsafe block not gossiped; peers get it by range or from L1');
  }
}
