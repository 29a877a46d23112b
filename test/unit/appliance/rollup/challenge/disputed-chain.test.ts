import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createStatesAfter } from '../../../../../appliance/rollup/challenge/disputed-chain.ts';
import type { DeriveState } from '../../../../../appliance/rollup/validator/derived-state.ts';
import type { Hex } from '../../../../../protocol/brand.ts';

/** Blocks of each batch; batch 1 has none. */
const BLOCKS = [3n, 0n, 2n, 1n];
const word = (value: bigint): Hex => `0x${value.toString(16).padStart(64, '0')}`;
const derive: DeriveState = async ({ batch, offset }) => {
  if (batch > BLOCKS.length) return undefined;
  const block = BLOCKS.slice(0, Number(batch)).reduce((sum, blocks) => sum + blocks, 0n) + offset;
  return { block, blockHash: word(block), sendRoot: word(0n), batch, offset };
};
const statesAfter = createStatesAfter(derive, ({ batch }) => new Error(`batch ${batch} is not derived`));
const START = { blockHash: word(0n), sendRoot: word(0n), batch: 0n, offset: 0n };
const placesOf = async (from: typeof START, target: bigint, counts: bigint[]): Promise<string[]> =>
  (await statesAfter(from, target, counts)).map(
    ({ batch, offset, blockHash }) => `${batch}/${offset}@${BigInt(blockHash)}`,
  );

it('counts an iteration for each block, and one for a batch without any, up to the target', async () => {
  const counts = Array.from({ length: 9 }, (_, count) => BigInt(count));
  assert.deepEqual(await placesOf(START, 4n, counts), [
    '0/0@0',
    '0/1@1',
    '0/2@2',
    '1/0@3',
    '2/0@3',
    '2/1@4',
    '3/0@5',
    '4/0@6',
    '4/0@6',
  ]);
  assert.deepEqual(await placesOf(START, 2n, [2n ** 15n, 2n ** 20n]), ['2/0@3', '2/0@3']);
});
it('goes on from within a batch', async () => {
  const from = { ...START, batch: 2n, offset: 1n, blockHash: word(4n) };
  assert.deepEqual(await placesOf(from, 4n, [0n, 1n, 2n]), ['2/1@4', '3/0@5', '4/0@6']);
});
it('says what is not derived yet', async () => {
  await assert.rejects(statesAfter(START, 6n, [20n]), /batch 4 is not derived/);
});
