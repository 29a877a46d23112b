import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Random, randomStep, stepOf } from './random-step.ts';
import { isAccepted, makeStep, mutateOne, mutations, solve } from './step-circuit.ts';

const SAMPLE = 60;
const MUTATED = 60;

describe('the circuit of a step', () => {
  it('takes what the oracle says of random steps', async () => {
    const random = new Random(31);
    for (let count = 0; count < SAMPLE; count++) await solve(makeStep(randomStep(random)));
  });
  it('takes every OP, at the edges', async () => {
    const edges = [0, 1, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff];
    const random = new Random(5);
    for (const funct7 of [0, 1, 0x20])
      for (let funct3 = 0; funct3 < 8; funct3++) {
        const word = ((funct7 << 25) | (2 << 20) | (1 << 15) | (funct3 << 12) | (3 << 7) | 0x33) >>> 0;
        await solve(makeStep(stepOf(word, { 1: random.of(edges), 2: random.of(edges) })));
      }
  });
  it('refuses a read with any one value altered', async () => {
    const made = makeStep(stepOf(0x73, { 17: 3, 10: 2, 11: 0x2000, 12: 16, 13: 0x3000 }));
    assert.ok(made.read !== undefined);
    await solve(made);
    for (const { name, mutated } of mutations(made, 1n)) assert.equal(await isAccepted(mutated), false, name);
  });
  it('refuses random steps with a value altered', async () => {
    const random = new Random(32);
    for (let count = 0; count < MUTATED; count++) {
      const { name, mutated } = mutateOne(makeStep(randomStep(random)), random);
      assert.equal(await isAccepted(mutated), false, name);
    }
  });
  it('takes the half of the input that is asked for, and no other', async () => {
    for (const half of [0, 1]) {
      const made = makeStep(stepOf(0x73, { 17: 2, 10: 0x2000, 11: half }));
      assert.notEqual(made.pre.core, made.post.core);
      await solve(made);
      const publicInputs = made.publicInputs.map((value, at) => (at === 2 + half ? value + 1n : value));
      assert.equal(await isAccepted({ ...made, publicInputs }), false);
    }
  });
  it('refuses a flag above 2, a length of 2^31 and data of more than 16 bytes', async () => {
    const made = makeStep(stepOf(0x73, { 17: 3, 10: 0, 11: 0x2000, 12: 0, 13: 0x3000 }));
    const changed = (index: number, value: bigint): bigint[] =>
      made.publicInputs.map((input, at) => (at === index ? value : input));
    for (const [index, value] of [
      [8, 3n],
      [9, 3n],
      [14, 1n << 128n],
      [15, 1n << 31n],
    ] as const) {
      assert.equal(await isAccepted({ ...made, publicInputs: changed(index, value) }), false, `${index}`);
    }
  });
});
