/** What a pair has on the chain, and what they sign. Amounts are in wei, times in seconds. */
export const DAY_S = 86_400;
export const NOTICE_S = 30 * DAY_S;
export const ANSWER_S = DAY_S;
export const LOCKUP_EPOCHS = 30n;
export const COLLATERAL_EPOCHS = 90n;
export const UNPAID_EPOCHS = 30;
export const QUESTIONS = 5;
export const BOND = 2_000_000_000_000_000n;
export const MAX_SETTLED = 64;

export type Party = 'owner' | 'holder' | 'payout' | 'stranger';
export interface SignedSet {
  readonly generation: number;
  readonly seq: number;
  readonly root: string;
  readonly size: bigint;
  readonly signedBy: readonly Party[];
}
export interface SignedTerms {
  readonly generation: number;
  readonly rate: bigint;
  readonly validUntil: number;
  readonly signedBy: readonly Party[];
}
export interface PostedSet {
  root: string;
  size: bigint;
  seq: number;
}
export interface Question {
  readonly root: string;
  readonly size: bigint;
  readonly epoch: number;
  readonly deadline: number;
  answered: number;
}
export interface DealState {
  rate: bigint;
  balance: bigint;
  collateral: bigint;
  arrears: bigint;
  openedAt: number;
  endsAt: number;
  settled: number;
  unpaidEpochs: number;
  set: PostedSet;
  next: (PostedSet & { from: number }) | undefined;
}
export type Refusal = string | undefined;

export function copyOf(deal: DealState): DealState {
  return { ...deal, set: { ...deal.set }, next: deal.next === undefined ? undefined : { ...deal.next } };
}

export function epochsBefore({ openedAt }: DealState, time: number): number {
  return Math.floor((time - openedAt) / DAY_S);
}
