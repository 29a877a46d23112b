/**
 * Delayed messages: what the L1 Inbox hands to L2 (contracts/src/l1/Inbox.sol, docs/design/0013-derivation.md). Anyone may send one,
 * so their content is hostile; the Inbox bounds its size. Parsing is total: what is not well formed does nothing on L2.
 */
import type { Hex } from '../brand.ts';
import type { ChainParameters, Deposit } from './block-input.ts';
import { hexToBytes } from './bytes.ts';
import { gasLimitOf } from './gas-limit.ts';

/** Inbox.KIND_*. */
export const MESSAGE_KINDS = { deposit: 0, transaction: 1, config: 2 } as const;

/** Messages that one block consumes at most; an EIP-4895 list of this length still encodes in about 50 KiB. */
export const MAX_MESSAGES_PER_BLOCK = 256;

/** Of them, signed transactions: each may ask for a quarter of a block's gas, so that all of them always fit. */
export const MAX_FORCED_TRANSACTIONS_PER_BLOCK = 4;

/** The largest signed transaction, in bytes (Inbox.MAX_TRANSACTION_BYTES). */
export const MAX_FORCED_TRANSACTION_BYTES = 32_768;

/** A message as the Inbox took it. */
export interface DelayedMessage {
  readonly index: bigint;
  readonly kind: number;
  readonly data: Hex;
}

/** What the messages that a block consumes put into it. */
export interface MessageEffects {
  readonly deposits: readonly Deposit[];
  /** Signed transactions, in order: they run before the sequencer's own. */
  readonly transactions: readonly Uint8Array[];
  /** From the next block on; undefined when no message sets them. */
  readonly parameters: ChainParameters | undefined;
  /** Messages without an effect, by index: said so in the log, the metrics and the RPC. */
  readonly ignored: readonly { readonly index: bigint; readonly reason: string }[];
}

const WORD = 64;
const MAX_64_BIT = (1n << 64n) - 1n;
const GWEI = 1_000_000_000n;

function words(data: Hex, count: number): bigint[] | undefined {
  if (data.length !== 2 + WORD * count) return undefined;
  return Array.from({ length: count }, (_, i) => BigInt(`0x${data.slice(2 + i * WORD, 2 + (i + 1) * WORD)}`));
}

/** `abi.encode(address to, uint256 amountWei)`. */
function parseDeposit({ index, data }: DelayedMessage): Deposit | undefined {
  const [to, amountWei] = words(data, 2) ?? [];
  if (to === undefined || amountWei === undefined || to >> 160n !== 0n) return undefined;
  // EIP-4895 counts gwei in 64 bits. The Inbox takes no more; without the rule such a deposit would stop derivation.
  if (amountWei / GWEI > MAX_64_BIT) return undefined;
  return { index, to: `0x${to.toString(16).padStart(40, '0')}`, amountWei };
}

/** `abi.encode(uint64 feeFloorWei, uint8 fork)`. */
function parseParameters({ data }: DelayedMessage): ChainParameters | undefined {
  const [feeFloorWei, fork] = words(data, 2) ?? [];
  if (feeFloorWei === undefined || fork === undefined || feeFloorWei > MAX_64_BIT || fork > 255n) return undefined;
  return { feeFloorWei, fork: Number(fork) };
}

/**
 * Why a signed transaction is dropped before it is tried; undefined when it is tried. What the transition decides is left to it (a
 * transaction that cannot run is dropped at its place and changes nothing): one who decodes more or less than the machine, a type of
 * a later fork for example, still derives the same blocks.
 */
function findFlaw(raw: Uint8Array, { gasLimit }: EffectsOptions): string | undefined {
  if (raw.length > MAX_FORCED_TRANSACTION_BYTES) return 'larger than 32,768 bytes';
  const asked = gasLimitOf(raw) ?? 0n;
  return asked * 4n > gasLimit ? 'asks for more than a quarter of the gas of a block' : undefined;
}

export interface EffectsOptions {
  /** Gas limit of a block. */
  readonly gasLimit: bigint;
}

/** What the messages that one block consumes, in Inbox order, put into it. Never throws. */
export function effectsOf(messages: readonly DelayedMessage[], options: EffectsOptions): MessageEffects {
  const deposits: Deposit[] = [];
  const transactions: Uint8Array[] = [];
  const ignored: { index: bigint; reason: string }[] = [];
  let parameters: ChainParameters | undefined;
  for (const message of messages) {
    const { index, kind, data } = message;
    if (kind === MESSAGE_KINDS.transaction) {
      const raw = hexToBytes(data);
      const reason = findFlaw(raw, options);
      if (reason === undefined) transactions.push(raw);
      else ignored.push({ index, reason });
    } else if (kind === MESSAGE_KINDS.deposit) {
      const deposit = parseDeposit(message);
      if (deposit === undefined) ignored.push({ index, reason: 'not the encoding of a deposit' });
      else deposits.push(deposit);
    } else if (kind === MESSAGE_KINDS.config) {
      const parsed = parseParameters(message);
      if (parsed === undefined) ignored.push({ index, reason: 'not the encoding of parameters' });
      else parameters = parsed;
    } else ignored.push({ index, reason: `unknown kind ${kind}` });
  }
  return { deposits, transactions, parameters, ignored };
}

/** How many of the waiting messages, from the first on, one block may consume at most. */
export function consumable(kinds: readonly number[]): number {
  let forced = 0;
  for (const [count, kind] of kinds.entries()) {
    if (count === MAX_MESSAGES_PER_BLOCK) return count;
    if (kind === MESSAGE_KINDS.transaction && ++forced > MAX_FORCED_TRANSACTIONS_PER_BLOCK) return count;
  }
  return kinds.length;
}

/**
 * The sequencer's own transactions of a block: those after the forced ones that it holds. A forced transaction that was dropped is
 * in no block; the next one is compared with the same place. (The same bytes at the same place cannot be both: a drop leaves the
 * state as it was, and what was dropped there would be dropped again.)
 */
export function ownTransactions(held: readonly Uint8Array[], forced: readonly Uint8Array[]): readonly Uint8Array[] {
  let next = 0;
  for (const raw of forced) if (isEqual(held[next], raw)) next += 1;
  return held.slice(next);
}

function isEqual(a: Uint8Array | undefined, b: Uint8Array): boolean {
  return a !== undefined && a.length === b.length && a.every((byte, i) => byte === b[i]);
}
