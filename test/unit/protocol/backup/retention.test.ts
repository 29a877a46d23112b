import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptGenerations } from '../../../../protocol/backup/retention.ts';

const NOTHING = { last: 0, daily: 0, weekly: 0, monthly: 0 };
/** One a day at noon, from Monday 2 November 2026 on. */
const daily = Array.from({ length: 60 }, (_, i) => ({
  generation: i + 1,
  createdAt: new Date(Date.UTC(2026, 10, 2 + i, 12)).toISOString(),
}));
const kept = (keep: Partial<typeof NOTHING>, of = daily): number[] =>
  [...keptGenerations(of, { ...NOTHING, ...keep })].sort((a, b) => a - b);

test('keeps the newest whatever the retention says', () => {
  assert.deepEqual(kept({}), [60]);
  assert.deepEqual(kept({}, []), []);
});

test('keeps so many of the newest', () => {
  assert.deepEqual(kept({ last: 3 }), [58, 59, 60]);
});

test('keeps the last one of each of the newest days, weeks and months', () => {
  assert.deepEqual(kept({ daily: 2 }), [59, 60]);
  // Weeks end on Sunday: 27 and 20 December are generations 56 and 49.
  assert.deepEqual(kept({ weekly: 3 }), [49, 56, 60]);
  assert.deepEqual(kept({ monthly: 5 }), [29, 60]);
});

test('counts days that have a snapshot, however far apart', () => {
  const sparse = daily.filter(({ generation }) => generation % 10 === 0);
  assert.deepEqual(kept({ daily: 3 }, sparse), [40, 50, 60]);
  const twice = [...daily, { generation: 61, createdAt: daily.at(-1)?.createdAt ?? '' }];
  assert.deepEqual(kept({ daily: 2 }, twice), [59, 61]);
});
