import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDevnetL1, stopDevnetL1 } from '../../cli/provision/process/devnet-l1.ts';
import { freePort } from '../integration/rollup/test-network.ts';
import { playCalls } from './deals/deal-calls.ts';
import { createDealSide } from './deals/deal-side.ts';

/** More by hand: NECTAR_DIFFERENTIAL_GAMES=50 node --test test/contracts/deal-differential.test.ts. */
const GAMES = Number(process.env.NECTAR_DIFFERENTIAL_GAMES ?? 2);
const CALLS = 120;

const folder = await mkdtemp(join(tmpdir(), 'nectar-deals-'));
const l1 = await startDevnetL1({ folder, port: await freePort(), stateIntervalS: 600 });

after(async () => {
  await stopDevnetL1(folder);
  await rm(folder, { recursive: true, force: true });
});

test('StorageDeals takes and refuses the calls that the model of deals does, with real shards, and has the same', async (t) => {
  const taken = new Map<string, number>();
  for (let seed = 1; seed <= GAMES; seed++) {
    const side = await createDealSide(l1.rpcUrl, l1.accounts.deployer.key, seed);
    try {
      await side.provider.send('evm_setAutomine', [true]);
      for (const [name, count] of await playCalls(side, seed, CALLS)) taken.set(name, (taken.get(name) ?? 0) + count);
    } finally {
      side.close();
    }
  }
  t.diagnostic(`taken by both: ${JSON.stringify(Object.fromEntries(taken))}`);
  // What was never taken was not compared.
  for (const name of ['open', 'postSet', 'challenge', 'answer', 'fault', 'close'])
    assert.ok((taken.get(name) ?? 0) > 0, name);
});
