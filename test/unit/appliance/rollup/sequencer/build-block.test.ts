import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createBlockBudget } from '../../../../../appliance/rollup/sequencer/block-budget.ts';
import { buildAround } from '../../../../../appliance/rollup/sequencer/build-block.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { NectarError } from '../../../../../protocol/errors.ts';
import type { SignedTransaction } from '../../../../../protocol/rollup/transaction.ts';

const named = (name: string): SignedTransaction => ({ hash: name as Hex }) as SignedTransaction;

/** A chain that cannot build a block with `guilty` in it; the rest of what waits is tried again as a sequencer does. */
async function drain(names: readonly string[], guilty: ReadonlySet<string>) {
  const blocks: string[][] = [];
  const evicted: string[] = [];
  let attempts = 0;
  let waiting = names.map(named);
  const maker = {
    async produce(transactions: readonly SignedTransaction[]) {
      attempts += 1;
      const included = transactions.map(({ hash }) => hash);
      if (included.some((hash) => guilty.has(hash))) throw new Error('the trie has no such node');
      blocks.push(included);
      waiting = waiting.filter(({ hash }) => !included.includes(hash));
      return { number: BigInt(blocks.length), included };
    },
  };
  while (waiting.length > 0) {
    await buildAround(maker, waiting, ({ transaction }) => {
      evicted.push(transaction.hash);
      waiting = waiting.filter(({ hash }) => hash !== transaction.hash);
    });
  }
  return { included: blocks.flat(), evicted, attempts };
}

test('evicts the transaction that makes blocks fail, and builds all others in order', async () => {
  const names = Array.from({ length: 64 }, (_, i) => `t${i}`);
  for (const guilty of ['t0', 't31', 't63']) {
    const { included, evicted, attempts } = await drain(names, new Set([guilty]));
    assert.deepEqual(evicted, [guilty]);
    assert.deepEqual(
      included,
      names.filter((name) => name !== guilty),
    );
    assert.ok(attempts < 40, `${attempts} attempts`);
  }
  const many = new Set(['t1', 't2', 't40']);
  assert.deepEqual((await drain(names, many)).evicted, [...many]);
});

test('evicts nothing while the disk is full, or when not even an empty block can be built', async () => {
  const evicted: unknown[] = [];
  const full = new NectarError('NODE_DISK_FULL', { path: 'db' });
  const failing = (error: Error) => ({
    produce: async () => {
      throw error;
    },
  });
  await assert.rejects(
    buildAround(failing(full), [named('a'), named('b')], (one) => evicted.push(one)),
    full,
  );
  await assert.rejects(
    buildAround(failing(new Error('bug')), [named('a'), named('b')], (one) => evicted.push(one)),
    /bug/,
  );
  assert.deepEqual(evicted, []);
});

test('a block that took too much CPU makes the next ones smaller, and cheap ones bring the limit back', () => {
  const budget = createBlockBudget({ gasLimit: 30_000_000n, maxCpuMs: 1_000 });
  budget.spent(900, 30_000_000n);
  assert.equal(budget.gas(), 30_000_000n);
  budget.spent(10_000, 30_000_000n);
  assert.equal(budget.gas(), 3_000_000n);
  budget.spent(60_000, 3_000_000n);
  assert.equal(budget.gas(), 1_000_000n);
  for (let blocks = 0; blocks < 20; blocks += 1) budget.spent(100, 1_000_000n);
  assert.equal(budget.gas(), 30_000_000n);
});
