import { isNectarError } from '../../../protocol/errors.ts';
import type { NetworkDescriptor } from '../../../protocol/network/descriptor.ts';
import type { RollupConfig } from '../config.ts';
import { createJsonRpc } from '../l1/json-rpc.ts';
import { createOutboundFetch } from '../l1/outbound-fetch.ts';
import { createForwarder, type Ordering } from './forwarder.ts';
import { createGatheredRpc } from './gathered-calls.ts';

/** The way to the sequencer's JSON-RPC, where it runs elsewhere. */
export interface SequencerLink {
  /** Takes this node's transactions there, until the signal aborts. */
  forwarder(signal: AbortSignal): Ordering;
  /** Resolves when it answers, even with a refusal. @throws ROLLUP_L1_UNREACHABLE and its kind */
  ask(signal: AbortSignal): Promise<void>;
}

/** Half of what a sequencer's JSON-RPC takes (sequencer.maxRpcBodyBytes). A second request, so that a lost one does not hold up all. */
const FORWARDED_TOGETHER = { maxCalls: 128, maxBytes: 512 * 1024, maxRequests: 2 };

export function createSequencerLink(config: RollupConfig, { endpoints }: NetworkDescriptor): SequencerLink {
  const urls = config.sequencerRpcUrls.length > 0 ? config.sequencerRpcUrls : endpoints.sequencerRpc;
  const limits = { timeoutMs: config.forwardTimeoutMs, maxResponseBytes: config.l1MaxResponseBytes };
  const rpc = createJsonRpc({ urls, ...limits }, { fetch: createOutboundFetch({ ...config, env: process.env }) });
  const gathered = createGatheredRpc(rpc, { ...FORWARDED_TOGETHER, maxWaitMs: config.forwardTimeoutMs });
  return {
    forwarder: (signal) => createForwarder(gathered, signal),
    async ask(signal) {
      try {
        await rpc.call('eth_blockNumber', [], signal);
      } catch (error) {
        if (!isNectarError(error, 'ROLLUP_L1_REFUSED')) throw error;
      }
    },
  };
}
