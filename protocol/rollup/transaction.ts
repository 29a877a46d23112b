import type { BlockHeader } from '@ethereumjs/block';
import {
  type AccessList2930Tx,
  createTxFromRLP,
  type EOACode7702Tx,
  type FeeMarket1559Tx,
  isAccessList2930Tx,
  isEOACode7702Tx,
  isFeeMarket1559Tx,
  isLegacyTx,
  type LegacyTx,
} from '@ethereumjs/tx';
import type { Account } from '@ethereumjs/util';
import type { Hex } from '../brand.ts';
import { bytesToHex } from './bytes.ts';
import type { Rules } from './rules.ts';

/** The transaction types of this chain; EIP-7702's from the fork on that has it. EIP-4844 blobs have no place on it. */
export type Transaction = LegacyTx | AccessList2930Tx | FeeMarket1559Tx | EOACode7702Tx;

/** Whether a transaction names the most that it pays and its priority fee (EIP-1559), or a price. */
export function hasFeeMarket(tx: Transaction): tx is FeeMarket1559Tx | EOACode7702Tx {
  return isFeeMarket1559Tx(tx) || isEOACode7702Tx(tx);
}

/** A well-formed, signed transaction of this chain. Whether it can run depends on the state: see `findObstacle`. */
export interface SignedTransaction {
  readonly tx: Transaction;
  readonly raw: Uint8Array;
  readonly hash: Hex;
  readonly sender: Hex;
}

/**
 * Why a transaction is not part of a block. The first five never change; `nonce-high`, `block-gas`, `fee-cap` and `funds` may
 * pass in a later block; `nonce-low` never again.
 */
export type Obstacle =
  | 'size'
  | 'undecodable'
  | 'signature'
  | 'intrinsic-gas'
  | 'sender-has-code'
  | 'nonce-low'
  | 'nonce-high'
  | 'block-gas'
  | 'fee-cap'
  | 'funds'
  | 'refused';

/** The longest transaction that is ever executed, in bytes: bounds the work before any decoding. */
export const MAX_TRANSACTION_BYTES = 128 * 1024;

function isKnownType(tx: unknown): tx is Transaction {
  const typed = tx as Transaction;
  return isLegacyTx(typed) || isAccessList2930Tx(typed) || hasFeeMarket(typed);
}

function decode(raw: Uint8Array, rules: Rules): Transaction | undefined {
  try {
    const tx = createTxFromRLP(raw, { common: rules });
    // Only the canonical encoding counts, so that one transaction has one hash.
    return isKnownType(tx) && tx.isSigned() && bytesToHex(tx.serialize()) === bytesToHex(raw) ? tx : undefined;
  } catch {
    return undefined;
  }
}

/** Parses EIP-2718 bytes from anyone: size, then shape, then signature (low s, EIP-2; the chain id where one is signed). */
export function parseTransaction(raw: Uint8Array, rules: Rules): SignedTransaction | Obstacle {
  if (raw.length > MAX_TRANSACTION_BYTES) return 'size';
  const tx = decode(raw, rules);
  if (tx === undefined) return 'undecodable';
  if (tx.getIntrinsicGas() > tx.gasLimit) return 'intrinsic-gas';
  try {
    return { tx, raw, hash: bytesToHex(tx.hash()), sender: bytesToHex(tx.getSenderAddress().bytes) };
  } catch {
    return 'signature';
  }
}

/** The gas that a transaction gives, and that its bytes alone cost; undefined when it cannot be decoded. */
export function findGasNeed(
  raw: Uint8Array,
  rules: Rules,
): { readonly given: bigint; readonly needed: bigint } | undefined {
  const tx = decode(raw, rules);
  return tx && { given: tx.gasLimit, needed: tx.getIntrinsicGas() };
}

const BASE_GAS = 21_000n;
const FLOOR_GAS_PER_TOKEN = 10n;
const TOKENS_PER_NONZERO_BYTE = 4n;

/** The least gas of a transaction with this data (EIP-7623). */
export function floorGas(data: Uint8Array): bigint {
  let zeros = 0;
  for (const byte of data) if (byte === 0) zeros += 1;
  const tokens = BigInt(zeros) + BigInt(data.length - zeros) * TOKENS_PER_NONZERO_BYTE;
  return BASE_GAS + tokens * FLOOR_GAS_PER_TOKEN;
}

/** The most that the sender pays for one unit of gas, in wei. */
export function feeCap(tx: Transaction): bigint {
  return hasFeeMarket(tx) ? tx.maxFeePerGas : tx.gasPrice;
}

/** What stops the transaction from running now; undefined when nothing does. `account` is its sender's, if there is one. */
export function findObstacle(
  { tx }: SignedTransaction,
  account: Account | undefined,
  block: {
    readonly baseFee: bigint;
    readonly gasLeft: bigint;
    /** The sender's code only names whose code it lends its address to (EIP-7702): it still sends. */
    readonly isDelegated?: boolean;
  },
): Obstacle | undefined {
  const nonce = account?.nonce ?? 0n;
  if (account?.isContract() && block.isDelegated !== true) return 'sender-has-code';
  if (tx.nonce < nonce) return 'nonce-low';
  if (tx.nonce > nonce) return 'nonce-high';
  if (tx.gasLimit > block.gasLeft) return 'block-gas';
  if (feeCap(tx) < block.baseFee) return 'fee-cap';
  if ((account?.balance ?? 0n) < tx.gasLimit * feeCap(tx) + tx.value) return 'funds';
  return undefined;
}

/** What one unit of gas costs in a block, in wei (EIP-1559). */
export function effectiveGasPrice(tx: Transaction, header: BlockHeader): bigint {
  const baseFee = header.baseFeePerGas ?? 0n;
  if (!hasFeeMarket(tx)) return tx.gasPrice;
  const room = tx.maxFeePerGas - baseFee;
  return baseFee + (room < tx.maxPriorityFeePerGas ? room : tx.maxPriorityFeePerGas);
}
