/** What the emitters of one function share: locals for registers, and the ways out. */
import { type GuestFunction, isCall, type Program } from './program.ts';
import { createWasmWriter, type WasmWriter } from './wasm-writer.ts';

/** Why a run stopped, in the two lowest bits of the pc that it leaves. */
export const STOP = {
  /** A function returned. */
  none: 0,
  /** No budget for the block that begins here, or no block here. */
  here: 1,
  /** In the middle of a block: the instruction here is made by the oracle. The budget has been charged for the whole block. */
  within: 3,
} as const;

/** Globals of a translated module: x1 to x31, then these. */
export const GLOBALS = { pc: 31, budget: 32, depth: 33, count: 34 } as const;

export interface FunctionScope {
  readonly out: WasmWriter;
  readonly program: Program;
  readonly own: GuestFunction;
  readonly temporary: number;
  readonly budget: number;
  /** A store in WebAssembly is for addresses from here on, to there. */
  readonly storeFrom: number;
  readonly storeTo: number;
  register(number: number): void;
  /** Takes the value from the stack. */
  setRegister(number: number): void;
  constant(value: number): void;
  pcOf(index: number): number;
  /** Labels between here and the function's end: kept by emit-control.ts. */
  exitDepth: number;
  /** Leaves for the oracle, at the instruction, when what `condition` pushes is not 0. */
  exitIf(index: number, condition: () => void): void;
  /** Leaves with the pc that is on the stack, lowest bits included. */
  exit(): void;
  spill(): void;
  reload(): void;
}

const [DROP, GET, SET, GLOBAL_GET, GLOBAL_SET, CONST, BR, BR_IF] = [0x1a, 0x20, 0x21, 0x23, 0x24, 0x41, 0x0c, 0x0d];
/** A call takes its arguments, and a hint, from registers. */
const CALL_REGISTERS = [10, 11, 12, 13, 14, 17] as const;

export function createFunctionScope(
  program: Program,
  own: GuestFunction,
  bounds: { readonly storeFrom: number; readonly storeTo: number },
): FunctionScope {
  const out = createWasmWriter();
  const registers = registersOf(program, own);
  // Local 0 is the block to begin with.
  const localOf = new Map([...registers].map((register, index) => [register, index + 1]));
  const budget = registers.size + 1;
  const local = (op: number, number: number): void => {
    out.op(op);
    out.unsigned(number);
  };
  const constant = (value: number): void => {
    out.op(CONST);
    out.signed(value);
  };
  const scope: FunctionScope = {
    out,
    program,
    own,
    budget,
    temporary: budget + 1,
    ...bounds,
    exitDepth: 0,
    constant,
    pcOf: (index) => (program.textAt + 4 * index) >>> 0,
    register: (number) => (number === 0 ? constant(0) : local(GET, localOf.get(number) ?? 0)),
    setRegister: (number) => (number === 0 ? out.op(DROP) : local(SET, localOf.get(number) ?? 0)),
    exitIf(index, condition) {
      constant(scope.pcOf(index) | STOP.within);
      condition();
      out.op(BR_IF);
      out.unsigned(scope.exitDepth);
      out.op(DROP);
    },
    exit() {
      out.op(BR);
      out.unsigned(scope.exitDepth);
    },
    spill() {
      for (const [register, index] of localOf) {
        local(GET, index);
        local(GLOBAL_SET, register - 1);
      }
      local(GET, budget);
      local(GLOBAL_SET, GLOBALS.budget);
    },
    reload() {
      for (const [register, index] of localOf) {
        local(GLOBAL_GET, register - 1);
        local(SET, index);
      }
      local(GLOBAL_GET, GLOBALS.budget);
      local(SET, budget);
    },
  };
  return scope;
}

/** How many locals a function has besides its parameter. */
export function localsOf({ temporary }: FunctionScope): number {
  return temporary;
}

function registersOf({ instructions }: Program, { from, to }: GuestFunction): ReadonlySet<number> {
  const registers = new Set<number>();
  for (let index = from; index < to; index += 1) {
    const instruction = instructions[index];
    if (instruction === undefined) continue;
    for (const register of [instruction.rd, instruction.rs1, instruction.rs2]) registers.add(register);
    if (isCall(instruction)) for (const register of CALL_REGISTERS) registers.add(register);
  }
  registers.delete(0);
  return registers;
}
