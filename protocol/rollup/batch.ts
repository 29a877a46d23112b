/**
 * The batch codec. One batch is consecutive L2 blocks.
 *
 *     batch     = version (1 byte, 1) | size (LEB128, bytes of the columns) | raw DEFLATE (RFC 1951) of the columns
 *     columns   = twelve sections, each LEB128 length | bytes; numbers are LEB128 in shortest form
 *       0 blocks      count, then per block: timestamp (the first whole, then the difference), L1 origin number (likewise),
 *                     delayed messages consumed, transaction count
 *       1 origins     32 bytes for the first block and for each block whose origin number differs from the one before
 *       2 kinds       a byte per transaction: type 0, 1, 2 | 4 y parity | 8 has `to` | 16 has an access list; or 255 = opaque
 *       3 chains      chain id            4 nonces       5 gas limits
 *       6 fees        fee cap, then for type 2 the priority fee
 *       7 recipients  0 = the next 20 bytes of this section, else 1 + index of an earlier recipient of this batch
 *       8 values      9 calldata lengths, then 10 calldata bytes (opaque transactions whole; access lists as RLP)
 *      11 signatures  r and s, 32 bytes each
 *
 * Decoding is strict (nothing left over in any section), bounded in every count before anything is allocated for it, and
 * total: a malformed batch is `undefined`, which derivation treats as an empty one, the same for everybody.
 */
import { deflateSync, inflateSync } from 'fflate/browser';
import type { Hex } from '../brand.ts';
import { createTransactionReader, createTransactionWriter, TRANSACTION_SECTIONS } from './batch-transactions.ts';
import { createByteReader, Malformed } from './byte-reader.ts';
import { type ByteWriter, createByteWriter } from './byte-writer.ts';
import { bytesToHex, hexToBytes } from './bytes.ts';

/** One L2 block as the sequencer posts it: what L1 does not already say. */
export interface BatchBlock {
  /** Seconds since 1970. */
  readonly timestamp: bigint;
  /** The L1 block whose delayed messages and hash this block sees. */
  readonly l1Origin: { readonly number: bigint; readonly hash: Hex };
  /** How many delayed messages (deposits) this block consumes, in Inbox order. */
  readonly delayedMessages: number;
  /** EIP-2718 bytes, in order of execution. */
  readonly transactions: readonly Uint8Array[];
}

/** What a decoder accepts at most. Part of the protocol: two nodes with other limits would derive other chains. */
export interface BatchLimits {
  /** Bytes of the batch as posted. */
  readonly maxBytes: number;
  /** Bytes of the columns once inflated. */
  readonly maxInflatedBytes: number;
  readonly maxBlocks: number;
  readonly maxTransactions: number;
  readonly maxDelayedMessages: number;
}

/** The limits of this version of the protocol; see BatchLimits. */
export const BATCH_LIMITS: BatchLimits = {
  maxBytes: 120_000,
  maxInflatedBytes: 4 << 20,
  maxBlocks: 4_096,
  maxTransactions: 20_000,
  maxDelayedMessages: 1_024,
};

const VERSION = 1;
const HASH_BYTES = 32;

function writeBlocks(blocks: readonly BatchBlock[], section: ByteWriter, origins: ByteWriter): void {
  section.varint(blocks.length);
  let timestamp = 0n;
  let origin = -1n;
  for (const block of blocks) {
    section.varint(block.timestamp - timestamp);
    section.varint(block.l1Origin.number - (origin < 0n ? 0n : origin));
    section.varint(block.delayedMessages);
    section.varint(block.transactions.length);
    if (block.l1Origin.number !== origin) origins.bytes(hexToBytes(block.l1Origin.hash));
    timestamp = block.timestamp;
    origin = block.l1Origin.number;
  }
}

/**
 * Encodes consecutive blocks. Timestamps and origin numbers must not fall, and blocks with one origin number must have one
 * origin hash (RangeError otherwise: a bug of the caller). Deterministic. The caller bounds the size by BATCH_LIMITS.
 */
