import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { NodeStatus } from '../../../../appliance/gateway/node-schemas.ts';
import type { ChallengeState } from '../../../../appliance/rollup/challenge/challenges.ts';
import { describeAssertions } from '../../../../appliance/rollup/validator/describe-state.ts';
import { assertionLines, gradeAssertions, leftOnClock } from '../../../../cli/render/assertions.ts';

const validator = {
  mode: 'asserting',
  l1Number: 9n,
  latestConfirmed: undefined,
  pending: 2,
  falseAlarms: [],
  waiting: undefined,
} as const;
const challenge: ChallengeState = {
  id: `0x${'5e'.repeat(32)}`,
  side: 'O',
  opponent: `0x${'0a'.repeat(20)}`,
  onL1: 'open',
  round: 4,
  turn: 'O',
  leftS: 3_600n,
  heardRound: 0,
  next: 'answer',
  isUrgent: true,
  waiting: 'this node cannot finish a challenge',
};
const nodeWith = (challenges: readonly ChallengeState[]) =>
  ({ assertions: describeAssertions(validator, challenges) }) as unknown as NodeStatus;
const plain = (_: string, text: string): string => text;

it('tells of a challenge whose clock runs out, and of none where there is none', () => {
  const node = nodeWith([challenge]);
  const lines = assertionLines(node.assertions, plain).map(([, value]) => value);
  assert.match(lines.join('\n'), /1; see nectar-byon dispute list/);
  assert.match(
    lines.join('\n'),
    /CHALLENGE 0x5e5e5e5e5e waits for this node in round 4, 1 h left: this node cannot finish/,
  );
  const graded = gradeAssertions(node);
  assert.deepEqual(
    graded.map(({ name, grade }) => [name, grade]),
    [
      ['assertions', 'good'],
      ['challenge', 'bad'],
    ],
  );
  assert.equal(nodeWith([]).assertions?.challenges, undefined);
  assert.equal(gradeAssertions(nodeWith([])).length, 1);
});
it('says whose turn it is as the node sees it, and leaves out a reverse direction in which nothing happened', () => {
  const reverse = {
    ...challenge,
    side: 'R',
    onL1: 'none',
    turn: undefined,
    leftS: undefined,
    isUrgent: false,
  } as const;
  const shown = nodeWith([reverse, { ...reverse, onL1: 'open', turn: 'O', leftS: -5n }, challenge]).assertions
    ?.challenges;
  assert.deepEqual(
    shown?.map(({ side, turn, leftSeconds }) => [side, turn, leftSeconds]),
    [
      ['opener', 'own', 3_600],
      ['responder', 'opponent', -5],
    ],
  );
});
it('counts a clock in hours, then minutes', () => {
  assert.deepEqual(
    [leftOnClock(86_399), leftOnClock(90), leftOnClock(0)],
    ['23 h left', '2 min left', 'its clock is out'],
  );
});
