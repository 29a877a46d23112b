/**
 * Runs a translated image to any step exactly. Translated code makes whole blocks; `step` of protocol/dispute, the oracle, makes what
 * is left of one, every fault and all calls but reads.
 */
import { FLAG_RUN, type Flag, type MachineState } from '../../protocol/dispute/machine-state.ts';
import type { HashedMemory } from '../../protocol/dispute/memory.ts';
import {
  KEPT_PAGE_AT,
  type Preimages,
  pieceAt,
  type Stepped,
  step as stepByOracle,
} from '../../protocol/dispute/step.ts';
import { type WasmGlobal, WebAssembly } from '../host/web-assembly.ts';
import { GLOBALS, STOP } from './function-scope.ts';
import { createGuestMemory, type GuestMemory } from './guest-memory.ts';
import type { TranslatedImage } from './translate.ts';

/** All of a state but its memory. */
export interface HartState {
  readonly registers: Uint32Array;
  readonly pc: number;
  readonly output: Uint8Array;
  readonly flag: Flag;
}

export interface Hart {
  readonly memory: GuestMemory;
  state(): HartState;
  setState(state: HartState): void;
  /** Makes so many steps; fewer only when it halts. Returns how many it made. Throws what the preimages throw: then the state is lost. */
  run(steps: number): number;
  /** One step by the oracle on a memory that the caller watches. */
  stepOn(memory: HashedMemory): Stepped;
}

type Exports = Record<string, WasmGlobal> & { readonly enter: (block: number, functionNumber: number) => void };

/** WebAssembly counts in signed 32 bits. */
const MAX_BUDGET = 0x7fff_ffff;
/** Calls of the guest on V8's stack: 1 MB of it is enough for frames of 3 KB. */
const MAX_DEPTH = 256;
const REGISTERS = 32;
const [A0, A1, A2, A3, A7] = [10, 11, 12, 13, 17] as const;
const CALL_READ = 3;
const KEY_BYTES = 32;
const LEAF_BYTES = 16;

export function createHart(
  translated: TranslatedImage,
  { input, preimagesOf }: { readonly input: Uint8Array; readonly preimagesOf: (hart: Hart) => Preimages },
): Hart {
  const { image, program } = translated;
  const memory = createGuestMemory(translated);
  let [output, flag]: [Uint8Array, Flag] = [new Uint8Array(KEY_BYTES), FLAG_RUN];
  const globals: WasmGlobal[] = [];
  const global = (index: number): WasmGlobal => globals[index] as WasmGlobal;
  const register = (number: number): number => global(number - 1).value >>> 0;

  /** A read that is no fault; the rest is left to the oracle. */
  function call(): number {
    if (register(A7) !== CALL_READ) return 1;
    const [kind, keyAt, offset, to] = [register(A0), register(A1), register(A2), register(A3)];
    const isPlain = kind <= 2 && keyAt % KEY_BYTES === 0 && offset % LEAF_BYTES === 0 && to % LEAF_BYTES === 0;
    if (!isPlain || to < translated.storeFrom || to >= KEPT_PAGE_AT) return 1;
    const preimage = preimages(kind, memory.view(keyAt, KEY_BYTES));
    memory.write(to, pieceAt(preimage, offset));
    global(A0 - 1).value = preimage.length;
    return 0;
  }

  const exports = new WebAssembly.Instance(translated.module, {
    host: { call, memory: memory.memory, tables: memory.tables },
  }).exports as Exports;
  for (let index = 0; index < GLOBALS.count; index += 1) globals.push(exports[`g${index}`] as WasmGlobal);

  function state(): HartState {
    const registers = new Uint32Array(REGISTERS);
    for (let number = 1; number < REGISTERS; number += 1) registers[number] = register(number);
    return { registers, pc: global(GLOBALS.pc).value >>> 0, output, flag };
  }

  function setState(next: HartState): void {
    for (let number = 1; number < REGISTERS; number += 1) global(number - 1).value = (next.registers[number] ?? 0) | 0;
    global(GLOBALS.pc).value = next.pc | 0;
    output = next.output;
    flag = next.flag;
  }

  function stepOn(hashed: HashedMemory): Stepped {
    const before: MachineState = { ...state(), memory: hashed, input };
    const stepped = stepByOracle(before, preimages);
    setState(stepped.state);
    return stepped;
  }

  /** Enters translated code at the pc, if some begins there and fits; returns the steps that it made. */
  function enter(limit: number): number {
    const pc = global(GLOBALS.pc).value >>> 0;
    const index = (pc - program.textAt) >>> 2;
    const block = pc % 4 === 0 && index < program.instructions.length ? (program.blockOf[index] ?? -1) : -1;
    if (block < 0 || memory.isTextAltered()) return 0;
    const budget = Math.min(limit, MAX_BUDGET);
    global(GLOBALS.budget).value = budget;
    global(GLOBALS.depth).value = MAX_DEPTH;
    exports.enter(block, program.functionOf[index] ?? 0);
    const left = global(GLOBALS.pc).value >>> 0;
    const stopped = (left & ~3) >>> 0;
    global(GLOBALS.pc).value = stopped | 0;
    const refund = (left & 3) === STOP.within ? blockEnd((stopped - program.textAt) >>> 2) : 0;
    return budget - (global(GLOBALS.budget).value + refund);
  }

  /** Instructions from this one to the end of its block. */
  function blockEnd(index: number): number {
    let end = index + 1;
    while (end < program.instructions.length && (program.blockOf[end] ?? -1) < 0) end += 1;
    return end - index;
  }

  function run(steps: number): number {
    let made = 0;
    while (made < steps && flag === FLAG_RUN) {
      const translatedSteps = enter(steps - made);
      made += translatedSteps;
      if (translatedSteps > 0 || made === steps) continue;
      stepOn(plain);
      made += 1;
    }
    return made;
  }

  const plain: HashedMemory = {
    leafAt: memory.leafAt,
    setLeaf: memory.setLeaf,
    root: () => 0n,
    pathTo: () => [],
  };
  const hart: Hart = { memory, state, setState, run, stepOn };
  const preimages = preimagesOf(hart);
  for (const { address, bytes } of image.segments) memory.load(address, bytes);
  global(GLOBALS.pc).value = image.entry | 0;
  return hart;
}
