import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GlobalState } from '../../../../../appliance/rollup/validator/assertion.ts';
import { createDerivedState } from '../../../../../appliance/rollup/validator/derived-state.ts';
import { createJudge } from '../../../../../appliance/rollup/validator/judge.ts';
import { nextSteps, type OwnStake } from '../../../../../appliance/rollup/validator/next-steps.ts';
import type { AssertionEvent } from '../../../../../appliance/rollup/validator/rollup-logs.ts';
import { created, createL1Double, ROOT, truth, word } from './validator-double.ts';

const signal = new AbortController().signal;
const A = word('a1');
const B = word('b1');
const LIE: GlobalState = { ...truth(1n), blockHash: word('66') };
const own = async ({ batch }: { batch: bigint }) => ({ ...truth(batch), block: batch });

async function situation(
  events: readonly AssertionEvent[],
  more: { stake?: OwnStake; final?: bigint; isLeaving?: boolean; owedWei?: bigint } = {},
) {
  const l1 = createL1Double();
  l1.mine({ kind: 'confirmed', nodeId: ROOT }, ...events);
  const follower = l1.follower();
  await follower.advance(signal);
  const judge = createJudge(own);
  await judge.judge(follower.book());
  const { final = 100n, stake, isLeaving = false, owedWei = 0n } = more;
  const finalState = async (batch: bigint) => (batch <= final ? own({ batch }) : undefined);
  const judging = { verdictOf: judge.verdictOf };
  return { judge, next: await nextSteps({ book: follower.book(), ...judging, stake, isLeaving, owedWei, finalState }) };
}
const kinds = async (...args: Parameters<typeof situation>) => (await situation(...args)).next.steps.map((s) => s.kind);

test('without a stake it stakes, and then asserts upon where the stake stands', async () => {
  assert.deepEqual(await kinds([]), ['stake']);
  const { next } = await situation([], { stake: { id: 0n, standsOn: ROOT } });
  assert.deepEqual(next.steps, [{ kind: 'create', parent: ROOT, state: { ...truth(1n), block: 1n } }]);
});

test('nothing is asserted that is not final on L1', async () => {
  const { next } = await situation([], { stake: { id: 0n, standsOn: ROOT }, final: 0n });
  assert.deepEqual(next.steps, []);
  assert.match(next.waiting ?? '', /not final/);
});

test('the same assertion of another is backed, and confirmed when it is the only one', async () => {
  const { next } = await situation([created(A, ROOT, truth(1n))], { stake: { id: 0n, standsOn: ROOT } });
  assert.deepEqual(next.steps, [
    { kind: 'confirm', nodeId: A },
    { kind: 'back', nodeId: A },
  ]);
});

test('beside a lie the truth is asserted, and nothing is confirmed', async () => {
  const stake = { id: 0n, standsOn: ROOT };
  assert.deepEqual(await kinds([created(B, ROOT, LIE)], { stake }), ['create']);
  assert.deepEqual(await kinds([created(B, ROOT, LIE), created(A, ROOT, truth(1n))], { stake }), ['back']);
});

test('a stake that others passed comes back; one that stands on a lie is left there, and said so', async () => {
  const passed = [created(A, ROOT, truth(1n)), { kind: 'confirmed', nodeId: A } as const];
  assert.deepEqual(await kinds(passed, { stake: { id: 0n, standsOn: ROOT } }), ['unstake']);
  const { next } = await situation([created(B, ROOT, LIE)], { stake: { id: 0n, standsOn: B } });
  assert.deepEqual(next.steps, []);
  assert.match(next.waiting ?? '', /false assertion/);
});

test('what is built upon a lie is false whatever it says; once a lie is confirmed nothing is asserted', async () => {
  const { judge } = await situation([created(B, ROOT, LIE), created(A, B, truth(2n))]);
  const [lie, upon] = [judge.verdictOf(B), judge.verdictOf(A)];
  assert.equal(lie?.kind === 'false' && lie.evidence.reason, 'state');
  assert.equal(lie?.kind === 'false' && lie.evidence.derived?.blockHash, truth(1n).blockHash);
  assert.equal(upon?.kind === 'false' && upon.evidence.reason, 'parent');
  const { next } = await situation([created(B, ROOT, LIE), { kind: 'confirmed', nodeId: B }]);
  assert.deepEqual(next.steps, []);
  assert.match(next.waiting ?? '', /confirmed a false assertion/);
});

test('the state before a batch is that after the last block of the batches before it', async () => {
  // Block 1 in batch 0; blocks 2 to 4 in batch 2; batch 1 gave none.
  const batches = new Map([1n, 2n, 3n, 4n].map((block) => [block, block === 1n ? 0n : 2n]));
  const derive = createDerivedState({
    store: {
      cursor: async () => ({ batchCount: 3n, safe: { number: 4n } }) as never,
      firstBatch: async () => 0n,
      findBatch: async (block) => ({ sequenceNumber: batches.get(block) }) as never,
    },
    engine: { hashOf: async (number) => word(number.toString().padStart(2, '0')) },
    sendRootAt: async () => word('01'),
  });
  const block = async (batch: bigint, offset = 0n) => {
    const state = await derive({ batch, offset });
    return typeof state === 'object' ? state.block : state;
  };
  assert.equal(await block(0n), 0n);
  assert.equal(await block(1n), 1n);
  assert.equal(await block(2n), 1n);
  assert.equal(await block(3n), 4n);
  assert.equal(await block(2n, 2n), 3n);
  assert.equal(await block(2n, 4n), 'no such state');
  assert.equal(await block(4n), undefined);
});

test('a stake that is to come back asserts nothing, waits for its own assertion, and comes back from a confirmed one', async () => {
  const isLeaving = true;
  const mine = created(A, ROOT, truth(1n));
  const { next } = await situation([mine], { stake: { id: 0n, standsOn: A }, isLeaving });
  assert.deepEqual(next.steps, [{ kind: 'confirm', nodeId: A }]);
  assert.match(next.waiting ?? '', /comes back when L1 has confirmed/);
  const confirmed = { kind: 'confirmed', nodeId: A } as const;
  assert.deepEqual(await kinds([mine, confirmed], { stake: { id: 0n, standsOn: A }, isLeaving }), ['unstake']);
  // Passed by others, and L1 confirmed a lie: what is confirmed gives its stakes back all the same.
  assert.deepEqual(await kinds([mine, confirmed], { stake: { id: 0n, standsOn: ROOT }, isLeaving }), ['unstake']);
  const lie = [created(B, ROOT, LIE), { kind: 'confirmed', nodeId: B } as const];
  assert.deepEqual(await kinds(lie, { stake: { id: 0n, standsOn: ROOT }, isLeaving }), ['unstake']);
  assert.deepEqual(await kinds([mine], { isLeaving }), ['confirm']);
});

test('claims what the Rollup owes before it stakes anew, and no dust', async () => {
  assert.deepEqual(await kinds([], { owedWei: 10n ** 18n }), ['claim', 'stake']);
  assert.deepEqual(await kinds([], { owedWei: 10n ** 18n, isLeaving: true }), ['claim']);
  assert.deepEqual(await kinds([], { owedWei: 10n ** 15n - 1n, isLeaving: true }), []);
});
