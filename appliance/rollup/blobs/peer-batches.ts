import type { Hex } from '../../../protocol/brand.ts';
import { type BatchData, dataHashOf, parseBatchData } from '../../../protocol/rollup/batch-data.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { KzgThread } from './kzg-thread.ts';

export interface WantedBatch {
  readonly sequenceNumber: bigint;
  readonly dataHash: Hex;
}

/** What this service needs of the network; answers are a peer's word. */
export interface BatchPeers {
  /** Asks one member after another; `take` says whether an answer is what was asked for, and ends the asking. */
  ask(wanted: WantedBatch, take: (encoded: Uint8Array) => Promise<boolean>, signal: AbortSignal): Promise<void>;
}

export interface PeerBatches {
  /** The batch's data from whichever peer has it, proved by its dataHash and versioned hashes; undefined when none has. */
  find(wanted: WantedBatch, signal: AbortSignal): Promise<BatchData | undefined>;
}

export interface PeerBatchesDeps {
  readonly peers: BatchPeers;
  readonly kzg: Pick<KzgThread, 'versionedHash'>;
  readonly log: Logger;
}

export function createPeerBatches({ peers, kzg, log }: PeerBatchesDeps): PeerBatches {
  async function isOf(data: BatchData, { dataHash }: WantedBatch): Promise<boolean> {
    if (dataHashOf(data) !== dataHash) return false;
    if (data.source === 'calldata') return true;
    for (const [index, blob] of data.blobs.entries()) {
      if ((await kzg.versionedHash(blob)) !== data.versionedHashes[index]) return false;
    }
    return true;
  }

  return {
    async find(wanted, signal) {
      let found: BatchData | undefined;
      const take = async (encoded: Uint8Array): Promise<boolean> => {
        const data = parseBatchData(encoded);
        if (data === undefined || !(await isOf(data, wanted))) return false;
        found = data;
        return true;
      };
      try {
        await peers.ask(wanted, take, signal);
      } catch (error) {
        signal.throwIfAborted();
        log.debug({ batch: wanted.sequenceNumber, err: error }, 'no peer has the batch');
      }
      return found;
    },
  };
}
