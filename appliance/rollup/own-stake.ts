import type { Hex } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Assertion } from './validator/assertion.ts';
import { MIN_CLAIM_WEI } from './validator/next-steps.ts';
import type { RollupCalls } from './validator/rollup-calls.ts';
import type { StakeWish } from './validator/stake-wish.ts';

/** The stake of this node's account on L1, for people and other roles. */
export interface ShownStake {
  /** `staking`: it is to have one and has none yet; `leaving`: it has one that is to come back; `none`: no stake, and none wanted. */
  state: 'staking' | 'staked' | 'leaving' | 'none';
  /** Owns the stake, and pays on L1. */
  account: string;
  /** Amounts are decimal, in wei. */
  balanceWei: string;
  /** What a new stake has to be. */
  requiredWei: string;
  /** What the Rollup owes the account. */
  owedWei: string;
  stakeId: number | null;
  amountWei: string | null;
  /** The assertion under the stake. */
  standsOn: string | null;
  /** From when on L1 confirms that assertion, if no rival comes; null when it is confirmed. */
  returnableAt: string | null;
  /** Why the stake does not move. */
  waiting?: string;
}

/** The stake of this node, as its operator sees and steers it. */
export interface StakeControl {
  /** @throws NectarError ROLLUP_NOT_ASSERTING */
  stakeStatus(): Promise<ShownStake>;
  /**
   * Has the node stake, or take its stake back and stake no more, over restarts. The node does it by itself from then on.
   *
   * @throws NectarError ROLLUP_NOT_ASSERTING, ROLLUP_STAKE_FUNDS
   */
  setStaking(wish: { readonly wanted: boolean }): Promise<ShownStake>;
}

export interface OwnStakeDeps {
  /** Undefined on a node that only watches. */
  readonly account: Hex | undefined;
  readonly wish: StakeWish;
  readonly calls: Pick<RollupCalls, 'findStake' | 'stakeWei' | 'owedWei' | 'balanceWei' | 'confirmableAt'>;
  readonly findAssertion: (nodeId: Hex) => Assertion | undefined;
  readonly waiting: () => string | undefined;
}

const LOOK_TIMEOUT_MS = 30_000;

export function createOwnStake({ account, wish, calls, findAssertion, waiting }: OwnStakeDeps): StakeControl {
  function requireAccount(): Hex {
    if (account === undefined) throw new NectarError('ROLLUP_NOT_ASSERTING', {});
    return account;
  }

  async function returnableAt(standsOn: Hex, signal: AbortSignal): Promise<string | null> {
    if (findAssertion(standsOn)?.status !== 'live') return null;
    return new Date(Number(await calls.confirmableAt(standsOn, signal)) * 1_000).toISOString();
  }

  async function look(owner: Hex): Promise<ShownStake> {
    const signal = AbortSignal.timeout(LOOK_TIMEOUT_MS);
    const stake = await calls.findStake(owner, signal);
    const isWanted = await wish.isWanted();
    const why = waiting();
    return {
      state: stateOf(isWanted, stake !== undefined),
      account: owner,
      balanceWei: String(await calls.balanceWei(owner, signal)),
      requiredWei: String(await calls.stakeWei(signal)),
      owedWei: String(await calls.owedWei(owner, signal)),
      stakeId: stake === undefined ? null : Number(stake.id),
      amountWei: stake === undefined ? null : String(stake.amountWei),
      standsOn: stake?.standsOn ?? null,
      returnableAt: stake === undefined ? null : await returnableAt(stake.standsOn, signal),
      ...(why !== undefined && { waiting: why }),
    };
  }

  return {
    stakeStatus: async () => look(requireAccount()),
    async setStaking({ wanted }) {
      const owner = requireAccount();
      // L1 first: where it does not answer nothing has changed.
      const shown = await look(owner);
      if (wanted && shown.stakeId === null) requireFunds(shown);
      await wish.set(wanted);
      return { ...shown, state: stateOf(wanted, shown.stakeId !== null) };
    },
  };
}

function stateOf(isWanted: boolean, isStaked: boolean): ShownStake['state'] {
  if (isWanted) return isStaked ? 'staked' : 'staking';
  return isStaked ? 'leaving' : 'none';
}

/** What is owed is claimed before it is staked. */
function requireFunds({ account, balanceWei, owedWei, requiredWei }: ShownStake): void {
  const owed = BigInt(owedWei) < MIN_CLAIM_WEI ? 0n : BigInt(owedWei);
  const hasWei = BigInt(balanceWei) + owed;
  // Equal is too little: gas is paid from the same account.
  if (hasWei <= BigInt(requiredWei))
    throw new NectarError('ROLLUP_STAKE_FUNDS', { account, hasWei, requiredWei: BigInt(requiredWei) });
}
