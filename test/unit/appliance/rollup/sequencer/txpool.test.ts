import assert from 'node:assert/strict';
import { test } from 'node:test';
import { getBytes, type TransactionRequest, Wallet } from 'ethers';
import { createTxpool } from '../../../../../appliance/rollup/sequencer/txpool.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { createRules } from '../../../../../protocol/rollup/rules.ts';

const CHAIN_ID = 6_328_270n;
const rules = createRules(CHAIN_ID);
const alice = new Wallet(`0x${'a1'.repeat(32)}`);
const bob = new Wallet(`0x${'b2'.repeat(32)}`);
const addressOf = (wallet: Wallet): Hex => wallet.address.toLowerCase() as Hex;
const BLOCK = { gas: 30_000_000n, bytes: 96_000 };

async function sign(wallet: Wallet, nonce: number, more: TransactionRequest = {}): Promise<Uint8Array> {
  const fields = {
    type: 2,
    chainId: CHAIN_ID,
    to: bob.address,
    gasLimit: 21_000,
    maxFeePerGas: 100,
    maxPriorityFeePerGas: 0,
  };
  return getBytes(await wallet.signTransaction({ ...fields, nonce, ...more }));
}

function poolOn(limits: { maxTransactions?: number; maxBytes?: number; maxPerAccount?: number } = {}, by = rules) {
  const accounts = new Map<Hex, { nonce: bigint; balance: bigint }>();
  const chain = { baseFee: 10n, time: 0 };
  const pool = createTxpool(
    {
      maxTransactions: 100,
      maxBytes: 100_000,
      maxPerAccount: 5,
      ...limits,
      maxTransactionBytes: 5_000,
      maxAgeMs: 1_000,
    },
    {
      chain: {
        rules: by,
        account: async (address) => accounts.get(address) ?? { nonce: 0n, balance: 10n ** 12n },
        nextBaseFee: () => chain.baseFee,
        gasLimit: () => 30_000_000n,
      },
      now: () => chain.time,
    },
  );
  const picked = async () =>
    (await pool.pick(BLOCK)).map(({ sender, tx }) => `${sender === addressOf(alice) ? 'a' : 'b'}${tx.nonce}`);
  return { pool, accounts, chain, picked };
}

test('first come, first served, by nonce; what came before its turn follows the one that it waited for', async () => {
  const { pool, picked } = poolOn();
  await pool.add(await sign(alice, 1));
  await pool.add(await sign(bob, 0, { maxFeePerGas: 10_000 }));
  assert.deepEqual(await picked(), ['b0']);
  assert.equal(pool.nextNonce(addressOf(alice), 0n), 0n);
  await pool.add(await sign(alice, 0));
  await pool.add(await sign(bob, 1));
  await pool.add(await sign(alice, 2));
  assert.deepEqual(await picked(), ['b0', 'a0', 'a1', 'b1', 'a2']);
  assert.equal(pool.nextNonce(addressOf(alice), 0n), 3n);
  assert.equal(pool.nextNonce(addressOf(alice), 1n), 3n);
  assert.equal((await pool.pick({ ...BLOCK, gas: 50_000n })).length, 2);
  assert.equal((await pool.pick({ ...BLOCK, bytes: 250 })).length, 2);
});

