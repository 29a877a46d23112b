import { AbiCoder, concat, keccak256, ZeroHash } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { BatchData } from '../../../protocol/rollup/batch-data.ts';
import type { L1Record, MessageRecord } from './derive-store.ts';

/** SequencerInbox.Source, by its numbers. */
const SOURCES = ['calldata', 'blobs', 'forced'] as const;
type BatchSource = (typeof SOURCES)[number];

/** What the tracker consumes of l1/: the events of one block, verified, in log order. */
export interface BatchInput {
  readonly kind: 'batch';
  readonly sequenceNumber: bigint;
  readonly beforeAcc: Hex;
  readonly afterAcc: Hex;
  readonly dataHash: Hex;
  /** How many delayed messages L2 must have read after this batch. */
  readonly delayedCount: bigint;
  /** How it came: the accumulator binds it. */
  readonly source: BatchSource;
  /** What L1 holds of it, which hashes to `dataHash`; a forced batch has nothing. */
  readonly content?: BatchData;
}

export interface MessageInput {
  readonly kind: 'message';
  readonly index: bigint;
  readonly beforeAcc: Hex;
  readonly messageKind: number;
  readonly sender: Hex;
  readonly data: Hex;
}

export type InboxInput = BatchInput | MessageInput;

export interface TrackedBatch extends BatchInput {
  /** What `afterAcc` is the Keccak-256 of. */
  readonly words: Hex;
  /** Inbox's accumulator after the last message that the batch names; zero when it names none. */
  readonly delayedAcc: Hex;
}

/** The messages and batches that an L1 block brought, each fitted to the accumulators before it. */
export interface TrackedBlock {
  readonly messages: readonly MessageRecord[];
  readonly batches: readonly TrackedBatch[];
  readonly messageCount: bigint;
  readonly batchCount: bigint;
  readonly batchAcc: Hex;
}

interface Place {
  readonly number: bigint;
  readonly timestamp: bigint;
  readonly parentHash: string;
}

/**
 * Recomputes both contracts' accumulators over the block's events. Missing, repeated or reordered events show here, whatever
 * the endpoint did.
 *
 * @throws NectarError ROLLUP_DERIVE_ACCUMULATOR_INVALID
 */
export async function trackInbox(
  before: L1Record,
  place: Place,
  events: readonly InboxInput[],
  accumulatorAt: (index: bigint) => Promise<Hex>,
): Promise<TrackedBlock> {
  const messages: MessageRecord[] = [];
  const batches: TrackedBatch[] = [];
  let { messageCount, batchCount, batchAcc } = before;
  let messagesAllowed = before.messagesAllowed;

  const delayedAcc = async (count: bigint): Promise<Hex> => {
    if (count === 0n) return ZeroHash as Hex;
    return messages.find((message) => message.index === count - 1n)?.accumulator ?? (await accumulatorAt(count - 1n));
  };

  for (const event of events) {
    if (event.kind === 'message') {
      const previous = await delayedAcc(messageCount);
      if (event.index !== messageCount || event.beforeAcc !== previous) throw broken('Inbox', event.index);
      messages.push(recordOf(event, place));
      messageCount += 1n;
    } else {
      const { delayedCount: allowed } = event;
      const inOrder = event.sequenceNumber === batchCount && event.beforeAcc === batchAcc;
      if (!inOrder || allowed < messagesAllowed || allowed > messageCount) {
        throw broken('SequencerInbox', event.sequenceNumber);
      }
      const delayed = await delayedAcc(allowed);
      const words = batchWords(event, delayed, place);
      batchAcc = keccak256(words) as Hex;
      if (batchAcc !== event.afterAcc) throw broken('SequencerInbox', event.sequenceNumber);
      batches.push({ ...event, words, delayedAcc: delayed });
      batchCount += 1n;
      messagesAllowed = allowed;
    }
  }
  return { messages, batches, messageCount, batchCount, batchAcc };
}

/** DelayedMessages.sol. */
function recordOf({ index, messageKind, sender, data, beforeAcc }: MessageInput, place: Place): MessageRecord {
  const words = encodeWords(
    ['uint8', 'address', 'bytes32', 'uint256', 'uint256'],
    [messageKind, sender, keccak256(data), place.number, place.timestamp],
  );
  const hash = keccak256(words) as Hex;
  const accumulator = keccak256(concat([beforeAcc, hash])) as Hex;
  return { index, kind: messageKind, data, accumulator, before: beforeAcc, hash, words };
}

/** SequencerInbox.sol `_append`: what the accumulator after the batch is the Keccak-256 of. */
export function batchWords(batch: Omit<BatchInput, 'afterAcc'>, delayedAcc: Hex, place: Place): Hex {
  const { beforeAcc, dataHash, delayedCount } = batch;
  const source = SOURCES.indexOf(batch.source);
  return encodeWords(
    ['bytes32', 'bytes32', 'bytes32', 'uint256', 'uint256', 'uint256', 'bytes32', 'uint8'],
    [beforeAcc, dataHash, delayedAcc, delayedCount, place.number, place.timestamp, place.parentHash, source],
  );
}

function encodeWords(types: readonly string[], values: readonly unknown[]): Hex {
  return AbiCoder.defaultAbiCoder().encode(types, values) as Hex;
}

function broken(contract: string, index: bigint): NectarError<'ROLLUP_DERIVE_ACCUMULATOR_INVALID'> {
  return new NectarError('ROLLUP_DERIVE_ACCUMULATOR_INVALID', { contract, index });
}
