import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { concat, getBytes, keccak256, toBeHex } from 'ethers';
import { createKzgThread } from '../../../../../appliance/rollup/blobs/kzg-thread.ts';
import { createDisputeMachine } from '../../../../../appliance/rollup/challenge/dispute-machine.ts';
import type { Rivalry } from '../../../../../appliance/rollup/challenge/rivalry.ts';
import { type DisputeConfig, encodeConfig } from '../../../../../machine/tracer/iteration.ts';
import type { StepTracer, StepWitness } from '../../../../../machine/tracer/types.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { READ_KIND } from '../../../../../protocol/dispute/step.ts';
import { bytesToHex } from '../../../../../protocol/rollup/bytes.ts';

/** What Preimages.t.sol shows to the contract. */
const { versionedHash, commitment, elements } = JSON.parse(
  readFileSync(new URL('../../../../contracts/vectors/blob-elements.json', import.meta.url), 'utf8'),
) as { versionedHash: Hex; commitment: Hex; elements: readonly { index: number; element: Hex; proof: Hex }[] };

const ELEMENTS = 4_096;
const kzg = createKzgThread('kzg-worker');
after(() => kzg.end());

/** The blob of the vectors: each element is a hash of its index. */
function vectorBlob(): Uint8Array {
  const hashOf = (index: number): Uint8Array => createHash('sha256').update(String(index)).digest().subarray(1);
  return Buffer.concat(Array.from({ length: ELEMENTS }, (_, index) => Buffer.concat([Buffer.alloc(1), hashOf(index)])));
}

const keyOf = (index: number): Uint8Array => getBytes(keccak256(concat([versionedHash, toBeHex(index, 32)])));

test('a step that reads an element of a blob is shown to L1 with the KZG proof that the contract takes', async () => {
  const config: DisputeConfig = { chainId: 1n, fork: 'prague', p256: true, deployedAt: 0n };
  const machine = createDisputeMachine(
    { config, files: { elf: new Uint8Array(), poseidon2: new Uint8Array() }, database: undefined },
    {
      answersOf: async () => [{ kind: 'blob', hash: getBytes(versionedHash), bytes: vectorBlob() }],
      proofs: { prove: async () => new Uint8Array([1]), require: async () => undefined },
      proveElement: kzg.proveElement,
      start: () => ({ close: () => undefined }) as unknown as StepTracer,
    },
  );
  const rivalry = { rollupConfig: concat([keccak256(encodeConfig(config)), toBeHex(0, 192)]) } as unknown as Rivalry;
  const witnessOf = (index: number): StepWitness =>
    ({ read: { kind: READ_KIND.blobElement, key: keyOf(index) } }) as unknown as StepWitness;
  // Before the iteration is looked at there is no blob to show.
  await assert.rejects(machine.prove(witnessOf(0), rivalry), { code: 'ROLLUP_PREIMAGE_MISSING' });
  const ZERO: Hex = `0x${'00'.repeat(32)}`;
  const state = { blockHash: ZERO, sendRoot: ZERO, batch: 0n, offset: 0n };
  const run = await machine.openRun({
    rivalry,
    state,
    task: { target: 1n, accumulator: ZERO, configHash: ZERO },
    input: ZERO,
  });
  // The run may have ended by the time that its step is proved.
  await run.close();
  assert.ok(elements.length > 1);
  for (const { index, element, proof } of elements) {
    const { preimage } = await machine.prove(witnessOf(index), rivalry);
    assert.equal(
      bytesToHex(preimage),
      concat([versionedHash, toBeHex(index, 32), element, commitment, proof]),
      `element ${index}`,
    );
  }
  await machine.close();
});
