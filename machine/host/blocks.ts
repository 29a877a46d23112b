/** Blocks, batches and signatures as the machine's ABI has them: a thread may be handed these bytes as they are. */
import type { Hex } from '../../protocol/brand.ts';
import type { BatchBlock } from '../../protocol/rollup/batch.ts';
import type { BlockInput } from '../../protocol/rollup/block-input.ts';
import { bytesToHex, hexToBytes } from '../../protocol/rollup/bytes.ts';
import type { Obstacle } from '../../protocol/rollup/transaction.ts';
import { type FreshPreimage, kindOf } from './instance.ts';
import { createWireReader, createWireWriter, type WireReader, type WireWriter } from './wire.ts';

export interface MachineBlockInput extends BlockInput {
  /** Who signed each transaction, where that is known already and sure; otherwise the machine recovers it, slowly. */
  readonly senders?: readonly (Hex | undefined)[];
}

export interface MachineBlock {
  readonly hash: Hex;
  /** RLP of the header. */
  readonly header: Uint8Array;
  /** RLP of header, transactions, no ommers, withdrawals: what Ethereum calls the block. */
  readonly block: Uint8Array;
  /** What `decodeReceipts` reads. */
  readonly receipts: Uint8Array;
  /** Transactions of the input that the block does not hold, by their place in it. */
  readonly dropped: readonly { readonly index: number; readonly obstacle: Obstacle }[];
  /** What the new state reaches and was not there before, the header included; children before parents. */
  readonly fresh: readonly FreshPreimage[];
}

/** What there is to recover: `recover(digest, r | s, yParity)` gives the public key. */
export interface TransactionSignature {
  readonly digest: Uint8Array;
  /** r and s, 32 bytes each. */
  readonly rs: Uint8Array;
  readonly yParity: 0 | 1;
}

const OBSTACLES: readonly Obstacle[] = [
  'size',
  'undecodable',
  'signature',
  'intrinsic-gas',
  'sender-has-code',
  'nonce-low',
  'nonce-high',
  'block-gas',
  'fee-cap',
  'funds',
  'refused',
];
const GWEI = 1_000_000_000n;
const HASH_BYTES = 32;
const ADDRESS_BYTES = 20;

export function writeInput(writer: WireWriter, input: MachineBlockInput): void {
  writer.u64(input.timestamp);
  writer.u64(input.l1Origin.number);
  writer.bytes(hexToBytes(input.l1Origin.hash));
  writer.u32(input.delayedMessages);
  writer.bytes(hexToBytes(input.feeRecipient));
  writer.u8(input.parameters === undefined ? 0 : 1);
  if (input.parameters !== undefined) {
    writer.u64(input.parameters.feeFloorWei);
    writer.u8(input.parameters.fork);
  }
  writer.u32(input.deposits.length);
  for (const { index, to, amountWei } of input.deposits) {
    writer.u64(index);
    writer.bytes(hexToBytes(to));
    writer.u64(amountWei / GWEI);
  }
  writer.u32(input.transactions.length);
  for (const [index, raw] of input.transactions.entries()) {
    const sender = input.senders?.[index];
    writer.u8(sender === undefined ? 0 : 1);
    if (sender !== undefined) writer.bytes(hexToBytes(sender));
    writer.blob(raw);
  }
}

/** What `writeInput` wrote: views. */
export function readInput(reader: WireReader): BlockInput {
  const timestamp = reader.u64();
  const l1Origin = { number: reader.u64(), hash: bytesToHex(reader.bytes(HASH_BYTES)) };
  const delayedMessages = reader.u32();
  const feeRecipient = bytesToHex(reader.bytes(ADDRESS_BYTES));
  const parameters = reader.u8() === 0 ? undefined : { feeFloorWei: reader.u64(), fork: reader.u8() };
  const deposits = Array.from({ length: reader.u32() }, () => {
    return { index: reader.u64(), to: bytesToHex(reader.bytes(ADDRESS_BYTES)), amountWei: reader.u64() * GWEI };
  });
  const transactions = Array.from({ length: reader.u32() }, () => {
    if (reader.u8() !== 0) reader.bytes(ADDRESS_BYTES);
    return reader.blob();
  });
  return { timestamp, l1Origin, delayedMessages, feeRecipient, parameters, deposits, transactions };
}

/** What `execute_block` takes, and what a dispute runs. `previous` is the RLP of the header before. */
export function encodeBlockInput(previous: Uint8Array, input: MachineBlockInput): Uint8Array {
  const writer = createWireWriter();
  writer.blob(previous);
  writeInput(writer, input);
  return writer.finish();
}

export function readFresh(bytes: Uint8Array): FreshPreimage[] {
  const reader = createWireReader(bytes);
  const fresh: FreshPreimage[] = [];
  while (!reader.isAtEnd())
    fresh.push({ kind: kindOf(reader.u8()), hash: reader.bytes(HASH_BYTES), bytes: reader.blob() });
  return fresh;
}

export function readBlock(reader: WireReader): Omit<MachineBlock, 'fresh'> {
  const hash = bytesToHex(reader.bytes(HASH_BYTES));
  const [header, block, receipts] = [reader.blob(), reader.blob(), reader.blob()];
  const dropped = Array.from({ length: reader.u32() }, () => ({
    index: reader.u32(),
    obstacle: OBSTACLES[reader.u8()] ?? 'refused',
  }));
  return { hash, header, block, receipts, dropped };
}

/** Views of what `decode` answered. */
export function readBatch(output: Uint8Array): BatchBlock[] {
  const reader = createWireReader(output);
  return Array.from({ length: reader.u32() }, () => {
    const timestamp = reader.u64();
    const l1Origin = { number: reader.u64(), hash: bytesToHex(reader.bytes(HASH_BYTES)) };
    const delayedMessages = reader.u32();
    const transactions = Array.from({ length: reader.u32() }, () => reader.blob());
    return { timestamp, l1Origin, delayedMessages, transactions };
  });
}

export function readSignature(reader: WireReader): TransactionSignature | undefined {
  if (reader.u8() === 0) return undefined;
  return { digest: reader.bytes(32), rs: reader.bytes(64), yParity: reader.u8() === 0 ? 0 : 1 };
}

/** The blobs of a list, one after the other: what `signatures` takes. */
export function encodeBlobs(blobs: readonly Uint8Array[]): Uint8Array {
  const writer = createWireWriter();
  for (const blob of blobs) writer.blob(blob);
  return writer.finish();
}
