import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createOwnStake } from '../../../../appliance/rollup/own-stake.ts';
import type { Assertion } from '../../../../appliance/rollup/validator/assertion.ts';
import { createStakeWish } from '../../../../appliance/rollup/validator/stake-wish.ts';
import type { Hex } from '../../../../protocol/brand.ts';
import { type ErrorCode, isNectarError, NectarError } from '../../../../protocol/errors.ts';

const ETHER = 10n ** 18n;
const ACCOUNT: Hex = `0x${'ca'.repeat(20)}`;
const hasCode = (code: ErrorCode) => (error: unknown) => isNectarError(error, code) || assert.fail(String(error));
const NODE: Hex = `0x${'5e'.repeat(32)}`;

async function createHouse() {
  const folder = await mkdtemp(join(tmpdir(), 'nectar-stake-'));
  const wish = createStakeWish(join(folder, 'rollup', 'unstaked'));
  const l1 = { isStaked: false, balanceWei: 2n * ETHER, owedWei: 0n, isDown: false, status: 'live' };
  const own = createOwnStake({
    account: ACCOUNT,
    wish,
    calls: {
      async findStake() {
        if (l1.isDown) throw new NectarError('ROLLUP_L1_UNREACHABLE', { method: 'x', reason: 'nothing listens there' });
        return l1.isStaked ? { id: 4n, standsOn: NODE, amountWei: ETHER } : undefined;
      },
      stakeWei: async () => ETHER,
      owedWei: async () => l1.owedWei,
      balanceWei: async () => l1.balanceWei,
      confirmableAt: async () => 1_796_000_000n,
    },
    findAssertion: () => ({ status: l1.status }) as Assertion,
    waiting: () => undefined,
  });
  return { folder, wish, l1, own };
}

test('what is wanted is kept in the home, and said with what L1 has', async () => {
  const { folder, wish, l1, own } = await createHouse();
  assert.equal((await own.stakeStatus()).state, 'staking');
  l1.isStaked = true;
  const left = await own.setStaking({ wanted: false });
  assert.deepEqual([left.state, left.stakeId, left.amountWei], ['leaving', 4, `${ETHER}`]);
  assert.equal(left.returnableAt, '2026-11-30T00:53:20.000Z');
  // Another process of the same home.
  assert.equal(await createStakeWish(join(folder, 'rollup', 'unstaked')).isWanted(), false);
  l1.status = 'confirmed';
  assert.equal((await own.stakeStatus()).returnableAt, null);
  l1.isStaked = false;
  assert.equal((await own.stakeStatus()).state, 'none');
  await own.setStaking({ wanted: false });
  assert.equal((await own.setStaking({ wanted: true })).state, 'staking');
  assert.equal(await wish.isWanted(), true);
  await rm(folder, { recursive: true });
});

test('stakes only with more than the stake: gas is paid of the rest, and what is owed counts', async () => {
  const { folder, wish, l1, own } = await createHouse();
  await own.setStaking({ wanted: false });
  l1.balanceWei = ETHER;
  await assert.rejects(own.setStaking({ wanted: true }), hasCode('ROLLUP_STAKE_FUNDS'));
  assert.equal(await wish.isWanted(), false);
  // Dust is not claimed, and so not counted.
  l1.owedWei = 1n;
  await assert.rejects(own.setStaking({ wanted: true }), hasCode('ROLLUP_STAKE_FUNDS'));
  l1.owedWei = ETHER;
  assert.equal((await own.setStaking({ wanted: true })).state, 'staking');
  // Who has a stake needs nothing more for it.
  await own.setStaking({ wanted: false });
  [l1.balanceWei, l1.owedWei, l1.isStaked] = [0n, 0n, true];
  assert.equal((await own.setStaking({ wanted: true })).state, 'staked');
  await rm(folder, { recursive: true });
});

test('changes nothing while L1 does not answer, and says of a node that only watches that it has no stake', async () => {
  const { folder, wish, l1, own } = await createHouse();
  l1.isDown = true;
  await assert.rejects(own.setStaking({ wanted: false }), hasCode('ROLLUP_L1_UNREACHABLE'));
  assert.equal(await wish.isWanted(), true);
  const watching = createOwnStake({
    account: undefined,
    wish,
    calls: undefined as never,
    findAssertion: () => undefined,
    waiting: () => undefined,
  });
  await assert.rejects(watching.stakeStatus(), hasCode('ROLLUP_NOT_ASSERTING'));
  await assert.rejects(watching.setStaking({ wanted: false }), hasCode('ROLLUP_NOT_ASSERTING'));
  await rm(folder, { recursive: true });
});
