import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  nextAction,
  type Situation,
  TALK_MS,
  TALK_SILENCE_MS,
  URGENT_S,
} from '../../../../../appliance/rollup/challenge/next-action.ts';

const NOW = 1_800_000_000_000;
const base: Situation = {
  side: 'O',
  isFrozen: false,
  onL1: 'none',
  heardRound: undefined,
  canTalk: true,
  talk: { since: NOW, heardAt: undefined },
  now: NOW,
};
const at = (over: Partial<Situation>) => nextAction({ ...base, ...over });
const onL1 = (round: number, leftS = 100_000n): Situation['onL1'] => ({
  round,
  turn: round % 2 === 1 ? 'R' : 'O',
  leftS,
});

it('talks for ten silent minutes, or an hour in all, and then opens on L1 with the newest that was heard', () => {
  assert.equal(at({}).kind, 'talk');
  assert.equal(at({ canTalk: false }).kind, 'open');
  assert.equal(at({ now: NOW + TALK_SILENCE_MS }).kind, 'open');
  const heard = { heardRound: 4, now: NOW + TALK_SILENCE_MS };
  assert.equal(at({ ...heard, talk: { since: NOW, heardAt: NOW + 1 } }).kind, 'talk');
  assert.deepEqual(at(heard), { kind: 'answer', to: 'heard', isUrgent: false });
  assert.equal(at({ heardRound: 4, now: NOW + TALK_MS, talk: { since: NOW, heardAt: NOW + TALK_MS } }).kind, 'answer');
  // A clock that was set back makes it wait no longer than one hour from then.
  assert.equal(at({ talk: { since: NOW + 10 * TALK_MS, heardAt: undefined } }).kind, 'talk');
  assert.equal(at({ side: 'R' }).kind, 'nothing');
  assert.equal(at({ heardRound: 12 }).kind, 'settle');
});
it('answers on L1 what has the highest round, and proves after the last', () => {
  assert.deepEqual(at({ onL1: onL1(2) }), { kind: 'answer', to: 'position', isUrgent: false });
  assert.deepEqual(at({ onL1: onL1(2), heardRound: 6 }), { kind: 'answer', to: 'heard', isUrgent: false });
  assert.deepEqual(at({ onL1: onL1(6), heardRound: 6 }), { kind: 'answer', to: 'position', isUrgent: false });
  assert.deepEqual(at({ onL1: onL1(12) }), { kind: 'settle', to: 'position', isUrgent: false });
  assert.deepEqual(at({ onL1: onL1(3), heardRound: 12 }), { kind: 'settle', to: 'heard', isUrgent: false });
  assert.deepEqual(at({ side: 'R', onL1: onL1(11) }), { kind: 'answer', to: 'position', isUrgent: false });
});
it('waits for the clock of the other, and ends it when it is out', () => {
  assert.equal(at({ onL1: onL1(3) }).kind, 'nothing');
  assert.equal(at({ onL1: onL1(3, 0n) }).kind, 'timeout');
  assert.equal(at({ side: 'R', onL1: onL1(2, -5n) }).kind, 'timeout');
  assert.equal(at({ side: 'R', onL1: onL1(12, 0n) }).kind, 'timeout');
});
it('calls for a human with a day left, and says when it is lost', () => {
  assert.deepEqual(at({ onL1: onL1(2, URGENT_S - 1n) }), { kind: 'answer', to: 'position', isUrgent: true });
  assert.deepEqual(at({ onL1: onL1(2, URGENT_S) }), { kind: 'answer', to: 'position', isUrgent: false });
  assert.equal(at({ onL1: onL1(2, 0n) }).kind, 'lost');
});
it('sends nothing in a freeze, nor to a challenge that is over', () => {
  assert.equal(at({ isFrozen: true, onL1: onL1(3, 0n) }).kind, 'nothing');
  assert.equal(at({ onL1: 'closed', heardRound: 12 }).kind, 'nothing');
});
