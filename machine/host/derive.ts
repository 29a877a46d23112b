/** Derivation in the machine: what a batch of L1 makes of L2, from hashes alone (docs/design/0013-derivation.md). */
import type { Hex } from '../../protocol/brand.ts';
import type { BlockInput } from '../../protocol/rollup/block-input.ts';
import { bytesToHex, hexToBytes } from '../../protocol/rollup/bytes.ts';
import { type MachineBlock, readBlock, readInput } from './blocks.ts';
import type { FreshPreimage } from './instance.ts';
import { createWireWriter, type WireReader } from './wire.ts';

/** Where derivation stands. */
export interface DerivePlace {
  /** Number of the last L1 block before the contracts: a constant of the network. */
  readonly deployedAt: bigint;
  /** SequencerInbox's accumulator after the batch. */
  readonly accumulator: Hex;
  /** Hash of the last L2 block derived so far. */
  readonly head: Hex;
  /** 0 for a batch's first step, then what the step before gave as `next`. */
  readonly offset: bigint;
}

/** The rules that a block of a batch may break, by their numbers in the ABI. */
const RULES = ['origin-backwards', 'origin-too-old', 'origin', 'timestamp', 'messages'] as const;
export type BrokenRule = (typeof RULES)[number];

export interface DerivedBlock extends Omit<MachineBlock, 'fresh'> {
  /** No batch holds it: derivation made it to read messages that were owed. */
  readonly isObliged: boolean;
  /** Delayed messages that it consumes. */
  readonly messages: number;
  /** How many transactions of the input, the first of those that `dropped` counts, came by message. */
  readonly forced: number;
  /** Messages without an effect, by index; a transaction of a message that cannot run is in `dropped`. */
  readonly ignored: readonly { readonly index: bigint; readonly reason: string }[];
}

export interface DerivedStep {
  /** The last L2 block after the step, and the root of its messages to L1. */
  readonly head: Hex;
  readonly sendRoot: Hex;
  /** The offset of the batch's next block; undefined when it has none: on to the next batch. */
  readonly next: bigint | undefined;
  /** The batch is malformed and holds no block; said at offset 0. */
  readonly isMalformed: boolean;
  /** The block of the batch, counted from 0, that broke a rule: it and those after it are dropped. */
  readonly broken: { readonly index: number; readonly count: number; readonly rule: BrokenRule } | undefined;
  /** Undefined when the batch makes no block here. */
  readonly block: DerivedBlock | undefined;
  readonly fresh: readonly FreshPreimage[];
}

/** A block of a batch that is not executed yet. */
export interface PlannedBlock {
  readonly input: BlockInput;
  /** No batch holds it: derivation made it to read messages that were owed. */
  readonly isObliged: boolean;
  /** How many transactions of the input, the first, came by message. */
  readonly forced: number;
  /** Messages without an effect, by index. */
  readonly ignored: readonly { readonly index: bigint; readonly reason: string }[];
}

/** Blocks of a batch from a place on: all that are left of it, or as many as one answer may hold. */
export interface DerivedInputs {
  /** The batch is malformed and holds no block; said at offset 0. */
  readonly isMalformed: boolean;
  /** The rule that a block broke: after those of `blocks` that the batch holds, before those that are obliged. */
  readonly broken: DerivedStep['broken'];
  /** Hashes of the transactions in the block that broke a rule and in those after it. */
  readonly lost: readonly Hex[];
  readonly blocks: readonly PlannedBlock[];
  /** Where the batch goes on, on the head that these blocks make; undefined when it is done. */
  readonly next: bigint | undefined;
}

/** Messages from the head's on that one call of `derive_inputs` may read. */
export const MAX_INPUTS_MESSAGES = 512;

const HASH_BYTES = 32;

/** What `derive_block` and `derive_inputs` take, and what a dispute runs. */
export function encodePlace({ deployedAt, accumulator, head, offset }: DerivePlace): Uint8Array {
  const writer = createWireWriter();
  writer.u64(deployedAt);
  writer.bytes(hexToBytes(accumulator));
  writer.bytes(hexToBytes(head));
  writer.u64(offset);
  return writer.finish();
}

/** Where the batch goes on after a step; undefined when it is done. */
export function nextPlace(place: DerivePlace, { head, next }: DerivedStep): DerivePlace | undefined {
  return next === undefined ? undefined : { ...place, head, offset: next };
}

const FLAWS = [
  'larger than 32,768 bytes',
  'asks for more than a quarter of the gas of a block',
  'not the encoding of a deposit',
  'not the encoding of parameters',
] as const;

/** The reasons that `effectsOf` of protocol/rollup/delayed-message.ts gives. */
function readFlaw(reader: WireReader): string {
  const [flaw, detail] = [reader.u8(), reader.u8()];
  return FLAWS[flaw] ?? `unknown kind ${detail}`;
}

function readBroken(reader: WireReader): DerivedStep['broken'] {
  if (reader.u8() === 0) return undefined;
  return { index: reader.u32(), count: reader.u32(), rule: RULES[reader.u8()] ?? 'origin' };
}

function readIgnored(reader: WireReader): PlannedBlock['ignored'] {
  return Array.from({ length: reader.u32() }, () => ({ index: reader.u64(), reason: readFlaw(reader) }));
}

function readNext(reader: WireReader): bigint | undefined {
  const [hasNext, offset] = [reader.u8() === 1, reader.u64()];
  return hasNext ? offset : undefined;
}

function readDerivedBlock(reader: WireReader): DerivedBlock | undefined {
  if (reader.u8() === 0) return undefined;
  const isObliged = reader.u8() === 1;
  const [messages, forced] = [reader.u32(), reader.u32()];
  return { isObliged, messages, forced, ignored: readIgnored(reader), ...readBlock(reader) };
}

function readPlannedBlock(reader: WireReader): PlannedBlock {
  const [isObliged, forced] = [reader.u8() === 1, reader.u32()];
  return { isObliged, forced, ignored: readIgnored(reader), input: readInput(reader) };
}

/** Reads the answer of `derive_block`. */
export function readStep(reader: WireReader): Omit<DerivedStep, 'fresh'> {
  const [head, sendRoot] = [bytesToHex(reader.bytes(HASH_BYTES)), bytesToHex(reader.bytes(HASH_BYTES))];
  const next = readNext(reader);
  const isMalformed = reader.u8() === 1;
  const broken = readBroken(reader);
  return { head, sendRoot, next, isMalformed, broken, block: readDerivedBlock(reader) };
}

/** Reads the answer of `derive_inputs`: views. */
export function readInputs(reader: WireReader): DerivedInputs {
  const next = readNext(reader);
  const isMalformed = reader.u8() === 1;
  const broken = readBroken(reader);
  const lost = Array.from({ length: reader.u32() }, () => bytesToHex(reader.bytes(HASH_BYTES)));
  const blocks = Array.from({ length: reader.u32() }, () => readPlannedBlock(reader));
  return { next, isMalformed, broken, lost, blocks };
}
