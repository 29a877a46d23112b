import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keccak_256 } from '@noble/hashes/sha3.js';
import { CORE0 } from '../../../machine/generated/digest.ts';
import { type DisputeConfig, encodeIteration, type IterationPlace } from '../../../machine/tracer/iteration.ts';
import { FLAG_FAIL, FLAG_OK } from '../../../protocol/dispute/machine-state.ts';
import { bytesToHex, hexToBytes } from '../../../protocol/rollup/bytes.ts';
import { CHAIN_ID, GENESIS, genesisBy, rules } from '../appliance/rollup/execute/chain-fixture.ts';
import { createDeriveTwins, DEPLOYED_AT, runHistory } from './derive-twins.ts';
import { createDice } from './random-blocks.ts';
import { after, iterationOf, rollupConfigOf, traceGuest, ZERO } from './tracer/guest-fixture.ts';

const BLOCKS = Number(process.env.NECTAR_FUZZ_RUNS ?? 6);
const CONFIG: DisputeConfig = { chainId: CHAIN_ID, fork: 'cancun', p256: false, deployedAt: DEPLOYED_AT };
const END = 2n ** 40n;
const TARGET = 1_000_000n;

/** g: the first four words of I's preimage are abi.encode(G). */
function hashOf(place: IterationPlace): string {
  return bytesToHex(keccak_256(encodeIteration(place, rollupConfigOf(CONFIG)).subarray(0, 128)));
}

test('an iteration on RV32IM, from what WebAssembly was answered alone, ends in the same G', async (context) => {
  const twins = createDeriveTwins(genesisBy(GENESIS, rules));
  let [runs, steps] = [0, 0n];
  for (const { batches } of await runHistory(twins, createDice(9), BLOCKS)) {
    for (const { accumulator, head, steps: expected } of batches) {
      let place: IterationPlace = {
        blockHash: head,
        sendRoot: ZERO,
        batch: 7n,
        offset: 0n,
        target: TARGET,
        accumulator,
      };
      for (const step of expected) {
        twins.machine.forget();
        twins.preimages.asked.clear();
        twins.machine.deriveBlock({
          deployedAt: DEPLOYED_AT,
          accumulator,
          head: place.blockHash,
          offset: place.offset,
        });
        const tracer = traceGuest(iterationOf(place, CONFIG, twins.preimages));
        steps += tracer.countSteps(END) ?? assert.fail('it does not halt');
        place = after(place, step);
        const { flag, output } = tracer.openAt(END);
        assert.deepEqual({ flag, hash: bytesToHex(output) }, { flag: FLAG_OK, hash: hashOf(place) });
        tracer.close();
        runs += 1;
      }
    }
  }
  context.diagnostic(`${runs} iterations, ${steps / 1_000_000n} million steps`);
  assert.ok(runs > BLOCKS / 2);
});

test('the core of the image is the one that is committed', () => {
  const tracer = traceGuest({ input: hexToBytes(ZERO), preimages: () => new Uint8Array() });
  assert.equal(tracer.openAt(0n).core, CORE0);
});

test('at the target an iteration leaves G as it is', () => {
  const blockHash = bytesToHex(new Uint8Array(32).fill(3));
  const place = { blockHash, sendRoot: ZERO, batch: 9n, offset: 0n, target: 9n, accumulator: ZERO };
  const words = encodeIteration(place, rollupConfigOf(CONFIG));
  const tracer = traceGuest({ input: keccak_256(words), preimages: () => words });
  const { flag, output } = tracer.openAt(END);
  assert.deepEqual([flag, bytesToHex(output)], [FLAG_OK, hashOf(place)]);
});

test('an input of another form fails, and halts', () => {
  const words = new Uint8Array(223).fill(1);
  const tracer = traceGuest({ input: keccak_256(words), preimages: () => words });
  assert.equal(tracer.openAt(END).flag, FLAG_FAIL);
});

test('a preimage that is missing or false is an error of its own, never a verdict', () => {
  const missing = new Error('not here');
  const input = hexToBytes(ZERO);
  const without = traceGuest({
    input,
    preimages: () => {
      throw missing;
    },
  });
  assert.throws(() => without.openAt(END), missing);
  // And again: the run begins anew where it was.
  assert.throws(() => without.openAt(END), missing);
  const liar = traceGuest({ input, preimages: () => new Uint8Array(224) });
  assert.throws(() => liar.openAt(END), { code: 'ROLLUP_PREIMAGE_INVALID' });
});
