import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { Transaction, Wallet } from 'ethers';
import { createBatchPoster } from '../../../../../appliance/rollup/batcher/batch-poster.ts';
import { createBatcher } from '../../../../../appliance/rollup/batcher/batcher.ts';
import { createL1Sender } from '../../../../../appliance/rollup/batcher/l1-sender.ts';
import { SEQUENCER_INBOX } from '../../../../../appliance/rollup/l1/inbox-event.ts';
import { type JsonRpc, RpcRefusal } from '../../../../../appliance/rollup/l1/json-rpc.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import { NectarError } from '../../../../../protocol/errors.ts';
import { decodeBatch } from '../../../../oracle/decode-batch.ts';

const KEY = new Uint8Array(32).fill(7);
const from = new Wallet(`0x${'07'.repeat(32)}`).address;
const sequencerInbox = `0x${'5e'.repeat(20)}` as const;
const log = createLogger({ level: 'silent' });

/** L1 reduced to one account, one contract and a mempool that mines when it is told to. */
function createL1() {
  const state = {
    nonce: 0n,
    batches: [] as Uint8Array[],
    pending: undefined as Transaction | undefined,
    sent: 0,
    down: false,
  };
  const refuse = (method: string, code: number, message: string): never => {
    throw new NectarError('ROLLUP_L1_REFUSED', { method, code }, { cause: new RpcRefusal(code, message, undefined) });
  };
  const callOf = (data: string) => SEQUENCER_INBOX.decodeFunctionData('addBatch', data);
  const methods: Record<string, (param: never) => unknown> = {
    eth_estimateGas({ data }: { data: string }) {
      if (callOf(data).getValue('sequenceNumber') !== BigInt(state.batches.length))
        refuse('eth_estimateGas', 3, 'reverted');
      return '0x5208';
    },
    eth_getTransactionCount: () => `0x${state.nonce.toString(16)}`,
    eth_getBlockByNumber: () => ({ baseFeePerGas: '0x3b9aca00' }),
    eth_sendRawTransaction(raw: string) {
      const tx = Transaction.from(raw);
      state.sent += 1;
      // A mempool takes what is ahead of its turn too, and lets it wait behind the gap.
      if (BigInt(tx.nonce) > state.nonce) return tx.hash;
      assert.equal(BigInt(tx.nonce), state.nonce);
      const least = ((state.pending?.maxFeePerGas ?? 0n) * 11n) / 10n;
      if ((tx.maxFeePerGas ?? 0n) < least)
        refuse('eth_sendRawTransaction', -32000, 'replacement transaction underpriced');
      state.pending = tx;
      return tx.hash;
    },
  };
  const rpc: JsonRpc = {
    distrust: () => {},
    async call(method, params) {
      if (state.down) throw new NectarError('ROLLUP_L1_UNREACHABLE', { method, reason: 'down' });
      return methods[method]?.(params[0] as never);
    },
  };
  return {
    state,
    rpc,
    mine() {
      if (state.pending === undefined) return;
      const call = callOf(state.pending.data);
      if (call.getValue('sequenceNumber') === BigInt(state.batches.length)) {
        state.batches.push(Buffer.from(call.getValue('data').slice(2), 'hex'));
      }
      state.nonce += 1n;
      state.pending = undefined;
    },
    /** The last blocks are gone, and the transactions in them: the account's nonce and the contract's count with them. */
    reorg(lostBatches: number) {
      state.batches.splice(state.batches.length - lostBatches);
      state.nonce -= BigInt(lostBatches);
      state.pending = undefined;
    },
  };
}

function start(
  l1: ReturnType<typeof createL1>,
  head: () => bigint,
  clock: { now: number },
  limits: { maxFeeGwei?: bigint; idleMs?: number } = {},
) {
  const { maxFeeGwei = 500n, idleMs = 0 } = limits;
  const hash = `0x${'aa'.repeat(32)}` as const;
  const posted = () => l1.state.batches.flatMap((data) => decodeBatch(data) ?? []).length;
  const sender = createL1Sender({ key: KEY, chainId: 1n, maxFeePerGasWei: maxFeeGwei * 10n ** 9n }, l1.rpc);
  const prove = async (): Promise<never> => assert.fail('no blobs');
  const poster = createBatchPoster(
    { sequencerInbox, dataAvailability: 'calldata', readsBlobs: false },
    { sender, prove, log },
  );
  const batcher = createBatcher(
    { batchIntervalMs: 1, idleBatchIntervalMs: idleMs, maxBatchBytes: 110_000, resubmitMs: 100 },
    {
      chain: {
        settled: () => true,
        posted: async () => ({
          batchCount: BigInt(l1.state.batches.length),
          safe: BigInt(posted()),
          messagesRead: 0n,
          messagesAllowed: 0n,
        }),
        unsafeHead: head,
        getBatchBlock: async (number) => ({
          timestamp: number,
          l1Origin: { number: 1n, hash },
          delayedMessages: 0,
          transactions: [],
        }),
      },
      poster,
      sender,
      log,
      now: () => clock.now,
    },
  );
  return batcher.start(new AbortController().signal).then(() => batcher);
}

