import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Interface } from 'ethers';
import { createFindRefunds } from '../../../../../appliance/rollup/challenge/entry-refunds.ts';
import { ChallengeManagerAbi } from '../../../../../contracts/generated/ChallengeManager.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { rivalriesWith } from './twins.ts';

const signal = new AbortController().signal;
const MANAGER = new Interface([...ChallengeManagerAbi]);
const { honestOpens, liarOpens } = await rivalriesWith({ iteration: 2n, step: 3n, name: 'refunds' });

function createHouse() {
  const state = { credits: { openerCreditGwei: 0n, responderCreditGwei: 0n }, refundWei: 5n };
  const rpc = {
    async call(_: string, [{ data }]: readonly [{ readonly data: Hex }]) {
      const name = MANAGER.parseTransaction({ data })?.name ?? '';
      if (name === 'refundsOf') return MANAGER.encodeFunctionResult(name, [9n, state.refundWei]);
      const position = `0x${'00'.repeat(32)}`;
      const clocks = { since: 0n, openerClockS: 0n, responderClockS: 0n, round: 3n, status: 1n, epoch: 0n };
      return MANAGER.encodeFunctionResult(name, [{ position, ...clocks, ...state.credits }]);
    },
  };
  return { state, find: createFindRefunds(rpc as never) };
}

test("asks for what this node's side is owed, of a stake that still pays", async () => {
  const { state, find } = createHouse();
  state.credits = { openerCreditGwei: 0n, responderCreditGwei: 7n };
  // In the one direction this node opens, and the credit is the liar's.
  const calls = await find([honestOpens, liarOpens], signal);
  const [parties] = calls.map(({ data }) => MANAGER.parseTransaction({ data })?.args[0].toObject(true));
  assert.equal(calls.length, 1);
  assert.equal(calls[0]?.to, liarOpens.subject.domain.challengeManager);
  assert.deepEqual(
    [parties.parent, parties.opener.node, parties.responder.node],
    [liarOpens.parties.parent, liarOpens.parties.O.node, liarOpens.parties.R.node],
  );
  state.refundWei = 0n;
  assert.deepEqual(await find([liarOpens], signal), []);
});

test('asks again when a reorg took a refund back', async () => {
  const { state, find } = createHouse();
  assert.deepEqual(await find([honestOpens, liarOpens], signal), []);
  state.credits = { openerCreditGwei: 0n, responderCreditGwei: 7n };
  assert.equal((await find([honestOpens, liarOpens], signal)).length, 1);
});
