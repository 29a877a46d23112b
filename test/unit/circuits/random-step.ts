/** Random states of the disputed machine in front of one step: every instruction, every call, every kind of fault, and edges. */
import { keccak_256 } from '@noble/hashes/sha3.js';
import { decodeInstruction, immediateI, immediateS } from '../../../protocol/dispute/instruction.ts';
import { FLAG_FAIL, FLAG_OK, FLAG_RUN, type Flag, type MachineState } from '../../../protocol/dispute/machine-state.ts';
import { createMemory, setWord } from '../../../protocol/dispute/memory.ts';
import { KEPT_PAGE_AT, type Preimages } from '../../../protocol/dispute/step.ts';
import { dataAddressOf } from '../../../protocol/dispute/step-opening.ts';

/** Numbers from a seed: xorshift of 32 bits. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  word(): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x >>> 0;
    // The low bits of xorshift alone are weak.
    return Math.imul(this.#state, 0x9e37_79b1) >>> 0;
  }

  below(bound: number): number {
    return Math.floor((this.word() / 2 ** 32) * bound);
  }

  chance(part: number): boolean {
    return this.word() < part * 2 ** 32;
  }

  of<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)];
    if (item === undefined) throw new RangeError('no items');
    return item;
  }

  bytes(length: number): Uint8Array {
    return Uint8Array.from({ length }, () => this.word() >>> 24);
  }
}

/** Operands at which arithmetic, comparisons, carries and addresses turn over. */
const EDGES = [
  0,
  1,
  2,
  3,
  4,
  0x10,
  0x1f,
  0x20,
  0x7f,
  0x80,
  0xff,
  0x7fff,
  0x8000,
  0xffff,
  0x7fff_ffff,
  0x8000_0000,
  0x8000_0001,
  0xffff_0000,
  0xffff_fffe,
  0xffff_ffff,
  KEPT_PAGE_AT,
  KEPT_PAGE_AT - 1,
  KEPT_PAGE_AT - 4,
  KEPT_PAGE_AT - 16,
  0xffff_fffc,
];
const OPCODES = [0x37, 0x17, 0x6f, 0x67, 0x63, 0x63, 0x03, 0x03, 0x23, 0x23, 0x13, 0x13, 0x33, 0x33, 0x33, 0x33, 0x0f];
const LEGAL_FUNCT3: Readonly<Record<number, readonly number[]>> = {
  103: [0],
  99: [0, 1, 4, 5, 6, 7],
  3: [0, 1, 2, 4, 5],
  35: [0, 1, 2],
};
const ECALL = 0x73;
const [A0, A1, A2, A3, A7] = [10, 11, 12, 13, 17] as const;

export interface BeforeStep {
  readonly state: MachineState;
  readonly preimages: Preimages;
}

/** A state that is about to make a step; what `read` asks for always has a preimage. */
export function randomStep(random: Random): BeforeStep {
  const memory = createMemory();
  const registers = Uint32Array.from({ length: 32 }, (_, index) => (index === 0 ? 0 : operand(random)));
  const pc = random.chance(0.02) ? random.word() : programCounter(random);
  const word = random.chance(0.15) ? ECALL : instruction(random);
  if (isAccess(word) && random.chance(0.8)) alignBase(word, registers);
  if (word === ECALL) prepareCall(random, registers);
  memory.setLeaf(pc, leaf(random));
  setWord(memory, pc, word);
  const state = { registers, pc, memory };
  // What the step touches has contents, its own instruction excepted; the rest of memory is zeros.
  for (const address of [dataAddressOf(state), registers[A1] ?? 0, (registers[A1] ?? 0) ^ 16]) {
    if (address >>> 4 !== pc >>> 4) memory.setLeaf(address, leaf(random));
  }
  const flag: Flag = random.chance(0.03) ? random.of([FLAG_OK, FLAG_FAIL]) : FLAG_RUN;
  const preimage = random.bytes(random.of([0, 1, 15, 16, 17, 31, 32, 300]));
  return {
    state: { ...state, input: random.bytes(32), output: random.bytes(32), flag },
    preimages: () => preimage,
  };
}

