import assert from 'node:assert/strict';
import { test } from 'node:test';
import { joinReads, type Reads } from '../../../../appliance/store/joined-reads.ts';

function watched(broken: ReadonlySet<number> = new Set()): { reads: Reads<number, string>; looks: number[][] } {
  const looks: number[][] = [];
  const find = async (key: number): Promise<string> => {
    if (broken.has(key)) throw new Error(`${key} is broken`);
    return `value ${key}`;
  };
  return {
    looks,
    reads: {
      one(key) {
        looks.push([key]);
        return find(key);
      },
      many(keys) {
        looks.push(keys);
        return Promise.all(keys.map(find));
      },
    },
  };
}

test('reads of one turn are one look, each with its own value', async () => {
  const { reads, looks } = watched();
  const read = joinReads(reads);
  assert.deepEqual(await Promise.all([1, 2, 3].map(read)), ['value 1', 'value 2', 'value 3']);
  assert.deepEqual(looks, [[1, 2, 3]]);
});

test('reads that come by microtasks of the same turn join too, as under the locks of many records', async () => {
  const { reads, looks } = watched();
  const read = joinReads(reads);
  await Promise.all([4, 5, 6].map((key) => Promise.resolve().then(() => read(key))));
  assert.deepEqual(looks, [[4, 5, 6]]);
});

test('one read alone is asked for by itself, and a later one after it', async () => {
  const { reads, looks } = watched();
  const read = joinReads(reads);
  assert.equal(await read(7), 'value 7');
  assert.equal(await read(8), 'value 8');
  assert.deepEqual(looks, [[7], [8]]);
});

test('many reads are several looks of a bounded length', async () => {
  const { reads, looks } = watched();
  const read = joinReads(reads);
  const keys = Array.from({ length: 300 }, (_, i) => i);
  assert.deepEqual(
    await Promise.all(keys.map(read)),
    keys.map((key) => `value ${key}`),
  );
  assert.deepEqual(
    looks.map(({ length }) => length),
    [128, 128, 44],
  );
});

test('the error of one is not that of the others', async () => {
  const { reads } = watched(new Set([2]));
  const read = joinReads(reads);
  const found = await Promise.allSettled([1, 2, 3].map(read));
  assert.deepEqual(
    found.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled'],
  );
  assert.match(String((found[1] as PromiseRejectedResult).reason), /2 is broken/);
});

test('a look that throws at once, as of a closed database, rejects', async () => {
  const closed = (): never => {
    throw new Error('closed');
  };
  const read = joinReads<number, string>({ one: async () => closed(), many: async () => closed() });
  for (const found of await Promise.allSettled([1, 2].map(read))) assert.equal(found.status, 'rejected');
});
