import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHart, type Hart, type HartState } from '../../../../machine/tracer/hart.ts';
import { parseImage } from '../../../../machine/tracer/image.ts';
import { translateImage } from '../../../../machine/tracer/translate.ts';
import { FLAG_FAIL, FLAG_OK, FLAG_RUN, type MachineState } from '../../../../protocol/dispute/machine-state.ts';
import { createMemory } from '../../../../protocol/dispute/memory.ts';
import { KEPT_PAGE_AT, step } from '../../../../protocol/dispute/step.ts';
import { createDice, type Dice } from '../random-blocks.ts';
import { DATA_AT, elfOf, randomProgram, TEXT_AT } from './random-programs.ts';

/** More by hand. */
const RUNS = Number(process.env.NECTAR_FUZZ_RUNS ?? 40);
const SEED = Number(process.env.NECTAR_FUZZ_SEED ?? 5);
const PREIMAGE = Uint8Array.of(1, 2, 3, 4, 5);
const preimages = () => PREIMAGE;

function start(words: Uint32Array, registers: Uint32Array): { hart: Hart; oracle: MachineState } {
  const image = parseImage(elfOf(words));
  const input = new Uint8Array(32).fill(7);
  const hart = createHart(translateImage(image), { input, preimagesOf: () => preimages });
  const state: HartState = { registers, pc: TEXT_AT, output: new Uint8Array(32), flag: FLAG_RUN };
  hart.setState(state);
  return { hart, oracle: { ...state, input, memory: createMemory(image.segments) } };
}

function runOracle(from: MachineState, steps: number): { state: MachineState; made: number } {
  let state = from;
  let made = 0;
  for (; made < steps && state.flag === FLAG_RUN; made += 1) state = step(state, preimages).state;
  return { state, made };
}

function assertEqual(hart: Hart, made: number, oracle: { state: MachineState; made: number }): void {
  const { memory, input: _, ...expected } = oracle.state;
  assert.deepEqual({ made, ...hart.state() }, { made: oracle.made, ...expected });
  for (const page of [TEXT_AT, DATA_AT, DATA_AT + 4096])
    for (let at = page; at < page + 4096; at += 16) assert.equal(hart.memory.leafAt(at), memory.leafAt(at));
}

function randomRegisters(dice: Dice, words: number): Uint32Array {
  const registers = Uint32Array.from({ length: 32 }, () => (dice.below(3) > 0 ? dice.below(64) : dice.below(2 ** 32)));
  registers.set([0, TEXT_AT + 4 * dice.below(words), DATA_AT + 2048]);
  registers.set([DATA_AT + 1024, DATA_AT + 1024 + 4 * dice.below(8)], 8);
  registers[31] = DATA_AT;
  return registers;
}

test('random programs stop at any step in the state of the oracle', (context) => {
  const dice = createDice(SEED);
  let steps = 0;
  for (let run = 0; run < RUNS; run += 1) {
    const words = randomProgram(dice, 40 + dice.below(100));
    const { hart, oracle } = start(words, randomRegisters(dice, words.length));
    let state = oracle;
    for (let stop = 0; stop < 8 && state.flag === FLAG_RUN; stop += 1) {
      const wanted = 1 + dice.below(300);
      const made = hart.run(wanted);
      const expected = runOracle(state, wanted);
      assertEqual(hart, made, expected);
      state = expected.state;
      steps += made;
    }
  }
  context.diagnostic(`${RUNS} programs, ${steps} steps`);
});

/** Runs words until they halt, in both; they must agree. */
function runBoth(words: readonly number[], registers: Record<number, number> = {}): MachineState {
  const all = new Uint32Array(32);
  for (const [number, value] of Object.entries(registers)) all[Number(number)] = value;
  const { hart, oracle } = start(Uint32Array.from(words), all);
  const made = hart.run(100);
  const expected = runOracle(oracle, 100);
  assertEqual(hart, made, expected);
  return expected.state;
}

const SW_X5_X6 = 0x0062_a023;
const LW_X7_X5 = 0x0002_a383;
const ECALL = 0x0000_0073;

test('the page that is kept takes no store and no answer, and can be loaded', () => {
  assert.equal(runBoth([LW_X7_X5, ECALL], { 5: KEPT_PAGE_AT }).flag, FLAG_OK);
  assert.equal(runBoth([SW_X5_X6, ECALL], { 5: KEPT_PAGE_AT - 4 }).flag, FLAG_OK);
  for (const at of [KEPT_PAGE_AT, 0xffff_fffc]) {
    const stored = runBoth([SW_X5_X6, ECALL], { 5: at });
    assert.equal(stored.flag, FLAG_FAIL);
    assert.equal(stored.pc, TEXT_AT);
    for (const a7 of [2, 3])
      assert.equal(runBoth([ECALL], { 10: at & -16, 11: 0, 13: at & -16, 17: a7 }).flag, FLAG_FAIL);
  }
});

test('a program that stores into its own text runs what it stored', () => {
  // The first word of the loop becomes an ECALL with a7 = 0: exit(a0).
  const ended = runBoth([0x0000_0013, SW_X5_X6, 0xff9f_f06f], { 5: TEXT_AT, 6: ECALL, 10: 1 });
  assert.equal(ended.flag, FLAG_FAIL);
  assert.equal(ended.pc, TEXT_AT);
});

test('a call that never comes back needs no stack of the host', () => {
  // jal x1, 0
  const { hart } = start(Uint32Array.of(0x0000_00ef), new Uint32Array(32));
  assert.equal(hart.run(3_000_000), 3_000_000);
  assert.equal(hart.state().pc, TEXT_AT);
});

test('division by zero and overflow, high products, shifts by more than 31 are as the ISA says', () => {
  const values = [0, 1, 2, 31, 32, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff, 0xdead_beef];
  const operation = (rd: number, funct3: number, funct7: number): number =>
    (0x33 | (rd << 7) | (funct3 << 12) | (5 << 15) | (6 << 20) | (funct7 << 25)) >>> 0;
  const all = [0, 1, 2, 3, 4, 5, 6, 7].flatMap((funct3) => [
    operation(7 + funct3, funct3, 0),
    operation(15 + funct3, funct3, 1),
  ]);
  const words = Uint32Array.of(...all, operation(23, 0, 0x20), operation(24, 5, 0x20));
  const { hart, oracle } = start(words, new Uint32Array(32));
  for (const a of values)
    for (const b of values) {
      const registers = new Uint32Array(32);
      registers.set([a, b], 5);
      hart.setState({ ...oracle, registers });
      assert.equal(hart.run(words.length), words.length);
      assert.deepEqual(hart.state().registers, runOracle({ ...oracle, registers }, words.length).state.registers);
    }
});
