import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPace } from '../../../../appliance/store/pace.ts';

const { signal } = new AbortController();

/** A clock that work and rests move on. */
function clocked(load: () => number) {
  let at = 0;
  const rests: number[] = [];
  const pace = createPace(load, {
    now: () => at,
    async sleep(ms) {
      rests.push(ms);
      at += ms;
    },
  });
  const work = (ms: number): void => {
    at += ms;
  };
  return { pace, rests, work };
}

test('works the share of the time that it was given, measured by what the work took', async () => {
  for (const [load, rest] of [
    [50, 100],
    [25, 300],
    [10, 900],
    [1, 9_900],
  ] as const) {
    const { pace, rests, work } = clocked(() => load);
    work(100);
    await pace.rest(signal);
    work(100);
    await pace.rest(signal);
    assert.deepEqual(rests, [rest, rest], `${load} %`);
  }
});

test('adds up rests that are too short for a timer, and never rests at full load', async () => {
  const { pace, rests, work } = clocked(() => 50);
  for (let i = 0; i < 10; i++) {
    work(5);
    await pace.rest(signal);
  }
  assert.deepEqual(rests, [20, 20]);
  const full = clocked(() => 100);
  full.work(60_000);
  await full.pace.rest(signal);
  assert.deepEqual(full.rests, []);
});

test('a rest ends at once when the load is another one, and with its reason when the work is stopped', async () => {
  const pace = createPace(() => 1, { now: clock() });
  const resting = pace.rest(signal);
  pace.wake();
  await resting;
  const stop = new AbortController();
  const stopped = createPace(() => 1, { now: clock() }).rest(stop.signal);
  stop.abort(new Error('stopped'));
  await assert.rejects(stopped);
});

/** As if a minute of work lay between two looks. */
function clock(): () => number {
  let at = 0;
  return () => {
    at += 60_000;
    return at;
  };
}
