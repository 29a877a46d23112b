import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FIELD_MODULUS } from '../../../../protocol/dispute/field.ts';
import { failedState, globalStateHash, machineInput } from '../../../../protocol/dispute/global-state.ts';
import { FLAG_FAIL, FLAG_OK, FLAG_RUN, stateHash } from '../../../../protocol/dispute/machine-state.ts';
import { encodeSignedMove, MAX_MOVE_BYTES, parseSignedMove } from '../../../../protocol/dispute/message.ts';
import { type Move, moveHash, NO_MOVE, type Openings, startBefore } from '../../../../protocol/dispute/move.ts';
import { placeAfter } from '../../../../protocol/dispute/rounds.ts';
import { firstState, type JudgedMove, verifyMove } from '../../../../protocol/dispute/verify-move.ts';
import { isNectarError } from '../../../../protocol/errors.ts';
import { bytesToHex, hexToBytes } from '../../../../protocol/rollup/bytes.ts';
import { DOMAIN, hashOf, somePoints } from './samples.ts';

const CORE0 = 5n;
const id = hashOf('challenge');
const subject = { id, domain: DOMAIN, start: hashOf('p'), end: hashOf('end'), core0: CORE0 };
const first: Move = {
  challenge: id,
  round: 1,
  choice: 0,
  iteration: 0n,
  step: 0n,
  prev: NO_MOVE,
  start: subject.start,
  points: somePoints('first').with(31, subject.end),
};

/** The answer that denies a point, all in order. */
function answerTo(prev: Move, choice: number, over: Partial<Move> = {}): Move {
  const place = placeAfter(prev, choice);
  const start = startBefore(prev, choice);
  return {
    challenge: id,
    choice,
    prev: moveHash(DOMAIN, prev),
    ...place,
    start,
    points: somePoints(`round ${place.round}`),
    ...over,
  };
}

const refused = (judged: Partial<JudgedMove> & { move: Move }, reason: RegExp, about = subject): void =>
  assert.throws(
    () => verifyMove(about, { prev: undefined, openings: undefined, task: undefined, ...judged }),
    (error) => isNectarError(error, 'DISPUTE_MOVE_INVALID') && reason.test(error.data.reason),
  );
const taken = (judged: Partial<JudgedMove> & { move: Move }): void =>
  verifyMove(subject, { prev: undefined, openings: undefined, task: undefined, ...judged });

