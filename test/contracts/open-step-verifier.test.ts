import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AbiCoder, Interface } from 'ethers';
import { OpenStepVerifierAbi, OpenStepVerifierInitCode } from '../../contracts/generated/OpenStepVerifier.ts';
import { createGenesisMachine } from '../../machine/host/genesis-machine.ts';
import type { Hex } from '../../protocol/brand.ts';
import { FIELD_MODULUS } from '../../protocol/dispute/field.ts';
import { FLAG_FAIL, FLAG_OK, FLAG_RUN, type OpenedState, openState } from '../../protocol/dispute/machine-state.ts';
import { type Read, step } from '../../protocol/dispute/step.ts';
import { encodeOpening, witnessOf } from '../../protocol/dispute/step-witness.ts';
import { bytesToHex, hexToBytes } from '../../protocol/rollup/bytes.ts';
import { CHAIN_ID, rules, testGenesis } from '../unit/appliance/rollup/execute/chain-fixture.ts';
import { createTwins } from '../unit/machine/machine-fixture.ts';
import { createDraw, type Draw, randomState } from './random-step.ts';

const STEPS = 150;
const GAS = 16_000_000n;
/** The page promises at most 4 million for the second verifier. */
const MOST_GAS = 4_000_000n;
const NO_READ = 0xffff_ffff;
const AT: Hex = '0x00000000000000000000000000000000000d1590';
const NOBODY: Hex = '0x0000000000000000000000000000000000000000';

const genesis = await testGenesis();
const { machine, header } = createTwins(genesis, rules, { chainId: CHAIN_ID, fork: 'cancun', p256: false });
const contract = new Interface(OpenStepVerifierAbi as never);
const deployed = createGenesisMachine(machine).construct(
  { address: AT, creation: hexToBytes(OpenStepVerifierInitCode as Hex), nonce: 1n } as never,
  { header: header.serialize(), accounts: [] } as never,
);

interface Claim {
  readonly pre: OpenedState;
  readonly post: OpenedState;
  readonly read: Read | undefined;
  readonly proof: Uint8Array;
  /** Words of the proof that every such step needs: registers and root; where pc is one, the leaf at pc with its path. */
  readonly neededWords: number;
}
interface Verdict {
  readonly isTrue: boolean;
  readonly gasUsed: bigint;
}

const tuple = ({ core, input, output, flag }: OpenedState): unknown[] => [
  `0x${core.toString(16).padStart(64, '0')}`,
  input,
  output,
  flag,
];
const readTuple = (read: Read | undefined): unknown[] =>
  read === undefined
    ? [NO_READ, new Uint8Array(32), 0, new Uint8Array(16), 0]
    : [read.kind, read.key, read.offset, read.data, read.length];

/** What the contract says; a call that reverts says no. */
function verify({ pre, post, read, proof }: Omit<Claim, 'neededWords'>): Verdict {
  assert.ok(deployed?.code);
  const data = hexToBytes(
    contract.encodeFunctionData('verify', [tuple(pre), tuple(post), readTuple(read), proof]) as Hex,
  );
  const call = { from: NOBODY, to: AT, gas: GAS, gasPrice: 0n, value: 0n, data, accessList: [] };
  const [result] = machine.simulate(header.serialize(), [{ call, accounts: [{ address: AT, code: deployed.code }] }]);
  assert.ok(result);
  if (result.outcome !== 'ok') return { isTrue: false, gasUsed: result.gasUsed };
  const [isTrue] = AbiCoder.defaultAbiCoder().decode(['bool'], result.output);
  return { isTrue, gasUsed: result.gasUsed };
}

/** A drawn step as the oracle makes it. */
function claim(draw: Draw): Claim {
  const state = randomState(draw);
  const pre = openState(state);
  const proof = encodeOpening(witnessOf(state));
  const preimage = Uint8Array.from({ length: draw(70) }, () => draw(256));
  const stepped = step(state, () => preimage);
  return { pre, post: openState(stepped.state), read: stepped.read, proof, neededWords: state.pc % 4 === 0 ? 35 : 6 };
}

const changed = (bytes: Uint8Array, at: number): Uint8Array => {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
};

