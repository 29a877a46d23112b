import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createSequencerWatch, type SequencerWatch } from '../../../../../appliance/rollup/derive/sequencer-watch.ts';

interface Bench {
  readonly watch: SequencerWatch;
  answers: boolean;
  isOwn: boolean;
  asked: number;
  /** Time goes by in looks of five seconds. */
  pass(seconds: number): Promise<void>;
  /** Time goes by, and nobody looks. */
  sleep(seconds: number): void;
}

function bench(): Bench {
  let nowMs = 1_000_000;
  const signal = new AbortController().signal;
  const state: Bench = {
    answers: true,
    isOwn: false,
    asked: 0,
    watch: createSequencerWatch(
      { silentMs: 20_000 },
      {
        now: () => nowMs,
        isOwn: () => state.isOwn,
        async ask() {
          state.asked += 1;
          if (!state.answers) throw new Error('silent');
        },
      },
    ),
    sleep(seconds) {
      nowMs += seconds * 1000;
    },
    async pass(seconds) {
      for (let passed = 0; passed < seconds; passed += 5) {
        nowMs += 5_000;
        await state.watch.look(signal);
      }
    },
  };
  return state;
}

test('a sequencer that has nothing to order and answers is not silent, however long', async () => {
  const at = bench();
  await at.pass(600);
  assert.equal(at.watch.silence(), undefined);
});

test('one that answered and is gone is named within half a minute, and no longer when it is back', async () => {
  const at = bench();
  await at.pass(20);
  at.watch.sawBlock();
  at.answers = false;
  await at.pass(15);
  assert.equal(at.watch.silence(), undefined, 'one lost request is no silence');
  await at.pass(10);
  assert.equal(at.watch.silence(), 'the sequencer has made no block and given no answer for 25 s');
  at.answers = true;
  await at.pass(5);
  assert.equal(at.watch.silence(), undefined);
});

test('a sequencer that makes blocks is never asked', async () => {
  const at = bench();
  for (let block = 0; block < 20; block += 1) {
    at.watch.sawBlock();
    await at.pass(5);
  }
  assert.equal(at.asked, 0);
});

test('where it never answers, or only its blocks arrive, its RPC says nothing of it', async () => {
  const at = bench();
  at.answers = false;
  await at.pass(120);
  assert.equal(at.watch.silence(), undefined, 'it never answered');

  at.answers = true;
  await at.pass(5);
  at.answers = false;
  await at.pass(40);
  assert.match(at.watch.silence() ?? '', /no answer for 40 s/);
  at.watch.sawBlock();
  await at.pass(55);
  assert.equal(at.watch.silence(), undefined, 'it lives, and its RPC is out of reach: a block a minute is enough');
});

test('a machine that slept does not take its own sleep for silence', async () => {
  const at = bench();
  await at.pass(15);
  at.answers = false;
  at.sleep(3_600);
  await at.pass(5);
  assert.equal(at.watch.silence(), undefined, 'the network comes back later than the clock');
  at.answers = true;
  await at.pass(5);
  assert.equal(at.watch.silence(), undefined);
});

test('the own sequencer is not asked', async () => {
  const at = bench();
  at.isOwn = true;
  await at.pass(60);
  assert.deepEqual([at.asked, at.watch.silence()], [0, undefined]);
});
