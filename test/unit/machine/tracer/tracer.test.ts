import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { parseImage } from '../../../../machine/tracer/image.ts';
import { createPoseidon2 } from '../../../../machine/tracer/poseidon2.ts';
import { createTracer } from '../../../../machine/tracer/tracer.ts';
import { translateImage } from '../../../../machine/tracer/translate.ts';
import type { StepWitness } from '../../../../machine/tracer/types.ts';
import { ecrecover } from '../../../../protocol/dispute/ecrecover.ts';
import { hashPair } from '../../../../protocol/dispute/field.ts';
import {
  FLAG_OK,
  FLAG_RUN,
  type MachineState,
  openState,
  stateHash,
} from '../../../../protocol/dispute/machine-state.ts';
import { createMemory, rootFrom } from '../../../../protocol/dispute/memory.ts';
import { type Preimages, step } from '../../../../protocol/dispute/step.ts';
import { poseidonModule } from './guest-fixture.ts';
import { DATA_AT, elfOf, TEXT_AT } from './random-programs.ts';

const PREIMAGE = Uint8Array.from({ length: 100 }, (_, index) => index + 1);
const INPUT = keccak_256(PREIMAGE);
const preimages: Preimages = () => PREIMAGE;
const poseidon2 = createPoseidon2(poseidonModule);
const [A0, A1, A2, A3, A7, X5, X6] = [10, 11, 12, 13, 17, 5, 6] as const;

const addi = (rd: number, rs1: number, value: number): number => (0x13 | (rd << 7) | (rs1 << 15) | (value << 20)) >>> 0;
const lui = (rd: number, value: number): number => (0x37 | (rd << 7) | value) >>> 0;
const sw = (rs2: number, rs1: number): number => (0x2023 | (rs1 << 15) | (rs2 << 20)) >>> 0;
const lw = (rd: number, rs1: number): number => (0x2003 | (rd << 7) | (rs1 << 15)) >>> 0;
const ECALL = 0x73;
/** bne x6, x0, -16 */
const LOOP = 0xfe03_18e3;

/** Takes the input, reads what it is the hash of, then writes to a page after another, and ends well. */
const PROGRAM = Uint32Array.of(
  ...[lui(A0, DATA_AT), addi(A1, 0, 0), addi(A7, 0, 2), ECALL, addi(A0, A0, 16), addi(A1, 0, 1), ECALL],
  ...[lui(A1, DATA_AT), addi(A0, 0, 0), addi(A2, 0, 96), lui(A3, DATA_AT), addi(A7, 0, 3), ECALL],
  ...[lui(X5, DATA_AT), addi(X6, 0, 40), lui(7, 0x1000), sw(X6, X5), 0x0072_82b3, addi(X6, X6, -1), lw(8, X5), LOOP],
  ...[lui(A0, DATA_AT), addi(A1, 0, 1), addi(A7, 0, 1), ECALL, addi(A0, 0, 0), addi(A7, 0, 0), ECALL],
);
const image = translateImage(parseImage(elfOf(PROGRAM)));

function trace() {
  return createTracer({ image, poseidon2 }, { input: INPUT, preimages });
}

function startOfOracle(): MachineState {
  const memory = createMemory(image.image.segments);
  return {
    registers: new Uint32Array(32),
    pc: TEXT_AT,
    memory,
    input: INPUT,
    output: new Uint8Array(32),
    flag: FLAG_RUN,
  };
}

/** All state hashes by the oracle until it halts, the last one included. */
function hashesOfOracle(): Uint8Array[] {
  let state = startOfOracle();
  const hashes = [stateHash(openState(state))];
  while (state.flag === FLAG_RUN) {
    state = step(state, preimages).state;
    hashes.push(stateHash(openState(state)));
  }
  assert.equal(state.flag, FLAG_OK);
  return hashes;
}

