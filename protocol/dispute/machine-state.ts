/** The state of the disputed machine and its hash (docs/design/0031). */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { concatBytes } from '@noble/hashes/utils.js';
import { FIELD_MODULUS, hashSix } from './field.ts';
import type { HashedMemory } from './memory.ts';

export const FLAG_RUN = 0;
export const FLAG_OK = 1;
export const FLAG_FAIL = 2;
/** Whether the machine runs (0), ended well (1) or failed (2). */
export type Flag = typeof FLAG_RUN | typeof FLAG_OK | typeof FLAG_FAIL;

const REGISTERS = 32;
const REGISTERS_PER_ELEMENT = 7;
const WORD_BYTES = 32;

/** A machine that can make a step. `registers[0]` is 0; all are unsigned. */
export interface MachineState {
  readonly registers: Uint32Array;
  readonly pc: number;
  readonly memory: HashedMemory;
  /** 32 bytes that the machine was given. */
  readonly input: Uint8Array;
  /** 32 bytes that it answers. */
  readonly output: Uint8Array;
  readonly flag: Flag;
}

/** What L1 sees of a state: the preimage of its hash. */
export interface OpenedState {
  /** Registers, pc and memory; below the field's modulus. */
  readonly core: bigint;
  readonly input: Uint8Array;
  readonly output: Uint8Array;
  readonly flag: Flag;
}

/** Registers and pc as they are hashed: e0 to e4. */
export function packRegisters(registers: Uint32Array, pc: number): readonly [bigint, bigint, bigint, bigint, bigint] {
  const pack = (from: number): bigint => {
    let element = 0n;
    for (let index = Math.min(from + REGISTERS_PER_ELEMENT, REGISTERS) - 1; index >= from; index--) {
      element = (element << 32n) | BigInt(registers[index] ?? 0);
    }
    return element;
  };
  return [pack(1), pack(8), pack(15), pack(22), pack(29) | (BigInt(pc) << 96n)];
}

/** @returns the hash of registers, pc and memory */
export function coreOf(registers: Uint32Array, pc: number, memoryRoot: bigint): bigint {
  return hashSix([...packRegisters(registers, pc), memoryRoot]);
}

export function openState(state: MachineState): OpenedState {
  const { registers, pc, memory, input, output, flag } = state;
  return { core: coreOf(registers, pc, memory.root()), input, output, flag };
}

/** @returns s, 32 bytes: what points of a dispute about steps are. @throws RangeError for what L1 would refuse */
export function stateHash({ core, input, output, flag }: OpenedState): Uint8Array {
  if (core < 0n || core >= FIELD_MODULUS) throw new RangeError('the core is no canonical field element');
  if (input.length !== WORD_BYTES || output.length !== WORD_BYTES)
    throw new RangeError('input and output are 32 bytes');
  const flagWord = new Uint8Array(WORD_BYTES);
  flagWord[WORD_BYTES - 1] = flag;
  return keccak_256(concatBytes(wordOf(core), input, output, flagWord));
}

/** A number below 2^256 as 32 bytes, big-endian. */
export function wordOf(value: bigint): Uint8Array {
  const word = new Uint8Array(WORD_BYTES);
  let rest = value;
  for (let index = WORD_BYTES - 1; index >= 0; index--) {
    word[index] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return word;
}
