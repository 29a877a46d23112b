/**
 * One step of the disputed machine, as docs/design/0031 defines it: the oracle that the tracer, the circuit and the verifier in
 * Solidity are held against. It alters the state's memory in place and gives the rest anew.
 */
import { alterImmediate, alterRegisters, compare } from './alu.ts';
import { bytesOf, LEAF_BYTES, leafOf } from './field.ts';
import {
  decodeInstruction,
  ECALL_WORD,
  type Instruction,
  immediateB,
  immediateI,
  immediateJ,
  immediateS,
  immediateU,
  OPCODE,
} from './instruction.ts';
import { FLAG_FAIL, FLAG_OK, FLAG_RUN, type MachineState } from './machine-state.ts';
import { setWord, wordAt, wordsAt } from './memory.ts';

/** From here on memory takes no store and no answer. */
export const KEPT_PAGE_AT = 0xffff_f000;
/** Kinds of preimages that `read` may ask for. */
export const READ_KIND = { keccak: 0, blobElement: 1, ecrecover: 2 } as const;

/** What a step asked for, and the answer that it took. */
export interface Read {
  readonly kind: number;
  /** 32 bytes. */
  readonly key: Uint8Array;
  readonly offset: number;
  /** 16 bytes of the preimage from `offset` on, filled up with zeros. */
  readonly data: Uint8Array;
  /** Length of the whole preimage, in bytes, below 2^31. */
  readonly length: number;
}

/** Gives the preimage of a key. @throws whatever the caller shall see when there is none: that is no outcome of a step */
export type Preimages = (kind: number, key: Uint8Array) => Uint8Array;

export interface Stepped {
  readonly state: MachineState;
  /** Undefined for a step that asked nothing. */
  readonly read: Read | undefined;
}

const CALL = { exit: 0, output: 1, input: 2, read: 3 } as const;
const [A0, A1, A2, A3, A7] = [10, 11, 12, 13, 17] as const;

/** What an instruction does when it is no fault. */
interface Effect {
  readonly next?: number;
  readonly result?: number;
}

/** Makes one step. */
export function step(state: MachineState, preimages: Preimages): Stepped {
  if (state.flag !== FLAG_RUN) return { state, read: undefined };
  if (state.pc % 4 !== 0) return fault(state);
  const instruction = decodeInstruction(wordAt(state.memory, state.pc));
  if (instruction.word === ECALL_WORD) return call(state, preimages);
  const effect = effectOf(state, instruction);
  const next = effect?.next ?? after(state.pc);
  if (effect === undefined || next % 4 !== 0) return fault(state);
  const registers = Uint32Array.from(state.registers);
  if (effect.result !== undefined && instruction.rd !== 0) registers[instruction.rd] = effect.result;
  return { state: { ...state, registers, pc: next }, read: undefined };
}

/** @returns the preimage's 16 bytes from an offset on, filled up with zeros */
export function pieceAt(preimage: Uint8Array, offset: number): Uint8Array {
  const piece = new Uint8Array(LEAF_BYTES);
  if (offset < preimage.length) piece.set(preimage.subarray(offset, offset + LEAF_BYTES));
  return piece;
}

/** Stores write memory here, after all that could be a fault. */
function effectOf(state: MachineState, instruction: Instruction): Effect | undefined {
  const { opcode, funct3, funct7, rs1, rs2 } = instruction;
  const a = state.registers[rs1] ?? 0;
  const b = state.registers[rs2] ?? 0;
  switch (opcode) {
    case OPCODE.lui:
      return { result: immediateU(instruction) };
    case OPCODE.auipc:
      return { result: add(state.pc, immediateU(instruction)) };
    case OPCODE.jal:
      return { result: after(state.pc), next: add(state.pc, immediateJ(instruction)) };
    case OPCODE.jalr:
      return funct3 === 0 ? { result: after(state.pc), next: (add(a, immediateI(instruction)) & ~1) >>> 0 } : undefined;
    case OPCODE.branch: {
      const isTaken = compare(funct3, a, b);
      if (isTaken === undefined) return undefined;
      return isTaken ? { next: add(state.pc, immediateB(instruction)) } : {};
    }
    case OPCODE.load:
      return load(state, funct3, add(a, immediateI(instruction)));
    case OPCODE.store:
      return store(state, funct3, add(a, immediateS(instruction)), b);
    case OPCODE.opImmediate:
      return resultOf(alterImmediate(funct3, funct7, a, immediateI(instruction)));
    case OPCODE.op:
      return resultOf(alterRegisters(funct3, funct7, a, b));
    case OPCODE.fence:
      return {};
    default:
      return undefined;
  }
}

