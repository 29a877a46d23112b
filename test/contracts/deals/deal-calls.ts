import assert from 'node:assert/strict';
import type { Hex } from '../../../protocol/brand.ts';
import {
  BOND,
  DAY_S,
  type DealState,
  type Refusal,
  type SignedSet,
  type SignedTerms,
} from '../../model/deals/deal-state.ts';
import { Deals } from '../../model/deals/rules.ts';
import { createRandom, type Random } from '../../model/disputes/random.ts';
import type { DealSide, SentCall } from './deal-side.ts';

const RATE = 10n ** 18n;
const WAITS_S = [60, 3600, 3600, DAY_S / 2, DAY_S - 1, DAY_S, DAY_S, 3 * DAY_S];
const LONG_WAITS_S = [31 * DAY_S, 70 * DAY_S];
/** What comes after an opening, so that most calls have something to be about. */
const BEGINNING: readonly CallName[] = ['fund', 'lock', 'postSet'];

interface Table {
  readonly side: DealSide;
  readonly deals: Deals;
  readonly random: Random;
  now: number;
  readonly terms: SignedTerms[];
  readonly sets: SignedSet[];
  seq: number;
}

/** Calls that model and contract are asked to take; they have to say the same and have the same. How many calls of each kind both took. */
export async function playCalls(side: DealSide, seed: number, calls: number): Promise<Map<string, number>> {
  const random = createRandom(seed);
  const block = await side.provider.getBlock('latest');
  const table: Table = {
    side,
    deals: new Deals(),
    random,
    now: (block?.timestamp ?? 0) + 10,
    terms: [],
    sets: [],
    seq: 0,
  };
  const taken = new Map<string, number>();
  const script: CallName[] = [];
  for (let call = 0; call < calls; call++) {
    const begun = script.shift();
    table.now += begun === undefined ? waitOf(random) : 1;
    const name = begun ?? nameOf(table);
    const [by, sent, expected] = await CALLS[name](table);
    const said = await side.send(by, table.now, sent);
    assert.equal(said, expected, `call ${call} of seed ${seed}: ${name}`);
    if (said === undefined) taken.set(name, (taken.get(name) ?? 0) + 1);
    if (said === undefined && name === 'open') script.push(...BEGINNING);
    await compare(table, `after call ${call} of seed ${seed}: ${name}`);
  }
  return taken;
}

/** An open question is answered more often than not, a deal that is over closed, and another one opened. What ends one comes seldom. */
function nameOf({ deals, random, now }: Table): CallName {
  const { deal } = deals;
  if (deal === undefined && random.chance(0.6)) return 'open';
  if (deal !== undefined && deal.endsAt !== 0 && deal.endsAt <= now && random.chance(0.5)) return 'close';
  if (deals.question !== undefined && random.chance(0.6)) return 'answer';
  return random.pick(random.chance(0.12) ? ENDS : NAMES);
}

function waitOf(random: Random): number {
  if (random.chance(0.5)) return 1;
  return random.pick(random.chance(0.06) ? LONG_WAITS_S : WAITS_S);
}

type Sent = readonly ['owner' | 'holder' | 'stranger', SentCall, Refusal];

const amountOf = ({ random }: Table): bigint => BigInt(1 + random.int(100)) * 10n ** 10n;
const chunksOf = (root: string): number[] => (root === '' ? [] : root.split(',').map(Number));

function someChunks({ side, random }: Table): number[] {
  return Array.from({ length: side.chunks }, (_, chunk) => chunk).filter(() => random.chance(0.5));
}

