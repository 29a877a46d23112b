import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AbiCoder, concat, keccak256, TypedDataEncoder } from 'ethers';
import { failedState, globalStateHash, machineInput } from '../../../../protocol/dispute/global-state.ts';
import { concessionHash, endOf, moveHash } from '../../../../protocol/dispute/move.ts';
import { challengeId } from '../../../../protocol/dispute/parties.ts';
import { POINTS, pointPath, pointsRoot, rootOfPoint } from '../../../../protocol/dispute/points.ts';
import { ITERATIONS, placeAfter, STEPS, sideOfRound, widthOf } from '../../../../protocol/dispute/rounds.ts';
import { hashWords } from '../../../../protocol/dispute/words.ts';
import { DOMAIN, hashOf, someMove, somePoints } from './samples.ts';

const abi = AbiCoder.defaultAbiCoder();
const TYPED_DOMAIN = {
  name: 'Nectar ChallengeManager',
  version: '1',
  chainId: DOMAIN.chainId,
  verifyingContract: DOMAIN.challengeManager,
};
const MOVE_TYPE = {
  Move: ['bytes32 challenge', 'uint8 round', 'uint8 choice', 'uint64 iteration', 'uint64 step']
    .concat(['bytes32 prev', 'bytes32 start', 'bytes32 end', 'bytes32 root'])
    .map((field) => ({ type: field.split(' ')[0] ?? '', name: field.split(' ')[1] ?? '' })),
};

describe('what the parties sign', () => {
  it('is what EIP-712 makes of a move, by another implementation', () => {
    const move = someMove();
    const { points, ...rest } = move;
    const message = { ...rest, end: points[31], root: pointsRoot(points) };
    assert.equal(moveHash(DOMAIN, move), TypedDataEncoder.hash(TYPED_DOMAIN, MOVE_TYPE, message));
  });
  it('is what EIP-712 makes of a concession', () => {
    const type = { Concede: [{ name: 'challenge', type: 'bytes32' }] };
    const challenge = hashOf('challenge');
    assert.equal(concessionHash(DOMAIN, challenge), TypedDataEncoder.hash(TYPED_DOMAIN, type, { challenge }));
  });
  it('differs with every field, every point, the L1 and the contract', () => {
    const move = someMove();
    const others = [
      ...(['challenge', 'prev', 'start'] as const).map((name) => someMove({ [name]: hashOf('other') })),
      someMove({ round: 8 }),
      someMove({ choice: 4 }),
      someMove({ iteration: 1n }),
      someMove({ step: 1n }),
      ...Array.from({ length: POINTS }, (_, at) => someMove({ points: move.points.with(at, hashOf('other')) })),
    ].map((other) => moveHash(DOMAIN, other));
    others.push(
      moveHash({ ...DOMAIN, chainId: 1n }, move),
      moveHash({ ...DOMAIN, challengeManager: `0x${'11'.repeat(20)}` }, move),
    );
    assert.equal(new Set([...others, moveHash(DOMAIN, move)]).size, others.length + 1);
  });
  it('names a challenge by all that the Rollup knows of both parties', () => {
    const party = (name: string, stakeId: bigint) => ({
      node: hashOf(name),
      stakeId,
      owner: DOMAIN.challengeManager,
      signer: DOMAIN.challengeManager,
    });
    const [O, R] = [party('o', 3n), party('r', 4n)];
    const struct = '(bytes32,uint256,address,address)';
    const list = (p: typeof O) => [p.node, p.stakeId, p.owner, p.signer];
    const encoded = abi.encode(
      ['uint256', 'address', `(bytes32,${struct},${struct})`],
      [DOMAIN.chainId, DOMAIN.challengeManager, [hashOf('p'), list(O), list(R)]],
    );
    assert.equal(challengeId(DOMAIN, { parent: hashOf('p'), O, R }), keccak256(encoded));
    assert.notEqual(challengeId(DOMAIN, { parent: hashOf('p'), O: R, R: O }), keccak256(encoded));
  });
});

describe('points', () => {
  const points = somePoints('point');
  it('have a root that every point and its path lead to, and no other point', () => {
    const root = pointsRoot(points);
    points.forEach((point, index) => {
      const path = pointPath(points, index);
      assert.equal(path.length, 5);
      assert.equal(rootOfPoint(point, index, path), root);
      assert.notEqual(rootOfPoint(point, index ^ 1, path), root);
      assert.notEqual(rootOfPoint(hashOf('other'), index, path), root);
    });
  });
  it('are hashed in pairs, left before right', () => {
    let level = points;
    while (level.length > 1) {
      const below = level;
      level = Array.from(
        { length: below.length / 2 },
        (_, i) => keccak256(concat([below[2 * i] ?? '', below[2 * i + 1] ?? ''])) as (typeof below)[0] & `0x${string}`,
      );
    }
    assert.equal(pointsRoot(points), level[0]);
    assert.equal(endOf({ points }), points[31]);
  });
  it('are 32', () => {
    assert.throws(() => pointsRoot(points.slice(1)), RangeError);
    assert.throws(() => pointPath(points, POINTS), RangeError);
  });
});

describe('rounds', () => {
  it('narrow 2^20 iterations to one, and 2^40 steps to one', () => {
    assert.deepEqual([ITERATIONS, STEPS], [2n ** 20n, 2n ** 40n]);
    const exponents = Array.from({ length: 12 }, (_, index) => widthOf(index + 1).toString(2).length - 1);
    assert.deepEqual(exponents, [15, 10, 5, 0, 35, 30, 25, 20, 15, 10, 5, 0]);
    assert.deepEqual([sideOfRound(1), sideOfRound(2), sideOfRound(5), sideOfRound(12)], ['O', 'R', 'O', 'R']);
  });
  it('stand at the point before the choice', () => {
    assert.deepEqual(placeAfter({ round: 2, iteration: 7n, step: 0n }, 3), {
      round: 3,
      iteration: 7n + 3n * 1024n,
      step: 0n,
    });
    assert.deepEqual(placeAfter({ round: 4, iteration: 7n, step: 0n }, 3), { round: 5, iteration: 10n, step: 0n });
    assert.deepEqual(placeAfter({ round: 11, iteration: 10n, step: 64n }, 2), {
      round: 12,
      iteration: 10n,
      step: 128n,
    });
  });
});

describe('the global state', () => {
  const state = { blockHash: hashOf('block'), sendRoot: hashOf('sends'), batch: 9n, offset: 4n };
  const task = { target: 12n, accumulator: hashOf('accumulator'), configHash: hashOf('config') };
  const G = ['bytes32', 'bytes32', 'uint64', 'uint64'];
  it('is hashed as Solidity hashes it', () => {
    const { blockHash, sendRoot } = state;
    assert.equal(globalStateHash(state), keccak256(abi.encode(G, [blockHash, sendRoot, 9n, 4n])));
    const input = abi.encode(
      [...G, 'uint64', 'bytes32', 'bytes32'],
      [blockHash, sendRoot, 9n, 4n, 12n, task.accumulator, task.configHash],
    );
    assert.equal(machineInput(state, task), keccak256(input));
  });
  it('reads no accumulator at the target, and fails to the next batch', () => {
    const zero = { ...task, accumulator: hashWords([]) };
    assert.equal(machineInput({ ...state, batch: 12n }, task), machineInput({ ...state, batch: 12n }, zero));
    assert.deepEqual(failedState(state), { ...state, batch: 10n, offset: 0n });
  });
});