function load({ memory }: MachineState, funct3: number, address: number): Effect | undefined {
  const isUnsigned = funct3 >= 4;
  const size = sizeOf(isUnsigned ? funct3 - 4 : funct3);
  if (size === undefined || (isUnsigned && size === 4) || address % size !== 0) return undefined;
  const shifted = wordAt(memory, address) >>> (8 * (address & 3));
  if (size === 4) return { result: shifted };
  const unused = 32 - 8 * size;
  return { result: (isUnsigned ? (shifted << unused) >>> unused : (shifted << unused) >> unused) >>> 0 };
}

function store({ memory }: MachineState, funct3: number, address: number, value: number): Effect | undefined {
  const size = sizeOf(funct3);
  if (size === undefined || address % size !== 0 || address >= KEPT_PAGE_AT) return undefined;
  const shift = 8 * (address & 3);
  const mask = (size === 4 ? 0xffff_ffff : (1 << (8 * size)) - 1) << shift;
  setWord(memory, address, (wordAt(memory, address) & ~mask) | ((value << shift) & mask));
  return {};
}

function call(state: MachineState, preimages: Preimages): Stepped {
  const [a0, a1] = [state.registers[A0] ?? 0, state.registers[A1] ?? 0];
  const next = { ...state, pc: after(state.pc) };
  const half = a1 * LEAF_BYTES;
  switch (state.registers[A7]) {
    case CALL.exit:
      return { state: { ...state, flag: a0 === 0 ? FLAG_OK : FLAG_FAIL }, read: undefined };
    case CALL.output: {
      if (a0 % LEAF_BYTES !== 0 || a1 > 1) return fault(state);
      const output = Uint8Array.from(state.output);
      output.set(bytesOf(state.memory.leafAt(a0)), half);
      return { state: { ...next, output }, read: undefined };
    }
    case CALL.input:
      if (!isDestination(a0) || a1 > 1) return fault(state);
      state.memory.setLeaf(a0, leafOf(state.input.subarray(half, half + LEAF_BYTES)));
      return { state: next, read: undefined };
    case CALL.read:
      return readCall(state, preimages);
    default:
      return fault(state);
  }
}

function readCall(state: MachineState, preimages: Preimages): Stepped {
  const [kind, keyAt, offset, to] = [A0, A1, A2, A3].map((index) => state.registers[index] ?? 0) as [
    number,
    number,
    number,
    number,
  ];
  const isKnown = kind <= READ_KIND.ecrecover;
  if (!isKnown || keyAt % (2 * LEAF_BYTES) !== 0 || offset % LEAF_BYTES !== 0 || !isDestination(to))
    return fault(state);
  const key = wordsAt(state.memory, keyAt);
  const preimage = preimages(kind, key);
  const data = pieceAt(preimage, offset);
  state.memory.setLeaf(to, leafOf(data));
  const registers = Uint32Array.from(state.registers);
  registers[A0] = preimage.length;
  return {
    state: { ...state, registers, pc: after(state.pc) },
    read: { kind, key, offset, data, length: preimage.length },
  };
}

function fault(state: MachineState): Stepped {
  return { state: { ...state, flag: FLAG_FAIL }, read: undefined };
}

function isDestination(address: number): boolean {
  return address % LEAF_BYTES === 0 && address < KEPT_PAGE_AT;
}

function sizeOf(funct3: number): 1 | 2 | 4 | undefined {
  return funct3 === 0 ? 1 : funct3 === 1 ? 2 : funct3 === 2 ? 4 : undefined;
}

function resultOf(result: number | undefined): Effect | undefined {
  return result === undefined ? undefined : { result };
}

function add(a: number, b: number): number {
  return (a + b) >>> 0;
}

function after(pc: number): number {
  return add(pc, 4);
}
