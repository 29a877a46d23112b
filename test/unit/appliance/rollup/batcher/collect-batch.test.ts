import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { collectBatch } from '../../../../../appliance/rollup/batcher/collect-batch.ts';
import { type BatchBlock, encodeBatch } from '../../../../../protocol/rollup/batch.ts';
import { decodeBatch } from '../../../../oracle/decode-batch.ts';

const hash = `0x${'aa'.repeat(32)}` as const;

function chainOf(sizes: readonly number[]): BatchBlock[] {
  return sizes.map((size, index) => ({
    timestamp: 1_000n + BigInt(index),
    l1Origin: { number: 7n, hash },
    delayedMessages: index % 2,
    transactions: size === 0 ? [] : [randomBytes(size)],
  }));
}

const read = (chain: readonly BatchBlock[]) => async (number: bigint) => chain[Number(number) - 1] as BatchBlock;

test('posts the longest run of blocks that fits, and nothing that a decoder would refuse', async () => {
  const sizes = fc.array(fc.integer({ min: 0, max: 900 }), { minLength: 1, maxLength: 60 });
  await fc.assert(
    fc.asyncProperty(sizes, fc.integer({ min: 1_200, max: 9_000 }), async (blocks, maxBytes) => {
      const chain = chainOf(blocks);
      const batch = await collectBatch({ from: 1n, to: BigInt(chain.length), maxBytes }, read(chain));
      assert.equal(batch.first, 1n);
      assert.ok(batch.data.length <= maxBytes);
      const taken = chain.slice(0, Number(batch.last));
      assert.deepEqual(
        decodeBatch(batch.data)?.map(({ timestamp }) => timestamp),
        taken.map(({ timestamp }) => timestamp),
      );
      assert.equal(batch.delayedMessages, BigInt(taken.filter((block) => block.delayedMessages === 1).length));
      const more = chain.slice(0, Number(batch.last) + 1);
      assert.ok(more.length === taken.length || encodeBatch(more).length > maxBytes);
    }),
    { numRuns: 60 },
  );
});

test('a block that fits into no batch is a bug and says so', async () => {
  const chain = chainOf([2_000]);
  await assert.rejects(collectBatch({ from: 1n, to: 1n, maxBytes: 1_000 }, read(chain)), {
    code: 'ROLLUP_BATCHER_BLOCK_TOO_LARGE',
  });
});
