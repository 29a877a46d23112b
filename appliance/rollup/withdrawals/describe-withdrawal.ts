import type { Withdrawal, WithdrawalState } from './withdrawals.ts';

/** A withdrawal, for people and other roles. */
export interface ShownWithdrawal {
  /** Null while no block has it. */
  id: number | null;
  state: WithdrawalState;
  to: string;
  /** Decimal. */
  amountWei: string;
  transaction: string;
  block: number | null;
  /** Of one that is asserted: from when on L1 confirms it, if no rival comes. */
  claimableAt: string | null;
}

export function describeWithdrawal(withdrawal: Withdrawal): ShownWithdrawal {
  const { id, state, to, amountWei, transaction, block, claimableAt } = withdrawal;
  return {
    id: id ?? null,
    state,
    to,
    amountWei: amountWei.toString(),
    transaction,
    block: block ?? null,
    claimableAt: claimableAt === undefined ? null : new Date(claimableAt * 1000).toISOString(),
  };
}
