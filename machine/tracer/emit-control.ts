/** Functions, blocks and jumps of a program as WebAssembly: a block is charged before it runs, so that a run stops exactly. */
import { type Instruction, immediateB, immediateI, immediateJ, OPCODE } from '../../protocol/dispute/instruction.ts';
import { emitData, OPS } from './emit-data.ts';
import { createFunctionScope, type FunctionScope, GLOBALS, localsOf, STOP } from './function-scope.ts';
import { type GuestFunction, isCall, type Program } from './program.ts';
import type { WasmWriter } from './wasm-writer.ts';

/** Where the second memory has, by instruction, function << 16 | block, or -1. */
export const TABLE_AT = 1 << 20;
/** The one imported function: a call that was answered gives 0. */
const CALL_IMPORT = 0;
export const FIRST_FUNCTION = 1;

const { GET, SET, OR, EQZ, AND, GE_U, SHR_U, SUB, END } = OPS;
const [BLOCK, LOOP, IF, RETURN, UNREACHABLE, BR, BR_TABLE, VOID, I32] = [
  0x02, 0x03, 0x04, 0x0f, 0x00, 0x0c, 0x0e, 0x40, 0x7f,
];
const [CALL, CALL_INDIRECT, RETURN_CALL, RETURN_CALL_INDIRECT] = [0x10, 0x11, 0x12, 0x13];
const [GLOBAL_GET, GLOBAL_SET, DROP, BR_IF, LT_S, NE, EQ, ADD, LOAD] = [
  0x23, 0x24, 0x1a, 0x0d, 0x48, 0x47, 0x46, 0x6a, 0x28,
];
/** i32: eq, ne, none, none, lt_s, ge_s, lt_u, ge_u. */
const BRANCHES = [0x46, 0x47, 0, 0, 0x48, 0x4e, 0x49, 0x4f] as const;
const RA = 1;

/** The place in a function: its block, and labels that the block opened. */
interface Place {
  readonly block: number;
  extra: number;
}

export function emitFunction(
  program: Program,
  own: GuestFunction,
  bounds: { storeFrom: number; storeTo: number },
): WasmWriter {
  const scope = createFunctionScope(program, own, bounds);
  const { out } = scope;
  const count = own.blocks.length;
  out.op(1);
  out.unsigned(localsOf(scope));
  out.op(I32);
  scope.reload();
  out.op(BLOCK, I32, LOOP, VOID);
  for (let block = 0; block < count; block += 1) out.op(BLOCK, VOID);
  out.op(GET, 0, BR_TABLE);
  out.unsigned(count);
  for (let block = 0; block < count; block += 1) out.unsigned(block);
  out.unsigned(count - 1);
  for (let block = 0; block < count; block += 1) {
    out.op(END);
    emitBlock(scope, { block, extra: 0 });
  }
  out.op(END, UNREACHABLE, END, GLOBAL_SET);
  out.unsigned(GLOBALS.pc);
  scope.spill();
  out.op(END);
  return out;
}

function emitBlock(scope: FunctionScope, place: Place): void {
  const { out, own, program, budget } = scope;
  const from = own.blocks[place.block] ?? own.from;
  const to = own.blocks[place.block + 1] ?? own.to;
  // Blocks to come, then the loop: the label behind is the function's end.
  scope.exitDepth = own.blocks.length - place.block;
  scope.constant(scope.pcOf(from) | STOP.here);
  local(out, GET, budget);
  scope.constant(to - from);
  out.op(LT_S, BR_IF);
  out.unsigned(scope.exitDepth);
  out.op(DROP);
  local(out, GET, budget);
  scope.constant(to - from);
  out.op(SUB);
  local(out, SET, budget);
  let falls = true;
  for (let index = from; index < to && falls; index += 1) {
    const instruction = program.instructions[index];
    if (instruction === undefined) continue;
    if (emitData(scope, instruction, index)) continue;
    falls = emitJump(scope, place, { instruction, index });
  }
  if (falls && place.block === own.blocks.length - 1) jumpTo(scope, place, scope.pcOf(to));
}

