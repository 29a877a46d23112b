import type { Hex } from '../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import type { BatchData } from '../../../protocol/rollup/batch-data.ts';
import { blobsDataHash } from '../../../protocol/rollup/blob-batch.ts';
import type { BlobSource } from '../blobs/blob-source.ts';
import { bytes, invalid, parseFields, parseList } from './field.ts';
import type { L1Header } from './header.ts';
import { parseBatchCalldata, type UnreadBatch } from './inbox-event.ts';
import type { JsonRpc } from './json-rpc.ts';

/** A batch's data from wherever it is to be had; what it resolves with hashes to what L1 committed to. */
export interface BatchReader {
  /** Throws ROLLUP_L1_BLOBS_UNREADABLE while nobody has it, and what `rpc` throws. */
  read(batch: UnreadBatch, at: BatchPlace, signal: AbortSignal): Promise<BatchData>;
}

export interface BatchPlace {
  readonly header: L1Header;
  readonly transactionHash: Hex;
}

export interface BatchReaderDeps {
  readonly rpc: Pick<JsonRpc, 'call'>;
  readonly blobs: BlobSource;
  /** What this node derived before, and its peers; both prove what they give. */
  readonly archive?: { find(dataHash: Hex): Promise<BatchData | undefined> };
  readonly peers?: { find(wanted: UnreadBatch, signal: AbortSignal): Promise<BatchData | undefined> };
}

/** A transaction's blobs are far fewer; more is not a transaction. */
const MAX_VERSIONED_HASHES = 1_024;

export function createBatchReader({ rpc, blobs, archive, peers }: BatchReaderDeps): BatchReader {
  async function fromL1(batch: UnreadBatch, at: BatchPlace, signal: AbortSignal): Promise<BatchData> {
    const answer = await rpc.call('eth_getTransactionByHash', [at.transactionHash], signal);
    const transaction = parseFields(answer, 'transaction');
    if (batch.source === 'calldata') {
      return { source: 'calldata', bytes: parseBatchCalldata(bytes(transaction, 'input'), batch.dataHash) };
    }
    const listed = parseList(transaction.blobVersionedHashes, 'blobVersionedHashes', MAX_VERSIONED_HASHES);
    const versionedHashes = listed.map((hash) => bytes({ hash }, 'hash', 32));
    if (blobsDataHash(versionedHashes) !== batch.dataHash) throw invalid('blobVersionedHashes');
    const wanted = { batch: batch.sequenceNumber, place: at.header, versionedHashes };
    return { source: 'blobs', versionedHashes, blobs: await blobs.read(wanted, signal) };
  }

  return {
    async read(batch, at, signal) {
      const kept = await archive?.find(batch.dataHash);
      if (kept !== undefined) return kept;
      try {
        return await fromL1(batch, at, signal);
      } catch (error) {
        signal.throwIfAborted();
        if (!isOfL1(error)) throw error;
        const given = await peers?.find(batch, signal);
        if (given !== undefined) return given;
        if (!isNectarError(error, 'ROLLUP_L1_BLOBS_UNREADABLE')) throw error;
        const reason = `${error.data.reason}; no connected peer has it`;
        throw new NectarError('ROLLUP_L1_BLOBS_UNREADABLE', { ...error.data, reason }, { cause: error });
      }
    },
  };
}

/** L1, or an endpoint of it, does not give what it gave once: it forgets blobs by design, and calldata by its operator's choice. */
function isOfL1(error: unknown): boolean {
  return isNectarError(error) && error.code.startsWith('ROLLUP_L1_');
}
