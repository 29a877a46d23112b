/** Calls that leave nothing behind, as the machine's ABI has them: what `eth_call`, estimates and traces are made of. */
import { RLP } from '@ethereumjs/rlp';
import type { Hex } from '../../protocol/brand.ts';
import { bytesToHex, hexToBytes } from '../../protocol/rollup/bytes.ts';
import type { ReceiptLog } from '../../protocol/rollup/receipt.ts';
import type { WireReader, WireWriter } from './wire.ts';

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

/** What is wanted beside the outcome: it costs time. */
export interface Wanted {
  /** The calls inside, for callTracer. */
  readonly frames?: boolean;
  /** Accounts and slots before and after, for prestateTracer and access lists. */
  readonly touched?: boolean;
}

export const FRAME_KINDS = [
  'CALL',
  'CALLCODE',
  'DELEGATECALL',
  'STATICCALL',
  'CREATE',
  'CREATE2',
  'SELFDESTRUCT',
] as const;

/** One call, creation or self-destruction; the list is in the order in which they began. */
export interface MachineFrame {
  readonly kind: (typeof FRAME_KINDS)[number];
  /** 0 for the transaction's own. */
  readonly depth: number;
  readonly from: Hex;
  readonly to: Hex;
  readonly value: bigint;
  readonly gas: bigint;
  readonly gasUsed: bigint;
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  /** Empty when it succeeded. */
  readonly error: string;
  readonly isRevert: boolean;
  readonly logs: readonly ReceiptLog[];
}

export interface AccountSide {
  readonly balanceWei: bigint;
  readonly nonce: bigint;
  readonly code: Uint8Array;
}

/** An account as a transaction found and left it. */
export interface TouchedAccount {
  readonly address: Hex;
  readonly before: AccountSide;
  readonly after: AccountSide;
  readonly slots: readonly { readonly slot: bigint; readonly before: bigint; readonly after: bigint }[];
}

/** `failed` ran out of gas, met an invalid opcode, ...; `refused` = the rules do not let it start. */
export type MachineOutcome = 'ok' | 'reverted' | 'failed' | 'refused';

export interface MachineCallResult {
  readonly outcome: MachineOutcome;
  readonly gasUsed: bigint;
  readonly output: Uint8Array;
  /** Why it failed or was refused, in the EVM's words. */
  readonly reason: string;
  readonly logs: readonly ReceiptLog[];
  readonly frames: readonly MachineFrame[];
  readonly touched: readonly TouchedAccount[];
}

const OUTCOMES: readonly MachineOutcome[] = ['ok', 'reverted', 'failed', 'refused'];
const WORD_BYTES = 32;
const ADDRESS_BYTES = 20;

export function word(value: bigint): Uint8Array {
  return hexToBytes(`0x${value.toString(16).padStart(2 * WORD_BYTES, '0')}`);
}

function optional<T>(writer: WireWriter, value: T | undefined, write: (value: T) => void): void {
  writer.u8(value === undefined ? 0 : 1);
  if (value !== undefined) write(value);
}

export function wantedFlags({ frames, touched }: Wanted): number {
  return (frames ? 1 : 0) | (touched ? 2 : 0);
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

export function writeStep(writer: WireWriter, { call, block = {}, accounts = [] }: MachineStep): void {
  writeBlock(writer, block);
  writer.u32(accounts.length);
  for (const account of accounts) writeAccount(writer, account);
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

const readWord = (reader: WireReader): bigint => BigInt(bytesToHex(reader.bytes(WORD_BYTES)));
const readAddress = (reader: WireReader): Hex => bytesToHex(reader.bytes(ADDRESS_BYTES));
const readText = (reader: WireReader): string => new TextDecoder().decode(reader.blob());

function readList<T>(reader: WireReader, read: (reader: WireReader) => T): T[] {
  return Array.from({ length: reader.u32() }, () => read(reader));
}

function readLog(reader: WireReader): ReceiptLog {
  const address = readAddress(reader);
  const topics = readList(reader, (from) => bytesToHex(from.bytes(WORD_BYTES)));
  return { address, topics, data: bytesToHex(reader.blob()) };
}

function readFrame(reader: WireReader): MachineFrame {
  return {
    kind: FRAME_KINDS[reader.u8()] ?? 'CALL',
    depth: reader.u32(),
    from: readAddress(reader),
    to: readAddress(reader),
    value: readWord(reader),
    gas: reader.u64(),
    gasUsed: reader.u64(),
    input: reader.blob(),
    output: reader.blob(),
    error: readText(reader),
    isRevert: reader.u8() === 1,
    logs: readList(reader, readLog),
  };
}

function readSide(reader: WireReader): AccountSide {
  return { balanceWei: readWord(reader), nonce: reader.u64(), code: reader.blob() };
}

function readTouched(reader: WireReader): TouchedAccount {
  return {
    address: readAddress(reader),
    before: readSide(reader),
    after: readSide(reader),
    slots: readList(reader, (from) => ({ slot: readWord(from), before: readWord(from), after: readWord(from) })),
  };
}

export function readCallResult(reader: WireReader): MachineCallResult {
  return {
    outcome: OUTCOMES[reader.u8()] ?? 'refused',
    gasUsed: reader.u64(),
    output: reader.blob(),
    reason: readText(reader),
    logs: readList(reader, readLog),
    frames: readList(reader, readFrame),
    touched: readList(reader, readTouched),
  };
}

export function readCallResults(reader: WireReader): MachineCallResult[] {
  return readList(reader, readCallResult);
}
