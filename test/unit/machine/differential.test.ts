import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { nativeCrypto } from '../../../appliance/rollup/execute/native-crypto.ts';
import { nextBaseFee } from '../../../protocol/rollup/block-input.ts';
import { type ForkRules, NEW_NETWORK_FORK } from '../../../protocol/rollup/fork.ts';
import { createRules } from '../../../protocol/rollup/rules.ts';
import { addressOf, CHAIN_ID, ETHER, GENESIS, genesisBy } from '../appliance/rollup/execute/chain-fixture.ts';
import { createTwins } from './machine-fixture.ts';
import { createDice, createRandomChain, WALLETS } from './random-blocks.ts';

/** More by hand: NECTAR_FUZZ_RUNS=200 NECTAR_FUZZ_SEED=1 node --test test/unit/machine/differential.test.ts */
const RUNS = Number(process.env.NECTAR_FUZZ_RUNS ?? 4);
const FIRST_SEED = Number(process.env.NECTAR_FUZZ_SEED ?? 1);
const BLOCKS = 12;
const NETWORKS: readonly ForkRules[] = [{ fork: 'cancun', p256: false }, NEW_NETWORK_FORK];

const alloc = WALLETS.slice(0, -1).map((wallet) => ({ address: addressOf(wallet), balanceWei: 1000n * ETHER }));

for (const network of NETWORKS)
  test(`random blocks give the same headers, receipts, bodies and reasons in the machine and in TypeScript: ${network.fork}`, (context) =>
    compare(network, context));

async function compare(network: ForkRules, context: TestContext): Promise<void> {
  const rules = createRules(CHAIN_ID, nativeCrypto, network);
  const genesis = genesisBy({ ...GENESIS, alloc }, rules);
  let [included, reverted] = [0, 0];
  const reasons = new Set<string>();
  for (let seed = FIRST_SEED; seed < FIRST_SEED + RUNS; seed += 1) {
    const dice = createDice(seed);
    const chain = createRandomChain(dice);
    const twins = createTwins(genesis, rules, { chainId: CHAIN_ID, ...network });
    for (let number = 1; number <= BLOCKS; number += 1) {
      const input = chain.next(nextBaseFee(twins.header));
      // A cold machine must give what a warm one gives.
      if (dice.chance(30)) twins.machine.forget();
      const { oracle } = await twins.step(input).catch((error: unknown) => {
        throw new Error(`seed ${seed}, block ${number}`, { cause: error });
      });
      chain.learn({
        dropped: oracle.dropped,
        created: oracle.receipts.flatMap(({ contractAddress, status }) =>
          contractAddress && status === 1 ? [contractAddress] : [],
        ),
      });
      included += oracle.receipts.length;
      reverted += oracle.receipts.filter(({ status }) => status === 0).length;
      for (const { obstacle } of oracle.dropped) reasons.add(obstacle);
    }
  }
  context.diagnostic(
    `${included} transactions, ${reverted} of them failed; dropped for ${[...reasons].sort().join(', ')}`,
  );
  assert.ok(included > 10 * RUNS && reverted > 0 && reasons.size > 4);
}
