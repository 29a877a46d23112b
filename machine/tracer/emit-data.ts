/** What an instruction does to registers and memory, as WebAssembly. Jumps are in emit-control.ts. */
import { alterImmediate, alterRegisters } from '../../protocol/dispute/alu.ts';
import { type Instruction, immediateI, immediateS, immediateU, OPCODE } from '../../protocol/dispute/instruction.ts';
import type { FunctionScope } from './function-scope.ts';

/** i32: add, shl, lt_s, lt_u, xor, shr_u, or, and. */
const ALTER = [0x6a, 0x74, 0x48, 0x49, 0x73, 0x76, 0x72, 0x71] as const;
const [SUB, SHR_S, MUL, DIV_S, DIV_U, REM_S, REM_U, ROTR] = [0x6b, 0x75, 0x6c, 0x6d, 0x6e, 0x6f, 0x70, 0x78] as const;
const [GET, SET, EQZ, EQ, GE_U, AND, SHR_U, OR] = [0x20, 0x21, 0x45, 0x46, 0x4f, 0x71, 0x76, 0x72] as const;
const [IF_VALUE, ELSE, END] = [[0x04, 0x7f], 0x05, 0x0b] as const;
const [EXTEND_S, EXTEND_U, MUL_64, SHR_U_64, WRAP] = [0xac, 0xad, 0x7e, 0x88, 0xa7] as const;
/** By funct3: load8_s, load16_s, load, none, load8_u, load16_u; store8, store16, store. */
const LOADS = [0x2c, 0x2e, 0x28, 0, 0x2d, 0x2f] as const;
const STORES = [0x3a, 0x3b, 0x36] as const;
const PAGE_BITS = 12;

/** Emits it; false for what is no legal instruction, or a jump. */
export function emitData(scope: FunctionScope, instruction: Instruction, index: number): boolean {
  const { opcode, rd } = instruction;
  switch (opcode) {
    case OPCODE.fence:
      return true;
    case OPCODE.lui:
    case OPCODE.auipc:
      scope.constant(immediateU(instruction) + (opcode === OPCODE.auipc ? scope.pcOf(index) : 0));
      scope.setRegister(rd);
      return true;
    case OPCODE.opImmediate:
      return emitImmediate(scope, instruction);
    case OPCODE.op:
      return emitRegisters(scope, instruction);
    case OPCODE.load:
      return emitLoad(scope, instruction, index);
    case OPCODE.store:
      return emitStore(scope, instruction, index);
    default:
      return false;
  }
}

function emitImmediate(scope: FunctionScope, instruction: Instruction): boolean {
  const { funct3, funct7, rd, rs1 } = instruction;
  if (alterImmediate(funct3, funct7, 0, 0) === undefined) return false;
  scope.register(rs1);
  scope.constant(immediateI(instruction) & (funct3 === 1 || funct3 === 5 ? 31 : -1));
  scope.out.op(funct3 === 5 && funct7 !== 0 ? SHR_S : (ALTER[funct3] ?? 0));
  scope.setRegister(rd);
  return true;
}

function emitRegisters(scope: FunctionScope, instruction: Instruction): boolean {
  const { funct3, funct7, rd, rs1, rs2 } = instruction;
  if (alterRegisters(funct3, funct7, 1, 1) === undefined) return false;
  if (funct7 === 1 && funct3 > 3) emitDivision(scope, instruction);
  else if (funct7 === 1 && funct3 > 0) emitHighProduct(scope, instruction);
  else {
    scope.register(rs1);
    scope.register(rs2);
    const isAlternate = funct7 > 1;
    scope.out.op(funct7 === 1 ? MUL : isAlternate ? (funct3 === 0 ? SUB : SHR_S) : (ALTER[funct3] ?? 0));
  }
  scope.setRegister(rd);
  return true;
}

function emitHighProduct({ out, register }: FunctionScope, { funct3, rs1, rs2 }: Instruction): void {
  register(rs1);
  out.op(funct3 === 3 ? EXTEND_U : EXTEND_S);
  register(rs2);
  out.op(funct3 === 1 ? EXTEND_S : EXTEND_U, MUL_64, 0x42, 32, SHR_U_64, WRAP);
}

/** WebAssembly traps where RISC-V has answers: division by zero, and the one signed overflow. */
function emitDivision({ out, register, constant }: FunctionScope, { funct3, rs1, rs2 }: Instruction): void {
  const isRemainder = funct3 > 5;
  const divide = (op: number): void => {
    register(rs1);
    register(rs2);
    out.op(op);
  };
  register(rs2);
  out.op(EQZ, ...IF_VALUE);
  if (isRemainder) register(rs1);
  else constant(-1);
  out.op(ELSE);
  if (funct3 === 5 || funct3 === 7 || isRemainder) divide(funct3 === 5 ? DIV_U : funct3 === 7 ? REM_U : REM_S);
  else {
    register(rs2);
    constant(-1);
    out.op(EQ, ...IF_VALUE);
    constant(0);
    register(rs1);
    out.op(SUB, ELSE);
    divide(DIV_S);
    out.op(END);
  }
  out.op(END);
}

function emitLoad(scope: FunctionScope, instruction: Instruction, index: number): boolean {
  const { funct3, rs1, rd } = instruction;
  const op = LOADS[funct3];
  if (op === undefined || op === 0) return false;
  const { out } = scope;
  const bits = funct3 & 3;
  emitAddress(scope, rs1, immediateI(instruction));
  if (bits > 0) {
    out.op(SET);
    out.unsigned(scope.temporary);
    scope.exitIf(index, () => {
      out.op(GET);
      out.unsigned(scope.temporary);
      scope.constant((1 << bits) - 1);
      out.op(AND);
    });
    out.op(GET);
    out.unsigned(scope.temporary);
  }
  out.op(op, bits, 0);
  scope.setRegister(rd);
  return true;
}

/** One comparison says whether the address is aligned, above the text and below the page that is kept. */
function emitStore(scope: FunctionScope, instruction: Instruction, index: number): boolean {
  const { funct3, rs1, rs2 } = instruction;
  const op = STORES[funct3];
  if (op === undefined) return false;
  const { out, temporary } = scope;
  emitAddress(scope, rs1, immediateS(instruction));
  out.op(SET);
  out.unsigned(temporary);
  scope.exitIf(index, () => {
    out.op(GET);
    out.unsigned(temporary);
    scope.constant(scope.storeFrom);
    out.op(SUB);
    if (funct3 > 0) {
      scope.constant(funct3);
      out.op(ROTR);
    }
    scope.constant((scope.storeTo - scope.storeFrom) >>> funct3);
    out.op(GE_U);
  });
  out.op(GET);
  out.unsigned(temporary);
  scope.constant(PAGE_BITS);
  out.op(SHR_U);
  scope.constant(1);
  // In the second memory: the flags of altered pages are at its start.
  out.op(STORES[0], 0x40, 1, 0, GET);
  out.unsigned(temporary);
  scope.register(rs2);
  out.op(op, funct3, 0);
  return true;
}

function emitAddress(scope: FunctionScope, base: number, offset: number): void {
  scope.register(base);
  if (offset === 0) return;
  scope.constant(offset);
  scope.out.op(ALTER[0]);
}

export const OPS = { GET, SET, OR, EQZ, AND, GE_U, SHR_U, SUB, END } as const;
