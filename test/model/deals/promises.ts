import {
  BOND,
  COLLATERAL_EPOCHS,
  copyOf,
  type DealState,
  epochsBefore,
  LOCKUP_EPOCHS,
  QUESTIONS,
  type Question,
  type Refusal,
  type SignedSet,
  type SignedTerms,
  UNPAID_EPOCHS,
} from './deal-state.ts';
import type { Deals } from './rules.ts';

/** What the chain shows before and after a call. */
interface Shown {
  readonly deal: DealState | undefined;
  readonly question: Question | undefined;
  readonly generation: number;
  readonly owner: bigint;
  readonly payout: bigint;
  readonly funds: bigint;
  readonly epochs: number;
  readonly wanted: bigint;
}
interface Call {
  readonly name: string;
  readonly args: readonly unknown[];
  readonly before: Shown;
  readonly after: Shown;
  readonly refusal: Refusal;
  readonly deals: Deals;
}

function show(deals: Deals): Shown {
  const { deal, question, generation, owed, paidEpochs } = deals;
  let wanted = 0n;
  for (const amount of paidEpochs.values()) wanted += amount;
  const copies = { deal: deal && copyOf(deal), question: question && { ...question } };
  return {
    ...copies,
    generation,
    owner: owed.owner,
    payout: owed.payout,
    funds: deals.funds(),
    epochs: paidEpochs.size,
    wanted,
  };
}

/**
 * The same contract; after each call what 0036 promises whoever did what is held against the state before and after.
 * @param onBroken told of each promise that did not hold
 */
