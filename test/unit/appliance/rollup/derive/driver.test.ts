import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { createDriver } from '../../../../../appliance/rollup/derive/driver.ts';
import type { L1Steps } from '../../../../../appliance/rollup/derive/l1-steps.ts';
import { createLogger } from '../../../../../appliance/telemetry/index.ts';
import { NectarError } from '../../../../../protocol/errors.ts';

const log = createLogger({ level: 'silent' });
const unreachable = new NectarError('ROLLUP_L1_UNREACHABLE', { method: 'x', reason: 'nothing listens there' });
const reorged = new NectarError('ROLLUP_L1_REORGED', { number: 7n });
const broken = new NectarError('ROLLUP_DERIVE_ACCUMULATOR_INVALID', { contract: 'Inbox', index: 1n });
const diskFull = new NectarError('NODE_DISK_FULL', { path: 'db' });

/** Plays one outcome per step: an error is thrown, a boolean is what advance resolves with; then it stands still. */
function drive(outcomes: (boolean | Error)[], pollMs = 1, onStep: () => void = () => {}) {
  const calls: string[] = [];
  const clock = { now: 0, silentMs: 0 };
  const stop = new AbortController();
  const steps: L1Steps = {
    verify: async () => void calls.push('verify'),
    async advance({ checkUnsafe }) {
      calls.push(checkUnsafe ? 'advance+check' : 'advance');
      onStep();
      const outcome = outcomes.shift();
      if (outcome === undefined) {
        stop.abort();
        return true;
      }
      if (outcome instanceof Error) throw outcome;
      return outcome;
    },
    async reset() {
      calls.push('reset');
      return { number: 1n, safe: { number: 1n } } as never;
    },
  };
  const deps = { steps, log, now: () => clock.now, silence: { ms: () => clock.silentMs } };
  const driver = createDriver({ pollMs, maxBackoffMs: 4, staleMs: 1_000 }, deps);
  return { driver, calls, clock, run: () => driver.run(stop.signal), stop: () => stop.abort() };
}

test('checks the unsafe chain from the start until it is settled, and again after a reorg', async () => {
  const { calls, run, driver } = drive([false, true, true, reorged, true, true]);
  assert.equal(driver.settled(), false);
  assert.deepEqual(driver.readiness(), { ready: false, reason: 'deriving the chain from L1' });
  await run();
  const after = ['advance', 'reset', 'advance+check', 'advance', 'advance'];
  assert.deepEqual(calls, ['verify', 'advance+check', 'advance+check', 'advance', ...after]);
  assert.equal(driver.settled(), true);
});

test('tries again after what passes by itself: L1 gone, a full disk', async () => {
  const { calls, run, driver } = drive([unreachable, unreachable, diskFull, true]);
  await run();
  assert.equal(calls.filter((call) => call === 'verify').length, 1);
  assert.deepEqual(driver.readiness(), { ready: true });
});

test('says why L1 cannot be followed, until it can be', async () => {
  const { run, driver, calls, stop } = drive(Array(1_000).fill(unreachable));
  const running = run();
  while (calls.length < 4) await delay(1);
  const reason = 'deriving the chain from L1: no L1 endpoint answered x: nothing listens there';
  assert.deepEqual(driver.readiness(), { ready: false, reason });
  stop();
  await running;

  const lost = drive([true, ...Array(1_000).fill(unreachable)]);
  const following = lost.run();
  while (lost.calls.length < 4) await delay(1);
  assert.deepEqual(lost.driver.readiness(), { ready: true });
  lost.clock.now = 1_001;
  assert.match(JSON.stringify(lost.driver.readiness()), /cannot be followed for 1 s: no L1 endpoint answered x: noth/);
  lost.clock.silentMs = 1_001;
  assert.match(JSON.stringify(lost.driver.readiness()), /not answered for 1 s: no L1 endpoint answered x: nothing/);
  lost.stop();
  await following;
});

test('says which batch has no data, or that the endpoints disagree, until it goes on', async () => {
  const missing = new NectarError('ROLLUP_L1_BLOBS_UNREADABLE', { batch: 7n, reason: 'no beacon node has it' });
  const split = new NectarError('ROLLUP_L1_ENDPOINTS_DISAGREE', { number: 3n });
  const seen: unknown[] = [];
  const { run, driver } = drive([missing, split, true], 1, () => seen.push(driver.obstacles()));
  await run();
  assert.deepEqual(seen.slice(0, 4), [{}, { waiting: missing.message }, { disagreement: split.message }, {}]);
  assert.deepEqual(driver.obstacles(), {});
});

test('halts on what no waiting puts right, and says what it was', async () => {
  const { run, driver, calls } = drive([true, broken, true]);
  await run();
  assert.deepEqual(driver.readiness(), {
    ready: false,
    reason: 'derivation halted: ROLLUP_DERIVE_ACCUMULATOR_INVALID',
  });
  assert.equal(calls.length, 3);
});

test('is not ready when L1 has been silent for too long, or the disk is full', async () => {
  const { driver, run, clock } = drive([true]);
  await run();
  clock.now = 1_001;
  assert.deepEqual(driver.readiness(), { ready: true }, 'a long derivation asks nothing');
  clock.silentMs = 1_001;
  assert.deepEqual(driver.readiness(), { ready: false, reason: 'L1 has not answered for 1 s' });
  const full = drive(Array(1_000).fill(diskFull));
  const running = full.run();
  while (full.calls.length < 3) await delay(1);
  assert.deepEqual(full.driver.readiness(), { ready: false, reason: 'derivation stumbled: NODE_DISK_FULL' });
  full.stop();
  await running;
});

test('goes on by itself when the disk of the chain database takes writes again', async () => {
  const failed = new NectarError('ROLLUP_DATABASE_FAILED', { operation: 'write' });
  const seen: unknown[] = [];
  const { driver, run, calls } = drive([failed, failed, true], 1, () => seen.push(driver.readiness()));
  await run();
  assert.equal(calls.length > 2, true);
  assert.deepEqual(seen.at(2), { ready: false, reason: 'derivation stumbled: ROLLUP_DATABASE_FAILED' });
  assert.deepEqual(driver.readiness(), { ready: true });
});

test('says what failed last, not what failed before it', async () => {
  for (const [first, then, reason] of [
    [diskFull, unreachable, 'deriving the chain from L1: no L1 endpoint answered x: nothing listens there'],
    [unreachable, diskFull, 'derivation stumbled: NODE_DISK_FULL'],
  ] as const) {
    const { driver, run, calls, stop } = drive([first, ...Array(1_000).fill(then)]);
    const running = run();
    while (calls.length < 5) await delay(1);
    assert.deepEqual(driver.readiness(), { ready: false, reason });
    stop();
    await running;
  }
});

test('a poke during the work cuts the pause after it', async () => {
  const { calls, driver, run } = drive([true], 60_000);
  driver.poke();
  await run();
  assert.equal(calls.length, 3);
});
