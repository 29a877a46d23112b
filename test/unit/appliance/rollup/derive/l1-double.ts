import { AbiCoder, getBytes, id, keccak256, ZeroHash } from 'ethers';
import type { L1Place } from '../../../../../appliance/rollup/derive/deriver.ts';
import type { InboxInput } from '../../../../../appliance/rollup/derive/inbox-tracker.ts';
import type { L1View } from '../../../../../appliance/rollup/derive/l1-steps.ts';
import type { Hex } from '../../../../../protocol/brand.ts';

interface DoubleL1Block extends L1Place {
  readonly events: readonly InboxInput[];
  readonly batchAccs: readonly Hex[];
  readonly messageAccs: readonly Hex[];
  /** Messages that the last batch declared read. */
  readonly allowed: bigint;
}

export interface Delivery {
  readonly deposits: number;
  /** Further messages, after the deposits. */
  readonly messages?: readonly { readonly kind: number; readonly data: Hex }[];
  readonly batches: readonly { readonly data: Uint8Array; readonly delayedCount: bigint }[];
}

/** An L1 whose blocks can be taken back; its contracts keep accumulators by their own rule. */
export interface L1Double extends L1View {
  mine(delivery: Delivery): void;
  /** Takes the last blocks back; what is mined next differs from what was there. */
  revert(blocks: number): void;
  tip(): DoubleL1Block;
  messageCount(): number;
  finalLag: number;
}

export const L1_START = 100n;
const encode = (types: readonly string[], values: readonly unknown[]): Hex =>
  AbiCoder.defaultAbiCoder().encode(types, values) as Hex;
const DATA_HASH = (data: Uint8Array): Hex => keccak256(data) as Hex;

export function createL1Double(): L1Double {
  const zero = ZeroHash as Hex;
  let fork = 0;
  let blocks: DoubleL1Block[] = [
    {
      number: L1_START,
      hash: id('l1') as Hex,
      parentHash: zero,
      timestamp: 1_000n,
      events: [],
      batchAccs: [],
      messageAccs: [],
      allowed: 0n,
    },
  ];
  const tip = (): DoubleL1Block => blocks.at(-1) as DoubleL1Block;
  const at = (number: bigint): DoubleL1Block | undefined => blocks[Number(number - L1_START)];

  const double: L1Double = {
    finalLag: 4,
    tip,
    messageCount: () => tip().messageAccs.length,
    revert(count) {
      fork += 1;
      blocks = blocks.slice(0, Math.max(1, blocks.length - count));
    },
    mine({ deposits, messages = [], batches }) {
      const parent = tip();
      const number = parent.number + 1n;
      const timestamp = parent.timestamp + 12n;
      const events: InboxInput[] = [];
      const messageAccs = [...parent.messageAccs];
      const batchAccs = [...parent.batchAccs];
      const from: Hex = `0x${'11'.repeat(20)}`;
      const first = BigInt(messageAccs.length);
      const credits = Array.from({ length: deposits }, (_, i) => (first + BigInt(i) + 1n) * 10n ** 9n);
      const all = credits.map((amount) => ({ kind: 0, data: encode(['address', 'uint256'], [from, amount]) }));
      for (const { kind, data } of [...all, ...messages]) {
        const beforeAcc = messageAccs.at(-1) ?? zero;
        const index = BigInt(messageAccs.length);
        const types = ['uint8', 'address', 'bytes32', 'uint256', 'uint256'];
        const message = keccak256(encode(types, [kind, from, keccak256(data), number, timestamp]));
        messageAccs.push(keccak256(encode(['bytes32', 'bytes32'], [beforeAcc, message])) as Hex);
        events.push({ kind: 'message', index, beforeAcc, messageKind: kind, sender: from, data });
      }
      for (const { data, delayedCount } of batches) {
        const beforeAcc = batchAccs.at(-1) ?? zero;
        const delayed = delayedCount === 0n ? zero : (messageAccs[Number(delayedCount) - 1] ?? zero);
        const dataHash = DATA_HASH(data);
        const types = ['bytes32', 'bytes32', 'bytes32', 'uint256', 'uint256', 'uint256', 'bytes32', 'uint8'];
        const values = [beforeAcc, dataHash, delayed, delayedCount, number, timestamp, parent.hash, 0];
        const afterAcc = keccak256(encode(types, values)) as Hex;
        const sequenceNumber = BigInt(batchAccs.length);
        events.push({
          kind: 'batch',
          sequenceNumber,
          beforeAcc,
          afterAcc,
          dataHash,
          delayedCount,
          source: 'calldata',
          content: { source: 'calldata', bytes: getBytes(data) },
        });
        batchAccs.push(afterAcc);
      }
      const hash = id(`${parent.hash}/${fork}/${events.length}`) as Hex;
      blocks.push({
        number,
        hash,
        parentHash: parent.hash,
        timestamp,
        events,
        batchAccs,
        messageAccs,
        allowed: batches.at(-1)?.delayedCount ?? parent.allowed,
      });
    },
    verifyChain: async () => {},
    headerByTag: async (tag) => (tag === 'latest' ? tip() : at(tip().number - BigInt(double.finalLag))),
    headerByNumber: async (number) => at(number),
    inboxEvents: async (header) => (header as DoubleL1Block).events,
  };
  return double;
}
