import type { BlockHeader } from '@ethereumjs/block';
import { createAddressFromString, createWithdrawal, type Withdrawal } from '@ethereumjs/util';
import type { Hex } from '../brand.ts';
import { NectarError } from '../errors.ts';
import type { BatchBlock } from './batch.ts';
import { bytesToHex, hexToBytes } from './bytes.ts';

/** An ETH deposit that the L1 Inbox accepted. */
export interface Deposit {
  /** Index of the delayed message. */
  readonly index: bigint;
  readonly to: Hex;
  /** Wei; the Inbox takes whole gwei only (EIP-4895 amounts are gwei). What is below one gwei is not credited. */
  readonly amountWei: bigint;
}

/** The parameters of the chain that L1 may change (SystemConfig.setChainParameters). */
export interface ChainParameters {
  /** The lowest base fee, in wei per unit of gas. */
  readonly feeFloorWei: bigint;
  /** Number of the fork of Ethereum by whose rules blocks run; 0 is that of the genesis. */
  readonly fork: number;
}

/** All that decides an L2 block besides the block before it. */
export interface BlockInput extends BatchBlock {
  /** The deposits among the delayed messages that this block consumes, in order. */
  readonly deposits: readonly Deposit[];
  /** Who receives priority fees; base fees are burnt. */
  readonly feeRecipient: Hex;
  /** Parameters that a message of this block sets, for the blocks after it; undefined: as before. */
  readonly parameters?: ChainParameters | undefined;
}

/** How far into L1 a block has read. */
export interface OriginCursor {
  readonly number: bigint;
  /** Delayed messages consumed from the first on, this block's included. */
  readonly delayedMessages: bigint;
  /** What L1 last set; undefined while it never has. They rule the next block. */
  readonly parameters?: ChainParameters | undefined;
}

const CURSOR_BYTES = 16;
/** With parameters: the fee floor in 8 bytes and the fork in one more. */
const CURSOR_BYTES_WITH_PARAMETERS = 25;
const GWEI = 1_000_000_000n;
const MAX_64_BIT = (1n << 64n) - 1n;

/** The block header's `extraData`: two big-endian 64-bit numbers, then the parameters once L1 has set some. */
export function encodeOrigin({ number, delayedMessages, parameters }: OriginCursor): Uint8Array {
  const word = (value: bigint): string => value.toString(16).padStart(16, '0');
  const cursor = word(number) + word(delayedMessages);
  if (parameters === undefined) return hexToBytes(`0x${cursor}`);
  return hexToBytes(`0x${cursor}${word(parameters.feeFloorWei)}${parameters.fork.toString(16).padStart(2, '0')}`);
}

/** Reads `extraData` of a header of this chain. Throws ROLLUP_BLOCK_INPUT_INVALID when it is not of this chain's form. */
export function parseOrigin(header: Pick<BlockHeader, 'extraData' | 'number'>): OriginCursor {
  const { extraData, number } = header;
  if (extraData.length !== CURSOR_BYTES && extraData.length !== CURSOR_BYTES_WITH_PARAMETERS) {
    throw new NectarError('ROLLUP_BLOCK_INPUT_INVALID', { number, reason: 'extraData is not an origin cursor' });
  }
  const read = (start: number, end: number): bigint => BigInt(bytesToHex(extraData.subarray(start, end)));
  const cursor = { number: read(0, 8), delayedMessages: read(8, 16) };
  if (extraData.length === CURSOR_BYTES) return cursor;
  return { ...cursor, parameters: { feeFloorWei: read(16, 24), fork: Number(read(24, 25)) } };
}

/** The base fee of the block after this one: EIP-1559's, but not below the floor that L1 has set. */
export function nextBaseFee(header: BlockHeader): bigint {
  const fee = header.calcNextBaseFee();
  const floor = parseOrigin(header).parameters?.feeFloorWei ?? 0n;
  return fee < floor ? floor : fee;
}

/** A fork that this version does not know would be executed by the wrong rules: better not at all. Throws ROLLUP_FORK_UNKNOWN. */
export function assertForkKnown(previous: BlockHeader): void {
  const fork = parseOrigin(previous).parameters?.fork ?? 0;
  if (fork !== 0) throw new NectarError('ROLLUP_FORK_UNKNOWN', { fork, number: previous.number + 1n });
}

/** The hash of the L1 origin that a header of this chain commits to. */
export function originHash(header: Pick<BlockHeader, 'mixHash'>): Hex {
  return bytesToHex(header.mixHash);
}

function findFlaw(previous: BlockHeader, input: BlockInput): string | undefined {
  const before = parseOrigin(previous);
  if (input.timestamp < previous.timestamp) return 'the timestamp is before the previous block';
  if (input.timestamp > MAX_64_BIT || input.l1Origin.number > MAX_64_BIT) return 'a number is wider than 64 bits';
  if (input.l1Origin.number < before.number) return 'the L1 origin is before the previous block';
  if (input.deposits.length > input.delayedMessages) return 'more deposits than delayed messages';
  const first = before.delayedMessages;
  const end = first + BigInt(input.delayedMessages);
  if (input.deposits.some(({ index }) => index < first || index >= end))
    return 'a deposit is not among the delayed messages';
  if (input.deposits.some(({ amountWei }) => amountWei < 0n || amountWei / GWEI > MAX_64_BIT))
    return 'a deposit is too large';
  return undefined;
}

/**
 * Checks what derivation must have ensured and returns the cursor of the new block. Throws ROLLUP_BLOCK_INPUT_INVALID. Rules
 * about what a batch may say (drift of timestamps, age of origins, forced inclusion) belong to derivation, not here.
 */
export function checkInput(previous: BlockHeader, input: BlockInput): OriginCursor {
  const reason = findFlaw(previous, input);
  if (reason !== undefined)
    throw new NectarError('ROLLUP_BLOCK_INPUT_INVALID', { number: previous.number + 1n, reason });
  const before = parseOrigin(previous);
  const delayedMessages = before.delayedMessages + BigInt(input.delayedMessages);
  return { number: input.l1Origin.number, delayedMessages, parameters: input.parameters ?? before.parameters };
}

/** Deposits as EIP-4895 withdrawals; the validator index, which this chain has no use for, is zero. */
export function withdrawalsOf(deposits: readonly Deposit[]): Withdrawal[] {
  return deposits.map(({ index, to, amountWei }) =>
    createWithdrawal({ index, validatorIndex: 0n, address: createAddressFromString(to), amount: amountWei / GWEI }),
  );
}
