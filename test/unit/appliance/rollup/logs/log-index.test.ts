import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import fc from 'fast-check';
import { createLogIndex, type LogIndex } from '../../../../../appliance/rollup/logs/log-index.ts';
import { createFingerprint } from '../../../../../appliance/rollup/logs/log-items.ts';
import { MAX_SECTION_BLOCKS } from '../../../../../appliance/rollup/logs/log-tail.ts';
import type { Hex } from '../../../../../protocol/brand.ts';
import { isNectarError } from '../../../../../protocol/errors.ts';

const fingerprint = createFingerprint(randomBytes(32));
const item = (n: number): Hex => `0x${n.toString(16).padStart(64, '0')}`;
const asleep = async (): Promise<void> => undefined;

interface Block {
  readonly hash: Hex;
  readonly items: readonly number[];
}

/** A chain of which only hashes and items are known, and the records of its database. */
function stand() {
  const blocks: Block[] = [];
  const records = new Map<string, Uint8Array>();
  let hashes = 0;
  let reads = 0;
  const open = (): LogIndex =>
    createLogIndex({
      fingerprint,
      database: {
        async record(name) {
          reads += 1;
          return records.get(name);
        },
        canonicalHash: async (number) => blocks[Number(number)]?.hash,
      },
      async putRecords(changed) {
        for (const [name, value] of changed) {
          if (value === undefined) records.delete(name);
          else records.set(name, Uint8Array.from(value));
        }
      },
    });
  return {
    blocks,
    records,
    open,
    reads: () => reads,
    grow(items: readonly number[]) {
      hashes += 1;
      blocks.push({ hash: item(hashes), items });
    },
    async index(index: LogIndex) {
      await index.dropStale();
      for (let next = index.next() ?? 0n; next < BigInt(blocks.length); next = index.next() ?? 0n) {
        const block = blocks[Number(next)];
        await index.append(
          block?.hash,
          (block?.items ?? []).map((n) => fingerprint(1, item(n))),
        );
      }
    },
    with: (...wanted: number[]): bigint[] =>
      blocks.flatMap(({ items }, i) => (items.some((n) => wanted.includes(n)) ? [BigInt(i)] : [])),
  };
}

const wanted = (...numbers: number[]) => [{ place: 1, values: new Set(numbers.map(item)) }];

/** Three sections and a tail; 1 in every block, 2 in every hundredth, 3 in one of each thousand. */
function threeSections() {
  const chain = stand();
  for (let i = 0; i < 3 * MAX_SECTION_BLOCKS + 100; i++)
    chain.grow([1, ...(i % 100 === 7 ? [2] : []), ...(i % 1000 === 999 ? [3] : []), 10 + i]);
  return chain;
}

test('finds the blocks of an item in sections and in the tail, and no others', async () => {
  const chain = threeSections();
  const index = chain.open();
  await index.load();
  await chain.index(index);
  const top = BigInt(chain.blocks.length - 1);
  for (const numbers of [[1], [2], [3], [2, 3], [10, 5_000, 12_380], [999_999]]) {
    const { through, blocks } = await index.find(wanted(...numbers), { from: 0n, to: top }, asleep);
    assert.equal(through, top);
    assert.deepEqual(blocks, chain.with(...numbers));
  }
  const both = [...wanted(2), { place: 1, values: new Set([item(17)]) }];
  assert.deepEqual((await index.find(both, { from: 0n, to: top }, asleep)).blocks, [7n]);
  const part = await index.find(wanted(2), { from: 108n, to: 8_300n }, asleep);
  assert.deepEqual(
    part.blocks,
    chain.with(2).filter((n) => n >= 108n && n <= 8_300n),
  );
  const elsewhere = [{ place: 2, values: new Set([item(1)]) }];
  assert.deepEqual((await index.find(elsewhere, { from: 0n, to: top }, asleep)).blocks, []);
});