/** The same for one instruction word and given registers. */
export function stepOf(word: number, given: Readonly<Record<number, number>>): BeforeStep {
  const memory = createMemory();
  const registers = new Uint32Array(32);
  for (const [index, value] of Object.entries(given)) registers[Number(index)] = value;
  setWord(memory, 0x1000, word);
  memory.setLeaf(dataAddressOf({ registers, pc: 0x1000, memory }), 0x8f8e_8d8c_7b7a_7978_f7f6_f5f4_0302_0180n);
  setWord(memory, 0x1000, word);
  const bytes = keccak_256(Uint8Array.of(1));
  return {
    state: { registers, pc: 0x1000, memory, input: bytes, output: keccak_256(bytes), flag: FLAG_RUN },
    preimages: () => bytes.subarray(0, 20),
  };
}

function operand(random: Random): number {
  const choice = random.below(4);
  if (choice === 0) return random.of(EDGES);
  if (choice === 1) return (random.word() & ~0xf) >>> 0;
  if (choice === 2) return random.word() >>> random.below(32);
  return random.word();
}

function programCounter(random: Random): number {
  return ((random.chance(0.1) ? random.of(EDGES) : random.word()) & ~3) >>> 0;
}

function leaf(random: Random): bigint {
  const word = (): bigint => BigInt(operand(random));
  return word() | (word() << 32n) | (word() << 64n) | (word() << 96n);
}

function instruction(random: Random): number {
  if (random.chance(0.04)) return random.of([0, 0xffff_ffff, 0x0010_0073, 0x8000_0073, 0x0000_00f3, random.word()]);
  const opcode = random.chance(0.02) ? random.below(128) : random.of(OPCODES);
  const funct7 = random.chance(0.03) ? random.below(128) : random.of([0, 0, 1, 1, 1, 0x20]);
  const isLegal = random.chance(0.9);
  const funct3 = random.of((isLegal ? LEGAL_FUNCT3[opcode] : undefined) ?? [0, 1, 2, 3, 4, 5, 6, 7]);
  const hasFunct7 = opcode === 0x33 || (opcode === 0x13 && funct3 % 4 === 1 && isLegal);
  const fields = (random.word() & 0xffff_8f80) | (funct3 << 12) | opcode;
  return (hasFunct7 ? (fields & 0x01ff_ffff) | (funct7 << 25) : fields) >>> 0;
}

function isAccess(word: number): boolean {
  return [0x03, 0x23, 0x67].includes(word & 0x7f);
}

/** Makes the address of a load, a store or JALR a multiple of 4. */
function alignBase(word: number, registers: Uint32Array): void {
  const { opcode, rs1 } = decodeInstruction(word);
  if (rs1 === 0) return;
  const immediate = opcode === 0x23 ? immediateS(decodeInstruction(word)) : immediateI(decodeInstruction(word));
  registers[rs1] = (((registers[rs1] ?? 0) + immediate) & ~3) - immediate;
}

function prepareCall(random: Random, registers: Uint32Array): void {
  registers[A7] = random.chance(0.05) ? operand(random) : random.of([0, 1, 2, 3, 3, 3]);
  const isRead = registers[A7] === 3;
  const address = (unit: number): number =>
    random.chance(0.08) ? operand(random) : (operand(random) & ~(unit - 1)) >>> 0;
  const small = (bound: number): number => (random.chance(0.05) ? operand(random) : random.below(bound));
  registers[A0] = isRead ? small(3) : registers[A7] === 0 ? small(2) : address(16);
  registers[A1] = isRead ? address(32) : small(2);
  registers[A2] = random.chance(0.1) ? operand(random) : random.below(20) * 16;
  registers[A3] = address(16);
}