test('refuses what could not run, and says why', async () => {
  const { pool, accounts } = poolOn();
  accounts.set(addressOf(bob), { nonce: 3n, balance: 21_000n * 100n + 5n });
  const refused = async (raw: Uint8Array | Promise<Uint8Array>, reason: string) =>
    assert.rejects(pool.add(await raw), { code: 'ROLLUP_SEQUENCER_REFUSED', data: { reason } });
  await refused(new Uint8Array(5_001), 'oversized data: transaction size 5001, limit 5000');
  await refused(new Uint8Array(10), 'not a transaction of this chain');
  await refused(sign(alice, 0, { chainId: 1 }), 'not a transaction of this chain');
  await refused(sign(alice, 0, { gasLimit: 30_000_001 }), 'exceeds block gas limit');
  await refused(sign(alice, 0, { gasLimit: 20_999 }), 'intrinsic gas too low: gas 20999, minimum needed 21000');
  await refused(
    sign(alice, 0, { maxFeePerGas: 9 }),
    `max fee per gas less than block base fee: address ${alice.address}, maxFeePerGas: 9, baseFee: 10`,
  );
  await refused(sign(bob, 2), 'nonce too low: next nonce 3, tx nonce 2');
  await refused(sign(bob, 8), 'nonce too high: next nonce 3, tx nonce 8');
  const funds = 'insufficient funds for gas * price + value: balance 2100005';
  await refused(sign(bob, 3, { value: 6 }), `${funds}, tx cost 2100006, overshot 1`);
  await pool.add(await sign(bob, 3, { value: 5 }));
  await refused(sign(bob, 4), `${funds}, queued cost 2100005, tx cost 2100000, overshot 2100000`);
  assert.equal(pool.size(), 1);
});

test('from Prague on, data that no gas pays for is refused at once, not lost in a block', async () => {
  const { pool } = poolOn({}, createRules(CHAIN_ID, {}, { fork: 'prague', p256: false }));
  const data = `0x${'ff'.repeat(100)}00`;
  await assert.rejects(pool.add(await sign(alice, 0, { data, gasLimit: 25_009 })), {
    data: { reason: 'insufficient gas for floor data gas cost: gas 25009, minimum needed 25010' },
  });
  await pool.add(await sign(alice, 0, { data, gasLimit: 25_010 }));
});

test('a replacement pays a tenth more and keeps its place; the same one twice is already known', async () => {
  const { pool, picked } = poolOn();
  const first = await pool.add(await sign(alice, 0));
  await pool.add(await sign(bob, 0));
  await assert.rejects(pool.add(await sign(alice, 0)), /already known/);
  await assert.rejects(pool.add(await sign(alice, 0, { maxFeePerGas: 109 })), /underpriced/);
  const second = await pool.add(await sign(alice, 0, { maxFeePerGas: 110 }));
  assert.notEqual(second, first);
  assert.equal(pool.find(first), undefined);
  assert.equal(pool.find(second)?.hash, second);
  assert.deepEqual(await picked(), ['a0', 'b0']);
});

test('is bounded in transactions, bytes and per account', async () => {
  const full = { code: 'ROLLUP_SEQUENCER_FULL' };
  const few = poolOn({ maxTransactions: 1 });
  await few.pool.add(await sign(alice, 0));
  await assert.rejects(few.pool.add(await sign(bob, 0)), full);
  await few.pool.add(await sign(alice, 0, { maxFeePerGas: 200 }));
  const small = poolOn({ maxBytes: 150 });
  await small.pool.add(await sign(alice, 0));
  await assert.rejects(small.pool.add(await sign(bob, 0)), full);
  const hash = (await small.pool.pick(BLOCK))[0]?.hash;
  small.pool.remove(hash === undefined ? [] : [hash]);
  await small.pool.add(await sign(bob, 0));
  const fair = poolOn({ maxPerAccount: 2 });
  await fair.pool.add(await sign(alice, 0));
  await fair.pool.add(await sign(alice, 1));
  await assert.rejects(fair.pool.add(await sign(alice, 2)), /nonce too high/);
  await fair.pool.add(await sign(bob, 0));
});

test('forgets what the chain overtook and what waited too long; what is too cheap waits', async () => {
  const { pool, accounts, chain, picked } = poolOn();
  await pool.add(await sign(alice, 0));
  await pool.add(await sign(alice, 1));
  accounts.set(addressOf(alice), { nonce: 1n, balance: 10n ** 12n });
  await pool.prune();
  assert.deepEqual(await picked(), ['a1']);
  chain.baseFee = 101n;
  assert.deepEqual(await picked(), []);
  chain.baseFee = 100n;
  assert.deepEqual(await picked(), ['a1']);
  chain.time = 1_001;
  await pool.prune();
  assert.equal(pool.size(), 0);
});
