import assert from 'node:assert/strict';
import { test } from 'node:test';
import { STORAGE_CLASSES } from '../../../../protocol/coding/storage-class.ts';
import { planRepairs, type ShardState, segmentHealth, shardState } from '../../../../protocol/storage/repair.ts';

const HOUR = 60 * 60 * 1000;
const { standard } = STORAGE_CLASSES;
const well = { silentMs: 0, isEjected: false, isFaulted: false };
const states = (count: Partial<Record<ShardState, number>>): ShardState[] =>
  (Object.entries(count) as [ShardState, number][]).flatMap(([state, times]) =>
    Array.from({ length: times }, () => state),
  );

test('a shard is late after an hour, absent after a day, lost after seven, or by ejection or a failed audit at once', () => {
  const after = (hours: number) => shardState({ ...well, silentMs: hours * HOUR });
  assert.deepEqual([0, 0.9, 1, 23.9, 24, 167.9, 168].map(after), [
    'live',
    'live',
    'late',
    'late',
    'absent',
    'absent',
    'lost',
  ]);
  assert.equal(shardState({ ...well, isEjected: true }), 'lost');
  assert.equal(shardState({ ...well, isFaulted: true }), 'lost');
});

test('a site that is down for twelve hours moves nothing, nor do all twenty that restart at once', () => {
  assert.equal(segmentHealth(states({ late: 20 }), standard).isDue, false);
  assert.equal(segmentHealth(states({ late: 20 }), standard).count, 20);
});

test('an absent shard counts half: twelve of twenty make a segment due, and yet none is made anew', () => {
  assert.equal(segmentHealth(states({ live: 9, absent: 11 }), standard).count, 14.5);
  const { count, isDue, lost } = segmentHealth(states({ live: 8, absent: 12 }), standard);
  assert.deepEqual([count, isDue, lost.length], [14, false, 0]);
  assert.equal(segmentHealth(states({ live: 8, absent: 11, lost: 1 }), standard).isDue, true);
});

test('repairs at the threshold and not above it, and makes the lost shards anew, those never placed among them', () => {
  assert.equal(segmentHealth(states({ live: 15, lost: 5 }), standard).isDue, false);
  const health = segmentHealth(states({ live: 14, lost: 4 }), standard);
  assert.deepEqual([health.isDue, health.lost, health.margin], [true, [14, 15, 16, 17, 18, 19], 4]);
});

test('takes the most endangered first, until the round has had its bytes', () => {
  const segment = (name: string, live: number) => ({
    name,
    shardBytes: 100,
    ...segmentHealth(states({ live, lost: 20 - live }), standard),
  });
  const all = [segment('four', 14), segment('none', 10), segment('well', 20), segment('two', 12)];
  const names = (maxBytes: number) => planRepairs(all, standard, maxBytes).map(({ name }) => name);
  assert.deepEqual(names(1e9), ['none', 'two', 'four']);
  assert.deepEqual(names(4000), ['none', 'two']);
  // One segment goes, however small the budget.
  assert.deepEqual(names(1), ['none']);
});
