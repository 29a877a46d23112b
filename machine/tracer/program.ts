/**
 * The text of an image as functions and blocks, for translation. What is found decides only speed: a jump to where no block begins is
 * made step by step until one does.
 */
import {
  decodeInstruction,
  ECALL_WORD,
  type Instruction,
  immediateB,
  immediateI,
  immediateJ,
  immediateU,
  OPCODE,
} from '../../protocol/dispute/instruction.ts';
import type { Image } from './image.ts';

/** A run of instructions, by index from the text's start; `blocks` are the indices where one may enter. */
export interface GuestFunction {
  readonly from: number;
  readonly to: number;
  readonly blocks: readonly number[];
}

export interface Program {
  readonly textAt: number;
  readonly instructions: readonly Instruction[];
  readonly functions: readonly GuestFunction[];
  /** By instruction: its function; and its place among the function's blocks, or -1. */
  readonly functionOf: Int32Array;
  readonly blockOf: Int32Array;
}

/** Longer blocks are cut: what is left of a block when a run ends is made step by step. */
const MAX_BLOCK = 128;
const SP = 2;

export function readProgram({ text, segments, entry }: Image): Program {
  const words = new DataView(text.bytes.buffer, text.bytes.byteOffset, text.bytes.length);
  const count = text.bytes.length >>> 2;
  const instructions = Array.from({ length: count }, (_, index) => decodeInstruction(words.getUint32(4 * index, true)));
  const indexOf = (address: number): number | undefined => {
    const offset = (address - text.address) >>> 0;
    return offset % 4 === 0 && offset >>> 2 < count ? offset >>> 2 : undefined;
  };
  const leaders = new Uint8Array(count + 1);
  const starts = new Set([0]);
  const lead = (address: number, isStart: boolean): void => {
    const index = indexOf(address);
    if (index === undefined) return;
    leaders[index] = 1;
    if (isStart || beginsFunction(instructions, index)) starts.add(index);
  };
  lead(entry, true);
  instructions.forEach((instruction, index) => {
    const pc = text.address + 4 * index;
    if (endsBlock(instruction)) leaders[index + 1] = 1;
    if (instruction.opcode === OPCODE.branch) lead(pc + immediateB(instruction), false);
    if (instruction.opcode === OPCODE.jal) lead(pc + immediateJ(instruction), instruction.rd !== 0);
    const far = farTarget(instruction, instructions[index + 1], pc);
    if (far !== undefined) lead(far.address, far.isCall);
  });
  for (const { bytes } of segments) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at + 4 <= bytes.length; at += 4) lead(view.getUint32(at, true), false);
  }
  return { textAt: text.address, instructions, ...cut(count, leaders, starts) };
}

/** Whether control may go elsewhere after it. */
export function endsBlock({ opcode }: Instruction): boolean {
  return opcode === OPCODE.branch || opcode === OPCODE.jal || opcode === OPCODE.jalr;
}

/** AUIPC or LUI with the instruction after it: a call or a jump too far for JAL, or the address of a function. */
function farTarget(
  first: Instruction,
  second: Instruction | undefined,
  pc: number,
): { readonly address: number; readonly isCall: boolean } | undefined {
  if (second === undefined || second.rs1 !== first.rd) return undefined;
  const base = first.opcode === OPCODE.auipc ? pc : first.opcode === OPCODE.lui ? 0 : undefined;
  const isJump = second.opcode === OPCODE.jalr;
  if (base === undefined || !(isJump || (second.opcode === OPCODE.opImmediate && second.funct3 === 0)))
    return undefined;
  return { address: (base + immediateU(first) + immediateI(second)) >>> 0, isCall: isJump && second.rd !== 0 };
}

/** Code that makes room on the stack, behind code that does not run into it. */
function beginsFunction(instructions: readonly Instruction[], index: number): boolean {
  const [before, own] = [instructions[index - 1], instructions[index]];
  const isEntered =
    before !== undefined && before.rd === 0 && (before.opcode === OPCODE.jal || before.opcode === OPCODE.jalr);
  const isPrologue =
    own?.opcode === OPCODE.opImmediate && own.funct3 === 0 && own.rd === SP && own.rs1 === SP && own.word >>> 31 === 1;
  return isEntered && isPrologue;
}

function cut(
  count: number,
  leaders: Uint8Array,
  starts: ReadonlySet<number>,
): Pick<Program, 'functions' | 'functionOf' | 'blockOf'> {
  const functionOf = new Int32Array(count);
  const blockOf = new Int32Array(count).fill(-1);
  const sorted = [...starts].filter((index) => index < count).sort((a, b) => a - b);
  const functions = sorted.map((from, number) => {
    const to = sorted[number + 1] ?? count;
    const blocks: number[] = [];
    for (let index = from; index < to; index += 1) {
      functionOf[index] = number;
      const last = blocks.at(-1);
      if (last !== undefined && leaders[index] !== 1 && index - last < MAX_BLOCK) continue;
      blockOf[index] = blocks.length;
      blocks.push(index);
    }
    return { from, to, blocks };
  });
  return { functions, functionOf, blockOf };
}

/** Whether an instruction is the environment call. */
export function isCall({ word }: Instruction): boolean {
  return word === ECALL_WORD;
}
