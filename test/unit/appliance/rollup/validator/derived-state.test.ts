import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { BatchPlace, L1Record } from '../../../../../appliance/rollup/derive/derive-store.ts';
import { createDerivedState } from '../../../../../appliance/rollup/validator/derived-state.ts';
import type { Hex } from '../../../../../protocol/brand.ts';

const hashOf = (block: bigint): Hex => `0x${block.toString(16).padStart(64, '0')}`;

/** A chain of 20 blocks, two a batch; known are those from `from` on, of which the batches before are not told. */
function chainFrom(from: bigint) {
  const safe = { number: 20n } as L1Record['safe'];
  const batchOf = (block: bigint): bigint => (block - 1n) / 2n;
  return createDerivedState({
    store: {
      cursor: async () => ({ batchCount: 10n, safe }) as L1Record,
      firstBatch: async () => from / 2n,
      findBatch: async (block) => (block <= from ? undefined : ({ sequenceNumber: batchOf(block) } as BatchPlace)),
    },
    engine: { hashOf: async (block) => (block < from ? undefined : hashOf(block)) },
    sendRootAt: async (block) => hashOf(block + 100n),
  });
}

test('a node that derived everything has a word on every state up to where it is', async () => {
  const derive = chainFrom(0n);
  const at = async (batch: bigint, offset = 0n) => derive({ batch, offset });
  assert.deepEqual(await at(0n), { block: 0n, blockHash: hashOf(0n), sendRoot: hashOf(100n), batch: 0n, offset: 0n });
  assert.deepEqual(((await at(5n)) as { block: bigint }).block, 10n);
  assert.deepEqual(((await at(5n, 1n)) as { block: bigint }).block, 11n);
  assert.equal(await at(5n, 3n), 'no such state');
  assert.equal(await at(11n), undefined);
});

test('a node that began with a snapshot has none on what lies before, and calls nothing of it false', async () => {
  const derive = chainFrom(10n);
  assert.equal(await derive({ batch: 4n, offset: 0n }), undefined);
  assert.equal(await derive({ batch: 4n, offset: 1n }), undefined);
  assert.deepEqual(((await derive({ batch: 5n, offset: 0n })) as { block: bigint }).block, 10n);
  assert.deepEqual(((await derive({ batch: 6n, offset: 0n })) as { block: bigint }).block, 12n);
});
