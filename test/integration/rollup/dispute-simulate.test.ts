import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type SimulatedDispute, simulateDispute } from '../../../cli/simulate/simulate-dispute.ts';

// Where the simulation makes its folders: nobody else's are there.
const folder = mkdtempSync(join(tmpdir(), 'nectar-simulate-'));
process.env.TMPDIR = folder;
after(() => rmSync(folder, { recursive: true, force: true }));

/** The real contracts, guest, tracer and verifier, about a block of transfers. */
async function simulate(silent: boolean, signal = new AbortController().signal): Promise<SimulatedDispute> {
  return simulateDispute({ silent, transfers: 2, lieAt: 1_000_003n }, { onRound: () => {}, signal });
}

const callsOf = ({ transactions }: SimulatedDispute, by: 'honest' | 'liar'): string[] =>
  transactions.filter((one) => one.by === by).map(({ call }) => call);

test('a liar about a real block that talks loses by one transaction, whose step the contract executes', async () => {
  const seen = await simulate(false);
  assert.equal(seen.winner, 'honest');
  assert.deepEqual(callsOf(seen, 'liar'), []);
  assert.deepEqual(callsOf(seen, 'honest'), ['settle']);
  assert.equal(seen.l1Transactions, 1);
  assert.ok(seen.gas < 4_000_000, `${seen.gas} gas`);
});

test('a liar about a real block that is silent loses on L1 by the same step', async () => {
  const seen = await simulate(true);
  assert.equal(seen.winner, 'honest');
  const calls = callsOf(seen, 'honest');
  assert.equal(calls.at(-1), 'settle');
  assert.ok(calls.includes('answerBySteps'));
  assert.equal(
    seen.gas,
    seen.transactions.reduce((sum, { gas }) => sum + gas, 0),
  );
});

test('one that is interrupted leaves nothing behind', async () => {
  await assert.rejects(simulate(false, AbortSignal.abort()));
  assert.deepEqual(readdirSync(folder), []);
});
