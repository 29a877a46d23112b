import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startDevnetL1, stopDevnetL1 } from '../../cli/provision/process/devnet-l1.ts';
import { freePort } from '../integration/rollup/test-network.ts';
import { createContractSide } from './differential/contract-side.ts';
import { playGame } from './differential/game.ts';

/** More by hand: NECTAR_DIFFERENTIAL_GAMES=300 node --test test/contracts/model-differential.test.ts. */
const GAMES = Number(process.env.NECTAR_DIFFERENTIAL_GAMES ?? 2);
const CALLS = 40;

const folder = await mkdtemp(join(tmpdir(), 'nectar-differential-'));
const l1 = await startDevnetL1({ folder, port: await freePort(), stateIntervalS: 600 });

after(async () => {
  await stopDevnetL1(folder);
  await rm(folder, { recursive: true, force: true });
});

test('the ChallengeManager takes and refuses the calls that the model of disputes does, and records the same', async (t) => {
  const accepted = new Map<string, number>();
  for (let seed = 1; seed <= GAMES; seed++) {
    const side = await createContractSide(l1.rpcUrl, l1.accounts.deployer.key);
    try {
      await playGame({ side, seed, calls: CALLS, accepted });
    } finally {
      side.close();
    }
  }
  t.diagnostic(`taken by both: ${JSON.stringify(Object.fromEntries(accepted))}`);
  // What was never taken was not compared.
  for (const kind of ['open', 'move', 'timeout or concede']) assert.ok((accepted.get(kind) ?? 0) > 0, kind);
});
