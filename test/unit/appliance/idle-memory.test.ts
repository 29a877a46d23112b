import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createIdleMemory } from '../../../appliance/idle-memory.ts';

const MIB = 1 << 20;

/** A thread whose clock, work and heap the test moves. */
function stand() {
  const thread = { at: 0, cpuMs: 0, heap: 200 * MIB, live: 70 * MIB, collections: 0 };
  const look = createIdleMemory({
    now: () => thread.at,
    cpuMs: () => thread.cpuMs,
    heapUsedBytes: () => thread.heap,
    collect() {
      thread.collections += 1;
      thread.heap = thread.live;
    },
  });
  const pass = (cpuMs: number, ms = 300_000): number => {
    thread.at += ms;
    thread.cpuMs += cpuMs;
    look();
    return thread.collections;
  };
  return { thread, pass };
}

test('collects what the start left as soon as the thread is idle, and not before', () => {
  const { thread, pass } = stand();
  assert.equal(pass(900, 1000), 0);
  assert.equal(pass(201, 1000), 0);
  assert.equal(pass(10, 1000), 1);
  assert.equal(thread.heap, thread.live);
});

test('collects again only when enough has piled up above what lives', () => {
  const { thread, pass } = stand();
  assert.equal(pass(0), 1);
  assert.equal(pass(0), 1);
  thread.heap += 31 * MIB;
  assert.equal(pass(0), 1);
  thread.heap += MIB;
  assert.equal(pass(0), 2);
  // What lives has grown for good: that is no garbage.
  thread.live = 300 * MIB;
  thread.heap = 400 * MIB;
  assert.equal(pass(0), 3);
  assert.equal(pass(0), 3);
});

test('rests after a collection: young garbage is cleared without it, for a hundredth of the work', () => {
  const { thread, pass } = stand();
  assert.equal(pass(0, 20_000), 1);
  for (let look = 1; look < 15; look += 1) {
    thread.heap += 40 * MIB;
    assert.equal(pass(0, 20_000), 1);
  }
  assert.equal(pass(0, 20_000), 2);
});
