import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  addChallengeMetrics,
  type ChallengesInView,
} from '../../../../../appliance/rollup/challenge/challenge-metrics.ts';
import type { ChallengeState } from '../../../../../appliance/rollup/challenge/challenges.ts';
import { createMetrics } from '../../../../../appliance/telemetry/index.ts';

const open: ChallengeState = {
  ...{ id: `0x${'5e'.repeat(32)}`, side: 'O', opponent: `0x${'0a'.repeat(20)}`, onL1: 'open', round: 4, turn: 'O' },
  ...{ leftS: 3_600n, heardRound: 0, next: 'answer', isUrgent: true, waiting: undefined },
};

async function shown(view: ChallengesInView | undefined): Promise<string[]> {
  const registry = createMetrics();
  addChallengeMetrics(registry, () => view);
  return (await registry.metrics()).split('\n').filter((line) => /^nectar_rollup_challenge/.test(line));
}

test('says whose turn it is, the least own clock, and how challenges ended', async () => {
  const states: ChallengeState[] = [
    open,
    { ...open, leftS: 90_000n },
    { ...open, turn: 'R', leftS: 7n },
    { ...open, onL1: 'closed', turn: undefined, leftS: undefined },
  ];
  assert.deepEqual(await shown({ states, outcomes: { won: 2, lost: 1 } }), [
    'nectar_rollup_challenges{turn="own"} 2',
    'nectar_rollup_challenges{turn="opponent"} 1',
    'nectar_rollup_challenge_clock_left_seconds{turn="own"} 3600',
    'nectar_rollup_challenged_stakes{outcome="won"} 2',
    'nectar_rollup_challenged_stakes{outcome="lost"} 1',
  ]);
});

test('a clock that is out is 0; one that nothing waits on, and what L1 has not told, is absent', async () => {
  const out = await shown({ states: [{ ...open, leftS: -5n }], outcomes: undefined });
  assert.ok(out.includes('nectar_rollup_challenge_clock_left_seconds{turn="own"} 0'));
  assert.ok(!out.some((line) => line.includes('stakes')));
  assert.deepEqual(await shown({ states: [], outcomes: undefined }), [
    'nectar_rollup_challenges{turn="own"} 0',
    'nectar_rollup_challenges{turn="opponent"} 0',
  ]);
  assert.deepEqual(await shown(undefined), []);
});
