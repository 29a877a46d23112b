/** What calls, traces and simulated blocks did, as the machine's ABI says it. */
import type { Hex } from '../../protocol/brand.ts';
import { bytesToHex } from '../../protocol/rollup/bytes.ts';
import type { ReceiptLog } from '../../protocol/rollup/receipt.ts';
import { createWireReader, type WireReader } from './wire.ts';

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
  readonly logs: readonly FrameLog[];
}

export interface FrameLog extends ReceiptLog {
  /** How many calls the frame had made before. */
  readonly position: number;
}

/** One step of the EVM, before its opcode ran. */
export interface MachineStepRecord {
  readonly pc: number;
  readonly opcode: number;
  /** Whose storage it uses. */
  readonly contract: Hex;
  readonly gas: bigint;
  /** With what the step hands to a call. */
  readonly cost: bigint;
  /** 1 for the transaction's own code. */
  readonly depth: number;
  readonly refund: bigint;
  /** As many words as were wanted, the top of the stack last. */
  readonly stack: readonly bigint[];
  readonly memory: Uint8Array;
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
  /** What `readSteps` reads. */
  readonly steps: Uint8Array;
  /** More was wanted than the machine keeps: what is here is of no use. */
  readonly isCut: boolean;
}

export interface MachineSimulatedResult extends MachineCallResult {
  /** What it was given, and the nonce that it had. */
  readonly gas: bigint;
  readonly nonce: bigint;
}

/** The calls up to the first that the rules refuse or whose trace is too large, which is the last then. */
export interface MachineSimulated {
  readonly results: readonly MachineSimulatedResult[];
  /** Of the state after all of them; undefined when not all ran. */
  readonly stateRoot: Hex | undefined;
}

const OUTCOMES: readonly MachineOutcome[] = ['ok', 'reverted', 'failed', 'refused'];
const WORD_BYTES = 32;
const ADDRESS_BYTES = 20;

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
    logs: readList(reader, (from) => ({ ...readLog(from), position: from.u32() })),
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
    steps: reader.blob(),
    isCut: reader.u8() === 1,
  };
}

export function readSimulated(reader: WireReader): MachineSimulated {
  const results = readList(reader, (from) => ({ gas: from.u64(), nonce: from.u64(), ...readCallResult(from) }));
  const isWhole = reader.u8() === 1;
  const stateRoot = bytesToHex(reader.bytes(WORD_BYTES));
  return { results, stateRoot: isWhole ? stateRoot : undefined };
}

/** The steps of a result, one by one. */
export function* readSteps(steps: Uint8Array): Generator<MachineStepRecord, void, undefined> {
  const reader = createWireReader(steps);
  while (!reader.isAtEnd()) {
    yield {
      pc: reader.u32(),
      opcode: reader.u8(),
      contract: readAddress(reader),
      gas: reader.u64(),
      cost: reader.u64(),
      depth: reader.u32(),
      refund: reader.u64(),
      stack: readList(reader, readWord),
      memory: reader.blob(),
    };
  }
}

export function readCallResults(reader: WireReader): MachineCallResult[] {
  return readList(reader, readCallResult);
}
