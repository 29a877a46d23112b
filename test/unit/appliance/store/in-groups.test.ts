import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createTurns, inGroups } from '../../../../appliance/store/in-groups.ts';

async function* count(to: number): AsyncGenerator<number> {
  for (let i = 0; i < to; i++) yield i;
}

async function groupsOf(to: number, size: number): Promise<number[][]> {
  const groups: number[][] = [];
  for await (const group of inGroups(count(to), size)) groups.push(group);
  return groups;
}

test('items come in groups, in their order, the last one smaller', async () => {
  assert.deepEqual(await groupsOf(5, 2), [[0, 1], [2, 3], [4]]);
  assert.deepEqual(await groupsOf(4, 2), [
    [0, 1],
    [2, 3],
  ]);
  assert.deepEqual(await groupsOf(0, 2), []);
});

test('so many go on at a time, and a failure gives its turn to the next', async () => {
  const inTurn = createTurns(2);
  let now = 0;
  let most = 0;
  const results = await Promise.allSettled(
    Array.from({ length: 9 }, (_, i) =>
      inTurn(async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setImmediate(resolve));
        now -= 1;
        if (i % 3 === 0) throw new Error('refused');
        return i;
      }),
    ),
  );
  assert.deepEqual([most, now], [2, 0]);
  assert.deepEqual(
    results.map((result) => (result.status === 'fulfilled' ? result.value : undefined)),
    [undefined, 1, 2, undefined, 4, 5, undefined, 7, 8],
  );
});
