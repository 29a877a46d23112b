import { hexlify } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { encodeBlobs } from '../../../protocol/rollup/blob-batch.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { ProvenBlob } from '../blobs/kzg-thread.ts';
import { SEQUENCER_INBOX } from '../l1/inbox-event.ts';
import { blobCost, calldataCost } from './fees.ts';
import type { L1Call, Outgoing, PricedL1Sender } from './l1-sender.ts';

export type BatchForm = 'calldata' | 'blobs';

export interface OutgoingBatch {
  readonly sequenceNumber: bigint;
  readonly data: Uint8Array;
  /** Delayed messages that L2 must have read after it. */
  readonly delayedCount: bigint;
}

/** Puts a batch on L1, in the form that is cheaper there now. */
export interface BatchPoster {
  post(batch: OutgoingBatch, signal: AbortSignal): Promise<Outgoing>;
}

export interface BatchPosterOptions {
  readonly sequencerInbox: Hex;
  /** `auto`: by price, and in calldata where no beacon node would give the blobs back to this node's own derivation. */
  readonly dataAvailability: 'auto' | BatchForm;
  readonly readsBlobs: boolean;
}

export interface BatchPosterDeps {
  readonly sender: PricedL1Sender;
  /** A blob with the proofs that L1 wants now. */
  readonly prove: (blob: Uint8Array, signal: AbortSignal) => Promise<ProvenBlob>;
  readonly log: Logger;
}

export function createBatchPoster(options: BatchPosterOptions, deps: BatchPosterDeps): BatchPoster {
  const { sequencerInbox, dataAvailability, readsBlobs } = options;
  const { sender, prove, log } = deps;

  async function choose(data: Uint8Array, blobs: number, signal: AbortSignal): Promise<BatchForm> {
    if (dataAvailability !== 'auto') return dataAvailability;
    if (!readsBlobs) return 'calldata';
    const prices = await sender.prices(signal);
    const inBlobs = blobCost(blobs, prices);
    return inBlobs !== undefined && inBlobs < calldataCost(data, prices) ? 'blobs' : 'calldata';
  }

  async function callOf(form: BatchForm, batch: OutgoingBatch, signal: AbortSignal): Promise<L1Call> {
    const { sequenceNumber, data, delayedCount } = batch;
    if (form === 'calldata') {
      const args = [sequenceNumber, hexlify(data), delayedCount];
      return { to: sequencerInbox, data: SEQUENCER_INBOX.encodeFunctionData('addBatch', args) as Hex };
    }
    const blobs: ProvenBlob[] = [];
    for (const blob of encodeBlobs(data)) blobs.push(await prove(blob, signal));
    const args = [sequenceNumber, delayedCount];
    return { to: sequencerInbox, data: SEQUENCER_INBOX.encodeFunctionData('addBatchBlobs', args) as Hex, blobs };
  }

  return {
    async post(batch, signal) {
      const form = await choose(batch.data, encodeBlobs(batch.data).length, signal);
      try {
        return await sender.send(await callOf(form, batch, signal), signal);
      } catch (error) {
        if (!isOtherPool(error)) throw error;
        // An earlier run's transaction holds the nonce in the other pool: only one of its own kind replaces it.
        const other = form === 'blobs' ? 'calldata' : 'blobs';
        log.debug({ batch: batch.sequenceNumber, form: other }, 'batch replaces one of the other form');
        return sender.send(await callOf(other, batch, signal), signal);
      }
    },
  };
}

/** Nodes keep an account's transactions in the pool of blobs or in the other one, never in both: geth, nethermind, reth. */
function isOtherPool(error: unknown): boolean {
  if (!isNectarError(error, 'ROLLUP_L1_REFUSED') || !(error.cause instanceof Error)) return false;
  return /already reserved|conflicting ?t(x|ype|ransaction)|PendingTxsOfConflictingType/i.test(error.cause.message);
}
