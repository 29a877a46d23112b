import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPruneTarget, type PruneBounds } from '../../../../../appliance/rollup/prune/prune-target.ts';

/** Blocks 0 to 1,000, ten seconds apart. */
const timeOf = async (number: bigint) => (number <= 1_000n ? 5_000n + number * 10n : undefined);
const find = (more: Partial<PruneBounds>) =>
  findPruneTarget(
    {
      floor: 0n,
      finalized: { number: 900n, timestamp: 14_000n },
      confirmed: 850n,
      windowSeconds: 2_000n,
      ...more,
    },
    timeOf,
  );

test('is the newest block that is as old as the window', async () => {
  assert.equal(await find({}), 700n);
  assert.equal(await find({ windowSeconds: 2_005n }), 699n);
});

test('is never after the confirmed block, nor after the finalized one', async () => {
  assert.equal(await find({ confirmed: 600n }), 600n);
  assert.equal(await find({ confirmed: 1_000n, windowSeconds: 1n }), 899n);
});

test('waits until half a window has become old', async () => {
  assert.equal(await find({ floor: 600n }), 700n);
  assert.equal(await find({ floor: 601n }), undefined);
  assert.equal(await find({ windowSeconds: 9_000n }), undefined);
});

test('is nothing where nothing newer is confirmed, and where the floor is not known', async () => {
  assert.equal(await find({ floor: 300n, confirmed: 300n }), undefined);
  assert.equal(await find({ floor: 2_000n }), undefined);
});
