import type { Hex } from '../../../protocol/brand.ts';
import { type Assertion, isSameState } from './assertion.ts';
import { type AssertionBook, childrenOf } from './assertion-book.ts';
import type { DerivedState } from './derived-state.ts';
import type { Judge } from './judge.ts';

/** A stake of this node's account, as L1 has it now. */
export interface OwnStake {
  readonly id: bigint;
  readonly standsOn: Hex;
}

export type Step =
  | { readonly kind: 'confirm'; readonly nodeId: Hex }
  | { readonly kind: 'back'; readonly nodeId: Hex }
  | { readonly kind: 'create'; readonly parent: Hex; readonly state: DerivedState }
  | { readonly kind: 'stake' }
  | { readonly kind: 'unstake' }
  /** Takes what the Rollup owes the account: a stake that came back, a reward, refunds. */
  | { readonly kind: 'claim' };

export interface Steps {
  /** To be tried in order: L1's contract knows best when each is due. */
  readonly steps: readonly Step[];
  /** Why the own stake does not move, where no step moves it. */
  readonly waiting?: string;
}

export interface Situation {
  readonly book: AssertionBook;
  readonly verdictOf: Judge['verdictOf'];
  readonly stake: OwnStake | undefined;
  /** True: the account is to have no stake, so it asserts nothing more and takes back what it has. */
  readonly isLeaving?: boolean;
  /** What the Rollup owes the account, in wei. */
  readonly owedWei?: bigint;
  /** The own state before a batch, derived from L1 blocks that are final; undefined while there is none. */
  readonly finalState: (batch: bigint) => Promise<DerivedState | undefined>;
}

/** Less than the gas of a claim may cost, and less than it is worth to make a node claim by owing it dust. */
export const MIN_CLAIM_WEI = 1_000_000_000_000_000n;

/**
 * What a validator does next. It believes nobody: only what this node derived itself is confirmed, backed or asserted, and only
 * from L1 blocks that are final.
 */
export async function nextSteps(situation: Situation): Promise<Steps> {
  const confirm = dueConfirmation(situation);
  const { steps, waiting } = await moveStake(situation);
  return { steps: [...confirm, ...steps], ...(waiting !== undefined && { waiting }) };
}

/** The only child of the latest confirmed assertion, if it is right. With a rival alive none is confirmed. */
function dueConfirmation({ book, verdictOf }: Situation): Step[] {
  if (book.latestConfirmed === undefined) return [];
  const children = childrenOf(book, book.latestConfirmed);
  const [only] = children;
  const isRight = only !== undefined && children.length === 1 && verdictOf(only.nodeId)?.kind === 'right';
  return isRight ? [{ kind: 'confirm', nodeId: only.nodeId }] : [];
}

async function moveStake(situation: Situation): Promise<Steps> {
  const { book, verdictOf, stake, isLeaving = false } = situation;
  const latest = book.latestConfirmed && book.assertions.get(book.latestConfirmed);
  if (latest === undefined) return { steps: [], waiting: 'the Rollup has not been seen on L1 yet' };
  if (isLeaving) return leave(situation);
  if (verdictOf(latest.nodeId)?.kind === 'false')
    return { steps: [], waiting: 'L1 has confirmed a false assertion: nothing can be asserted upon it' };
  if (stake === undefined) return { steps: [...dueClaim(situation), { kind: 'stake' }] };
  const standsOn = book.assertions.get(stake.standsOn);
  // Others went on, and nobody steps from an assertion that has been passed: the stake comes back and begins anew.
  if (standsOn === undefined) return { steps: [{ kind: 'unstake' }] };
  const verdict = verdictOf(standsOn.nodeId);
  if (verdict?.kind === 'false')
    return { steps: [], waiting: `the own stake stands on the false assertion ${standsOn.nodeId}` };
  if (verdict === undefined) return { steps: [], waiting: 'the assertion under the own stake is not derived yet' };
  return stepForward(situation, standsOn);
}

/** A stake comes back from a confirmed assertion alone; what is behind the latest one is confirmed too. */
function leave(situation: Situation): Steps {
  const { book, stake } = situation;
  if (stake === undefined)
    return { steps: dueClaim(situation), waiting: 'no stake is wanted: nectar-byon validator stake' };
  const standsOn = book.assertions.get(stake.standsOn);
  if (standsOn === undefined || standsOn.status === 'confirmed') return { steps: [{ kind: 'unstake' }] };
  return { steps: [], waiting: 'the stake comes back when L1 has confirmed the assertion under it' };
}

function dueClaim({ owedWei = 0n }: Situation): Step[] {
  return owedWei >= MIN_CLAIM_WEI ? [{ kind: 'claim' }] : [];
}

async function stepForward({ book, finalState }: Situation, from: Assertion): Promise<Steps> {
  const state = await finalState(from.target);
  if (state === undefined) return { steps: [], waiting: `batch ${from.target - 1n} is not final on L1 yet` };
  const same = childrenOf(book, from.nodeId).find((child) => isSameState(child.state, state));
  if (same !== undefined) return { steps: [{ kind: 'back', nodeId: same.nodeId }] };
  return { steps: [{ kind: 'create', parent: from.nodeId, state }] };
}
