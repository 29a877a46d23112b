import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { nativeCrypto } from '../../../appliance/rollup/execute/native-crypto.ts';
import { createMachine } from '../../../machine/host/machine.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import { type ForkRules, NEW_NETWORK_FORK } from '../../../protocol/rollup/fork.ts';
import { createRules } from '../../../protocol/rollup/rules.ts';
import { addressOf, CHAIN_ID, ETHER, GENESIS, genesisBy, rules } from '../appliance/rollup/execute/chain-fixture.ts';
import { CANCUN, createDeriveTwins, DEPLOYED_AT, runHistory } from './derive-twins.ts';
import { createMemoryPreimages, machineModule } from './machine-fixture.ts';
import { createDice, WALLETS } from './random-blocks.ts';

/** More by hand: NECTAR_FUZZ_RUNS=500 NECTAR_FUZZ_SEED=1 node --test test/unit/machine/derive.test.ts */
const RUNS = Number(process.env.NECTAR_FUZZ_RUNS ?? 4);
const FIRST_SEED = Number(process.env.NECTAR_FUZZ_SEED ?? 1);
const BLOCKS = 14;

const NETWORKS: readonly ForkRules[] = [{ fork: 'cancun', p256: false }, NEW_NETWORK_FORK];

const alloc = WALLETS.slice(0, -1).map((wallet) => ({ address: addressOf(wallet), balanceWei: 1000n * ETHER }));
const genesis = genesisBy({ ...GENESIS, alloc }, rules);

for (const network of NETWORKS)
  test(`random histories of L1 give the same blocks and the same reasons in the machine and in TypeScript: ${network.fork}`, (context) =>
    compare(network, context));

async function compare(network: ForkRules, context: TestContext): Promise<void> {
  const start = genesisBy({ ...GENESIS, alloc }, createRules(CHAIN_ID, nativeCrypto, network));
  let [blocks, obliged, included] = [0, 0, 0];
  const reasons = new Map<string, number>();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) {
    const twins = createDeriveTwins(start, network);
    const outcomes = await runHistory(twins, createDice(seed), BLOCKS).catch((error: unknown) => {
      throw new Error(`seed ${seed}, L1 block ${twins.history.tip().number}`, { cause: error });
    });
    for (const { derived, results } of outcomes) {
      blocks += derived.blocks;
      obliged += derived.obliged;
      included += results.reduce((sum, { receipts }) => sum + receipts.length, 0);
      for (const { reason } of derived.dropped) {
        const name = reason
          .replace(/^message \d+: |^block \d+ of \d+ of the batch breaks the /, '')
          .replace(/\d+$/, 'n');
        reasons.set(name, (reasons.get(name) ?? 0) + 1);
      }
    }
  }
  context.diagnostic(`${blocks} blocks, ${obliged} of them obliged, ${included} transactions`);
  context.diagnostic(
    [...reasons]
      .map(([reason, count]) => `${reason} ${count}`)
      .sort()
      .join(', '),
  );
  assert.ok(blocks > 5 * RUNS && obliged > 0 && included > 0 && reasons.size > 5);
}

test('a batch derived again from its recorded witness alone is the same, and needs each part of it', async () => {
  const twins = createDeriveTwins(genesis);
  let parts = 0;
  for (const { batches } of await runHistory(twins, createDice(4), 8)) {
    for (const { accumulator, head, steps } of batches) {
      let place = { deployedAt: DEPLOYED_AT, accumulator, head, offset: 0n };
      for (const step of steps) {
        twins.machine.forget();
        twins.preimages.asked.clear();
        assert.deepEqual(twins.machine.deriveBlock(place), step);
        const witness = [...twins.preimages.asked.values()];
        const rerun = (left?: number) => {
          const preimages = createMemoryPreimages();
          for (const [i, { kind, hash, bytes }] of witness.entries()) if (i !== left) preimages.put(kind, hash, bytes);
          return createMachine(machineModule, CANCUN, preimages).deriveBlock(place);
        };
        assert.deepEqual(rerun(), step);
        for (let left = 0; left < witness.length; left += 1 + Math.floor(witness.length / 12)) {
          assert.throws(
            () => rerun(left),
            (error) => isNectarError(error, 'ROLLUP_STATE_MISSING'),
          );
          parts += 1;
        }
        place = { ...place, head: step.head, offset: step.next ?? 0n };
      }
    }
  }
  assert.ok(parts > 50, `${parts} parts`);
});
