/**
 * A bare RV32IM machine (RISC-V unprivileged ISA, version 20191213), interpreted: enough to run the machine's RISC-V build in tests.
 * Memory is flat, instructions are decoded once, and only `.text` can be run.
 */

/** What an environment call does: registers by number, memory, and how far it got. Returns an exit code to stop. */
export type EnvironmentCall = (hart: Hart) => number | undefined;

export interface Hart {
  /** x0 to x31; a0 is 10, a7 is 17. */
  readonly registers: Int32Array;
  readonly memory: Uint8Array;
  /** Instructions that ran. */
  steps: number;
}

interface Program {
  readonly entry: number;
  readonly segments: readonly { readonly address: number; readonly bytes: Uint8Array }[];
  readonly text: { readonly address: number; readonly size: number };
}

/** Reads a 32-bit little-endian ELF executable. Throws when it is none. */
export function parseElf(elf: Uint8Array): Program {
  const view = new DataView(elf.buffer, elf.byteOffset, elf.length);
  if (view.getUint32(0) !== 0x7f454c46 || elf[4] !== 1 || view.getUint16(18, true) !== 243)
    throw new Error('not a RISC-V ELF');
  const segments: Program['segments'][number][] = [];
  let text: Program['text'] | undefined;
  for (let i = 0; i < view.getUint16(44, true); i += 1) {
    const at = view.getUint32(28, true) + i * view.getUint16(42, true);
    if (view.getUint32(at, true) !== 1) continue;
    const [offset, address, size] = [4, 8, 16].map((field) => view.getUint32(at + field, true)) as [
      number,
      number,
      number,
    ];
    segments.push({ address, bytes: elf.subarray(offset, offset + size) });
    // The one executable segment.
    if ((view.getUint32(at + 24, true) & 1) !== 0) text = { address, size };
  }
  if (text === undefined) throw new Error('nothing to run');
  return { entry: view.getUint32(24, true), segments, text };
}