const CALLS = {
  open: ({ side, deals, now, random, terms }): Sent => {
    if (terms.length === 0 || random.chance(0.8))
      terms.push({
        generation: deals.generation,
        rate: RATE,
        validUntil: now + random.int(DAY_S),
        signedBy: ['holder'],
      });
    const form = random.pick(terms);
    const { generation, validUntil } = form;
    const signed = side.terms({ ratePerTiBDay: RATE, generation, validUntil: BigInt(validUntil) });
    const call = { name: 'open', args: [Object.values(signed.terms), signed.signature] };
    return ['owner', call, deals.open(now, form)];
  },
  fund: (table): Sent => {
    const { side, deals, now, random } = table;
    const amount = random.chance(0.3) ? 1n : amountOf(table) * 100n;
    return ['owner', { name: 'fund', args: [side.id, amount], value: amount }, deals.fund(now, amount)];
  },
  lock: (table): Sent => {
    const { side, deals, now } = table;
    const amount = amountOf(table) * 100n;
    return ['holder', { name: 'lock', args: [side.id, amount], value: amount }, deals.lock(now, amount)];
  },
  withdraw: (table): Sent => {
    const { side, deals, now } = table;
    const amount = amountOf(table);
    return ['owner', { name: 'withdraw', args: [side.accounts.holder, amount] }, deals.withdraw(now, amount)];
  },
  unlock: (table): Sent => {
    const { side, deals, now } = table;
    const amount = amountOf(table);
    return ['holder', { name: 'unlock', args: [side.accounts.owner, amount] }, deals.unlock(now, amount)];
  },
  postSet: (table): Sent => {
    const { side, deals, now, random, sets } = table;
    if (sets.length === 0 || random.chance(0.7)) {
      const chunks = someChunks(table);
      const signedBy: SignedSet['signedBy'] = random.chance(0.9) ? ['owner', 'holder'] : ['owner'];
      const set = { root: chunks.join(','), size: side.sizeOf(chunks), seq: ++table.seq };
      sets.push({ ...set, generation: deals.generation, signedBy });
    }
    const set = random.chance(0.8) ? sets[sets.length - 1] : random.pick(sets);
    assert.ok(set);
    const { generation, seq, root, signedBy } = set;
    const signed = side.set({ generation, seq: BigInt(seq) }, chunksOf(root), signedBy.includes('holder'));
    const { owner, holder } = side.accounts;
    const args = [owner, holder, seq, signed.set.root, signed.set.size, signed.byOwner, signed.byHolder];
    return ['stranger', { name: 'postSet', args }, deals.postSet(now, set)];
  },
  settle: ({ side, deals, now }): Sent => ['stranger', { name: 'settle', args: [side.id] }, deals.settle(now)],
  challenge: ({ side, deals, now }): Sent => {
    const call = { name: 'challenge', args: [side.accounts.holder], value: BOND };
    return ['owner', call, deals.challenge(now)];
  },
  answer: async ({ side, deals, now, random }): Promise<Sent> => {
    const question = random.int(6);
    const isRight = random.chance(0.9);
    const { seed } = await side.contract.getFunction('challengeOf').staticCall(side.id);
    const chunks = chunksOf(deals.question?.root ?? '');
    const isAsked = chunks.length > 0;
    const proof = isAsked ? side.answer(chunks, seed as Hex, question, isRight) : NO_PROOF;
    // The one leaf of a set is its next one too.
    const shows = isRight || side.sizeOf(chunks) === 256n;
    return ['stranger', { name: 'answer', args: [side.id, question, proof] }, deals.answer(now, question, shows)];
  },
  fault: ({ side, deals, now }): Sent => ['stranger', { name: 'fault', args: pairOf(side) }, deals.fault(now)],
  giveNotice: ({ side, deals, now, random }): Sent => {
    const by = random.pick(['owner', 'holder', 'stranger'] as const);
    return [by, { name: 'giveNotice', args: pairOf(side) }, deals.giveNotice(now, by)];
  },
  letGo: ({ side, deals, now }): Sent => {
    return ['owner', { name: 'letGo', args: [side.accounts.holder] }, deals.letGo(now)];
  },
  leaveUnpaid: ({ side, deals, now }): Sent => {
    return ['holder', { name: 'leaveUnpaid', args: [side.accounts.owner] }, deals.leaveUnpaid(now)];
  },
  close: ({ side, deals, now }): Sent => ['stranger', { name: 'close', args: pairOf(side) }, deals.close(now)],
} satisfies Record<string, (table: Table) => Sent | Promise<Sent>>;

