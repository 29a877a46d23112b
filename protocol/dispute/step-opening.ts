/**
 * What the prover of one step opens of the state before it, and what the verifier is told: the inputs of circuits/step
 * (docs/design/0031, "What a proof says").
 */
import { LEAF_BYTES, leafOf } from './field.ts';
import { decodeInstruction, ECALL_WORD, immediateI, immediateS, OPCODE } from './instruction.ts';
import type { MachineState, OpenedState } from './machine-state.ts';
import { type Memory, wordAt } from './memory.ts';
import type { Read } from './step.ts';

/** A leaf and its siblings, the lowest first. */
export interface OpenedLeaf {
  readonly leaf: bigint;
  readonly path: readonly bigint[];
}

export interface StepOpening {
  /** x1 to x31. */
  readonly registers: readonly number[];
  readonly pc: number;
  readonly memoryRoot: bigint;
  /** The leaf that holds the instruction. */
  readonly code: OpenedLeaf;
  /** The leaf that the step loads, stores to, gives out or answers into; with none of these, any. */
  readonly data: OpenedLeaf;
  /** Both leaves of a read's key, and the path above the two; without a read, any two. */
  readonly key: { readonly leaves: readonly [bigint, bigint]; readonly path: readonly bigint[] };
}

/** What a step that reads nothing says it read. */
const NO_READ: Read = {
  kind: 0xffff_ffff,
  key: new Uint8Array(2 * LEAF_BYTES),
  offset: 0,
  data: new Uint8Array(LEAF_BYTES),
  length: 0,
};
const [A0, A1, A3, A7] = [10, 11, 13, 17] as const;
const READ_CALL = 3;

/** Opens a state for its next step. To be called before that step, which alters the memory. */
export function openStep(state: MachineState): StepOpening {
  const { registers, pc, memory } = state;
  const keyAt = ((registers[A1] ?? 0) & ~(2 * LEAF_BYTES - 1)) >>> 0;
  const openLeaf = (address: number): OpenedLeaf => ({ leaf: memory.leafAt(address), path: memory.pathTo(address) });
  return {
    registers: Array.from(registers.subarray(1)),
    pc,
    memoryRoot: memory.root(),
    code: openLeaf(pc),
    data: openLeaf(dataAddressOf(state)),
    key: {
      leaves: [memory.leafAt(keyAt), memory.leafAt(keyAt + LEAF_BYTES)],
      path: memory.pathTo(keyAt).slice(1),
    },
  };
}

/** The address that the circuit opens a data leaf at: of loads, stores and calls theirs, otherwise one that means nothing. */
export function dataAddressOf({
  registers,
  pc,
  memory,
}: Pick<MachineState, 'registers' | 'pc'> & { readonly memory: Memory }): number {
  const instruction = decodeInstruction(wordAt(memory, pc));
  if (instruction.word === ECALL_WORD) return registers[registers[A7] === READ_CALL ? A3 : A0] ?? 0;
  const { opcode, rs1, rs2 } = instruction;
  const takesRegister = opcode === OPCODE.op || opcode === OPCODE.branch;
  const immediate = opcode === OPCODE.store ? immediateS(instruction) : immediateI(instruction);
  return ((registers[rs1] ?? 0) + (takesRegister ? (registers[rs2] ?? 0) : immediate)) >>> 0;
}

/** The 16 public inputs of the circuit, in the order of 0031. `read` is undefined for a step that asked nothing. */
export function publicInputsOf(pre: OpenedState, post: OpenedState, read: Read | undefined): readonly bigint[] {
  const { kind, key, offset, data, length } = read ?? NO_READ;
  return [
    pre.core,
    post.core,
    ...leavesOf(pre.input),
    ...leavesOf(pre.output),
    ...leavesOf(post.output),
    BigInt(pre.flag),
    BigInt(post.flag),
    BigInt(kind),
    ...leavesOf(key),
    BigInt(offset),
    leafOf(data),
    BigInt(length),
  ];
}

function leavesOf(bytes: Uint8Array): readonly [bigint, bigint] {
  return [leafOf(bytes.subarray(0, LEAF_BYTES)), leafOf(bytes.subarray(LEAF_BYTES))];
}
