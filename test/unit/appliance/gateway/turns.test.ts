import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { createTurns, type TurnsOptions } from '../../../../appliance/gateway/turns.ts';
import { isNectarError } from '../../../../protocol/errors.ts';

const OPTIONS: TurnsOptions = {
  what: 'requests',
  limit: 2,
  perCaller: 2,
  maxQueued: 100,
  maxQueuedPerCaller: 50,
  maxWaitMs: 10_000,
};
const never = new AbortController().signal;

function setup(options: Partial<TurnsOptions> = {}) {
  const world = { now: 0, running: 0, queued: 0 };
  const turns = createTurns(
    { ...OPTIONS, ...options },
    { now: () => world.now, onChange: (counts) => Object.assign(world, counts) },
  );
  const served: string[] = [];
  const releases: (() => void)[] = [];
  const ask = (caller: string, signal = never) => {
    const asked = turns.take(caller, signal).then((release) => {
      served.push(caller);
      releases.push(release);
    });
    asked.catch(() => undefined);
    return asked;
  };
  const settle = () => new Promise((resolve) => setImmediate(resolve));
  const finishOne = async () => {
    releases.shift()?.();
    await settle();
  };
  return { turns, world, served, ask, settle, finishOne };
}
const refusedWith = (code: 'GATEWAY_BUSY' | 'GATEWAY_TOKEN_BUSY') => (error: unknown) => isNectarError(error, code);

describe('createTurns', () => {
  it('serves as many as it may at once, and the others when these are done, none of them refused', async () => {
    const { world, served, ask, settle, finishOne } = setup();
    const all = Array.from({ length: 40 }, () => ask('a'));
    await settle();
    assert.deepEqual([served.length, world.running, world.queued], [2, 2, 38]);
    while (served.length < 40) await finishOne();
    await Promise.all(all);
    await finishOne();
    await finishOne();
    assert.deepEqual([world.running, world.queued], [0, 0]);
  });

  it('gives each caller its turn, however many requests another has waiting', async () => {
    const { served, ask, settle, finishOne } = setup({ limit: 1, perCaller: 1 });
    for (let i = 0; i < 30; i++) void ask('greedy');
    void ask('b');
    void ask('c');
    await settle();
    for (let i = 0; i < 4; i++) await finishOne();
    assert.deepEqual(served.slice(0, 5), ['greedy', 'greedy', 'b', 'c', 'greedy']);
  });

  it('keeps room beside a caller that has its share', async () => {
    const { world, ask, settle, served } = setup({ limit: 4, perCaller: 3 });
    for (let i = 0; i < 10; i++) void ask('a');
    void ask('b');
    await settle();
    assert.deepEqual([world.running, served.includes('b')], [4, true]);
  });

  it('refuses only beyond its bounds: of the caller, of all, and of the time', async () => {
    const { ask, settle } = setup({ maxQueued: 6, maxQueuedPerCaller: 4, maxWaitMs: 40 });
    const waiting = Array.from({ length: 6 }, () => ask('a'));
    await assert.rejects(ask('a'), refusedWith('GATEWAY_TOKEN_BUSY'));
    const more = [ask('b'), ask('b')];
    await assert.rejects(ask('c'), refusedWith('GATEWAY_BUSY'));
    await settle();
    const outcomes = await Promise.allSettled([...waiting, ...more]);
    const late = outcomes.filter(({ status }) => status === 'rejected');
    assert.equal(late.length, 6);
    assert.ok(refusedWith('GATEWAY_BUSY')((outcomes[7] as PromiseRejectedResult).reason));
  });

  it('lets go of a place when its client leaves, waiting or before', async () => {
    const { world, served, ask, settle, finishOne } = setup({ limit: 1 });
    void ask('a');
    const leaving = new AbortController();
    const left = ask('b', leaving.signal);
    void ask('c');
    await settle();
    leaving.abort(new Error('gone'));
    await assert.rejects(left, /gone/);
    assert.equal(world.queued, 1);
    await assert.rejects(ask('d', AbortSignal.abort(new Error('gone'))), /gone/);
    await finishOne();
    assert.deepEqual(served, ['a', 'c']);
  });

  it('counts a release once', async () => {
    const { turns, world } = setup();
    const release = await turns.take('a', never);
    release();
    release();
    assert.equal(world.running, 0);
  });

  it('holds a caller to its rate, and serves it when the rate allows', async () => {
    const { world, served, ask, settle, finishOne } = setup({ limit: 100, perCaller: 100, perSecond: 5 });
    for (let i = 0; i < 8; i++) void ask('a');
    void ask('b');
    await settle();
    assert.equal(served.filter((caller) => caller === 'a').length, 5);
    assert.ok(served.includes('b'));
    world.now += 400;
    await finishOne();
    assert.equal(served.filter((caller) => caller === 'a').length, 7);
    world.now += 200;
    for (let turn = 0; turn < 100 && served.length < 9; turn++) await sleep(10);
    assert.equal(served.length, 9, 'woken without a release');
  });
});
