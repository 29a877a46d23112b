import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStepProof } from '../../../../../appliance/rollup/prove/open-step-proof.ts';
import { parseImage } from '../../../../../machine/tracer/image.ts';
import { createPoseidon2 } from '../../../../../machine/tracer/poseidon2.ts';
import { createTracer } from '../../../../../machine/tracer/tracer.ts';
import { translateImage } from '../../../../../machine/tracer/translate.ts';
import { FLAG_FAIL, FLAG_RUN, type MachineState } from '../../../../../protocol/dispute/machine-state.ts';
import { createMemory } from '../../../../../protocol/dispute/memory.ts';
import { step } from '../../../../../protocol/dispute/step.ts';
import { encodeOpening, witnessOf } from '../../../../../protocol/dispute/step-witness.ts';
import { createDice } from '../../../machine/random-blocks.ts';
import { poseidonModule } from '../../../machine/tracer/guest-fixture.ts';
import { elfOf, randomProgram, TEXT_AT } from '../../../machine/tracer/random-programs.ts';

const PROGRAMS = 8;
const STEPS = 40;
/** Registers, root, and the instruction with its path: what a fault needs. */
const FAULT_BYTES = 32 * 35;

test('the proof of a traced step is what the oracle opens of the state before it', () => {
  const dice = createDice(5);
  const input = new Uint8Array(32).fill(3);
  const preimages = () => Uint8Array.from({ length: 70 }, (_, at) => at);
  let [compared, withData] = [0, 0];
  for (let program = 0; program < PROGRAMS; program += 1) {
    const image = translateImage(parseImage(elfOf(randomProgram(dice, 60))));
    const tracer = createTracer({ image, poseidon2: createPoseidon2(poseidonModule) }, { input, preimages });
    let state: MachineState = {
      registers: new Uint32Array(32),
      pc: TEXT_AT,
      memory: createMemory(image.image.segments),
      input,
      output: new Uint8Array(32),
      flag: FLAG_RUN,
    };
    for (let at = 0n; at < STEPS && state.flag === FLAG_RUN; at += 1n) {
      const proof = openStepProof(tracer.witnessAt(at));
      const expected = encodeOpening(witnessOf(state));
      state = step(state, preimages).state;
      // What a fault would have touched is not opened, and nobody looks at it.
      const length = state.flag === FLAG_FAIL ? FAULT_BYTES : expected.length;
      assert.deepEqual(proof.subarray(0, length), expected.subarray(0, length));
      compared += 1;
      if (expected.length > FAULT_BYTES && state.flag !== FLAG_FAIL) withData += 1;
    }
    // A machine that has ended needs no proof.
    if (state.flag !== FLAG_RUN) assert.equal(openStepProof(tracer.witnessAt(2n ** 39n)).length, 0);
    tracer.close();
  }
  assert.ok(compared > 2 * PROGRAMS && withData > PROGRAMS, `${compared} steps, ${withData} with data`);
});
