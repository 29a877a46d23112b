import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FIELD_MODULUS, hashPair, hashSix } from '../../../../protocol/dispute/field.ts';
import {
  FLAG_FAIL,
  FLAG_OK,
  FLAG_RUN,
  type MachineState,
  openState,
  stateHash,
} from '../../../../protocol/dispute/machine-state.ts';
import { createMemory, MEMORY_LEVELS, rootFrom, setWord, wordAt } from '../../../../protocol/dispute/memory.ts';
import { KEPT_PAGE_AT, step } from '../../../../protocol/dispute/step.ts';

const CODE_AT = 0x1000;
const ECALL = 0x0000_0073;
const noPreimages = (): Uint8Array => assert.fail('nothing is asked');

/** A machine that is about to run one word. */
function machineAt(word: number, registers: Record<number, number> = {}): MachineState {
  const memory = createMemory();
  setWord(memory, CODE_AT, word);
  const all = new Uint32Array(32);
  for (const [index, value] of Object.entries(registers)) all[Number(index)] = value;
  return {
    registers: all,
    pc: CODE_AT,
    memory,
    input: Uint8Array.from({ length: 32 }, (_, index) => index + 1),
    output: new Uint8Array(32),
    flag: FLAG_RUN,
  };
}

const registerType = (funct7: number, funct3: number): number =>
  (funct7 << 25) | (2 << 20) | (1 << 15) | (funct3 << 12) | (3 << 7) | 0x33;

function operate(funct7: number, funct3: number, a: number, b: number): number | undefined {
  const { state } = step(machineAt(registerType(funct7, funct3), { 1: a, 2: b }), noPreimages);
  return state.flag === FLAG_RUN ? state.registers[3] : undefined;
}

describe('the memory', () => {
  it('has the root that each leaf and its path lead to', () => {
    const memory = createMemory([{ address: 0xff0, bytes: Uint8Array.from({ length: 40 }, (_, index) => index) }]);
    memory.setLeaf(0xffff_fff0, 7n);
    for (const address of [0xff0, 0x1000, 0x1010, 0x1020, 0xffff_fff0, 0]) {
      const path = memory.pathTo(address);
      assert.equal(path.length, MEMORY_LEVELS);
      assert.equal(rootFrom(address, memory.leafAt(address), path), memory.root());
      assert.notEqual(rootFrom(address, memory.leafAt(address) + 1n, path), memory.root());
    }
  });
  it('hashes as the standard library of Noir does', () => {
    // poseidon2_permutation([0, 1, 2, 3])[0] and ([0, 0, 0, 0])[0] of the published test vectors of the BN254 instance.
    assert.equal(hashPair(0n, 0n), 0x18dfb8dc9b82229cff974efefc8df78b1ce96d9d844236b496785c698bc6732en);
    assert.notEqual(hashSix([0n, 0n, 0n, 0n, 0n, 0n]), hashPair(0n, 0n));
  });
});

describe('a step', () => {
  it('divides and multiplies at the edges as the standard says', () => {
    assert.equal(operate(1, 4, 7, 0), 0xffff_ffff);
    assert.equal(operate(1, 5, 7, 0), 0xffff_ffff);
    assert.equal(operate(1, 6, 7, 0), 7);
    assert.equal(operate(1, 7, 7, 0), 7);
    assert.equal(operate(1, 4, 0x8000_0000, 0xffff_ffff), 0x8000_0000);
    assert.equal(operate(1, 6, 0x8000_0000, 0xffff_ffff), 0);
    assert.equal(operate(1, 4, 0xffff_fff9, 2), 0xffff_fffd);
    assert.equal(operate(1, 6, 0xffff_fff9, 2), 0xffff_ffff);
    assert.equal(operate(1, 1, 0x8000_0000, 0x8000_0000), 0x4000_0000);
    assert.equal(operate(1, 2, 0xffff_ffff, 0xffff_ffff), 0xffff_ffff);
    assert.equal(operate(1, 3, 0xffff_ffff, 0xffff_ffff), 0xffff_fffe);
    assert.equal(operate(0, 5, 0x8000_0000, 33), 0x4000_0000);
    assert.equal(operate(32, 5, 0x8000_0000, 33), 0xc000_0000);
    assert.equal(operate(32, 0, 1, 2), 0xffff_ffff);
  });
  it('knows no other funct7', () => {
    for (const funct7 of [2, 16, 33, 64, 127])
      for (let funct3 = 0; funct3 < 8; funct3++) assert.equal(operate(funct7, funct3, 1, 2), undefined);
    for (const funct3 of [1, 2, 3, 4, 6, 7]) assert.equal(operate(32, funct3, 1, 2), undefined);
  });
  it('leaves x0 at 0', () => {
    const { state } = step(machineAt(0x0010_0013), noPreimages);
    assert.deepEqual([state.registers[0], state.pc, state.flag], [0, CODE_AT + 4, FLAG_RUN]);
  });
  it('fails, and changes nothing else, on what is no instruction', () => {
    for (const word of [0, 0xffff_ffff, 0x0010_0073, 0x0000_2063, 0x0000_3003, 0x0000_3023, 0x0000_1067]) {
      const before = machineAt(word);
      const core = openState(before).core;
      const { state } = step(before, noPreimages);
      assert.deepEqual([state.flag, openState(state).core], [FLAG_FAIL, core], word.toString(16));
    }
  });
  it('stores to no kept page and to no misaligned address', () => {
    const storeWord = 0x0020_a023; // sw x2, 0(x1)
    assert.equal(step(machineAt(storeWord, { 1: KEPT_PAGE_AT - 4, 2: 9 }), noPreimages).state.flag, FLAG_RUN);
    assert.equal(step(machineAt(storeWord, { 1: KEPT_PAGE_AT, 2: 9 }), noPreimages).state.flag, FLAG_FAIL);
    assert.equal(step(machineAt(storeWord, { 1: 0xffff_fffc, 2: 9 }), noPreimages).state.flag, FLAG_FAIL);
    assert.equal(step(machineAt(storeWord, { 1: 0x2002, 2: 9 }), noPreimages).state.flag, FLAG_FAIL);
  });
  it('loads and stores each size in its place', () => {
    const before = machineAt(0x0020_8123, { 1: 0x2000, 2: 0xabcd_ef87 }); // sb x2, 2(x1)
    setWord(before.memory, 0x2000, 0x1122_3344);
    const { state } = step(before, noPreimages);
    assert.equal(wordAt(state.memory, 0x2000), 0x1187_3344);
    const loads: [number, number][] = [
      [0x0020_8183, 0xffff_ff87], // lb
      [0x0020_c183, 0x87], // lbu
      [0x0020_9183, 0x1187], // lh
      [0x0000_a183, 0x1187_3344], // lw
    ];
    for (const [word, value] of loads) {
      const machine = machineAt(word, { 1: 0x2000 });
      setWord(machine.memory, 0x2000, 0x1187_3344);
      assert.equal(step(machine, noPreimages).state.registers[3], value, word.toString(16));
    }
  });
});