describe('a move is valid', () => {
  it('in the first round when it leads from p to the assertion of the opener', () => {
    taken({ move: first });
    refused({ move: { ...first, challenge: hashOf('other') } }, /another challenge/);
    refused({ move: { ...first, points: first.points.slice(1) } }, /31 points/);
    refused({ move: { ...first, start: hashOf('other') } }, /where the paths part/);
    refused({ move: { ...first, points: somePoints('first') } }, /opener's assertion/);
    for (const over of [{ choice: 1 }, { iteration: 1n }, { step: 1n }, { prev: hashOf('x') }, { round: 2 }])
      refused({ move: { ...first, ...over } }, /no first move/);
  });
  it('later when it starts at a point of the move before and denies the next', () => {
    for (const choice of [0, 1, 31]) taken({ prev: first, move: answerTo(first, choice) });
    const move = answerTo(first, 3);
    refused({ prev: first, move: { ...move, round: 3 } }, /round does not follow/);
    refused({ prev: first, move: { ...move, choice: 4 } }, /stands elsewhere/);
    refused({ prev: first, move: { ...move, choice: 32 } }, /denies no point/);
    refused({ prev: first, move: { ...move, iteration: 1n } }, /stands elsewhere/);
    refused({ prev: first, move: { ...move, step: 1n } }, /stands elsewhere/);
    refused({ prev: first, move: { ...move, prev: hashOf('other') } }, /another move/);
    refused({ prev: first, move: { ...move, start: hashOf('other') } }, /another state/);
    refused({ prev: first, move: { ...move, points: move.points.with(31, first.points[3] ?? NO_MOVE) } }, /ends where/);
  });
  it('up to round 12', () => {
    const last = answerTo({ ...first, round: 11 }, 0);
    assert.equal(last.round, 12);
    taken({ prev: { ...first, round: 11 }, move: last });
    refused({ prev: last, move: answerTo(last, 0) }, /round does not follow/);
  });
});

describe('the first move about steps', () => {
  const before = { blockHash: hashOf('block'), sendRoot: hashOf('sends'), batch: 3n, offset: 1n };
  const task = { target: 9n, accumulator: hashOf('accumulator'), configHash: hashOf('config') };
  const input = machineInput(before, task);
  const end: Openings['end'] = {
    core: 77n,
    input: hexToBytes(input),
    output: hexToBytes(hashOf('out')),
    flag: FLAG_OK,
  };
  const fourth: Move = { ...first, round: 4, points: first.points.with(4, globalStateHash(before)) };

  function fifth(opened: Openings['end'], over: Partial<Move> = {}): JudgedMove {
    const points = somePoints('steps').with(31, opened.core < FIELD_MODULUS ? bytesToHex(stateHash(opened)) : NO_MOVE);
    const move = answerTo(fourth, 5, { start: firstState(CORE0, input), points, ...over });
    return { prev: fourth, move, openings: { before, end: opened }, task };
  }

  it('opens the state before and the end of the machine', () => {
    taken(fifth(end));
    taken(fifth({ ...end, flag: FLAG_FAIL }));
    taken(fifth({ ...end, flag: FLAG_RUN }));
  });
  it('is about one iteration of this chain, from the empty machine', () => {
    const good = fifth(end);
    refused({ ...good, openings: undefined }, /opens/);
    refused({ prev: first, move: answerTo(first, 0), openings: good.openings }, /opens/);
    refused({ ...good, task: undefined }, /batch/);
    refused({ ...good, openings: { before: { ...before, offset: 2n }, end } }, /not the agreed one/);
    refused({ ...good, task: { ...task, accumulator: hashOf('other') } }, /empty machine/);
    refused({ ...good, task: { ...task, configHash: hashOf('other') } }, /empty machine/);
    refused(good, /empty machine/, { ...subject, core0: CORE0 + 1n });
    refused({ ...good, move: { ...good.move, start: hashOf('other') } }, /empty machine/);
    refused({ ...good, openings: { before, end: { ...end, core: 78n } } }, /not its last point/);
    refused(fifth({ ...end, input: hexToBytes(hashOf('other input')) }), /another input/);
  });
  it('takes no second encoding of a state', () => {
    const good = fifth(end);
    refused({ ...good, openings: { before, end: { ...end, core: end.core + FIELD_MODULUS } } }, /not its last point/);
    refused({ ...good, openings: { before, end: { ...end, output: end.output.subarray(1) } } }, /not its last point/);
  });
  it('denies the result of the iteration, whether the machine ended, failed or did not halt', () => {
    const denied = (result: Move['prev'], opened: Openings['end']): void => {
      const prev = { ...fourth, points: fourth.points.with(5, result) };
      const judged = fifth(opened, { prev: moveHash(DOMAIN, prev) });
      refused({ ...judged, prev }, /result is what it denies/);
    };
    denied(bytesToHex(end.output), end);
    denied(globalStateHash(failedState(before)), { ...end, flag: FLAG_FAIL });
    denied(globalStateHash(failedState(before)), { ...end, flag: FLAG_RUN });
  });
  it('travels with what it opens, in one encoding of bounded length', () => {
    const signature = `0x${'5a'.repeat(65)}` as const;
    const { move, openings } = fifth(end);
    for (const message of [
      { move, openings, signature },
      { move: first, openings: undefined, signature },
    ]) {
      const bytes = encodeSignedMove(message);
      assert.ok(bytes.length <= MAX_MOVE_BYTES);
      assert.deepEqual(parseSignedMove(bytes), message);
      for (const damaged of [bytes.subarray(1), bytes.subarray(0, -1), Uint8Array.of(...bytes, 0), bytes.with(0, 2)])
        assert.throws(
          () => parseSignedMove(damaged),
          (error) => isNectarError(error, 'NETWORK_MESSAGE_INVALID'),
        );
    }
    assert.equal(encodeSignedMove({ move, openings, signature }).length, MAX_MOVE_BYTES);
    const flagAt = MAX_MOVE_BYTES - 66;
    assert.throws(() => parseSignedMove(encodeSignedMove({ move, openings, signature }).with(flagAt, 3)), /flag/);
  });
});
