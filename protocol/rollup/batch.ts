/**
 * The batch format, and its encoder. One batch is consecutive L2 blocks.
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
 * The machine decodes (machine/core/src/batch.rs): strictly (nothing left over in any section), bounded in every count before
 * anything is allocated for it, and totally: a malformed batch is one without blocks, the same for everybody.
 */
import { deflateSync } from 'fflate/browser';
import type { Hex } from '../brand.ts';
import { createTransactionWriter } from './batch-transactions.ts';
import { type ByteWriter, createByteWriter } from './byte-writer.ts';
import { hexToBytes } from './bytes.ts';

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

/** The first byte of a batch. */
export const BATCH_VERSION = 1;

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
  batch.byte(BATCH_VERSION);
  batch.varint(plain.length);
  batch.bytes(deflateSync(plain, { level: 9, mem: 8 }));
  return batch.finish();
}