test('points of any range are the states of the oracle, and a halted machine repeats itself', () => {
  const hashes = hashesOfOracle();
  const at = (step: number): Uint8Array | undefined => hashes[Math.min(step, hashes.length - 1)];
  const tracer = trace();
  for (const [from, width] of [
    [0, 2 ** 35],
    [0, 7],
    [21, 3],
    [24, 1],
    [150, 40],
    [2, 1],
    [0, 2 ** 35],
  ] as const) {
    const points = tracer.tracePoints(BigInt(from), BigInt(width));
    assert.deepEqual(
      points,
      Array.from({ length: 32 }, (_, index) => at(from + (index + 1) * width)),
    );
  }
  assert.deepEqual(stateHash(tracer.openAt(0n)), hashes[0]);
  assert.throws(() => tracer.openAt(2n ** 40n + 1n), RangeError);
});

function assertWitness(witness: StepWitness, before: MachineState): MachineState {
  assert.deepEqual(witness.pre, openState(before));
  const stepped = step(before, preimages);
  assert.deepEqual(witness.post, openState(stepped.state));
  assert.deepEqual(witness.read, stepped.read);
  assert.deepEqual(witness.preimage, stepped.read && PREIMAGE);
  let root = witness.memoryRoot;
  for (const { address, leaf, after, path } of witness.leaves) {
    assert.equal(rootFrom(address, leaf, path), witness.memoryRoot);
    if (after !== leaf) root = rootFrom(address, after, path);
  }
  assert.equal(root, witness.postMemoryRoot);
  return stepped.state;
}

test('the witness of each kind of step opens what the step touches, and leads to its end', () => {
  const tracer = trace();
  const touched: number[] = [];
  let state = startOfOracle();
  // Up to the second round of the loop, and some steps of the halted machine.
  for (let at = 0; at < 24; at += 1) {
    const witness = tracer.witnessAt(BigInt(at));
    touched.push(witness.leaves.length);
    state = assertWitness(witness, state);
  }
  // An instruction alone; with a written leaf (input, store); with what is loaded; with two leaves of a key and the answer's.
  assert.deepEqual(touched.slice(0, 22), [1, 1, 1, 2, 1, 1, 2, 1, 1, 1, 1, 1, 4, 1, 1, 1, 2, 1, 1, 2, 1, 2]);
  const halted = tracer.witnessAt(2n ** 39n);
  assert.deepEqual([halted.leaves, halted.post], [[], halted.pre]);
});

test('Poseidon2 in WebAssembly is that of the protocol, at the edges of the field too', () => {
  const modulus = 0x30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001n;
  const encode = (value: bigint): Uint8Array =>
    Uint8Array.from({ length: 32 }, (_, index) => Number((value >> BigInt(8 * index)) & 0xffn));
  const numbers = [0n, 1n, modulus - 1n, 2n ** 253n, 2n ** 128n - 1n, 2n ** 232n, 2n ** 29n - 1n];
  let last = 5n;
  for (let index = 0; index < 40; index += 1) {
    last = hashPair(last, modulus - last);
    numbers.push(last);
  }
  const pairs = numbers.flatMap((left) => [[left, modulus - 1n - left] as const, [left, left] as const]);
  const hashed = poseidon2.hashPairs(pairs.map(([left, right]) => [encode(left), encode(right)]));
  assert.deepEqual(
    hashed,
    pairs.map(([left, right]) => encode(hashPair(left, right))),
  );
});

test('recovery answers as precompile 0x01 does', () => {
  // CallEcrecover0 of execution-spec-tests: s is above half of the order, which the precompile takes.
  const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'));
  const digest = '18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c';
  const r = '73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f';
  const s = 'eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549';
  const word = (value: number): string => value.toString(16).padStart(64, '0');
  const answer = ecrecover(bytes(digest + word(28) + r + s));
  assert.deepEqual(answer, bytes(`${'00'.repeat(12)}a94f5374fce5edbc8e2a8697c15331677e6ebf0b`));
  const order = 'fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141';
  for (const none of [
    word(29) + r + s,
    word(0) + r + s,
    word(28) + word(0) + s,
    word(28) + r + word(0),
    word(28) + order + s,
    word(28) + r + order,
  ])
    assert.deepEqual(ecrecover(bytes(digest + none)), new Uint8Array());
});