/** Emits what emit-data.ts does not; returns whether what follows can be reached. */
function emitJump(
  scope: FunctionScope,
  place: Place,
  { instruction, index }: { readonly instruction: Instruction; readonly index: number },
): boolean {
  const { opcode, funct3, rd } = instruction;
  const pc = scope.pcOf(index);
  if (isCall(instruction)) return emitCall(scope, index);
  if (opcode === OPCODE.branch && BRANCHES[funct3] !== 0) {
    const target = (pc + immediateB(instruction)) >>> 0;
    scope.register(instruction.rs1);
    scope.register(instruction.rs2);
    scope.out.op(BRANCHES[funct3] ?? 0, IF, VOID);
    nested(scope, place, () => (target % 4 === 0 ? jumpTo(scope, place, target) : fault(scope, index)));
    scope.out.op(END);
    return true;
  }
  if (opcode === OPCODE.jal && ((pc + immediateJ(instruction)) & 3) === 0) {
    const target = (pc + immediateJ(instruction)) >>> 0;
    if (rd === 0) jumpTo(scope, place, target);
    else link(scope, { rd, index }, target);
    return rd !== 0;
  }
  if (opcode === OPCODE.jalr && funct3 === 0) return emitIndirect(scope, place, { instruction, index });
  fault(scope, index);
  return false;
}

function nested(scope: FunctionScope, place: Place, emit: () => void): void {
  place.extra += 1;
  scope.exitDepth += 1;
  emit();
  place.extra -= 1;
  scope.exitDepth -= 1;
}

function fault(scope: FunctionScope, index: number): void {
  scope.constant(scope.pcOf(index) | STOP.within);
  scope.exit();
}

/** Jumps to a place that the program names. */
function jumpTo(scope: FunctionScope, place: Place, target: number): void {
  const { out, program, own } = scope;
  const index = indexOf(program, target);
  const block = index === undefined ? -1 : (program.blockOf[index] ?? -1);
  if (index === undefined || block < 0) {
    scope.constant(target | STOP.here);
    scope.exit();
    return;
  }
  if (index < own.from || index >= own.to) {
    scope.spill();
    scope.constant(block);
    out.op(RETURN_CALL);
    out.unsigned(FIRST_FUNCTION + (program.functionOf[index] ?? 0));
    return;
  }
  if (block > place.block) {
    out.op(BR);
    out.unsigned(block - place.block - 1 + place.extra);
    return;
  }
  scope.constant(block);
  local(out, SET, 0);
  out.op(BR);
  out.unsigned(own.blocks.length - 1 - place.block + place.extra);
}

/** JAL that keeps where to return to: a call of WebAssembly, as deep as the depth allows. */
function link(
  scope: FunctionScope,
  { rd, index }: { readonly rd: number; readonly index: number },
  target: number,
): void {
  const { out, program } = scope;
  scope.constant(scope.pcOf(index + 1));
  scope.setRegister(rd);
  const to = indexOf(program, target);
  const block = to === undefined ? -1 : (program.blockOf[to] ?? -1);
  scope.constant(target | STOP.here);
  if (to === undefined || block < 0) {
    scope.exit();
    return;
  }
  out.op(GLOBAL_GET);
  out.unsigned(GLOBALS.depth);
  out.op(EQZ, BR_IF);
  out.unsigned(scope.exitDepth);
  out.op(DROP);
  scope.spill();
  changeDepth(out, SUB);
  scope.constant(block);
  out.op(CALL);
  out.unsigned(FIRST_FUNCTION + (program.functionOf[to] ?? 0));
  comeBack(scope, index);
}

/** After a call: on where it returned to, or out. What is unwound keeps nothing: all registers are in globals. */
function comeBack(scope: FunctionScope, index: number): void {
  const { out } = scope;
  out.op(GLOBAL_GET);
  out.unsigned(GLOBALS.pc);
  scope.constant(scope.pcOf(index + 1));
  out.op(NE, IF, VOID, RETURN, END);
  changeDepth(out, ADD);
  scope.reload();
}

function changeDepth(out: WasmWriter, op: number): void {
  out.op(GLOBAL_GET);
  out.unsigned(GLOBALS.depth);
  out.op(0x41, 1, op, GLOBAL_SET);
  out.unsigned(GLOBALS.depth);
}

