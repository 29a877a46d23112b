import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSlots } from '../../../../appliance/p2p/slots.ts';

test('no more than the limit run at a time for one key, in order, and a failure frees its place', async () => {
  const slots = createSlots(2);
  const running = new Map<string, number>();
  const order: number[] = [];
  let most = 0;
  const work = (key: string, index: number) => async (): Promise<number> => {
    running.set(key, (running.get(key) ?? 0) + 1);
    most = Math.max(most, running.get(key) ?? 0);
    order.push(index);
    await new Promise((resolve) => setImmediate(resolve));
    running.set(key, (running.get(key) ?? 0) - 1);
    if (index === 3) throw new Error('broken');
    return index;
  };
  const results = await Promise.allSettled([0, 1, 2, 3, 4, 5, 6].map((index) => slots('a', work('a', index))));
  assert.equal(most, 2);
  assert.deepEqual(order, [0, 1, 2, 3, 4, 5, 6]);
  assert.deepEqual(
    results.map(({ status }) => status === 'fulfilled'),
    [true, true, true, false, true, true, true],
  );
  assert.equal(await slots('a', async () => 'free again'), 'free again');
});

test('one key does not wait for another', async () => {
  const slots = createSlots(1);
  const first = Promise.withResolvers<void>();
  const blocked = slots('a', () => first.promise);
  assert.equal(await slots('b', async () => 'through'), 'through');
  first.resolve();
  await blocked;
});
