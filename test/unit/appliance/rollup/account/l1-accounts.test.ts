import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { Transaction } from 'ethers';
import { createL1Accounts } from '../../../../../appliance/rollup/account/l1-accounts.ts';
import { createL1Sender } from '../../../../../appliance/rollup/batcher/l1-sender.ts';
import { type JsonRpc, RpcRefusal } from '../../../../../appliance/rollup/l1/json-rpc.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { NectarError } from '../../../../../protocol/errors.ts';

const KEY = new Uint8Array(32).fill(9);
const OTHER = new Uint8Array(32).fill(8);
const GWEI = 10n ** 9n;
const signal = AbortSignal.timeout(60_000);
const call = (data: Hex) => ({ to: `0x${'cd'.repeat(20)}` as Hex, data });

/** An L1 with a pool that holds one transaction for each nonce of an account: the dearest. It mines when it is told to. */
function createL1() {
  const pool = new Map<string, Transaction>();
  const mined: string[] = [];
  const nonces = new Map<string, number>();

  function take(raw: string): void {
    const tx = Transaction.from(raw);
    const place = `${tx.from}/${tx.nonce}`;
    const known = pool.get(place);
    if (known !== undefined && (tx.maxFeePerGas ?? 0n) < ((known.maxFeePerGas ?? 0n) * 11n) / 10n) {
      const cause = new RpcRefusal(-32000, 'replacement transaction underpriced', undefined);
      throw new NectarError('ROLLUP_L1_REFUSED', { method: 'eth_sendRawTransaction', code: -32000 }, { cause });
    }
    pool.set(place, tx);
  }

  const rpc: JsonRpc = {
    distrust: () => undefined,
    async call(method, params) {
      if (method === 'eth_getBlockByNumber') return { baseFeePerGas: '0x1' };
      if (method === 'eth_estimateGas') return '0x5208';
      if (method === 'eth_getTransactionCount') return `0x${(nonces.get(String(params[0])) ?? 0).toString(16)}`;
      if (method === 'eth_sendRawTransaction') return take(String(params[0]));
      throw new Error(method);
    },
  };
  return {
    rpc,
    mined,
    mine(): void {
      for (const [place, tx] of pool) {
        const from = String(tx.from);
        if (tx.nonce !== (nonces.get(from) ?? 0)) continue;
        nonces.set(from, tx.nonce + 1);
        mined.push(tx.data);
        pool.delete(place);
      }
    },
  };
}

type L1 = ReturnType<typeof createL1>;

/** Time goes on, and a block is mined, with each look of one that waits. */
function openAccounts(l1: L1, options: { readonly mines?: boolean } = {}) {
  const { mines = true } = options;
  const clock = { ms: 0 };
  const wait = async () => {
    await setImmediate();
    clock.ms += 1_000;
    if (mines) l1.mine();
  };
  const accounts = createL1Accounts({ chainId: 1n }, { rpc: l1.rpc, now: () => clock.ms, wait });
  return { accounts, clock };
}

test('two senders that know nothing of each other replace what is on its way', async () => {
  const l1 = createL1();
  const limits = { key: KEY, chainId: 1n, maxFeePerGasWei: 500n * GWEI };
  await createL1Sender(limits, l1.rpc).send(call('0x01'), signal);
  await createL1Sender(limits, l1.rpc).send(call('0x02'), signal);
  l1.mine();
  l1.mine();
  assert.deepEqual(l1.mined, ['0x02']);
});

test('senders of one account take turns: each call is mined once, in the order in which they came', async () => {
  const l1 = createL1();
  const { accounts } = openAccounts(l1);
  const claims = accounts.sender({ key: KEY, maxFeePerGasWei: 50n * GWEI });
  const forcing = accounts.sender({ key: KEY, maxFeePerGasWei: 500n * GWEI });
  const sent = await Promise.all([
    claims.send(call('0x01'), signal),
    forcing.send(call('0x02'), signal),
    forcing.send(call('0x03'), signal),
    claims.send(call('0x04'), signal),
  ]);
  l1.mine();
  assert.deepEqual(l1.mined, ['0x01', '0x02', '0x03', '0x04']);
  assert.deepEqual(
    sent.map(({ nonce }) => nonce),
    [0n, 1n, 2n, 3n],
  );
});

test('another account does not wait', async () => {
  const l1 = createL1();
  const { accounts, clock } = openAccounts(l1, { mines: false });
  await accounts.sender({ key: KEY, maxFeePerGasWei: 50n * GWEI }).send(call('0x01'), signal);
  await accounts.sender({ key: OTHER, maxFeePerGasWei: 50n * GWEI }).send(call('0x02'), signal);
  assert.equal(clock.ms, 0);
});

test('one that is never mined loses its turn after three minutes, and cannot take it back by a raise', async () => {
  const l1 = createL1();
  const { accounts, clock } = openAccounts(l1, { mines: false });
  const claims = accounts.sender({ key: KEY, maxFeePerGasWei: 50n * GWEI });
  const forcing = accounts.sender({ key: KEY, maxFeePerGasWei: 500n * GWEI });
  const stuck = await claims.send(call('0x01'), signal);
  assert.equal(await claims.bump(stuck, signal), true);
  await forcing.send(call('0x02'), signal);
  assert.equal(clock.ms, 180_000);
  assert.equal(await claims.bump(stuck, signal), false);
  l1.mine();
  assert.deepEqual(l1.mined, ['0x02']);
});

test('a call that L1 refuses, and one that its caller gave up, leave the turn to the next', async () => {
  const l1 = createL1();
  const { accounts } = openAccounts(l1);
  const sender = accounts.sender({ key: KEY, maxFeePerGasWei: 50n * GWEI });
  const { call: answer } = l1.rpc;
  l1.rpc.call = async (method, params, aborted) => {
    if (method === 'eth_estimateGas') throw new Error('execution reverted');
    return answer(method, params, aborted);
  };
  await assert.rejects(sender.send(call('0x01'), signal), /reverted/);
  l1.rpc.call = answer;
  await sender.send(call('0x02'), signal);
  const gone = AbortSignal.abort(new Error('gone'));
  await assert.rejects(sender.send(call('0x03'), gone), /gone/);
  await sender.send(call('0x04'), signal);
  l1.mine();
  assert.deepEqual(l1.mined, ['0x02', '0x04']);
});
