import { AbiCoder, encodeRlp, keccak256, toBeArray, ZeroHash } from 'ethers';
import type { BatchInput, InboxInput, MessageInput } from '../../../appliance/rollup/derive/inbox-tracker.ts';
import type { InboxPreimageKind } from '../../../machine/host/instance.ts';
import type { Hex } from '../../../protocol/brand.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';

export interface HistoryBlock {
  readonly number: bigint;
  readonly hash: Hex;
  readonly parentHash: Hex;
  readonly timestamp: bigint;
}

export interface NewMessage {
  readonly kind: number;
  readonly data: Hex;
}

export interface NewBatch {
  readonly source: BatchInput['source'];
  /** The batch's bytes; in blobs they are what the blobs hold. */
  readonly data: Uint8Array;
  readonly delayedCount: bigint;
  /** With source `blobs`: what is on L1. */
  readonly blobs?: readonly Uint8Array[];
}

/** An L1 with headers that hash, and the two inbox contracts by their rules: what a deriver is told, and every preimage. */
export interface L1History {
  readonly blocks: readonly HistoryBlock[];
  tip(): HistoryBlock;
  messageCount(): bigint;
  mine(
    seconds: bigint,
    messages: readonly NewMessage[],
    batches: readonly NewBatch[],
  ): { block: HistoryBlock; events: readonly InboxInput[] };
}

const SOURCES = ['calldata', 'blobs', 'forced'] as const;
const ZERO = ZeroHash as Hex;
const SENDER: Hex = `0x${'5e'.repeat(20)}`;
const BATCH_TYPES = ['bytes32', 'bytes32', 'bytes32', 'uint256', 'uint256', 'uint256', 'bytes32', 'uint8'];

/** Headers have 15 fields and those that forks added since; the machine must not mind how many. */
export function encodeHeader(block: Omit<HistoryBlock, 'hash'>, later: number): Hex {
  const number = (value: bigint): Uint8Array => toBeArray(value);
  const word = (byte: number): Uint8Array => new Uint8Array(32).fill(byte);
  const fields = [
    block.parentHash,
    word(1),
    new Uint8Array(20).fill(2),
    word(3),
    word(4),
    word(5),
    new Uint8Array(256),
    number(0n),
    number(block.number),
    number(60_000_000n),
    number(21_000n),
    number(block.timestamp),
    new Uint8Array(later),
    word(6),
    new Uint8Array(8),
    ...[number(7n), word(8), number(0n), number(0n), word(9), word(10)].slice(0, later),
  ];
  return encodeRlp(fields) as Hex;
}

export function createL1History(
  { number, timestamp }: { number: bigint; timestamp: bigint },
  put: (kind: InboxPreimageKind, hash: Hex, bytes: Uint8Array) => void,
): L1History {
  const keep = (kind: InboxPreimageKind, bytes: Uint8Array): Hex => {
    const hash = keccak256(bytes) as Hex;
    put(kind, hash, bytes);
    return hash;
  };
  const words = (types: readonly string[], values: readonly unknown[]): Hex =>
    keep('accumulator', hexToBytes(AbiCoder.defaultAbiCoder().encode(types, values) as Hex));
  const seal = (block: Omit<HistoryBlock, 'hash'>): HistoryBlock => {
    const hash = keep('l1-header', hexToBytes(encodeHeader(block, Number(block.number % 7n))));
    return { ...block, hash };
  };
  const blocks: HistoryBlock[] = [seal({ number, timestamp, parentHash: ZERO })];
  const messageAccs: Hex[] = [];
  const batchAccs: Hex[] = [];

  function takeMessage({ kind, data }: NewMessage, at: HistoryBlock): MessageInput {
    const beforeAcc = messageAccs.at(-1) ?? ZERO;
    const index = BigInt(messageAccs.length);
    const dataHash = keep('data', hexToBytes(data));
    const types = ['uint8', 'address', 'bytes32', 'uint256', 'uint256'];
    const hash = words(types, [kind, SENDER, dataHash, at.number, at.timestamp]);
    messageAccs.push(words(['bytes32', 'bytes32'], [beforeAcc, hash]));
    return { kind: 'message', index, beforeAcc, messageKind: kind, sender: SENDER, data };
  }

  function takeBatch({ source, data, delayedCount, blobs = [] }: NewBatch, at: HistoryBlock): BatchInput {
    const hashes = blobs.map((blob): Hex => `0x01${keccak256(blob).slice(4)}`);
    for (const [i, blob] of blobs.entries()) put('blob', hashes[i] as Hex, blob);
    const content = source === 'blobs' ? hexToBytes(`0x${hashes.map((hash) => hash.slice(2)).join('')}`) : data;
    const dataHash = keep('data', source === 'forced' ? new Uint8Array() : content);
    const beforeAcc = batchAccs.at(-1) ?? ZERO;
    const delayed = delayedCount === 0n ? ZERO : (messageAccs[Number(delayedCount) - 1] ?? ZERO);
    const values = [beforeAcc, dataHash, delayed, delayedCount, at.number, at.timestamp, at.parentHash];
    const afterAcc = words(BATCH_TYPES, [...values, SOURCES.indexOf(source)]);
    const sequenceNumber = BigInt(batchAccs.length);
    batchAccs.push(afterAcc);
    const found = { kind: 'batch', sequenceNumber, beforeAcc, afterAcc, dataHash, delayedCount, source } as const;
    if (source === 'forced') return found;
    const inBlobs = { source: 'blobs', versionedHashes: hashes, blobs } as const;
    return { ...found, content: source === 'blobs' ? inBlobs : { source, bytes: data } };
  }

  const tip = (): HistoryBlock => blocks.at(-1) as HistoryBlock;
  return {
    blocks,
    tip,
    messageCount: () => BigInt(messageAccs.length),
    mine(seconds, messages, batches) {
      const parent = tip();
      const block = seal({
        number: parent.number + 1n,
        timestamp: parent.timestamp + seconds,
        parentHash: parent.hash,
      });
      blocks.push(block);
      const taken = messages.map((message) => takeMessage(message, block));
      return { block, events: [...taken, ...batches.map((batch) => takeBatch(batch, block))] };
    },
  };
}

const BLOB_BYTES = 131_072;

/** A batch in as few blobs as hold it: 31 bytes after a zero, the length first. */
export function toBlobs(batch: Uint8Array): Uint8Array[] {
  const content = hexToBytes(`0x${batch.length.toString(16).padStart(8, '0')}${bytesToHex(batch).slice(2)}`);
  const blobs: Uint8Array[] = [];
  for (let at = 0; at < content.length; ) {
    const blob = new Uint8Array(BLOB_BYTES);
    for (let to = 1; to < BLOB_BYTES && at < content.length; to += 32, at += 31)
      blob.set(content.subarray(at, at + 31), to);
    blobs.push(blob);
  }
  return blobs;
}
