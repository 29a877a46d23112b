/**
 * What shows that a step is right to somebody who knows the state's hash alone: registers, and the leaves that the step reads
 * under the memory's root. The prover takes it whole; `encodeOpening` is what OpenStepVerifier takes of it.
 */
import { concatBytes } from '@noble/hashes/utils.js';
import { decodeInstruction, ECALL_WORD, immediateI, immediateS, OPCODE } from './instruction.ts';
import { FLAG_RUN, type MachineState, packRegisters, wordOf } from './machine-state.ts';
import { type HashedMemory, wordAt } from './memory.ts';

/** A leaf of memory and its 28 siblings, the lowest first. */
export interface OpenedLeaf {
  readonly address: number;
  readonly leaf: bigint;
  readonly path: readonly bigint[];
}

/** The two leaves of a key and the 27 siblings of the node above them. */
export interface OpenedKey {
  readonly address: number;
  readonly leaves: readonly [bigint, bigint];
  readonly path: readonly bigint[];
}

/** Of the state before a step; memory as it was then. */
export interface StepWitness {
  readonly registers: Uint32Array;
  readonly pc: number;
  readonly memoryRoot: bigint;
  readonly code: OpenedLeaf;
  /** Where the step loads, stores, or a call takes or puts its 16 bytes. */
  readonly data: OpenedLeaf | undefined;
  /** Of `read`. */
  readonly key: OpenedKey | undefined;
}

const [A0, A1, A3, A7] = [10, 11, 13, 17] as const;
const CALL_READ = 3;

/** @returns what the next step reads; undefined for a state that has ended, which reads nothing */
export function witnessOf(state: MachineState): StepWitness | undefined {
  const { registers, pc, memory, flag } = state;
  if (flag !== FLAG_RUN) return undefined;
  const { data, key } = addressesOf(state);
  return {
    registers,
    pc,
    memoryRoot: memory.root(),
    code: openLeaf(memory, pc),
    data: data === undefined ? undefined : openLeaf(memory, data),
    key: key === undefined ? undefined : openKey(memory, key),
  };
}

/** The proof that OpenStepVerifier takes: a list of words of 32 bytes. */
export function encodeOpening(witness: StepWitness | undefined): Uint8Array {
  if (witness === undefined) return new Uint8Array();
  const { registers, pc, memoryRoot, code, data, key } = witness;
  const words = [...packRegisters(registers, pc), memoryRoot, code.leaf, ...code.path];
  if (data) words.push(data.leaf, ...data.path);
  if (key) words.push(...key.leaves, ...key.path);
  return concatBytes(...words.map(wordOf));
}

function openLeaf(memory: HashedMemory, address: number): OpenedLeaf {
  return { address, leaf: memory.leafAt(address), path: memory.pathTo(address) };
}

function openKey(memory: HashedMemory, address: number): OpenedKey {
  // An address that is no multiple of 32 makes the step a fault, and nobody looks at the key.
  return {
    address,
    leaves: [memory.leafAt(address), memory.leafAt(address + 16)],
    path: memory.pathTo(address).slice(1),
  };
}

function addressesOf({ registers, pc, memory }: MachineState): { data?: number; key?: number } {
  const register = (index: number): number => registers[index] ?? 0;
  const instruction = decodeInstruction(wordAt(memory, pc & ~3));
  const { opcode, rs1, word } = instruction;
  if (opcode === OPCODE.load) return { data: register(rs1) + immediateI(instruction) };
  if (opcode === OPCODE.store) return { data: register(rs1) + immediateS(instruction) };
  if (word !== ECALL_WORD) return {};
  return register(A7) === CALL_READ ? { data: register(A3), key: register(A1) } : { data: register(A0) };
}
