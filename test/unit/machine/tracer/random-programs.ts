/** Random programs of a disputed machine: most words are instructions, some are nonsense, and jumps stay near. */
import type { Dice } from '../random-blocks.ts';

/** Where programs begin; their text is as long as they are. */
export const TEXT_AT = 0x1_0000;
/** A page that programs load from and store to; x8 and x9 point into it. */
export const DATA_AT = 0x2_0000;

const [LOAD, STORE, IMMEDIATE, OP, BRANCH, JAL, JALR, LUI, AUIPC, ECALL] = [
  0x03, 0x23, 0x13, 0x33, 0x63, 0x6f, 0x67, 0x37, 0x17, 0x73,
] as const;
const FUNCT7 = [0, 0x20, 1, 1] as const;
/** x8 and x9, mostly. */
const BASES = [8, 9, 9, 8, 8, 0, 2, 31] as const;

export function randomProgram(dice: Dice, length: number): Uint32Array {
  return Uint32Array.from({ length }, (_, index) => randomWord(dice, index, length));
}

/** A 32-bit little-endian ELF for RISC-V that has these words for its text, as the only segment. */
export function elfOf(words: Uint32Array): Uint8Array {
  const [headers, bytes] = [84, 4 * words.length];
  const elf = new Uint8Array(headers + bytes);
  const view = new DataView(elf.buffer);
  elf.set([0x7f, 0x45, 0x4c, 0x46, 1, 1, 1]);
  for (const [at, value] of [
    [16, 2],
    [18, 243],
    [40, 52],
    [42, 32],
    [44, 1],
  ] as const)
    view.setUint16(at, value, true);
  for (const [at, value] of [
    [20, 1],
    [24, TEXT_AT],
    [28, 52],
    [52, 1],
    [56, headers],
    [60, TEXT_AT],
    [64, TEXT_AT],
    [68, bytes],
    [72, bytes],
    [76, 5],
    [80, 4096],
  ] as const)
    view.setUint32(at, value, true);
  for (const [index, word] of words.entries()) view.setUint32(headers + 4 * index, word, true);
  return elf;
}

function randomWord(dice: Dice, index: number, length: number): number {
  const [rd, rs1, rs2, funct3] = [dice.below(32), dice.below(32), dice.below(32), dice.below(8)];
  const base = BASES[dice.below(BASES.length)] ?? 8;
  const register = (opcode: number, funct7: number): number =>
    (opcode | (rd << 7) | (funct3 << 12) | (rs1 << 15) | (rs2 << 20) | (funct7 << 25)) >>> 0;
  const immediate = (opcode: number, three: number, from: number, value: number, to = rd): number =>
    (opcode | (to << 7) | (three << 12) | (from << 15) | (value << 20)) >>> 0;
  const target = (dice.below(length) - index) * 4;
  const safe = rd === 8 || rd === 9 ? 10 : rd;
  switch (dice.below(24)) {
    case 0:
    case 1:
    case 2:
      return immediate(
        LOAD,
        [0, 1, 2, 4, 5, 2, 2, 3][dice.below(8)] ?? 2,
        base,
        dice.below(1024) & (dice.below(8) ? -4 : -1),
        safe,
      );
    case 3:
    case 4:
    case 5: {
      const offset = dice.below(1024) & (dice.below(8) ? -4 : -1);
      const size = dice.below(16) ? dice.below(3) : dice.below(8);
      return (STORE | ((offset & 31) << 7) | (size << 12) | (base << 15) | (rs2 << 20) | ((offset >> 5) << 25)) >>> 0;
    }
    case 6:
    case 7:
      return branch(target, { funct3: [0, 1, 4, 5, 6, 7, 1, 4][funct3] ?? 0, rs1, rs2 });
    case 8:
      return jal(target, dice.below(2) ? 1 : 0);
    case 9:
      return dice.below(3) ? immediate(JALR, 0, 1, 0, 0) : immediate(JALR, 0, rs1, dice.below(64), dice.below(2));
    case 10:
      return (LUI | (safe << 7) | (dice.below(1 << 20) << 12)) >>> 0;
    case 11:
      return (AUIPC | (safe << 7) | (dice.below(2) << 12)) >>> 0;
    case 12:
      return dice.below(20) ? immediate(IMMEDIATE, 0, 0, dice.below(4), 17) : ECALL;
    case 13:
      return dice.below(40) ? 0x0000_000f : dice.below(0x1_0000_0000);
    case 14:
    case 15:
    case 16:
    case 17: {
      const isShift = funct3 === 1 || funct3 === 5;
      return immediate(
        IMMEDIATE,
        funct3,
        rs1,
        isShift ? dice.below(32) | (funct3 === 5 && dice.below(2) ? 0x400 : 0) : dice.below(4096),
        safe,
      );
    }
    default: {
      const funct7 = FUNCT7[dice.below(4)] ?? 0;
      return (register(OP, funct7 === 0x20 && funct3 !== 0 && funct3 !== 5 ? 0 : funct7) & ~(31 << 7)) | (safe << 7);
    }
  }
}

function branch(offset: number, { funct3, rs1, rs2 }: { funct3: number; rs1: number; rs2: number }): number {
  const high = (((offset >> 12) & 1) << 31) | (((offset >> 5) & 0x3f) << 25);
  const low = (((offset >> 1) & 0xf) << 8) | (((offset >> 11) & 1) << 7);
  return (BRANCH | (funct3 << 12) | (rs1 << 15) | (rs2 << 20) | high | low) >>> 0;
}

function jal(offset: number, rd: number): number {
  const bits =
    (((offset >> 20) & 1) << 31) |
    (((offset >> 1) & 0x3ff) << 21) |
    (((offset >> 11) & 1) << 20) |
    (((offset >> 12) & 0xff) << 12);
  return (JAL | (rd << 7) | bits) >>> 0;
}
