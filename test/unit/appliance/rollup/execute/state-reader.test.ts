import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getMerkleStateProof } from '@ethereumjs/statemanager';
import { createAddressFromString } from '@ethereumjs/util';
import { createStateReader, EMPTY_ROOT } from '../../../../../appliance/rollup/execute/state-reader.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { isNectarError } from '../../../../../protocol/errors.ts';
import { nextBaseFee } from '../../../../../protocol/rollup/block-input.ts';
import { bytesToHex, hexToBytes } from '../../../../../protocol/rollup/bytes.ts';
import { openStateTrie } from '../../../../oracle/state-trie.ts';
import { createTwins } from '../../../machine/machine-fixture.ts';
import { createDice, createRandomChain, WALLETS } from '../../../machine/random-blocks.ts';
import { addressOf, ETHER, GENESIS, genesisBy, MACHINE_RULES, rules } from './chain-fixture.ts';

const alloc = WALLETS.map((wallet) => ({ address: addressOf(wallet), balanceWei: 1000n * ETHER }));
const slot = (value: number): Hex => `0x${value.toString(16).padStart(64, '0')}`;

/** A state that random blocks left, and the addresses that are in it. */
async function randomState() {
  const dice = createDice(7);
  const chain = createRandomChain(dice);
  const twins = createTwins(genesisBy({ ...GENESIS, alloc }, rules), rules, MACHINE_RULES);
  const contracts: Hex[] = [];
  for (let number = 1; number <= 6; number += 1) {
    const { oracle } = await twins.step(chain.next(nextBaseFee(twins.header)));
    const created = oracle.receipts.flatMap(({ contractAddress }) => (contractAddress ? [contractAddress] : []));
    chain.learn({ dropped: oracle.dropped, created });
    contracts.push(...created);
  }
  return { twins, addresses: [...alloc.map(({ address }) => address), ...contracts, `0x${'5a'.repeat(20)}` as const] };
}

test('reads what the trie of @ethereumjs reads, there or not there, with the same proofs', async () => {
  const { twins, addresses } = await randomState();
  const reader = createStateReader(twins.state, bytesToHex(twins.header.stateRoot));
  const { manager } = openStateTrie(twins.state, twins.header.stateRoot, rules);
  let [slots, codes] = [0, 0];
  for (const address of addresses) {
    const at = createAddressFromString(address);
    const { value: account, proof } = await reader.account(address);
    const expected = await manager.getAccount(at);
    assert.deepEqual([account?.nonce, account?.balance], [expected?.nonce, expected?.balance], address);
    const code = await reader.code(account);
    assert.equal(bytesToHex(code), bytesToHex(await manager.getCode(at)));
    codes += code.length;
    const keys = [0, 1, 2, 3, 4, 5].map(slot);
    const proven = await getMerkleStateProof(manager, at, keys.map(hexToBytes));
    assert.deepEqual(proof.map(bytesToHex), proven.accountProof);
    for (const [index, key] of keys.entries()) {
      const found = await reader.storage(account, key);
      assert.equal(found.value ?? 0n, BigInt(proven.storageProof[index]?.value ?? '0x0'), key);
      if (account !== undefined && account.storageRoot !== EMPTY_ROOT)
        assert.deepEqual(found.proof.map(bytesToHex), proven.storageProof[index]?.proof);
      if (found.value !== undefined) slots += 1;
    }
  }
  assert.ok(slots > 5 && codes > 0, 'the random blocks wrote something');
});

test('a part of the state that is missing or malformed is an error, never an account that does not exist', async () => {
  const { twins, addresses } = await randomState();
  const root = bytesToHex(twins.header.stateRoot);
  const [address = '0x'] = addresses;
  const missing = createStateReader({ get: async () => undefined }, root);
  await assert.rejects(missing.account(address), (error) => isNectarError(error, 'ROLLUP_STATE_MISSING'));
  // An encoded list of one item is no node; neither is a string, nor a branch that is cut off.
  for (const bytes of [Uint8Array.of(0xc1, 0x80), Uint8Array.of(0x80), Uint8Array.of(0xc2, 0x80, 0x80)]) {
    const broken = createStateReader({ get: async () => bytes }, root);
    await assert.rejects(broken.account(address), (error) => isNectarError(error, 'ROLLUP_DATABASE_INVALID'));
  }
});
