import type { Log } from '@ethereumjs/evm';
import { RLP } from '@ethereumjs/rlp';
import type { Hex } from '../brand.ts';
import { NectarError } from '../errors.ts';
import { bytesToHex, hexToBytes } from './bytes.ts';

/** One event: address, topics (32 bytes each), data. */
export interface ReceiptLog {
  readonly address: Hex;
  readonly topics: readonly Hex[];
  readonly data: Hex;
}

/** What executing a transaction left behind, with what RPC needs and the header's receipts root does not cover. */
export interface Receipt {
  readonly transactionHash: Hex;
  readonly type: 0 | 1 | 2;
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

/** Renders an EVM log. */
export function receiptLog([address, topics, data]: Log): ReceiptLog {
  return { address: bytesToHex(address), topics: topics.map(bytesToHex), data: bytesToHex(data) };
}

function number(value: bigint): Uint8Array {
  return hexToBytes(`0x${value.toString(16).padStart(64, '0')}`);
}

function optional(hex: Hex | undefined): Uint8Array {
  return hex === undefined ? new Uint8Array() : hexToBytes(hex);
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
      type: (flags[0] ?? 0) as 0 | 1 | 2,
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
