/** Arithmetic of RV32IM on unsigned 32-bit numbers; a result is unsigned, or undefined when no such instruction exists. */
const FUNCT7_ALTERNATE = 0x20;
const FUNCT7_MULTIPLY = 1;

/** OP-IMM: `b` is the sign-extended immediate; for the shifts funct7 tells which. */
export function alterImmediate(funct3: number, funct7: number, a: number, b: number): number | undefined {
  const isShift = funct3 === 1 || funct3 === 5;
  if (!isShift) return alter(funct3, false, a, b);
  if (funct7 === 0) return alter(funct3, false, a, b);
  return funct3 === 5 && funct7 === FUNCT7_ALTERNATE ? alter(funct3, true, a, b) : undefined;
}

/** OP, the M extension included. */
export function alterRegisters(funct3: number, funct7: number, a: number, b: number): number | undefined {
  if (funct7 === FUNCT7_MULTIPLY) return multiply(funct3, a, b);
  if (funct7 === 0) return alter(funct3, false, a, b);
  const hasAlternate = funct3 === 0 || funct3 === 5;
  return funct7 === FUNCT7_ALTERNATE && hasAlternate ? alter(funct3, true, a, b) : undefined;
}

/** Whether a branch is taken; undefined when no such branch exists. */
export function compare(funct3: number, a: number, b: number): boolean | undefined {
  switch (funct3) {
    case 0:
      return a === b;
    case 1:
      return a !== b;
    case 4:
      return (a | 0) < (b | 0);
    case 5:
      return (a | 0) >= (b | 0);
    case 6:
      return a < b;
    case 7:
      return a >= b;
    default:
      return undefined;
  }
}

function alter(funct3: number, isAlternate: boolean, a: number, b: number): number {
  switch (funct3) {
    case 0:
      return (isAlternate ? a - b : a + b) >>> 0;
    case 1:
      return (a << (b & 31)) >>> 0;
    case 2:
      return (a | 0) < (b | 0) ? 1 : 0;
    case 3:
      return a < b ? 1 : 0;
    case 4:
      return (a ^ b) >>> 0;
    case 5:
      return (isAlternate ? a >> (b & 31) : a >>> (b & 31)) >>> 0;
    case 6:
      return (a | b) >>> 0;
    default:
      return (a & b) >>> 0;
  }
}

function multiply(funct3: number, a: number, b: number): number {
  const [signedA, signedB] = [BigInt(a | 0), BigInt(b | 0)];
  const [unsignedA, unsignedB] = [BigInt(a), BigInt(b)];
  switch (funct3) {
    case 0:
      return Math.imul(a, b) >>> 0;
    case 1:
      return low((signedA * signedB) >> 32n);
    case 2:
      return low((signedA * unsignedB) >> 32n);
    case 3:
      return low((unsignedA * unsignedB) >> 32n);
    case 4:
      return b === 0 ? 0xffff_ffff : low(signedA / signedB);
    case 5:
      return b === 0 ? 0xffff_ffff : low(unsignedA / unsignedB);
    case 6:
      return b === 0 ? a : low(signedA % signedB);
    default:
      return b === 0 ? a : low(unsignedA % unsignedB);
  }
}

function low(value: bigint): number {
  return Number(BigInt.asUintN(32, value));
}
