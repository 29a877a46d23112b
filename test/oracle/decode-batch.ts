/** The batch decoder in TypeScript: what the machine's is compared with. It reads DEFLATE by fflate. */
import { inflateSync } from 'fflate/browser';
import type { Hex } from '../../protocol/brand.ts';
import { BATCH_LIMITS, BATCH_VERSION, type BatchBlock, type BatchLimits } from '../../protocol/rollup/batch.ts';
import { TRANSACTION_SECTIONS } from '../../protocol/rollup/batch-transactions.ts';
import { bytesToHex } from '../../protocol/rollup/bytes.ts';
import { createTransactionReader } from './batch-transaction-reader.ts';
import { createByteReader, Malformed } from './byte-reader.ts';

const HASH_BYTES = 32;

/** Inflates to exactly the declared size: the buffer is allocated once, so a bomb cannot grow it. */
function inflate(data: Uint8Array, limits: BatchLimits): Uint8Array {
  const reader = createByteReader(data);
  if (reader.byte() !== BATCH_VERSION) throw new Malformed('unknown version');
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
