/** Calls that leave nothing behind, as the machine's ABI has them: what `eth_call`, estimates and traces are made of. */
import { RLP } from '@ethereumjs/rlp';
import type { Hex } from '../../protocol/brand.ts';
import { hexToBytes } from '../../protocol/rollup/bytes.ts';
import type { WireWriter } from './wire.ts';

export interface BlockOverrides {
  readonly number?: bigint;
  readonly timestamp?: bigint;
  readonly gasLimit?: bigint;
  readonly feeRecipient?: Hex;
  readonly prevRandao?: Hex;
  readonly baseFee?: bigint;
}

export interface AccountOverride {
  readonly address: Hex;
  readonly balanceWei?: bigint;
  readonly nonce?: bigint;
  readonly code?: Uint8Array;
  /** `replace`: these slots and no others have values; `patch`: these slots have other values. */
  readonly storage?: { readonly kind: 'replace' | 'patch'; readonly slots: readonly (readonly [bigint, bigint])[] };
}

/** A transaction that nobody signed. Nonces are not looked at, and a contract may be the sender. */
export interface MachineCall {
  readonly from: Hex;
  readonly to: Hex | undefined;
  readonly gas: bigint;
  /** Wei; zero runs as if the base fee were zero too. */
  readonly gasPrice: bigint;
  readonly value: bigint;
  readonly data: Uint8Array;
  readonly accessList: readonly { readonly address: Hex; readonly storageKeys: readonly Hex[] }[];
}

/** A call after changes to block and state. Changes, and what the call did, stay for the steps that follow. */
export interface MachineStep {
  readonly call: MachineCall;
  readonly block?: BlockOverrides;
  readonly accounts?: readonly AccountOverride[];
}

/** A call in a block that nobody makes. `gasPrice` is the most that it pays for gas. */
export interface MachineSimulatedCall extends Omit<MachineCall, 'gas'> {
  /** What the block has left when absent. */
  readonly gas?: bigint | undefined;
  /** The account's next one when absent. */
  readonly nonce?: bigint | undefined;
  /** Wei; absent for a transaction of the type 0. */
  readonly priorityFee?: bigint | undefined;
}

export interface MachineSimulatedBlock {
  readonly block: BlockOverrides;
  readonly accounts: readonly AccountOverride[];
  readonly calls: readonly MachineSimulatedCall[];
  /** Holds nonces and fees to the rules. */
  readonly isStrict: boolean;
}

/** What is wanted beside the outcome: it costs time. */
export interface Wanted {
  /** The calls inside, for callTracer. */
  readonly frames?: boolean;
  /** Accounts and slots before and after, for prestateTracer and access lists. */
  readonly touched?: boolean;
  /** Each step of the EVM. */
  readonly steps?: {
    /** Steps after which no more are kept; 0: as many as may be. */
    readonly limit: number;
    /** How many words of the top of the stack. */
    readonly stackWords: number;
    readonly memory: boolean;
  };
}

const WORD_BYTES = 32;

export function word(value: bigint): Uint8Array {
  return hexToBytes(`0x${value.toString(16).padStart(2 * WORD_BYTES, '0')}`);
}

function optional<T>(writer: WireWriter, value: T | undefined, write: (value: T) => void): void {
  writer.u8(value === undefined ? 0 : 1);
  if (value !== undefined) write(value);
}

export function writeWanted(writer: WireWriter, { frames, touched, steps }: Wanted): void {
  writer.u8((frames ? 1 : 0) | (touched ? 2 : 0) | (steps ? 4 : 0));
  if (steps === undefined) return;
  writer.u32(steps.limit);
  writer.u32(steps.stackWords);
  writer.u8(steps.memory ? 1 : 0);
}

function writeBlock(writer: WireWriter, overrides: BlockOverrides): void {
  optional(writer, overrides.number, writer.u64);
  optional(writer, overrides.timestamp, writer.u64);
  optional(writer, overrides.gasLimit, writer.u64);
  optional(writer, overrides.feeRecipient, (hex) => writer.bytes(hexToBytes(hex)));
  optional(writer, overrides.prevRandao, (hex) => writer.bytes(hexToBytes(hex)));
  optional(writer, overrides.baseFee, writer.u64);
}

export function writeSlots(writer: WireWriter, slots: readonly (readonly [bigint, bigint])[]): void {
  writer.u32(slots.length);
  for (const [slot, value] of slots) {
    writer.bytes(word(slot));
    writer.bytes(word(value));
  }
}

function writeAccount(writer: WireWriter, { address, balanceWei, nonce, code, storage }: AccountOverride): void {
  writer.bytes(hexToBytes(address));
  optional(writer, balanceWei, (value) => writer.bytes(word(value)));
  optional(writer, nonce, writer.u64);
  optional(writer, code, writer.blob);
  writer.u8(storage === undefined ? 0 : storage.kind === 'replace' ? 1 : 2);
  if (storage !== undefined) writeSlots(writer, storage.slots);
}

function writeAccounts(writer: WireWriter, accounts: readonly AccountOverride[]): void {
  writer.u32(accounts.length);
  for (const account of accounts) writeAccount(writer, account);
}

function writeCall(writer: WireWriter, call: MachineCall): void {
  writer.bytes(hexToBytes(call.from));
  optional(writer, call.to, (to) => writer.bytes(hexToBytes(to)));
  writer.u64(call.gas);
  writer.bytes(word(call.gasPrice));
  writer.bytes(word(call.value));
  writer.blob(call.data);
  const items = call.accessList.map(({ address, storageKeys }) => [hexToBytes(address), storageKeys.map(hexToBytes)]);
  // The machine reads the items' encodings one after the other, without the head of the list around them.
  const encoded = items.map((item) => RLP.encode(item));
  writer.u32(encoded.reduce((sum, { length }) => sum + length, 0));
  for (const item of encoded) writer.bytes(item);
}

export function writeStep(writer: WireWriter, { call, block = {}, accounts = [] }: MachineStep): void {
  writeBlock(writer, block);
  writeAccounts(writer, accounts);
  writeCall(writer, call);
}

export function writeSimulatedBlock(writer: WireWriter, simulated: MachineSimulatedBlock): void {
  const { block, accounts, calls, isStrict } = simulated;
  writer.u8(isStrict ? 1 : 0);
  writeBlock(writer, block);
  writeAccounts(writer, accounts);
  writer.u32(calls.length);
  for (const { gas, nonce, priorityFee, ...call } of calls) {
    writeCall(writer, { ...call, gas: 0n });
    optional(writer, gas, writer.u64);
    optional(writer, nonce, writer.u64);
    optional(writer, priorityFee, (fee) => writer.bytes(word(fee)));
  }
}