export type CallName = keyof typeof CALLS;
const NAMES: readonly CallName[] = [
  ...(['open', 'fund', 'lock', 'postSet', 'postSet', 'settle', 'challenge', 'challenge', 'challenge'] as const),
  ...(['answer', 'fault', 'withdraw', 'unlock', 'close'] as const),
];
const ENDS: readonly CallName[] = ['giveNotice', 'letGo', 'leaveUnpaid', 'close'];
const ZERO_WORD = `0x${'00'.repeat(32)}`;
const NO_PROOF = [ZERO_WORD, ZERO_WORD, 0, [], '0x', []];

const pairOf = ({ accounts }: DealSide): readonly Hex[] => [accounts.owner, accounts.holder];

async function compare({ side, deals }: Table, when: string): Promise<void> {
  const { contract, id, accounts } = side;
  const ask = (name: string, ...args: readonly unknown[]) => contract.getFunction(name).staticCall(...args);
  const zero = `0x${'00'.repeat(20)}`;
  const owedTo = ['owner', 'holder', 'payout'] as const;
  const [deal, question, generation, funds, ...owed] = await Promise.all([
    ask('dealOf', id),
    ask('challengeOf', id),
    ask('generationOf', id),
    side.provider.getBalance(contract.target),
    ...owedTo.map((who) => ask('owed', zero, accounts[who])),
  ]);
  assert.deepEqual(shown(deal), expectedOf(deals.deal, side), when);
  const { epoch = 0, deadline = 0, answered = 0 } = deals.question ?? {};
  assert.deepEqual(
    [question.epoch, question.deadline, question.answered],
    [epoch, deadline, answered].map(BigInt),
    when,
  );
  assert.equal(generation, BigInt(deals.generation), when);
  const expected = owedTo.map((who) => deals.owed[who]);
  assert.deepEqual(owed, expected, `${when}: owed`);
  assert.equal(funds - side.fundsBefore, deals.funds(), `${when}: funds`);
}

// biome-ignore lint/suspicious/noExplicitAny: a decoded tuple
function shown(deal: any): Record<string, unknown> {
  const { balance, collateral, arrears, openedAt, endsAt, settled, unpaidEpochs } = deal;
  const { setRoot, setBytes, seq, nextRoot, nextBytes, nextSeq, nextFrom } = deal;
  const numbers = { balance, collateral, arrears, openedAt, endsAt, settled, unpaidEpochs };
  return { ...numbers, setRoot, setBytes, seq, nextRoot, nextBytes, nextSeq, nextFrom };
}

function expectedOf(deal: DealState | undefined, side: DealSide): Record<string, unknown> {
  const rootOf = (root: string): string =>
    root === '' ? ZERO_WORD : side.set({ generation: 0, seq: 0n }, chunksOf(root), true).set.root;
  const { balance = 0n, collateral = 0n, arrears = 0n, set, next } = deal ?? {};
  const [openedAt, endsAt, settled, unpaidEpochs] = [
    deal?.openedAt,
    deal?.endsAt,
    deal?.settled,
    deal?.unpaidEpochs,
  ].map((value) => BigInt(value ?? 0));
  const numbers = { balance, collateral, arrears, openedAt, endsAt, settled, unpaidEpochs };
  const force = { setRoot: rootOf(set?.root ?? ''), setBytes: set?.size ?? 0n, seq: BigInt(set?.seq ?? 0) };
  const coming = { nextRoot: rootOf(next?.root ?? ''), nextBytes: next?.size ?? 0n, nextSeq: BigInt(next?.seq ?? 0) };
  return { ...numbers, ...force, ...coming, nextFrom: BigInt(next?.from ?? 0) };
}
