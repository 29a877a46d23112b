import { formatEther } from 'ethers';
import type { StakeStatus } from '../../appliance/gateway/stake-schemas.ts';
import { printable } from './table.ts';

const STATES: Readonly<Record<StakeStatus['state'], string>> = {
  staking: 'none yet; the node stakes when L1 takes it',
  staked: 'on L1',
  leaving: 'on L1, to come back',
  none: 'none, and none wanted',
};

/** The stake in lines, for people. */
export function describeStake(stake: StakeStatus): string {
  const { state, account, balanceWei, requiredWei, owedWei, stakeId, amountWei, standsOn, returnableAt } = stake;
  const lines: [string, string][] = [
    ['stake', stakeId === null ? STATES[state] : `${ether(amountWei ?? '0')}, number ${stakeId}, ${STATES[state]}`],
    ['account', account],
    ['balance', `${ether(balanceWei)} on L1`],
  ];
  if (stakeId === null) lines.push(['required', ether(requiredWei)]);
  if (owedWei !== '0') lines.push(['owed', `${ether(owedWei)}, by the Rollup`]);
  if (standsOn !== null) {
    const since = returnableAt === null ? 'confirmed' : `not confirmed before ${returnableAt}`;
    lines.push(['stands on', `${standsOn}, ${since}`]);
  }
  if (stake.waiting !== undefined) lines.push(['waiting', printable(stake.waiting)]);
  return lines.map(([name, value]) => `${name.padEnd(9)} ${value}`).join('\n');
}

export function ether(wei: string): string {
  return `${formatEther(wei)} ETH`;
}
