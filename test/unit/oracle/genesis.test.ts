import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nativeCrypto } from '../../../appliance/rollup/execute/native-crypto.ts';
import type { ForkRules } from '../../../protocol/rollup/fork.ts';
import { PREDEPLOYS } from '../../../protocol/rollup/genesis.ts';
import { createRules } from '../../../protocol/rollup/rules.ts';
import { buildOracleGenesis } from '../../oracle/genesis.ts';
import {
  addressOf,
  alice,
  bob,
  CHAIN_ID,
  ETHER,
  GENESIS,
  genesisBy,
  PREDEPLOY_CODE,
} from '../appliance/rollup/execute/chain-fixture.ts';

const NETWORKS: readonly ForkRules[] = [
  { fork: 'cancun', p256: false },
  { fork: 'prague', p256: true },
  { fork: 'osaka', p256: false },
];
/** Balances that are split, of nobody, of a contract, and of the one who calls the constructors. */
const ODD = [
  { address: addressOf(alice), balanceWei: 1n },
  { address: addressOf(alice), balanceWei: ETHER },
  { address: addressOf(bob), balanceWei: 0n },
  { address: PREDEPLOYS.messenger, balanceWei: 5n },
  { address: `0x${'00'.repeat(20)}`, balanceWei: 7n },
] as const;

test('the machine and @ethereumjs build the same first block, with the same preimages, under every fork', async () => {
  for (const network of NETWORKS) {
    const rules = createRules(CHAIN_ID, nativeCrypto, network);
    for (const alloc of [GENESIS.alloc, ODD, []]) {
      const params = { ...GENESIS, alloc };
      const oracle = await buildOracleGenesis(params, PREDEPLOY_CODE, rules);
      const genesis = genesisBy(params, rules);
      assert.equal(genesis.hash, oracle.hash, network.fork);
      assert.deepEqual([...genesis.preimages].toSorted(), [...oracle.preimages].toSorted(), network.fork);
    }
  }
});