export function encodeBatch(blocks: readonly BatchBlock[]): Uint8Array {
  blocks.forEach((block, i) => {
    const before = blocks[i - 1];
    if (before === undefined) return;
    const sameOrigin = before.l1Origin.number === block.l1Origin.number;
    const ordered = block.timestamp >= before.timestamp && block.l1Origin.number >= before.l1Origin.number;
    if (!ordered || (sameOrigin && before.l1Origin.hash !== block.l1Origin.hash))
      throw new RangeError('blocks not in order');
  });
  const head = [createByteWriter(), createByteWriter()] as const;
  writeBlocks(blocks, head[0], head[1]);
  const transactions = createTransactionWriter();
  for (const block of blocks) for (const raw of block.transactions) transactions.append(raw);
  const columns = createByteWriter();
  for (const section of [...head.map((writer) => writer.finish()), ...transactions.finish()]) {
    columns.varint(section.length);
    columns.bytes(section);
  }
  const plain = columns.finish();
  const batch = createByteWriter();
  batch.byte(VERSION);
  batch.varint(plain.length);
  batch.bytes(deflateSync(plain, { level: 9, mem: 8 }));
  return batch.finish();
}

/** Inflates to exactly the declared size: the buffer is allocated once, so a bomb cannot grow it. */
function inflate(data: Uint8Array, limits: BatchLimits): Uint8Array {
  const reader = createByteReader(data);
  if (reader.byte() !== VERSION) throw new Malformed('unknown version');
  const size = reader.count(limits.maxInflatedBytes);
  const start = 1 + varintBytes(size);
  let plain: Uint8Array;
  try {
    // One byte more than declared shows an output that is longer than it says.
    plain = inflateSync(data.subarray(start), { out: new Uint8Array(size + 1) });
  } catch {
    throw new Malformed('not DEFLATE');
  }
  if (plain.length !== size) throw new Malformed('size differs from the declared one');
  return plain;
}

function varintBytes(value: number): number {
  return value < 128 ? 1 : 1 + varintBytes(Math.floor(value / 128));
}

interface BlockHead {
  readonly timestamp: bigint;
  readonly originNumber: bigint;
  readonly delayedMessages: number;
  readonly transactions: number;
}

function decodeColumns(plain: Uint8Array, limits: BatchLimits): BatchBlock[] {
  const columns = createByteReader(plain);
  const section = columns.section();
  const origins = columns.section();
  const transactions = createTransactionReader(Array.from({ length: TRANSACTION_SECTIONS }, () => columns.section()));
  columns.end();

  const heads: BlockHead[] = [];
  let left = limits.maxTransactions;
  for (let blocks = section.count(limits.maxBlocks); blocks > 0; blocks -= 1) {
    const before = heads.at(-1);
    const timestamp = (before?.timestamp ?? 0n) + section.varint(64);
    const originNumber = (before?.originNumber ?? 0n) + section.varint(64);
    if (timestamp >> 64n !== 0n || originNumber >> 64n !== 0n) throw new Malformed('number too wide');
    const delayedMessages = section.count(limits.maxDelayedMessages);
    const count = section.count(left);
    left -= count;
    heads.push({ timestamp, originNumber, delayedMessages, transactions: count });
  }
  section.end();

  let hash: Hex | undefined;
  let number: bigint | undefined;
  const blocks = heads.map((head) => {
    if (hash === undefined || head.originNumber !== number) hash = bytesToHex(origins.bytes(HASH_BYTES));
    number = head.originNumber;
    return {
      timestamp: head.timestamp,
      l1Origin: { number: head.originNumber, hash },
      delayedMessages: head.delayedMessages,
      transactions: Array.from({ length: head.transactions }, () => transactions.next()),
    };
  });
  origins.end();
  transactions.end();
  return blocks;
}

/** Decodes a batch posted by anyone; `undefined` when it is malformed or past a limit. Never throws. */
export function decodeBatch(data: Uint8Array, limits: BatchLimits = BATCH_LIMITS): BatchBlock[] | undefined {
  if (data.length > limits.maxBytes) return undefined;
  try {
    return decodeColumns(inflate(data, limits), limits);
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}
