import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { StakeStatus } from '../../../../appliance/gateway/stake-schemas.ts';
import { describeStake } from '../../../../cli/render/stake.ts';
import { capture } from '../capture.ts';

const staked: StakeStatus = {
  state: 'leaving',
  account: `0x${'ca'.repeat(20)}`,
  balanceWei: '2500000000000000000',
  requiredWei: '1000000000000000000',
  owedWei: '0',
  stakeId: 3,
  amountWei: '1000000000000000000',
  standsOn: `0x${'5e'.repeat(32)}`,
  returnableAt: '2026-12-07T10:00:00.000Z',
};

it('says amount, account, balance, and what a stake that comes back waits for', () => {
  assert.deepEqual(describeStake(staked).split('\n'), [
    'stake     1.0 ETH, number 3, on L1, to come back',
    `account   0x${'ca'.repeat(20)}`,
    'balance   2.5 ETH on L1',
    `stands on 0x${'5e'.repeat(32)}, not confirmed before 2026-12-07T10:00:00.000Z`,
  ]);
});

it('says without a stake what one would be, and what the Rollup owes', () => {
  const without = { stakeId: null, amountWei: null, standsOn: null, returnableAt: null };
  const owed = { ...staked, ...without, state: 'none', owedWei: '1000000000000000000', waiting: 'a reason' } as const;
  assert.match(describeStake(owed), /^stake +none, and none wanted\n/);
  assert.match(describeStake(owed), /required +1\.0 ETH\nowed +1\.0 ETH, by the Rollup\nwaiting +a reason$/);
});

it('takes no operand', async () => {
  for (const verb of ['stake', 'unstake']) {
    const { code, stderr } = await capture(['validator', verb, '5']);
    assert.equal(code, 2, verb);
    assert.match(stderr, /too many arguments/);
  }
});
