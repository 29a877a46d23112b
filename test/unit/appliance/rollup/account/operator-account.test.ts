import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Transaction } from 'ethers';
import { createOperatorAccount } from '../../../../../appliance/rollup/account/operator-account.ts';
import type { OwnTransaction } from '../../../../../appliance/rollup/account/tracked-list.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { isNectarError, NectarError } from '../../../../../protocol/errors.ts';

const KEY = new Uint8Array(32).fill(9);
const TO = `0x${'cd'.repeat(20)}` as Hex;

/** A chain whose unsafe head has another base fee than its safe head, and a sequencer that may be silent. */
function createWorld({
  latest = 100,
  safe = 100,
  silent = false,
  pending = async (): Promise<bigint> => 6n,
  free = async (): Promise<bigint | undefined> => 6n,
} = {}) {
  const events: string[] = [];
  const signed: OwnTransaction[] = [];
  const account = createOperatorAccount(
    { key: KEY, chainId: 7n },
    {
      async rpc(method, params) {
        if (method === 'eth_estimateGas') return '0x5208';
        if (method === 'eth_getBalance') return '0xde0b6b3a7640000';
        if (method === 'eth_getTransactionCount') return '0x4';
        if (method === 'eth_getBlockByNumber')
          return { baseFeePerGas: `0x${(params[0] === 'safe' ? safe : latest).toString(16)}` };
        throw new Error(method);
      },
      ordering: {
        async submit() {
          events.push('submitted');
          if (silent) throw new NectarError('ROLLUP_SEQUENCER_UNREACHABLE', { method: 'eth_sendRawTransaction' });
          return '0x00';
        },
        async pendingNonce() {
          if (silent) throw new NectarError('ROLLUP_SEQUENCER_UNREACHABLE', { method: 'eth_getTransactionCount' });
          return pending();
        },
        whyLost: async () => undefined,
      },
      async onSigned(transaction) {
        await Promise.resolve();
        signed.push(transaction);
        events.push('kept');
      },
      nextFree: free,
    },
  );
  return { account, events, signed };
}

const parsed = ({ raw }: OwnTransaction): Transaction => Transaction.from(`0x${Buffer.from(raw).toString('hex')}`);

test('the limit of the fee has room above the higher base fee of both heads', async () => {
  for (const [latest, safe] of [
    [100, 800],
    [800, 100],
  ]) {
    const { account, signed } = createWorld({ latest, safe });
    await account.send({ to: TO, data: '0x' });
    assert.equal(parsed(signed[0] as OwnTransaction).maxFeePerGas, 1_600n);
  }
});

test('a transaction leaves once it is kept', async () => {
  const { account, events } = createWorld();
  await account.send({ to: TO, data: '0x' });
  assert.deepEqual(events, ['kept', 'submitted']);
});

test('past a silent sequencer it is signed with the nonce of the own chain, and kept', async () => {
  const { account, signed } = createWorld({ silent: true });
  await assert.rejects(account.send({ to: TO, data: '0x' }), (error) =>
    isNectarError(error, 'ROLLUP_SEQUENCER_UNREACHABLE'),
  );
  assert.equal(signed[0]?.nonce, 4n);
});

test('a sequencer that refuses to say the nonce keeps nothing from being signed', async () => {
  const { account, signed } = createWorld({
    async pending() {
      throw new NectarError('ROLLUP_SEQUENCER_REFUSED', { reason: 'not you' });
    },
  });
  await account.send({ to: TO, data: '0x' });
  assert.equal(signed[0]?.nonce, 4n);
});

test('a sequencer that names a nonce which is used, or one behind a gap, is not believed', async () => {
  for (const [said, free, nonce] of [
    [0n, 4n, 4n],
    [3n, 6n, 4n],
    [1_000n, 4n, 4n],
    [1_000n, 6n, 6n],
    [5n, 6n, 5n],
  ]) {
    const { account, signed } = createWorld({ pending: async () => said ?? 0n, free: async () => free });
    await account.send({ to: TO, data: '0x' });
    assert.equal(signed[0]?.nonce, nonce, `${said}, where the first free one is ${free}`);
  }
});

test('the own pool of a sequencer is believed', async () => {
  const { account, signed } = createWorld({ pending: async () => 9n, free: async () => undefined });
  await account.send({ to: TO, data: '0x' });
  assert.equal(signed[0]?.nonce, 9n);
});

test('what is kept says how much it offers', async () => {
  const { account, signed } = createWorld();
  await account.send({ to: TO, data: '0x' });
  assert.equal(signed[0]?.maxFeePerGasWei, 200n);
});
