/**
 * The state table of docs/design/0036-storage-deals.md, executable: one pair, one token that is L2's own coin. A call that the contract
 * refuses returns the name of its error.
 */
import {
  ANSWER_S,
  BOND,
  COLLATERAL_EPOCHS,
  copyOf,
  type DealState,
  epochsBefore,
  LOCKUP_EPOCHS,
  MAX_SETTLED,
  NOTICE_S,
  type Party,
  type PostedSet,
  QUESTIONS,
  type Question,
  type Refusal,
  type SignedSet,
  type SignedTerms,
  UNPAID_EPOCHS,
} from './deal-state.ts';
import type { DealMutant } from './mutants.ts';

const TIB_BITS = 40n;
const ALL_ANSWERED = (1 << QUESTIONS) - 1;
const NO_SET = (): PostedSet => ({ root: '', size: 0n, seq: 0 });

/** The contract, for one pair. */
export class Deals {
  deal: DealState | undefined;
  question: Question | undefined;
  generation = 0;
  readonly owed: Record<Party, bigint> = { owner: 0n, holder: 0n, payout: 0n, stranger: 0n };
  /** Epochs that were paid, and those that a fault took, of each deal of the two: for the promises, not for the rules. */
  readonly paidEpochs = new Map<string, bigint>();
  readonly faulted = new Set<string>();
  readonly #asked = new Set<string>();
  readonly #mutant: DealMutant | undefined;

  constructor(mutant?: DealMutant) {
    this.#mutant = mutant;
  }

