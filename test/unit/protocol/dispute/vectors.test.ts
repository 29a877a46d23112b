import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import {
  type GlobalState,
  globalStateHash,
  type MachineTask,
  machineInput,
} from '../../../../protocol/dispute/global-state.ts';
import {
  concessionHash,
  endOf,
  type Move,
  moveHash,
  pointAt,
  type SigningDomain,
} from '../../../../protocol/dispute/move.ts';
import { challengeId, type Parties, type Party } from '../../../../protocol/dispute/parties.ts';
import { pointPath, pointsRoot, rootOfPoint } from '../../../../protocol/dispute/points.ts';
import { firstState } from '../../../../protocol/dispute/verify-move.ts';

/** Numbers of 64 bits and more are texts in the file. */
const vectors = JSON.parse(
  readFileSync(new URL('../../../contracts/vectors/challenges.json', import.meta.url), 'utf8'),
);
const domain: SigningDomain = { chainId: BigInt(vectors.chainId), challengeManager: vectors.challengeManager };
const party = (of: Party): Party => ({ ...of, stakeId: BigInt(of.stakeId) });
const parties: Parties = { parent: vectors.parties.parent, O: party(vectors.parties.O), R: party(vectors.parties.R) };
const state: GlobalState = {
  ...vectors.state,
  batch: BigInt(vectors.state.batch),
  offset: BigInt(vectors.state.offset),
};
const task: MachineTask = { ...vectors.task, target: BigInt(vectors.task.target) };
const move: Move = { ...vectors.move, iteration: BigInt(vectors.move.iteration), step: BigInt(vectors.move.step) };

test('ids, messages, points and inputs are those of the vectors that the contracts are held against', () => {
  const { index, siblings } = vectors.path;
  assert.equal(challengeId(domain, parties), vectors.challenge);
  assert.equal(moveHash(domain, move), vectors.digest);
  assert.equal(concessionHash(domain, vectors.challenge), vectors.concession);
  assert.equal(endOf(move), vectors.move.end);
  assert.equal(pointsRoot(move.points), vectors.move.root);
  assert.deepEqual(pointPath(move.points, index), siblings);
  assert.equal(rootOfPoint(pointAt(move.points, index), index, siblings), vectors.move.root);
  assert.equal(globalStateHash(state), vectors.stateHash);
  assert.equal(machineInput(state, task), vectors.input);
  assert.equal(firstState(BigInt(vectors.core0), vectors.input), vectors.firstState);
});
