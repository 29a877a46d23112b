import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import {
  type SimulatedDispute,
  type SimulateOptions,
  simulateDispute,
} from '../../../cli/simulate/simulate-dispute.ts';

// Where the simulation makes its folders: nobody else's are there.
const folder = mkdtempSync(join(tmpdir(), 'nectar-simulate-'));
process.env.TMPDIR = folder;
after(() => rmSync(folder, { recursive: true, force: true }));

/** The real contracts, guest, tracer and verifier, about a block of transfers. */
async function simulate(
  how: Pick<SimulateOptions, 'silent' | 'verifier'>,
  signal = new AbortController().signal,
): Promise<SimulatedDispute> {
  const deps = { onRound: () => {}, onProving: () => {}, signal };
  return simulateDispute({ ...how, transfers: 2, lieAt: 1_000_003n }, deps);
}

const callsOf = ({ transactions }: SimulatedDispute, by: 'honest' | 'liar'): string[] =>
  transactions.filter((one) => one.by === by).map(({ call }) => call);

test('a liar about a real block that talks loses by one transaction, whose step is proved and executed', async () => {
  const seen = await simulate({ silent: false, verifier: 'both' });
  assert.equal(seen.winner, 'honest');
  assert.deepEqual(callsOf(seen, 'liar'), []);
  assert.deepEqual(callsOf(seen, 'honest'), ['settle']);
  assert.equal(seen.l1Transactions, 1);
  assert.ok(seen.gas < 4_000_000, `${seen.gas} gas`);
  const [{ verifiers = [] } = assert.fail()] = seen.transactions;
  assert.deepEqual(
    verifiers.map(({ kind }) => kind),
    ['zk', 'open'],
  );
  const [zk, open] = verifiers;
  assert.ok(zk && open && zk.proofBytes === 8000 && open.proofBytes > 1000, JSON.stringify(verifiers));
  // What bb's verifier takes is the same for every step (docs/design/0035).
  assert.ok(zk.gas > 600_000 && zk.gas < 817_000, `${zk.gas} gas`);
  assert.ok(zk.gas + open.gas < seen.gas);
});

test('a liar about a real block that is silent loses on L1 by the same step', async () => {
  const seen = await simulate({ silent: true, verifier: 'open' });
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
  await assert.rejects(simulate({ silent: false, verifier: 'both' }, AbortSignal.abort()));
  assert.deepEqual(readdirSync(folder), []);
});