describe('a call', () => {
  it('ends well or badly, and stays ended', () => {
    for (const [code, flag] of [
      [0, FLAG_OK],
      [1, FLAG_FAIL],
    ] as const) {
      const { state } = step(machineAt(ECALL, { 10: code, 17: 0 }), noPreimages);
      assert.deepEqual([state.flag, state.pc], [flag, CODE_AT]);
      assert.equal(step(state, noPreimages).state, state);
    }
  });
  it('moves halves of input and output through memory', () => {
    const { state } = step(machineAt(ECALL, { 10: 0x3000, 11: 1, 17: 2 }), noPreimages);
    assert.equal(wordAt(state.memory, 0x3000), 0x1413_1211);
    setWord(state.memory, state.pc, ECALL);
    const registers = Uint32Array.from(state.registers);
    registers[17] = 1;
    const after = step({ ...state, registers }, noPreimages).state;
    assert.deepEqual([...after.output.subarray(16)], [...state.input.subarray(16)]);
    assert.deepEqual([...after.output.subarray(0, 16)], new Array(16).fill(0));
  });
  it('reads a piece of a preimage, and its length', () => {
    const preimage = Uint8Array.from({ length: 20 }, (_, index) => 100 + index);
    for (const [offset, first] of [
      [0, 100],
      [16, 116],
      [32, 0],
      [0xffff_fff0, 0],
    ] as const) {
      const machine = machineAt(ECALL, { 10: 0, 11: 0x4000, 12: offset, 13: 0x4000, 17: 3 });
      setWord(machine.memory, 0x4000, 0x0403_0201);
      const { state, read } = step(machine, (kind, key) => {
        assert.deepEqual([kind, key[0], key[3]], [0, 1, 4]);
        return preimage;
      });
      assert.equal(state.registers[10], 20);
      assert.equal(wordAt(state.memory, 0x4000) & 0xff, first);
      assert.equal(read?.key[0], 1);
    }
  });
  it('fails for addresses, kinds and halves that are none', () => {
    const wrong: Record<number, number>[] = [
      { 17: 4 },
      { 10: 8, 11: 0, 17: 1 },
      { 10: 16, 11: 2, 17: 1 },
      { 10: KEPT_PAGE_AT, 11: 0, 17: 2 },
      { 10: 3, 11: 0, 12: 0, 13: 0, 17: 3 },
      { 10: 16, 11: 0, 12: 0, 13: 0, 17: 3 },
      { 10: 0, 11: 16, 12: 0, 13: 0, 17: 3 },
      { 10: 0, 11: 0, 12: 8, 13: 0, 17: 3 },
      { 10: 0, 11: 0, 12: 0, 13: KEPT_PAGE_AT, 17: 3 },
    ];
    for (const registers of wrong) {
      assert.equal(step(machineAt(ECALL, registers), noPreimages).state.flag, FLAG_FAIL, JSON.stringify(registers));
    }
  });
});

describe('the hash of a state', () => {
  it('depends on every part, and refuses a second encoding of the core', () => {
    const opened = openState(machineAt(ECALL));
    const hash = (change: object): string => Buffer.from(stateHash({ ...opened, ...change })).toString('hex');
    const hashes = [
      hash({}),
      hash({ core: opened.core + 1n }),
      hash({ input: new Uint8Array(32) }),
      hash({ output: new Uint8Array(32).fill(1) }),
      hash({ flag: FLAG_FAIL }),
    ];
    assert.equal(new Set(hashes).size, hashes.length);
    assert.throws(() => hash({ core: opened.core + FIELD_MODULUS }), RangeError);
  });
});