/** High half of an unsigned product. */
function mulhu(a: number, b: number): number {
  const [al, ah, bl, bh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const [high, low] = [Math.imul(ah, bl) >>> 0, Math.imul(al, bh) >>> 0];
  const carry = (Math.imul(al, bl) >>> 16) + (high & 0xffff) + (low & 0xffff);
  return (Math.imul(ah, bh) + (high >>> 16) + (low >>> 16) + (carry >>> 16)) | 0;
}

function mulh(a: number, b: number): number {
  return (mulhu(a, b) - (a < 0 ? b : 0) - (b < 0 ? a : 0)) | 0;
}

function mulhsu(a: number, b: number): number {
  return (mulhu(a, b) - (a < 0 ? b : 0)) | 0;
}

/** The M extension, by funct3. Division by zero and overflow give what the ISA says. */
function multiply(funct3: number, a: number, b: number): number {
  switch (funct3) {
    case 0:
      return Math.imul(a, b);
    case 1:
      return mulh(a, b);
    case 2:
      return mulhsu(a, b);
    case 3:
      return mulhu(a, b);
    case 4:
      return b === 0 ? -1 : (a / b) | 0;
    case 5:
      return b === 0 ? -1 : ((a >>> 0) / (b >>> 0)) | 0;
    case 6:
      return b === 0 ? a : b === -1 ? 0 : a % b;
    default:
      return b === 0 ? a : ((a >>> 0) % (b >>> 0)) | 0;
  }
}

function arithmetic(funct3: number, isAlternate: boolean, a: number, b: number): number {
  switch (funct3) {
    case 0:
      return isAlternate ? (a - b) | 0 : (a + b) | 0;
    case 1:
      return a << b;
    case 2:
      return a < b ? 1 : 0;
    case 3:
      return a >>> 0 < b >>> 0 ? 1 : 0;
    case 4:
      return a ^ b;
    case 5:
      return isAlternate ? a >> b : a >>> b;
    case 6:
      return a | b;
    default:
      return a & b;
  }
}

function isTaken(funct3: number, a: number, b: number): boolean {
  switch (funct3) {
    case 0:
      return a === b;
    case 1:
      return a !== b;
    case 4:
      return a < b;
    case 5:
      return a >= b;
    case 6:
      return a >>> 0 < b >>> 0;
    default:
      return a >>> 0 >= b >>> 0;
  }
}

const OPCODE_MASK = 0x7f;

/** Runs a program to its exit; returns the exit code. Throws on an illegal instruction, a jump out of the text or too many steps. */
export function runRv32im(
  elf: Uint8Array,
  environmentCall: EnvironmentCall,
  { memoryBytes, maxSteps }: { readonly memoryBytes: number; readonly maxSteps: number },
): { readonly code: number; readonly steps: number } {
  const { entry, segments } = parseElf(elf);
  const buffer = new ArrayBuffer(memoryBytes);
  const memory = new Uint8Array(buffer);
  const words = new Int32Array(buffer);
  const halves = new Int16Array(buffer);
  const bytes = new Int8Array(buffer);
  for (const segment of segments) memory.set(segment.bytes, segment.address);
  const x = new Int32Array(32);
  const hart: Hart = { registers: x, memory, steps: 0 };
  let pc = entry;
  for (let steps = 0; steps < maxSteps; steps += 1) {
    const word = words[pc >>> 2] ?? 0;
    const rd = (word >>> 7) & 31;
    const funct3 = (word >>> 12) & 7;
    const a = x[(word >>> 15) & 31] ?? 0;
    const b = x[(word >>> 20) & 31] ?? 0;
    let next = (pc + 4) | 0;
    switch (word & OPCODE_MASK) {
      case 0x13: {
        const immediate = funct3 === 1 || funct3 === 5 ? (word >>> 20) & 31 : word >> 20;
        x[rd] = arithmetic(funct3, funct3 === 5 && word >>> 30 === 1, a, immediate);
        break;
      }
      case 0x33:
        x[rd] = word >>> 25 === 1 ? multiply(funct3, a, b) : arithmetic(funct3, word >>> 30 === 1, a, b);
        break;
      case 0x03: {
        const at = (a + (word >> 20)) >>> 0;
        const value = funct3 === 2 ? words[at >>> 2] : funct3 & 1 ? halves[at >>> 1] : bytes[at];
        x[rd] = funct3 === 4 ? (value ?? 0) & 0xff : funct3 === 5 ? (value ?? 0) & 0xffff : (value ?? 0);
        break;
      }
      case 0x23: {
        const at = (a + (((word >> 25) << 5) | rd)) >>> 0;
        if (funct3 === 2) words[at >>> 2] = b;
        else if (funct3 === 1) halves[at >>> 1] = b;
        else bytes[at] = b;
        break;
      }
      case 0x63:
        if (isTaken(funct3, a, b))
          next = pc + (((word >> 31) << 12) | ((word << 4) & 0x800) | ((word >>> 20) & 0x7e0) | ((word >>> 7) & 0x1e));
        break;
      case 0x37:
        x[rd] = word & 0xfffff000;
        break;
      case 0x17:
        x[rd] = (pc + (word & 0xfffff000)) | 0;
        break;
      case 0x6f:
        x[rd] = next;
        next = pc + (((word >> 31) << 20) | (word & 0xff000) | ((word >>> 9) & 0x800) | ((word >>> 20) & 0x7fe));
        break;
      case 0x67:
        next = (a + (word >> 20)) & ~1;
        x[rd] = (pc + 4) | 0;
        break;
      case 0x0f:
        break;
      case 0x73: {
        hart.steps = steps;
        const code = environmentCall(hart);
        if (code !== undefined) return { code, steps };
        break;
      }
      default:
        throw new Error(`illegal instruction ${word.toString(16)} at ${(pc >>> 0).toString(16)}`);
    }
    x[0] = 0;
    pc = next;
  }
  throw new Error(`no exit after ${maxSteps} steps`);
}
