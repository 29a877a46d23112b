import { AbiCoder, concat, keccak256, toBeHex, ZeroHash } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { L1Record, MessageRecord } from './derive-store.ts';

/** What the tracker consumes of l1/: the events of one block, verified, in log order. */
export interface BatchInput {
  readonly kind: 'batch';
  readonly sequenceNumber: bigint;
  readonly beforeAcc: Hex;
  readonly afterAcc: Hex;
  readonly dataHash: Hex;
  readonly afterDelayedMessages: bigint;
  readonly data: Uint8Array;
}

export interface MessageInput {
  readonly kind: 'message';
  readonly index: bigint;
  readonly beforeAcc: Hex;
  readonly messageKind: number;
  readonly from: Hex;
  readonly to: Hex;
  readonly amountWei: bigint;
}

export type InboxInput = BatchInput | MessageInput;

/** The messages and batches that an L1 block brought, each fitted to the accumulators before it. */
export interface TrackedBlock {
  readonly messages: readonly MessageRecord[];
  readonly batches: readonly BatchInput[];
  readonly messageCount: bigint;
  readonly batchCount: bigint;
  readonly batchAcc: Hex;
}

interface Place {
  readonly number: bigint;
  readonly timestamp: bigint;
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
  const batches: BatchInput[] = [];
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
      const { index, to, amountWei } = event;
      messages.push({ index, to, amountWei, accumulator: messageAccumulator(previous, event, place) });
      messageCount += 1n;
    } else {
      const { afterDelayedMessages: allowed } = event;
      const inOrder = event.sequenceNumber === batchCount && event.beforeAcc === batchAcc;
      if (!inOrder || allowed < messagesAllowed || allowed > messageCount) {
        throw broken('SequencerInbox', event.sequenceNumber);
      }
      batchAcc = batchAccumulator(event, await delayedAcc(allowed));
      if (batchAcc !== event.afterAcc) throw broken('SequencerInbox', event.sequenceNumber);
      batches.push(event);
      batchCount += 1n;
      messagesAllowed = allowed;
    }
  }
  return { messages, batches, messageCount, batchCount, batchAcc };
}

/** Inbox.sol `_append`. */
function messageAccumulator(before: Hex, message: MessageInput, place: Place): Hex {
  const encoded = AbiCoder.defaultAbiCoder().encode(
    ['uint8', 'address', 'address', 'uint256', 'uint256', 'uint256'],
    [message.messageKind, message.from, message.to, message.amountWei, place.number, place.timestamp],
  );
  return keccak256(concat([before, keccak256(encoded)])) as Hex;
}

/** SequencerInbox.sol `addBatch`. */
function batchAccumulator(batch: BatchInput, delayedAcc: Hex): Hex {
  const words = [batch.beforeAcc, batch.dataHash, delayedAcc, toBeHex(batch.afterDelayedMessages, 32)];
  return keccak256(concat(words)) as Hex;
}

function broken(contract: string, index: bigint): NectarError<'ROLLUP_DERIVE_ACCUMULATOR_INVALID'> {
  return new NectarError('ROLLUP_DERIVE_ACCUMULATOR_INVALID', { contract, index });
}
