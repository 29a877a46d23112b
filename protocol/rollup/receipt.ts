import { RLP } from '@ethereumjs/rlp';
import { concatBytes } from '@noble/hashes/utils.js';
import type { Hex } from '../brand.ts';
import { NectarError } from '../errors.ts';
import { bytesToHex, hexToBytes } from './bytes.ts';

/** One event: address, topics (32 bytes each), data. */
export interface ReceiptLog {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

/** Legacy, EIP-2930, EIP-1559, EIP-7702. */
export type TransactionType = 0 | 1 | 2 | 4;

/** What executing a transaction left behind, with what RPC needs and the header's receipts root does not cover. */
export interface Receipt {
  readonly transactionHash: Hex;
  readonly type: TransactionType;
  readonly sender: Hex;
  readonly to: Hex | undefined;
  /** 1 succeeded, 0 reverted or ran out of gas. */
  readonly status: 0 | 1;
  readonly gasUsed: bigint;
  /** Of the block up to and including this transaction. */
  readonly cumulativeGasUsed: bigint;
  /** Wei per gas. */
  readonly effectiveGasPrice: bigint;
  readonly contractAddress: Hex | undefined;
  /** 256 bytes. */
  readonly bloom: Uint8Array;
  readonly logs: readonly ReceiptLog[];
}

/** Renders an EVM log: address, topics, data. */
export function receiptLog([address, topics, data]: readonly [
  Uint8Array,
  readonly Uint8Array[],
  Uint8Array,
]): ReceiptLog {
  return { address: bytesToHex(address), topics: topics.map(bytesToHex), data: bytesToHex(data) };
}

function number(value: bigint): Uint8Array {
  return hexToBytes(`0x${value.toString(16).padStart(64, '0')}`);
}

function optional(hex: Hex | undefined): Uint8Array {
  return hex === undefined ? new Uint8Array() : hexToBytes(hex);
}

/** EIP-2718 bytes: what the header's receipts root covers. */
export function encodeConsensusReceipt(
  receipt: Pick<Receipt, 'type' | 'status' | 'cumulativeGasUsed' | 'bloom' | 'logs'>,
): Uint8Array {
  const { type, status, cumulativeGasUsed, bloom, logs } = receipt;
  const rows = logs.map((log) => [hexToBytes(log.address), log.topics.map(hexToBytes), hexToBytes(log.data)]);
  const body = RLP.encode([BigInt(status), cumulativeGasUsed, bloom, rows]);
  return type === 0 ? body : concatBytes(Uint8Array.of(type), body);
}

/** RLP of a block's receipts as the node stores them (not the consensus encoding that the receipts root covers). */
export function encodeReceipts(receipts: readonly Receipt[]): Uint8Array {
  return RLP.encode(
    receipts.map((receipt) => [
      hexToBytes(receipt.transactionHash),
      Uint8Array.of(receipt.type, receipt.status),
      hexToBytes(receipt.sender),
      optional(receipt.to),
      number(receipt.gasUsed),
      number(receipt.cumulativeGasUsed),
      number(receipt.effectiveGasPrice),
      optional(receipt.contractAddress),
      receipt.bloom,
      receipt.logs.map((log) => [hexToBytes(log.address), log.topics.map(hexToBytes), hexToBytes(log.data)]),
    ]),
  );
}

/** Where the payload of the list that begins at `at` begins, and where it ends. */
function listAt(bytes: Uint8Array, at: number): { readonly start: number; readonly end: number } {
  const head = bytes[at] ?? 0;
  if (head < 0xc0) throw new NectarError('ROLLUP_DATABASE_INVALID', { what: 'list of receipts' });
  if (head < 0xf8) return { start: at + 1, end: at + 1 + head - 0xc0 };
  const start = at + 1 + head - 0xf7;
  let length = 0;
  for (const byte of bytes.subarray(at + 1, start)) length = length * 256 + byte;
  return { start, end: start + length };
}

/** The transactions' hashes of what `encodeReceipts` made, without decoding the rest. Throws ROLLUP_DATABASE_INVALID. */
export function receiptHashes(bytes: Uint8Array): Hex[] {
  const hashes: Hex[] = [];
  const { start, end } = listAt(bytes, 0);
  for (let at = start; at < end; ) {
    const row = listAt(bytes, at);
    // The first item: the head of a string of 32 bytes, then these.
    hashes.push(bytesToHex(bytes.subarray(row.start + 1, row.start + 33)));
    at = row.end;
  }
  return hashes;
}

type Row = [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
  [Uint8Array, Uint8Array[], Uint8Array][],
];

/** The inverse of `encodeReceipts`, for bytes that the database authenticated. Throws ROLLUP_DATABASE_INVALID. */
export function decodeReceipts(bytes: Uint8Array): Receipt[] {
  const rows = RLP.decode(bytes);
  if (!Array.isArray(rows)) throw new NectarError('ROLLUP_DATABASE_INVALID', { what: 'list of receipts' });
  return (rows as unknown as Row[]).map(
    ([hash, flags, sender, to, gasUsed, cumulative, price, created, bloom, logs]) => ({
      transactionHash: bytesToHex(hash),
      type: (flags[0] ?? 0) as TransactionType,
      status: flags[1] === 1 ? 1 : 0,
      sender: bytesToHex(sender),
      to: to.length === 0 ? undefined : bytesToHex(to),
      gasUsed: BigInt(bytesToHex(gasUsed)),
      cumulativeGasUsed: BigInt(bytesToHex(cumulative)),
      effectiveGasPrice: BigInt(bytesToHex(price)),
      contractAddress: created.length === 0 ? undefined : bytesToHex(created),
      bloom,
      logs: logs.map(receiptLog),
    }),
  );
}
