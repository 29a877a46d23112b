import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeFresh } from '../../../../../appliance/rollup/execute/packed-preimages.ts';
import { createRecentGroups } from '../../../../../appliance/rollup/execute/recent-groups.ts';

/** A hash that begins with eight equal bytes and ends with others. */
const hash = (begin: number, end = begin) => new Uint8Array(32).fill(end).fill(begin, 0, 8);
const groupOf = (...hashes: Uint8Array[]) => encodeFresh(hashes.map((key) => [key, key.slice(0, 9)] as const));

test('what lies in a group that was added is found, as a copy; nothing else is', () => {
  const recent = createRecentGroups(2);
  assert.equal(recent.find(hash(1)), undefined);
  recent.add(groupOf(hash(1), hash(2)));
  const found = recent.find(hash(2));
  assert.deepEqual(found, hash(2).slice(0, 9));
  found?.fill(0);
  assert.deepEqual(recent.find(hash(2)), hash(2).slice(0, 9));
  assert.equal(recent.find(hash(2, 7)), undefined, 'a hash that only begins the same way');
});

test('the group that was added first is forgotten, but for what a later one holds too', () => {
  const recent = createRecentGroups(2);
  const first = groupOf(hash(1), hash(2));
  recent.add(first);
  recent.add(first);
  recent.add(groupOf(hash(2), hash(3)));
  assert.ok(recent.find(hash(1)));
  recent.add(groupOf(hash(4)));
  assert.equal(recent.find(hash(1)), undefined);
  for (const kept of [2, 3, 4]) assert.ok(recent.find(hash(kept)));
  recent.clear();
  for (const kept of [2, 3, 4]) assert.equal(recent.find(hash(kept)), undefined);
});