test('reads one row of each section for an item, whatever the number of blocks', async () => {
  const chain = threeSections();
  const index = chain.open();
  await index.load();
  await chain.index(index);
  const before = chain.reads();
  let paid = 0;
  const pay = async (): Promise<void> => {
    paid += 1;
  };
  await index.find(wanted(3), { from: 0n, to: 20_000n }, pay);
  assert.deepEqual([chain.reads() - before, paid], [3, 3]);
});

test('is there again after a start, but for the tail, which is built from the blocks', async () => {
  const chain = threeSections();
  const first = chain.open();
  await first.load();
  await chain.index(first);
  const again = chain.open();
  await again.load();
  assert.equal(again.next(), BigInt(3 * MAX_SECTION_BLOCKS));
  const { through, blocks } = await again.find(wanted(2), { from: 0n, to: 20_000n }, asleep);
  assert.equal(through, BigInt(3 * MAX_SECTION_BLOCKS - 1));
  assert.deepEqual(
    blocks,
    chain.with(2).filter((n) => n <= through),
  );
});

test('says nothing of blocks that are canonical no more, before and after they are taken back', async () => {
  const chain = threeSections();
  const index = chain.open();
  await index.load();
  await chain.index(index);
  const rows = chain.records.size;
  // Into the second section: two sections are stale, the first stands.
  chain.blocks.length = MAX_SECTION_BLOCKS + 5;
  for (let i = 0; i < 10; i++) chain.grow([4]);
  const stale = await index.find(wanted(4), { from: 0n, to: 20_000n }, asleep);
  assert.deepEqual([stale.through, stale.blocks], [BigInt(MAX_SECTION_BLOCKS - 1), []]);
  await chain.index(index);
  const top = BigInt(chain.blocks.length - 1);
  const { through, blocks } = await index.find(wanted(4), { from: 0n, to: top }, asleep);
  assert.deepEqual([through, blocks], [top, chain.with(4)]);
  assert.ok(chain.records.size < rows / 2, 'the rows of stale sections are gone');
});

test('what another version wrote is built anew; a damaged row is an error', async () => {
  const chain = threeSections();
  const index = chain.open();
  await index.load();
  await chain.index(index);
  const second = chain.records.get('logs/section/1') ?? assert.fail();
  second[0] = 99;
  const again = chain.open();
  await again.load();
  assert.equal(again.next(), BigInt(MAX_SECTION_BLOCKS));
  const gone = Array.from(chain.records.keys()).filter((name) => name.startsWith('logs/row/0/'));
  for (const name of gone) chain.records.set(name, new Uint8Array(5));
  await assert.rejects(again.find(wanted(1), { from: 0n, to: 9n }, asleep), (error) =>
    isNectarError(error, 'ROLLUP_DATABASE_INVALID'),
  );
  for (const name of gone) chain.records.delete(name);
  // Taken back while somebody searches: the caller looks at the blocks.
  assert.deepEqual(await again.find(wanted(1), { from: 0n, to: 9n }, asleep), { through: -1n, blocks: [] });
});

test('whatever is built, taken back and restarted, no block that holds an item is missed', async () => {
  const step = fc.oneof(
    fc.record({ grow: fc.integer({ min: 1, max: 3_000 }), seed: fc.nat(50) }),
    fc.record({ cut: fc.integer({ min: 1, max: 5_000 }) }),
    fc.constant('index' as const),
    fc.constant('restart' as const),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 14 }), fc.nat(60), async (steps, sought) => {
      const chain = stand();
      let index = chain.open();
      await index.load();
      for (const each of steps) {
        if (each === 'index') await chain.index(index);
        else if (each === 'restart') {
          index = chain.open();
          await index.load();
        } else if ('grow' in each) for (let i = 0; i < each.grow; i++) chain.grow([(i * 7 + each.seed) % 61]);
        else chain.blocks.length = Math.max(0, chain.blocks.length - each.cut);
        const top = BigInt(chain.blocks.length - 1);
        const { through, blocks } = await index.find(wanted(sought), { from: 0n, to: top }, asleep);
        assert.ok(through <= top);
        assert.deepEqual(
          blocks,
          chain.with(sought).filter((n) => n <= through),
        );
      }
    }),
    { numRuns: 25 },
  );
});
