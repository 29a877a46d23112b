import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { AbiCoder, id, toBeHex } from 'ethers';
import type { JsonRpc } from '../../../../../appliance/rollup/l1/json-rpc.ts';
import { openStepProver } from '../../../../../appliance/rollup/prove/node-prover.ts';
import { openStepProof } from '../../../../../appliance/rollup/prove/open-step-proof.ts';
import { keyHashOf } from '../../../../../appliance/rollup/prove/step-key.ts';
import { createStepProofs, type Disputed } from '../../../../../appliance/rollup/prove/step-proofs.ts';
import type { StepProver } from '../../../../../appliance/rollup/prove/step-prover.ts';
import { parseImage } from '../../../../../machine/tracer/image.ts';
import { createPoseidon2 } from '../../../../../machine/tracer/poseidon2.ts';
import { createTracer } from '../../../../../machine/tracer/tracer.ts';
import { translateImage } from '../../../../../machine/tracer/translate.ts';
import type { StepWitness } from '../../../../../machine/tracer/types.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { publicInputsOf } from '../../../../../protocol/dispute/step-opening.ts';
import { isNectarError, NectarError } from '../../../../../protocol/errors.ts';
import { bytesToHex } from '../../../../../protocol/rollup/bytes.ts';
import { isAccepted } from '../../../circuits/step-circuit.ts';
import { createDice } from '../../../machine/random-blocks.ts';
import { poseidonModule } from '../../../machine/tracer/guest-fixture.ts';
import { elfOf, randomProgram } from '../../../machine/tracer/random-programs.ts';

const at = (number: number): Hex => toBeHex(number, 20) as Hex;
const [MANAGER, OPEN, ZK, BOTH, HONK] = [at(1), at(2), at(3), at(4), at(5)];
const KEY = new Uint8Array([1, 2, 3]);
const PROOF = new Uint8Array([4, 5]);
const disputed = { parties: { parent: `0x${'77'.repeat(32)}` }, subject: { domain: { challengeManager: MANAGER } } };

/** An L1 whose contracts answer these calls, and refuse all others. */
function l1(named: Hex, keyHash = keyHashOf(KEY)): JsonRpc {
  const answers: Readonly<Record<string, Hex>> = {
    [`${MANAGER} verifierOf(bytes32)`]: named,
    [`${BOTH} first()`]: ZK,
    [`${BOTH} second()`]: OPEN,
    [`${ZK} HONK()`]: HONK,
    [`${HONK} KEY_HASH()`]: keyHash,
  };
  const bySelector = new Map(
    Object.entries(answers).map(([call, answer]) => {
      const [to, signature = ''] = call.split(' ');
      return [`${to}${id(signature).slice(0, 10)}`, answer] as const;
    }),
  );
  return {
    async call(method: string, [{ to, data }]: [{ to: Hex; data: Hex }]) {
      const answer = bySelector.get(`${to}${data.slice(0, 10)}`);
      if (answer === undefined) throw new NectarError('ROLLUP_L1_REFUSED', { method, code: 3 });
      return toBeHex(answer, 32);
    },
  } as unknown as JsonRpc;
}

function proofsOn(rpc: JsonRpc, prover?: Partial<StepProver>) {
  const openProver = async (): Promise<StepProver> => {
    if (prover === undefined) throw new NectarError('DISPUTE_MACHINE_MISSING', { what: 'prover' });
    return { key: async () => KEY, prove: async () => PROOF, ...prover };
  };
  const { prove, require } = createStepProofs({ rpc, openProver });
  const where = disputed as unknown as Disputed;
  return { prove: (witness: StepWitness) => prove(witness, where), require: () => require(where) };
}

function tracer() {
  const image = translateImage(parseImage(elfOf(randomProgram(createDice(9), 60))));
  const input = new Uint8Array(32).fill(3);
  return createTracer(
    { image, poseidon2: createPoseidon2(poseidonModule) },
    { input, preimages: () => new Uint8Array(70) },
  );
}