export function watched(deals: Deals, onBroken: (promise: string) => void): Deals {
  return new Proxy(deals, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      if (name === 'pay' || name === 'funds' || name === 'claim') return value.bind(target);
      return (...args: unknown[]): Refusal => {
        const before = show(target);
        const refusal = Reflect.apply(value, target, args) as Refusal;
        const call = { name: String(name), args, before, after: show(target), refusal, deals: target };
        for (const promise of brokenBy(call)) onBroken(`${promise} (${call.name})`);
        return refusal;
      };
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
}

function brokenBy(call: Call): string[] {
  const general = [...moneyOf(call), ...epochsOf(call)];
  if (call.refusal === 'CollateralTooSmall' && shrinks(call)) return [...general, 'a set that shrinks is refused'];
  if (call.refusal !== undefined) return general;
  return [...general, ...(PROMISES[call.name]?.(call) ?? [])];
}

/** Every wei that came in is prepaid, collateral, a bond, or owed. */
function moneyOf({ name, args, before, after, refusal }: Call): string[] {
  const amount = name === 'challenge' ? BOND : name === 'fund' || name === 'lock' ? (args[1] as bigint) : 0n;
  const expected = before.funds + (refusal === undefined ? amount : 0n);
  return after.funds === expected ? [] : ['money was made or lost'];
}

/** An epoch counts once, none after the end, none that a fault took; what is not paid of it stays owed. */
function epochsOf({ name, before, after, deals }: Call): string[] {
  const found: string[] = [];
  const deal = after.deal ?? before.deal;
  if (after.epochs > before.epochs && deal !== undefined) {
    const last = deal.endsAt === 0 ? Number.POSITIVE_INFINITY : epochsBefore(deal, deal.endsAt);
    for (let epoch = before.deal?.settled ?? 0; epoch < (after.deal?.settled ?? 0); epoch++) {
      const key = `${before.generation}.${epoch}`;
      const wanted = deals.paidEpochs.get(key) ?? 0n;
      if (epoch >= last) found.push('an epoch after the end counts');
      if (deals.faulted.has(key) && wanted > 0n) found.push('an epoch with a fault is paid');
    }
  }
  const isSettled = name !== 'answer' && name !== 'close' && name !== 'open' && before.deal !== undefined;
  const arrears = (after.deal?.arrears ?? 0n) - (before.deal?.arrears ?? 0n);
  if (isSettled && after.wanted - before.wanted !== after.payout - before.payout + arrears)
    found.push('what was due is neither paid nor owed');
  return found;
}

function shrinks({ args, before }: Call): boolean {
  const { size } = args[1] as SignedSet;
  const { deal } = before;
  return deal !== undefined && deal.next === undefined && size <= deal.set.size;
}

const mostOf = ({ set, next }: DealState): bigint =>
  next !== undefined && next.size > set.size ? next.size : set.size;

function covers(deals: Deals, epochs: bigint, amount = 0n): boolean {
  return deals.deal !== undefined && amount >= epochs * deals.pay(deals.deal, mostOf(deals.deal));
}

const check = (holds: boolean, promise: string): string[] => (holds ? [] : [promise]);

/** Of calls that were taken. */
const PROMISES: Record<string, (call: Call) => string[]> = {
  open: ({ args, before }) => check((args[1] as SignedTerms).generation === before.generation, 'terms of another deal'),
  withdraw: ({ args, after: { deal }, deals }) =>
    check(args[1] === 0n || covers(deals, LOCKUP_EPOCHS, deal?.balance), '30 days are not prepaid'),
  unlock: ({ args, before, after: { deal }, deals }) => [
    ...check(before.question === undefined, 'collateral left in a challenge'),
    ...check(args[1] === 0n || covers(deals, COLLATERAL_EPOCHS, deal?.collateral), 'bytes without collateral'),
  ],
  postSet: postedSet,
  challenge: ({ args, before: { deal } }) => check(!isOver(deal, args[0] as number), 'a question after the end'),
  answer: ({ args, before, after }) => [
    ...check(args[2] === true, 'a wrong leaf counts'),
    ...check((args[0] as number) <= (before.question?.deadline ?? 0), 'a late answer counts'),
    ...check(after.question !== undefined || after.payout - before.payout === BOND, 'an answer earns no bond'),
  ],
  fault: ({ args, before, after }) => [
    ...check((args[0] as number) > (before.question?.deadline ?? 0), 'a fault before the time is over'),
    ...check(after.owner - before.owner === slashOf(before) + BOND, 'a fault costs more or less than its part'),
    ...check(!wasPaid(before), 'an epoch with a fault was paid'),
  ],
  leaveUnpaid: ({ after }) => check((after.deal?.unpaidEpochs ?? 0) >= UNPAID_EPOCHS, 'a holder left that is paid'),
  close: ({ before }) => check(before.question === undefined, 'a deal closed with a question open'),
};

function postedSet({ args, before, after: { deal }, deals }: Call): string[] {
  const [now, set] = args as [number, SignedSet];
  if (deal === undefined || before.deal === undefined) return ['a set of no deal'];
  const grew = set.size > deal.set.size;
  return [
    ...check(set.signedBy.includes('owner') && set.signedBy.includes('holder'), 'a set that not both signed'),
    ...check(set.seq > (before.deal.next?.seq ?? before.deal.set.seq), 'an old set'),
    ...check(
      deal.set.seq !== set.seq && deal.next !== undefined && deal.next.from > epochsBefore(deal, now),
      'a set counts at once',
    ),
    ...check(!grew || deal.collateral >= COLLATERAL_EPOCHS * deals.pay(deal, set.size), 'growth without collateral'),
    ...check(!isOver(before.deal, now), 'a set after the end'),
  ];
}

const isOver = (deal: DealState | undefined, now: number): boolean =>
  deal !== undefined && deal.endsAt !== 0 && deal.endsAt <= now;

function slashOf({ deal, question }: Shown): bigint {
  let unanswered = 0n;
  for (let index = 0; index < QUESTIONS; index++) if ((((question?.answered ?? 0) >> index) & 1) === 0) unanswered++;
  return ((deal?.collateral ?? 0n) * unanswered) / BigInt(QUESTIONS);
}

/** Whether the epoch that a question is about counts already. */
function wasPaid({ deal, question }: Shown): boolean {
  return deal !== undefined && question !== undefined && deal.settled > question.epoch;
}