/** Everything that is said of a step, made wrong one by one. */
function* lies(truth: Claim, draw: Draw): Generator<[string, Claim]> {
  const { pre, post, read, proof, neededWords } = truth;
  yield ['another core', { ...truth, post: { ...post, core: (post.core + 1n) % FIELD_MODULUS } }];
  yield ['the core before', { ...truth, pre: { ...pre, core: (pre.core + 1n) % FIELD_MODULUS } }];
  yield ['another output', { ...truth, post: { ...post, output: changed(post.output, draw(32)) } }];
  yield ['another input', { ...truth, post: { ...post, input: changed(post.input, draw(32)) } }];
  for (const flag of [FLAG_RUN, FLAG_OK, FLAG_FAIL] as const)
    if (flag !== post.flag) yield [`flag ${flag}`, { ...truth, post: { ...post, flag } }];
  if (read) {
    yield ['no read', { ...truth, read: undefined }];
    yield ['another kind', { ...truth, read: { ...read, kind: (read.kind + 1) % 3 } }];
    yield ['another key', { ...truth, read: { ...read, key: changed(read.key, draw(32)) } }];
    yield ['another offset', { ...truth, read: { ...read, offset: read.offset + 16 } }];
    yield ['another answer', { ...truth, read: { ...read, data: changed(read.data, draw(16)) } }];
    yield ['another length', { ...truth, read: { ...read, length: read.length + 1 } }];
  } else {
    const invented = { kind: 0, key: new Uint8Array(32), offset: 0, data: new Uint8Array(16), length: 0 };
    yield ['a read that was none', { ...truth, read: invented }];
  }
  if (pre.flag === FLAG_RUN)
    yield ['another word of the proof', { ...truth, proof: changed(proof, draw(neededWords * 32)) }];
}

test('the verifier in Solidity makes the steps that the oracle makes, and believes nothing else', (t) => {
  const seed = Number(process.env.NECTAR_TEST_SEED ?? 1);
  t.diagnostic(`seed ${seed}`);
  const draw = createDraw(seed);
  const seen = { ran: 0, faulted: 0, asked: 0, mostGas: 0n };
  for (let index = 0; index < STEPS; index++) {
    const truth = claim(draw);
    const { isTrue, gasUsed } = verify(truth);
    assert.ok(isTrue, `seed ${seed}, step ${index}: the truth is refused`);
    if (truth.post.flag === FLAG_RUN) seen.ran++;
    if (truth.pre.flag === FLAG_RUN && truth.post.flag === FLAG_FAIL) seen.faulted++;
    if (truth.read) seen.asked++;
    if (gasUsed > seen.mostGas) seen.mostGas = gasUsed;
    const all = [...lies(truth, draw)];
    const [name, lie] = all[draw(all.length)] ?? assert.fail();
    assert.equal(verify(lie).isTrue, false, `seed ${seed}, step ${index}: ${name} is believed`);
  }
  t.diagnostic(JSON.stringify({ ...seen, mostGas: String(seen.mostGas) }));
  assert.ok(seen.ran > STEPS / 4 && seen.faulted > 5 && seen.asked > 0, 'steps of every kind were drawn');
  assert.ok(seen.mostGas <= MOST_GAS, `${seen.mostGas} gas`);
});

/** A drawn step that reads a preimage and goes on, and so needs every word of its proof. */
function readingClaim(): { truth: Claim; draw: Draw } {
  for (let seed = 1; ; seed++) {
    const draw = createDraw(seed);
    const truth = claim(draw);
    if (truth.read !== undefined) return { truth, draw };
  }
}

test('every lie about one step of a read is refused', () => {
  const { truth, draw } = readingClaim();
  assert.ok(verify(truth).isTrue);
  for (const [name, lie] of lies(truth, draw)) assert.equal(verify(lie).isTrue, false, name);
  for (let word = 0; word < truth.proof.length / 32; word++) {
    assert.equal(verify({ ...truth, proof: changed(truth.proof, 32 * word + 31) }).isTrue, false, `word ${word}`);
  }
});

test('a number beyond the field stands for no other', () => {
  const { truth } = readingClaim();
  const beyond = (state: OpenedState): OpenedState => ({ ...state, core: state.core + FIELD_MODULUS });
  assert.ok(verify(truth).isTrue);
  assert.equal(verify({ ...truth, post: beyond(truth.post) }).isTrue, false);
  assert.equal(verify({ ...truth, pre: beyond(truth.pre), post: beyond(truth.post) }).isTrue, false);
  const proof = Uint8Array.from(truth.proof);
  // The lowest sibling of the leaf at pc, plus the modulus where that fits into a word.
  const from = 32 * 7;
  const sibling = BigInt(bytesToHex(proof.subarray(from, from + 32))) + FIELD_MODULUS;
  proof.set(hexToBytes(`0x${sibling.toString(16).padStart(64, '0')}`), from);
  assert.equal(verify({ ...truth, proof }).isTrue, false);
  assert.equal(verify({ ...truth, proof: truth.proof.subarray(0, -1) }).isTrue, false);
  assert.equal(verify({ ...truth, proof: new Uint8Array() }).isTrue, false);
});