function emitIndirect(
  scope: FunctionScope,
  place: Place,
  { instruction, index }: { readonly instruction: Instruction; readonly index: number },
): boolean {
  const { out, temporary } = scope;
  const { rd, rs1 } = instruction;
  scope.register(rs1);
  scope.constant(immediateI(instruction));
  out.op(ADD);
  scope.constant(-2);
  out.op(AND);
  local(out, SET, temporary);
  scope.exitIf(index, () => {
    local(out, GET, temporary);
    scope.constant(2);
    out.op(AND);
  });
  if (rd === 0 && rs1 === RA) {
    local(out, GET, temporary);
    scope.exit();
    return false;
  }
  if (rd !== 0) {
    scope.constant(scope.pcOf(index + 1));
    scope.setRegister(rd);
  }
  lookUp(scope);
  if (rd === 0) enter(scope, place);
  else callEntry(scope, index);
  return rd !== 0;
}

/** The target in the temporary becomes its function and block; out where there is none. */
function lookUp(scope: FunctionScope): void {
  const { out, program, temporary } = scope;
  exitThereIf(scope, () => {
    local(out, GET, temporary);
    scope.constant(program.textAt);
    out.op(SUB);
    scope.constant(4 * program.instructions.length);
    out.op(GE_U);
  });
  exitThereIf(scope, () => {
    loadEntry(scope);
    scope.constant(-1);
    out.op(EQ);
  });
}

function loadEntry({ out, program, temporary, constant }: FunctionScope): void {
  local(out, GET, temporary);
  constant(program.textAt);
  out.op(SUB, LOAD, 0x42, 1);
  out.unsigned(TABLE_AT);
}

function exitThereIf(scope: FunctionScope, condition: () => void): void {
  const { out, temporary } = scope;
  local(out, GET, temporary);
  scope.constant(STOP.here);
  out.op(OR);
  condition();
  out.op(BR_IF);
  out.unsigned(scope.exitDepth);
  out.op(DROP);
}

/** A jump: within the function where the target is there, else without growing the stack. */
function enter(scope: FunctionScope, place: Place): void {
  const { out, own, program, temporary } = scope;
  loadEntry(scope);
  local(out, SET, temporary);
  local(out, GET, temporary);
  scope.constant(0xffff);
  out.op(AND);
  local(out, SET, 0);
  local(out, GET, temporary);
  scope.constant(16);
  out.op(SHR_U);
  scope.constant(program.functionOf[own.from] ?? 0);
  out.op(EQ, BR_IF);
  out.unsigned(own.blocks.length - 1 - place.block + place.extra);
  scope.spill();
  entryAsCall(scope, RETURN_CALL_INDIRECT);
}

function entryAsCall({ out, temporary, constant }: FunctionScope, op: number): void {
  local(out, GET, temporary);
  constant(0xffff);
  out.op(AND);
  local(out, GET, temporary);
  constant(16);
  out.op(SHR_U, op, 0, 0);
}

function callEntry(scope: FunctionScope, index: number): void {
  const { out, temporary } = scope;
  exitThereIf(scope, () => {
    out.op(GLOBAL_GET);
    out.unsigned(GLOBALS.depth);
    out.op(EQZ);
  });
  loadEntry(scope);
  local(out, SET, temporary);
  scope.spill();
  changeDepth(out, SUB);
  entryAsCall(scope, CALL_INDIRECT);
  comeBack(scope, index);
}

/** ECALL: the host answers what it can; the rest is the oracle's. */
function emitCall(scope: FunctionScope, index: number): boolean {
  const { out } = scope;
  scope.spill();
  scope.constant(scope.pcOf(index) | STOP.within);
  out.op(GLOBAL_SET);
  out.unsigned(GLOBALS.pc);
  out.op(CALL, CALL_IMPORT, IF, VOID, RETURN, END);
  scope.reload();
  return true;
}

function indexOf({ textAt, instructions }: Program, address: number): number | undefined {
  const offset = (address - textAt) >>> 0;
  return offset % 4 === 0 && offset >>> 2 < instructions.length ? offset >>> 2 : undefined;
}

function local(out: WasmWriter, op: number, number: number): void {
  out.op(op);
  out.unsigned(number);
}
