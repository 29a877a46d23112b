import type { GatewayDependencies } from '../../../../appliance/gateway/index.ts';
import type { StakeStatus } from '../../../../appliance/gateway/stake-schemas.ts';
import { NectarError } from '../../../../protocol/errors.ts';

const STAKE: StakeStatus = {
  ...{ state: 'staked', account: `0x${'ca'.repeat(20)}`, balanceWei: '1', requiredWei: '1', owedWei: '0' },
  ...{ stakeId: 4, amountWei: '1', standsOn: `0x${'5e'.repeat(32)}`, returnableAt: null },
};

type Chain = Pick<
  GatewayDependencies['rollup'],
  'withdraw' | 'withdrawals' | 'claim' | 'stakeStatus' | 'setStaking' | 'rewind'
>;

/** A chain whose withdrawal 3 can be claimed, and a node with a stake. */
export const chainDouble: Chain = {
  withdraw: async () => ({ transaction: `0x${'ab'.repeat(32)}` }),
  withdrawals: async () => [],
  claim: async ({ id }) => {
    if (id !== 3) throw new NectarError('ROLLUP_WITHDRAWAL_NOT_CLAIMABLE', { id, state: 'asserted' });
  },
  stakeStatus: async () => STAKE,
  setStaking: async ({ wanted }) => ({ ...STAKE, state: wanted ? 'staked' : 'leaving' }),
  rewind: async ({ to }) => ({ from: 9, to: to ?? 7 }),
};
