import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { type InOrderOptions, inOrder } from '../../../cli/in-order.ts';

async function* upTo(count: number, brokenAt = count): AsyncGenerator<number> {
  for (let i = 0; i < count; i++) {
    if (i === brokenAt) throw new RangeError(`item ${i}`);
    yield i;
  }
}

/** What came out, what began, how many at a time, and the error at the end. */
async function run(items: AsyncIterable<number>, options: Partial<InOrderOptions<number, number>> = {}) {
  const seen = { begun: [] as number[], results: [] as number[], most: 0, error: undefined as unknown };
  let running = 0;
  const work = async (item: number): Promise<number> => {
    seen.begun.push(item);
    seen.most = Math.max(seen.most, ++running);
    for (let i = item % 5; i >= 0; i--) await turn(); // not in order by themselves
    try {
      return (await options.work?.(item)) ?? item;
    } finally {
      running--;
    }
  };
  try {
    for await (const result of inOrder(items, { limit: 4, ...options, work })) seen.results.push(result);
  } catch (error) {
    seen.error = error;
  }
  return seen;
}

const failAt =
  (...which: number[]) =>
  async (item: number): Promise<number> => {
    if (which.includes(item)) throw new RangeError(`work ${item}`);
    return item;
  };

test('several are worked on at a time, never more than the limit, and the results keep the order of the items', async () => {
  const { results, most } = await run(upTo(40));
  assert.deepEqual(results, [...Array(40).keys()]);
  assert.equal(most, 4);
});

test('an item that is worked on alone shares its time with nothing', async () => {
  let running = 0;
  const alone = (item: number): boolean => item % 7 === 3;
  const work = async (item: number): Promise<number> => {
    running++;
    await turn();
    if (alone(item)) assert.equal(running, 1, `item ${item}`);
    running--;
    return item;
  };
  const { results, error } = await run(upTo(30), { work, alone });
  assert.equal(error, undefined);
  assert.deepEqual(results, [...Array(30).keys()]);
});

test('after a failure nothing new begins, what had begun is told, and the first failure in order is thrown', async () => {
  const { results, begun, error } = await run(upTo(40), { work: failAt(9, 11) });
  assert.equal((error as Error).message, 'work 9');
  assert.deepEqual(
    results,
    begun.filter((item) => item !== 9 && item !== 11),
  );
  assert.ok(begun.length < 20, `${begun.length} begun`);
});

test('a failure of the items themselves comes after all that they gave before', async () => {
  const { results, error } = await run(upTo(40, 12));
  assert.deepEqual(results, [...Array(12).keys()]);
  assert.equal((error as Error).message, 'item 12');
});

test('a consumer that stops early leaves no failure behind that nobody hears', async () => {
  for await (const result of inOrder(upTo(40), { limit: 4, work: failAt(1, 2, 3) })) {
    assert.equal(result, 0);
    break;
  }
  await turn();
});

test('a result that failed in a part is yielded all the same, then nothing new begins and its failure is thrown', async () => {
  const failure = { error: new RangeError('a part of 3') };
  const failureOf = (result: number) => (result === 3 ? failure : undefined);
  const { results, begun, error } = await run(upTo(100), { failureOf });
  assert.equal(error, failure.error);
  assert.ok(begun.length < 100);
  assert.deepEqual(results, begun);
});
