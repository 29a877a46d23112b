import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createHeadReader } from '../../../../appliance/rollup/head-reader.ts';
import type { Hex } from '../../../../protocol/brand.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { bytesToHex } from '../../../../protocol/rollup/bytes.ts';
import { addressOf, alice, bob, ETHER, GENESIS, genesisBy, rules } from './execute/chain-fixture.ts';

const start = genesisBy(GENESIS, rules);
/** The same accounts but for Alice, who has less. */
const later = genesisBy({ ...GENESIS, alloc: [{ address: addressOf(alice), balanceWei: ETHER }] }, rules);

function createFixture() {
  let unsafe = { number: 0n, hash: start.hash, timestamp: GENESIS.timestamp };
  const fixture = {
    reads: 0,
    isBroken: false,
    moveTo(hash: Hex) {
      unsafe = { ...unsafe, number: unsafe.number + 1n, hash };
    },
  };
  const database = {
    async get(hash: Hex) {
      fixture.reads += 1;
      return fixture.isBroken ? undefined : (start.preimages.get(hash) ?? later.preimages.get(hash));
    },
  };
  const reader = createHeadReader(() => ({ executor: { heads: () => ({ unsafe }) }, database, rules }));
  return { fixture, reader };
}

test('reads the header and each account once, however often they are asked for', async () => {
  const { fixture, reader } = createFixture();
  assert.equal(bytesToHex((await reader.header()).hash()), start.hash);
  assert.equal(fixture.reads, 1);
  const both = await Promise.all([reader.account(addressOf(alice)), reader.account(addressOf(alice))]);
  assert.deepEqual(
    both.map(({ balance }) => balance),
    [1000n * ETHER, 1000n * ETHER],
  );
  const { reads } = fixture;
  assert.equal((await reader.account(addressOf(alice))).balance, 1000n * ETHER);
  assert.equal(fixture.reads, reads);
  assert.equal((await reader.account(addressOf(bob))).balance, ETHER);
  assert.ok(fixture.reads > reads);
});

test('an account that does not exist has nothing', async () => {
  const { reader } = createFixture();
  assert.deepEqual(await reader.account(`0x${'5a'.repeat(20)}`), { nonce: 0n, balance: 0n });
});

test('forgets them with the head', async () => {
  const { fixture, reader } = createFixture();
  await reader.account(addressOf(alice));
  fixture.moveTo(later.hash);
  assert.equal((await reader.account(addressOf(alice))).balance, ETHER);
  assert.equal(bytesToHex(reader.lastHeader()?.hash() ?? new Uint8Array()), later.hash);
});

test('what could not be read is read again', async () => {
  const { fixture, reader } = createFixture();
  await reader.header();
  fixture.isBroken = true;
  const asked = reader.account(addressOf(bob));
  await assert.rejects(asked, (error) => isNectarError(error, 'ROLLUP_STATE_MISSING'));
  fixture.isBroken = false;
  assert.equal((await reader.account(addressOf(bob))).balance, ETHER);
});
