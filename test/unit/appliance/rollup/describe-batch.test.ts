import assert from 'node:assert/strict';
import { test } from 'node:test';
import { describeBatch, listBatches } from '../../../../appliance/rollup/describe-batch.ts';
import { createBatchTransactions } from '../../../../appliance/rollup/l1/batch-transaction.ts';
import { RpcRefusal } from '../../../../appliance/rollup/l1/json-rpc.ts';
import { renderBatches } from '../../../../cli/commands/batches.ts';
import type { Hex } from '../../../../protocol/brand.ts';

const hashOf = (byte: number): Hex => `0x${byte.toString(16).padStart(2, '0').repeat(32)}`;
/** Which batch gave each block, from block 1 on: batch 2 gave none, and no batch gave the first two of a node from a snapshot. */
const GIVEN = [undefined, undefined, 0n, 0n, 0n, 1n, 3n, 3n];
const COUNT = 4n;

function sources(given: readonly (bigint | undefined)[] = GIVEN) {
  const transactions = new Map<string, Hex>();
  const place = (block: bigint) => given[Number(block) - 1];
  return {
    transactions,
    store: {
      cursor: async () => ({ batchCount: COUNT, safe: { number: BigInt(given.length) } }) as never,
      async findBatch(block: bigint) {
        const sequenceNumber = place(block);
        const l1 = { number: 7n, hash: hashOf(7) };
        return sequenceNumber === undefined ? undefined : { block, sequenceNumber, l1 };
      },
    },
    archive: {
      async batch(sequenceNumber: bigint) {
        const source = sequenceNumber === 3n ? ('forced' as const) : ('calldata' as const);
        const l1 = { number: 100n + sequenceNumber, hash: hashOf(Number(sequenceNumber)) };
        return { sequenceNumber, dataHash: hashOf(Number(sequenceNumber)), delayedCount: 5n, source, l1 };
      },
      find: async (dataHash: Hex) =>
        dataHash === hashOf(1) ? undefined : { source: 'calldata' as const, bytes: new Uint8Array(300) },
    },
    transactionOf: async ({ sequenceNumber }: { sequenceNumber: bigint }) => transactions.get(String(sequenceNumber)),
  };
}

test('a batch is shown with the blocks that it gave, its bytes while they are kept, and the transaction that L1 names', async () => {
  const on = sources();
  on.transactions.set('0', hashOf(0xaa));
  const shown = await describeBatch(0n, on);
  assert.deepEqual(shown?.blocks, { first: '0x3', last: '0x5' });
  assert.deepEqual(shown?.l1, { number: '0x64', hash: hashOf(0), transaction: hashOf(0xaa) });
  assert.deepEqual([shown?.size, shown?.archived], ['0x12c', true]);
  const forgotten = await describeBatch(1n, on);
  assert.deepEqual([forgotten?.size, forgotten?.data, forgotten?.archived], [null, null, false]);
  assert.deepEqual(forgotten?.blocks, { first: '0x6', last: '0x6' });
  assert.equal((await describeBatch(2n, on))?.blocks, null);
  const forced = await describeBatch(3n, on);
  assert.deepEqual([forced?.blocks, forced?.size, forced?.data], [{ first: '0x7', last: '0x8' }, '0x0', '0x']);
  assert.equal(await describeBatch(COUNT, on), undefined);
});

test('a list begins with the newest, ends where the history does, and has no data', async () => {
  const on = sources();
  const numbers = async (newest: bigint | undefined, count: number) =>
    (await listBatches({ newest, count }, on)).map(({ sequenceNumber }) => sequenceNumber);
  assert.deepEqual(await numbers(undefined, 3), ['0x3', '0x2', '0x1']);
  assert.deepEqual(await numbers(1n, 9), ['0x1', '0x0']);
  assert.deepEqual(await numbers(99n, 1), ['0x3']);
  assert.ok((await listBatches({ newest: undefined, count: 2 }, on)).every((batch) => !('data' in batch)));
});

test('the transaction of a batch is asked for once, and nothing else than a hash is taken for one', async () => {
  const answers: unknown[] = [[], [{ transactionHash: '<b>' }], [{ transactionHash: hashOf(9) }]];
  let asked = 0;
  const find = createBatchTransactions(hashOf(5), {
    async call(method, [filter]) {
      assert.equal(method, 'eth_getLogs');
      assert.equal((filter as { blockHash: Hex }).blockHash, hashOf(1));
      asked += 1;
      if (asked === 1) throw new RpcRefusal(-32000, 'no', undefined);
      return answers[asked - 2];
    },
  });
  const batch = { sequenceNumber: 4n, l1: { hash: hashOf(1) } };
  for (let i = 0; i < 3; i += 1) assert.equal(await find(batch), undefined);
  assert.equal(await find(batch), hashOf(9));
  assert.equal(await find(batch), hashOf(9));
  assert.equal(asked, 4);
});

test('the command shows a line for each batch, and says what is not known', () => {
  const text = renderBatches([
    { batch: 10, source: 'blobs', transaction: hashOf(3), l1Block: 16, firstBlock: 5, lastBlock: 9, bytes: 2_048 },
    { batch: 9, source: 'calldata', transaction: null, l1Block: 15, firstBlock: null, lastBlock: null, bytes: null },
  ]);
  const [, first, second] = text.split('\n');
  assert.match(first ?? '', new RegExp(`^10 +${hashOf(3)} +16 +5 to 9 +2\\S* KiB +blobs$`));
  assert.match(second ?? '', /^9 +not known +15 +none +forgotten +calldata$/);
});