  #is(mutant: DealMutant): boolean {
    return this.#mutant === mutant;
  }

  open(now: number, { generation, rate, validUntil, signedBy }: SignedTerms): Refusal {
    if (this.deal !== undefined) return 'DealOpen';
    if ((generation !== this.generation && !this.#is('terms for ever')) || now > validUntil) return 'TermsStale';
    if (!signedBy.includes('holder')) return 'WrongSignature';
    const nothing = { balance: 0n, collateral: 0n, arrears: 0n };
    const times = { openedAt: now, endsAt: 0, settled: 0, unpaidEpochs: 0 };
    this.deal = { rate, ...nothing, ...times, set: NO_SET(), next: undefined };
    return undefined;
  }

  fund(now: number, amount: bigint): Refusal {
    return this.#settled(now, (deal) => {
      deal.balance += amount;
      return undefined;
    });
  }

  lock(now: number, amount: bigint): Refusal {
    return this.#settled(now, (deal) => {
      deal.collateral += amount;
      return undefined;
    });
  }

  withdraw(now: number, amount: bigint): Refusal {
    return this.#settled(now, (deal) => {
      const locked = this.#is('nothing is locked') ? 0n : LOCKUP_EPOCHS * this.pay(deal, this.#mostBytes(deal));
      const available = deal.balance > locked ? deal.balance - locked : 0n;
      if (amount > available) return 'AmountLocked';
      deal.balance -= amount;
      this.owed.owner += amount;
      return undefined;
    });
  }

  unlock(now: number, amount: bigint): Refusal {
    return this.#settled(now, (deal) => {
      if (this.question !== undefined && !this.#is('collateral leaves in a challenge')) return 'ChallengeOpen';
      const needed = COLLATERAL_EPOCHS * this.pay(deal, this.#mostBytes(deal));
      const available = deal.collateral > needed ? deal.collateral - needed : 0n;
      if (amount > available) return 'AmountLocked';
      deal.collateral -= amount;
      this.owed.holder += amount;
      return undefined;
    });
  }

  postSet(now: number, { generation, seq, root, size, signedBy }: SignedSet): Refusal {
    const work = (deal: DealState): Refusal => {
      if ((root === '') !== (size === 0n) || size % 256n !== 0n) return 'WrongSet';
      const newest = deal.next?.seq ?? deal.set.seq;
      if (seq <= newest && !this.#is('old sets')) return 'SetStale';
      const needsHolder = !this.#is('one signature');
      if (generation !== this.generation || !signedBy.includes('owner')) return 'WrongSignature';
      if (needsHolder && !signedBy.includes('holder')) return 'WrongSignature';
      const needed = COLLATERAL_EPOCHS * this.pay(deal, size);
      const grows = size > deal.set.size || this.#is('shrinking needs collateral');
      if (grows && deal.collateral < needed && !this.#is('growth is free')) return 'CollateralTooSmall';
      const from = epochsBefore(deal, now) + (this.#is('in force at once') ? 0 : 1);
      deal.next = { root, size, seq, from };
      if (this.#is('in force at once')) promote(deal, from);
      return undefined;
    };
    return this.#is('sets after the end') ? this.#settled(now, work) : this.#running(now, work);
  }

  settle(now: number): Refusal {
    if (this.deal === undefined) return 'NoDeal';
    this.#settle(now, this.deal);
    return undefined;
  }

  challenge(now: number): Refusal {
    const work = (deal: DealState): Refusal => {
      if (this.question !== undefined) return 'ChallengeOpen';
      if (deal.set.size === 0n) return 'NothingStored';
      const key = this.#epochKey(deal.settled);
      if (this.#asked.has(key)) return 'AskedAlready';
      this.#asked.add(key);
      const { root, size } = deal.set;
      this.question = { root, size, epoch: deal.settled, deadline: now + ANSWER_S, answered: 0 };
      return undefined;
    };
    return this.#is('questions after the end') ? this.#settled(now, work) : this.#running(now, work);
  }

  /** @param shows whether the leaf is the one that was asked for */
  answer(now: number, index: number, shows: boolean): Refusal {
    const { question } = this;
    if (question === undefined) return 'NoChallenge';
    if (now > question.deadline && !this.#is('late answers')) return 'DeadlineIs';
    if (index >= QUESTIONS || ((question.answered >> index) & 1) === 1) return 'NoQuestion';
    if (!shows && !this.#is('any answer')) return 'WrongAnswer';
    question.answered |= 1 << index;
    if (question.answered !== ALL_ANSWERED) return undefined;
    this.question = undefined;
    this.owed[this.#is('no bond') ? 'owner' : 'payout'] += BOND;
    return undefined;
  }

  fault(now: number): Refusal {
    const { question, deal } = this;
    if (question === undefined || deal === undefined) return 'NoChallenge';
    if (now <= question.deadline && !this.#is('faults are early')) return 'DeadlineIs';
    this.question = undefined;
    let unanswered = 0n;
    for (let index = 0; index < QUESTIONS; index++) if (((question.answered >> index) & 1) === 0) unanswered++;
    const part = this.#is('all is slashed') ? BigInt(QUESTIONS) : unanswered;
    const slashed = this.#is('no slash') ? 0n : (deal.collateral * part) / BigInt(QUESTIONS);
    deal.collateral -= slashed;
    this.faulted.add(this.#epochKey(question.epoch));
    this.owed.owner += slashed + BOND;
    return undefined;
  }

  giveNotice(now: number, by: Party): Refusal {
    if (by !== 'owner' && by !== 'holder') return 'NotParty';
    return this.#settled(now, (deal) => {
      if (deal.endsAt !== 0) return 'DealOver';
      deal.endsAt = now + NOTICE_S;
      return undefined;
    });
  }

  letGo(now: number): Refusal {
    return this.#running(now, (deal) => {
      if (this.question !== undefined) return 'ChallengeOpen';
      deal.endsAt = now;
      return undefined;
    });
  }

  leaveUnpaid(now: number): Refusal {
    return this.#running(now, (deal) => {
      const needed = this.#is('left at once') ? 1 : UNPAID_EPOCHS;
      if (deal.unpaidEpochs < needed || this.#is('nobody may leave')) return 'NotUnpaid';
      deal.endsAt = now;
      return undefined;
    });
  }

  close(now: number): Refusal {
    return this.#settled(now, (deal) => {
      if (this.question !== undefined && !this.#is('closed in a challenge')) return 'ChallengeOpen';
      if (deal.endsAt === 0 || now < deal.endsAt) return 'NotEnded';
      this.owed.owner += deal.balance;
      this.owed.holder += deal.collateral;
      this.deal = undefined;
      this.generation++;
      return undefined;
    });
  }

  claim(party: Party): bigint {
    const amount = this.owed[party];
    this.owed[party] = 0n;
    return amount;
  }

  /** What the contract has: prepaid, collateral, a bond, and what is owed. */
  funds(): bigint {
    const { deal, question, owed } = this;
    const held = (deal?.balance ?? 0n) + (deal?.collateral ?? 0n) + (question === undefined ? 0n : BOND);
    return held + owed.owner + owed.holder + owed.payout + owed.stranger;
  }

  pay({ rate }: DealState, size: bigint): bigint {
    return (rate * size) >> TIB_BITS;
  }

  /** A refusal takes back what the call did before it, as a revert does. */
  #settled(now: number, work: (deal: DealState) => Refusal): Refusal {
    if (this.deal === undefined) return 'NoDeal';
    const before = { deal: copyOf(this.deal), payout: this.owed.payout, settled: this.deal.settled };
    const due = this.#settle(now, this.deal);
    const refusal = this.deal.settled < due ? 'SettleFirst' : work(this.deal);
    if (refusal === undefined) return undefined;
    const after = this.deal?.settled ?? 0;
    this.deal = before.deal;
    this.owed.payout = before.payout;
    for (let epoch = before.settled; epoch < after; epoch++) this.paidEpochs.delete(this.#epochKey(epoch));
    return refusal;
  }

  #running(now: number, work: (deal: DealState) => Refusal): Refusal {
    return this.#settled(now, (deal) => (deal.endsAt !== 0 && deal.endsAt <= now ? 'DealOver' : work(deal)));
  }

  #settle(now: number, deal: DealState): number {
    let due = epochsBefore(deal, now);
    if (deal.endsAt !== 0 && deal.endsAt < now && !this.#is('paid after the end'))
      due = epochsBefore(deal, deal.endsAt);
    if (this.question !== undefined && !this.#is('paid while asked')) due = Math.min(due, this.question.epoch);
    const to = Math.min(due, deal.settled + MAX_SETTLED);
    for (let epoch = deal.settled; epoch < to; epoch++) {
      promote(deal, epoch);
      this.#payEpoch(deal, epoch);
    }
    if (to > deal.settled) deal.settled = to;
    promote(deal, deal.settled);
    return due;
  }

  #payEpoch(deal: DealState, epoch: number): void {
    const key = this.#epochKey(epoch);
    const isFaulted = this.faulted.has(key) && !this.#is('faults are paid');
    const wanted = isFaulted ? 0n : this.pay(deal, deal.set.size);
    const due = deal.arrears + wanted;
    const paid = due > deal.balance ? deal.balance : due;
    deal.balance -= paid;
    deal.arrears = this.#is('arrears are forgotten') ? 0n : due - paid;
    const isPaid = this.#is('unpaid in a row') ? paid > 0n : due === paid;
    deal.unpaidEpochs = isPaid ? 0 : deal.unpaidEpochs + 1;
    this.owed.payout += paid;
    this.paidEpochs.set(key, wanted);
  }

  #epochKey(epoch: number): string {
    return `${this.generation}.${epoch}`;
  }

  #mostBytes({ set, next }: DealState): bigint {
    return next !== undefined && next.size > set.size && !this.#is('the next set is free') ? next.size : set.size;
  }
}

function promote(deal: DealState, epoch: number): void {
  const { next } = deal;
  if (next === undefined || epoch < next.from) return;
  deal.set = { root: next.root, size: next.size, seq: next.seq };
  deal.next = undefined;
}