async function until(probe: () => boolean): Promise<void> {
  for (let i = 0; i < 400 && !probe(); i += 1) await delay(5);
  assert.ok(probe());
}

const timestamps = (l1: ReturnType<typeof createL1>): number[] =>
  l1.state.batches.flatMap((data) => decodeBatch(data) ?? []).map(({ timestamp }) => Number(timestamp));

test('posts every block once and in order, over restarts that remember nothing', async () => {
  const l1 = createL1();
  const clock = { now: 0 };
  let head = 3n;
  for (let round = 0; round < 6; round += 1) {
    const batcher = await start(l1, () => head, clock);
    await until(() => l1.state.pending !== undefined);
    // Killed with the batch in the mempool: the next run must replace it, not add to it.
    if (round % 2 === 1) l1.mine();
    await batcher.stop();
    head += 2n;
  }
  const batcher = await start(l1, () => head, clock);
  await until(() => l1.state.pending !== undefined);
  while (timestamps(l1).length < Number(head)) {
    l1.mine();
    await delay(5);
  }
  await batcher.stop();
  assert.deepEqual(
    timestamps(l1),
    Array.from({ length: Number(head) }, (_, index) => index + 1),
  );
});

test('offers more for a batch that L1 does not take, on the same nonce and up to the limit', async () => {
  const l1 = createL1();
  const clock = { now: 0 };
  const batcher = await start(l1, () => 1n, clock, { maxFeeGwei: 4n });
  await until(() => l1.state.pending !== undefined);
  const first = l1.state.pending;
  for (let i = 0; i < 10; i += 1) {
    const { sent } = l1.state;
    clock.now += 100;
    await delay(10);
    if (i === 0) await until(() => l1.state.sent > sent);
  }
  const last = l1.state.pending;
  assert.equal(last?.nonce, first?.nonce);
  assert.equal(last?.data, first?.data);
  assert.equal(last?.from, from);
  assert.ok((last?.maxFeePerGas ?? 0n) > (first?.maxFeePerGas ?? 0n));
  assert.ok((last?.maxFeePerGas ?? 0n) <= 4n * 10n ** 9n);
  await batcher.stop();
});

test('says that batches do not reach L1 while it is gone, and posts when it is back', async () => {
  const l1 = createL1();
  l1.state.down = true;
  const batcher = await start(l1, () => 2n, { now: 0 });
  await until(() => !batcher.readiness().ready);
  l1.state.down = false;
  await until(() => l1.state.pending !== undefined);
  l1.mine();
  await until(() => batcher.readiness().ready);
  await batcher.stop();
  assert.deepEqual(timestamps(l1), [1, 2]);
});

test('lets empty blocks wait for company, but not for ever', async () => {
  const l1 = createL1();
  const clock = { now: 1_000_000 };
  let head = 1n;
  const batcher = await start(l1, () => head, clock, { idleMs: 30_000 });
  await until(() => l1.state.pending !== undefined);
  l1.mine();
  head = 4n;
  await delay(50);
  assert.equal(l1.state.pending, undefined);
  clock.now += 30_000;
  await until(() => l1.state.pending !== undefined);
  l1.mine();
  assert.deepEqual(timestamps(l1), [1, 2, 3, 4]);
  await batcher.stop();
});

for (const { lost, name } of [
  { lost: 2, name: 'batches before it' },
  { lost: 0, name: 'only its nonce, and no batch' },
]) {
  test(`recovers by itself when L1 takes back ${name} while a batch is in flight`, async () => {
    const l1 = createL1();
    const clock = { now: 0 };
    let head = 1n;
    const batcher = await start(l1, () => head, clock);
    for (; head <= 3n; head += 1n) {
      await until(() => l1.state.pending !== undefined);
      l1.mine();
    }
    await until(() => l1.state.pending !== undefined);
    if (lost > 0) l1.reorg(lost);
    else {
      l1.state.nonce -= 1n;
      l1.state.pending = undefined;
    }
    clock.now += 100;
    await until(() => l1.state.pending !== undefined);
    assert.equal(BigInt(l1.state.pending?.nonce ?? 0), l1.state.nonce);
    l1.mine();
    await until(() => timestamps(l1).length === Number(head));
    assert.deepEqual(timestamps(l1), [1, 2, 3, 4]);
    await batcher.stop();
  });
}

test('never offers more for a batch that waits behind a gap', async () => {
  const l1 = createL1();
  const sender = createL1Sender({ key: KEY, chainId: 1n, maxFeePerGasWei: 10n ** 12n }, l1.rpc);
  const { signal } = new AbortController();
  l1.state.nonce = 5n;
  const data = SEQUENCER_INBOX.encodeFunctionData('addBatch', [0n, '0x', 0n]) as `0x${string}`;
  const outgoing = await sender.send({ to: sequencerInbox, data }, signal);
  const standings = [];
  for (const nonce of [5n, 6n, 4n]) {
    l1.state.nonce = nonce;
    standings.push(await sender.standing(outgoing, signal));
  }
  assert.deepEqual(standings, ['next', 'used', 'detached']);
});
