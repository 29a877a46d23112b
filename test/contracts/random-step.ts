/** Machines that are about to make a step of a drawn kind, with data where it looks. */

import { decodeInstruction, immediateI, immediateS } from '../../protocol/dispute/instruction.ts';
import { FLAG_FAIL, FLAG_OK, FLAG_RUN, type Flag, type MachineState } from '../../protocol/dispute/machine-state.ts';
import { createMemory, setWord } from '../../protocol/dispute/memory.ts';

/** 0 <= number < bound. */
export type Draw = (bound: number) => number;

/** xorshift32: the same numbers for the same seed. */
export function createDraw(seed: number): Draw {
  let state = seed >>> 0 || 1;
  return (bound) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % bound;
  };
}

const ECALL = 0x73;
const EDGES = [0, 1, 2, 3, 15, 16, 31, 32, 33, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xffff_fffe, 0xffff, 0x1_0000];
const OPCODES = [0x37, 0x17, 0x6f, 0x67, 0x63, 0x63, 0x03, 0x03, 0x23, 0x23, 0x13, 0x13, 0x33, 0x33, 0x33, 0x33, 0x0f];
const ADDRESSES = [0x2000, 0x2010, 0xffff_efe0, 0xffff_f000, 0xffff_fff0, 0, 0x8000_0000];
const SMALL = 64;

/** @param draw where all chance comes from */
export function randomState(draw: Draw): MachineState {
  const pick = <T>(values: readonly T[]): T => values[draw(values.length)] as T;
  const word = (): number => (draw(0x1_0000) * 0x1_0000 + draw(0x1_0000)) >>> 0;
  const value = (): number =>
    draw(2) === 0 ? pick(EDGES) : draw(3) === 0 ? pick(ADDRESSES) : draw(2) === 0 ? draw(SMALL) : word();
  const registers = Uint32Array.from({ length: 32 }, (_, index) => (index === 0 ? 0 : value()));
  const memory = createMemory();
  const pc = draw(24) === 0 ? word() : (word() & ~3) >>> 0;
  let instruction = randomInstruction(draw, word);
  if (draw(4) === 0) {
    instruction = ECALL;
    prepareCall(registers, draw);
  }
  for (let index = 0; index < 3; index++) setWord(memory, word() & ~3, word());
  const fields = decodeInstruction(instruction);
  const immediate = fields.opcode === 0x23 ? immediateS(fields) : immediateI(fields);
  const data = ((registers[fields.rs1] ?? 0) + immediate) >>> 0;
  for (const base of [data, registers[10] ?? 0, registers[11] ?? 0]) {
    for (let index = 0; index < 4; index++) setWord(memory, ((base & ~15) + 4 * index) >>> 0, word());
  }
  setWord(memory, (pc & ~3) >>> 0, instruction);
  const flag: Flag = draw(40) === 0 ? pick([FLAG_OK, FLAG_FAIL]) : FLAG_RUN;
  const bytes = (): Uint8Array => Uint8Array.from({ length: 32 }, () => draw(256));
  return { registers, pc, memory, input: bytes(), output: bytes(), flag };
}

function randomInstruction(draw: Draw, word: () => number): number {
  if (draw(16) === 0) return word();
  const opcode = OPCODES[draw(OPCODES.length)] ?? 0;
  const funct7 = draw(6) === 0 ? draw(128) : ([0, 0, 1, 1, 32][draw(5)] ?? 0);
  const rs1 = draw(32);
  const rs2 = draw(5) === 0 ? rs1 : draw(32);
  return ((funct7 << 25) | (rs2 << 20) | (rs1 << 15) | (draw(8) << 12) | (draw(32) << 7) | opcode) >>> 0;
}

/** Mostly legal: a register that is wrong is one of five. */
function prepareCall(registers: Uint32Array, draw: Draw): void {
  const number = draw(8) === 0 ? draw(1 << 16) : draw(4);
  const [from, to] = [0x2000 + 32 * draw(4), 0x2000 + 16 * draw(8)];
  registers[17] = number;
  const wanted: Record<number, readonly number[]> =
    number === 3 ? { 10: [draw(3)], 11: [from], 12: [16 * draw(5)], 13: [to] } : { 10: [draw(2) * to], 11: [draw(2)] };
  for (const [index, [legal = 0]] of Object.entries(wanted)) if (draw(8) !== 0) registers[Number(index)] = legal;
}
