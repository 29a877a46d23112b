/** An instruction word of RV32IM taken apart. All numbers are unsigned 32 bits, immediates too. */
export interface Instruction {
  readonly opcode: number;
  readonly rd: number;
  readonly funct3: number;
  readonly rs1: number;
  readonly rs2: number;
  readonly funct7: number;
  readonly word: number;
}

export const OPCODE = {
  lui: 0x37,
  auipc: 0x17,
  jal: 0x6f,
  jalr: 0x67,
  branch: 0x63,
  load: 0x03,
  store: 0x23,
  opImmediate: 0x13,
  op: 0x33,
  fence: 0x0f,
} as const;
/** The one legal word of opcode SYSTEM. */
export const ECALL_WORD = 0x0000_0073;

export function decodeInstruction(word: number): Instruction {
  return {
    opcode: word & 0x7f,
    rd: (word >>> 7) & 0x1f,
    funct3: (word >>> 12) & 7,
    rs1: (word >>> 15) & 0x1f,
    rs2: (word >>> 20) & 0x1f,
    funct7: word >>> 25,
    word: word >>> 0,
  };
}

export function immediateI({ word }: Instruction): number {
  return (word >> 20) >>> 0;
}

export function immediateS({ word }: Instruction): number {
  return (((word >> 25) << 5) | ((word >>> 7) & 0x1f)) >>> 0;
}

export function immediateB({ word }: Instruction): number {
  return (
    (((word >> 31) << 12) |
      (((word >>> 7) & 1) << 11) |
      (((word >>> 25) & 0x3f) << 5) |
      (((word >>> 8) & 0xf) << 1)) >>>
    0
  );
}

export function immediateU({ word }: Instruction): number {
  return (word & 0xffff_f000) >>> 0;
}

export function immediateJ({ word }: Instruction): number {
  return (
    (((word >> 31) << 20) |
      (((word >>> 12) & 0xff) << 12) |
      (((word >>> 20) & 1) << 11) |
      (((word >>> 21) & 0x3ff) << 1)) >>>
    0
  );
}