test('a step is proved in the form that the verifier of the challenge takes', async () => {
  const witness = tracer().witnessAt(3n) as StepWitness;
  assert.deepEqual(await proofsOn(l1(OPEN)).prove(witness), openStepProof(witness));
  const asked: unknown[] = [];
  const prover = {
    prove: async (step: unknown) => {
      asked.push(step);
      return PROOF;
    },
  };
  assert.deepEqual(await proofsOn(l1(ZK), prover).prove(witness), PROOF);
  const { pre, post, read, opening } = witness;
  assert.deepEqual(asked, [{ publicInputs: publicInputsOf(pre, post, read), opening }]);
  const both = await proofsOn(l1(BOTH), prover).prove(witness);
  const [first, second] = AbiCoder.defaultAbiCoder().decode(['bytes', 'bytes'], both);
  assert.deepEqual([first, second], [bytesToHex(PROOF), bytesToHex(openStepProof(witness))]);
});

test('the circuit takes what the tracer opens, of steps that touch no memory and of a halted machine too', async () => {
  const made = tracer();
  for (const step of [0n, 1n, 2n, 3n, 4n, 5n, 2n ** 39n]) {
    const { pre, post, read, opening } = made.witnessAt(step) as StepWitness;
    assert.ok(await isAccepted({ publicInputs: publicInputsOf(pre, post, read), opening }), `step ${step}`);
  }
});

test('a prover by another string than the verifier of the network is refused by name, before a challenge begins', async () => {
  const other = toBeHex(7, 32) as Hex;
  const isOtherKey = (error: unknown): boolean =>
    isNectarError(error, 'ROLLUP_SRS_INVALID') &&
    error.message.includes(other) &&
    error.message.includes(keyHashOf(KEY));
  for (const named of [ZK, BOTH]) {
    await assert.rejects(proofsOn(l1(named, other), {}).require(), isOtherKey);
    await assert.rejects(proofsOn(l1(named, other), {}).prove(tracer().witnessAt(0n) as StepWitness), isOtherKey);
    await proofsOn(l1(named), {}).require();
    await assert.rejects(proofsOn(l1(named)).require(), { code: 'DISPUTE_MACHINE_MISSING' });
  }
  // A verifier that executes the step needs no prover.
  await proofsOn(l1(OPEN)).require();
});

test('an L1 that does not answer is no verifier without a key', async () => {
  const rpc = l1(ZK);
  const silent = {
    async call(method: string, params: [{ to: Hex; data: Hex }]) {
      if (params[0].to === HONK) throw new NectarError('ROLLUP_L1_UNREACHABLE', { method, reason: 'down' });
      return rpc.call(method, params, AbortSignal.timeout(60_000));
    },
  } as unknown as JsonRpc;
  await assert.rejects(proofsOn(silent, {}).require(), { code: 'ROLLUP_L1_UNREACHABLE' });
});

test("a node's prover is what its config names: a wrong string and a missing program are errors at once", async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nectar-node-prover-'));
  const srs = { sha256: `0x${'5a'.repeat(32)}`, isDevelopment: false } as const;
  try {
    const named = { srsFolder: folder, proverProgram: process.execPath };
    assert.throws(() => openStepProver(named, { srs }), {
      code: 'ROLLUP_SRS_INVALID',
      message: /bn254_g1\.dat cannot be read/,
    });
    assert.throws(() => openStepProver({ ...named, proverProgram: join(folder, 'bb') }, { srs }), {
      code: 'ROLLUP_PROOF_FAILED',
    });
    await assert.rejects(openStepProver(named, {})(), { code: 'DISPUTE_MACHINE_MISSING' });
    await assert.rejects(openStepProver({ ...named, srsFolder: '' }, { srs })(), { code: 'DISPUTE_MACHINE_MISSING' });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
