import { keccak256 } from 'ethers';
import { earliestTimestamp, type OriginRef } from '../../appliance/rollup/derive/batch-rules.ts';
import type { DerivedRef } from '../../appliance/rollup/derive/engine.ts';
import type { DerivedInputs, PlannedBlock } from '../../machine/host/derive.ts';
import type { Hex } from '../../protocol/brand.ts';
import type { BatchBlock } from '../../protocol/rollup/batch.ts';
import { type BatchData, batchBytes } from '../../protocol/rollup/batch-data.ts';
import { bytesToHex } from '../../protocol/rollup/bytes.ts';
import {
  consumable,
  type DelayedMessage,
  effectsOf,
  MAX_MESSAGES_PER_BLOCK,
} from '../../protocol/rollup/delayed-message.ts';
import { findBlockFault } from './batch-rules.ts';
import { decodeBatch } from './decode-batch.ts';

/** What TypeScript derives from: L1 as it is known, by numbers. */
export interface PlanWorld {
  /** The L1 block before the batch's. */
  readonly before: OriginRef;
  originAt(number: bigint): OriginRef | undefined;
  /** All that Inbox has taken up to the batch's L1 block. */
  readonly messages: readonly DelayedMessage[];
  readonly gasLimit: bigint;
  readonly feeRecipient: Hex;
}

export interface PlanBatch {
  /** Undefined: a forced batch. */
  readonly content: BatchData | undefined;
  readonly delayedCount: bigint;
}

type Head = Pick<DerivedRef, 'timestamp' | 'originNumber' | 'messagesRead'>;

/** All that a batch makes on a head, by the rules as nodes ran them in TypeScript: what the machine's are compared with. */
export function planBatch(world: PlanWorld, batch: PlanBatch, head: Head): Omit<DerivedInputs, 'next'> {
  const decoded = decode(batch.content);
  const blocks: PlannedBlock[] = [];
  const isMalformed = decoded === undefined;
  let [broken, lost]: [DerivedInputs['broken'], readonly Hex[]] = [undefined, []];
  let parent = { ...head, number: 0n, hash: world.before.hash };
  const append = (block: BatchBlock, isObliged: boolean): void => {
    blocks.push(plan(world, block, { isObliged, read: parent.messagesRead }));
    const messagesRead = parent.messagesRead + BigInt(block.delayedMessages);
    parent = { ...parent, timestamp: block.timestamp, originNumber: block.l1Origin.number, messagesRead };
  };
  for (const [index, block] of (decoded ?? []).entries()) {
    const rule = findBlockFault(block, {
      parent,
      origin: world.originAt(block.l1Origin.number),
      postedIn: world.before.number + 1n,
      delayedCount: batch.delayedCount,
      consumable: consumable(next(world, parent.messagesRead).map(({ kind }) => kind)),
    });
    if (rule !== undefined) {
      broken = { index, count: decoded?.length ?? 0, rule };
      lost = (decoded ?? [])
        .slice(index)
        .flatMap(({ transactions }) => transactions.map((raw) => keccak256(raw) as Hex));
      break;
    }
    append(block, false);
  }
  while (parent.messagesRead < batch.delayedCount) {
    const owed = next(world, parent.messagesRead).slice(0, Number(batch.delayedCount - parent.messagesRead));
    const { number, hash } = world.before;
    const timestamp = earliestTimestamp(parent, world.before);
    const delayedMessages = consumable(owed.map(({ kind }) => kind));
    append({ timestamp, l1Origin: { number, hash }, delayedMessages, transactions: [] }, true);
  }
  return { isMalformed, broken, lost, blocks };
}

function decode(content: BatchData | undefined): readonly BatchBlock[] | undefined {
  const data = content === undefined ? new Uint8Array() : batchBytes(content);
  return data?.length === 0 ? [] : data && decodeBatch(data);
}

/** The messages that one block could consume. */
function next({ messages }: PlanWorld, read: bigint): readonly DelayedMessage[] {
  return messages.slice(Number(read), Number(read) + MAX_MESSAGES_PER_BLOCK);
}

function plan(
  world: PlanWorld,
  block: BatchBlock,
  { isObliged, read }: { readonly isObliged: boolean; readonly read: bigint },
): PlannedBlock {
  const messages = next(world, read).slice(0, block.delayedMessages);
  const { deposits, transactions, parameters, ignored } = effectsOf(messages, { gasLimit: world.gasLimit });
  // What is below one gwei is not credited; the machine names what is.
  const credited = deposits.map((deposit) => ({ ...deposit, amountWei: (deposit.amountWei / 10n ** 9n) * 10n ** 9n }));
  const input = {
    ...{ timestamp: block.timestamp, l1Origin: block.l1Origin, delayedMessages: block.delayedMessages },
    ...{ feeRecipient: world.feeRecipient, parameters, deposits: credited },
    transactions: [...transactions, ...block.transactions],
  };
  return { input, isObliged, forced: transactions.length, ignored };
}

/** The same as text, to compare. */
export function renderPlan({ isMalformed, broken, lost, blocks }: Omit<DerivedInputs, 'next'>): unknown {
  const shown = blocks.map(({ input, ...rest }) => ({
    ...rest,
    ...input,
    transactions: input.transactions.map(bytesToHex),
  }));
  return { isMalformed, broken, lost, blocks: shown };
}
