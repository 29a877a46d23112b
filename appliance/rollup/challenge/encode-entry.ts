import { toBeHex } from 'ethers';
import type { Hex } from '../../../protocol/brand.ts';
import type { OpenedState } from '../../../protocol/dispute/machine-state.ts';
import { endOf, type Move, pointAt, startBefore } from '../../../protocol/dispute/move.ts';
import type { Parties } from '../../../protocol/dispute/parties.ts';
import { pointPath, pointsRoot } from '../../../protocol/dispute/points.ts';
import type { Read } from '../../../protocol/dispute/step.ts';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import type { L1Call } from '../batcher/l1-sender.ts';
import { CHALLENGE_MANAGER } from './challenge-abi.ts';
import type { Entry } from './entries.ts';
import type { Rivalry } from './rivalry.ts';

const WORD_BYTES = 32;
const NO_READ = 0xffff_ffff;

/** An entry as the call of the ChallengeManager that takes it. */
export function encodeEntry(entry: Entry): L1Call {
  const { parties, subject } = entry.rivalry;
  const call = (name: string, args: readonly unknown[]): L1Call => ({
    to: subject.domain.challengeManager,
    data: CHALLENGE_MANAGER.encodeFunctionData(name, [partiesOf(parties), ...args]) as Hex,
  });
  switch (entry.kind) {
    case 'open':
      return call('open', [entry.move.points]);
    case 'timeout':
      return call('timeout', []);
    case 'answer': {
      const { on, move, openings } = entry;
      const reply = { choice: move.choice, opening: openingOf(on.move, move.choice), points: move.points };
      const args = [moveOf(on.move), on.signature, reply];
      return openings === undefined
        ? call('answer', args)
        : call('answerBySteps', [...args, openings.before, stateOf(openings.end)]);
    }
    case 'settle': {
      const { on, choice, witness, preimage, proof } = entry;
      const shown = { pre: stateOf(witness.pre), post: stateOf(witness.post), read: readOf(witness.read) };
      const claim = { choice, opening: openingOf(on.move, choice), ...shown, preimage, proof };
      return call('settle', [moveOf(on.move), on.signature, claim]);
    }
  }
}

/** The call that has what this node's entries cost owed to it, once its opponent has lost its stake. */
export function encodeRefund({ parties, subject }: Rivalry): L1Call {
  return {
    to: subject.domain.challengeManager,
    data: CHALLENGE_MANAGER.encodeFunctionData('refund', [partiesOf(parties)]) as Hex,
  };
}

function partiesOf({ parent, O, R }: Parties) {
  return { parent, opener: O, responder: R };
}

function moveOf(move: Move) {
  return { ...move, end: endOf(move), root: pointsRoot(move.points) };
}

/** The points around a choice. With the first one denied the state before it is the move's own start, and is not looked at. */
function openingOf(move: Move, choice: number) {
  const { points } = move;
  return {
    before: startBefore(move, choice),
    beforePath: pointPath(points, Math.max(choice - 1, 0)),
    denied: pointAt(points, choice),
    deniedPath: pointPath(points, choice),
  };
}

function stateOf({ core, input, output, flag }: OpenedState) {
  return { core: toBeHex(core, WORD_BYTES), input, output, flag };
}

function readOf(read: Read | undefined) {
  if (read !== undefined) return { ...read, key: bytesToHex(read.key), data: bytesToHex(read.data) };
  return { kind: NO_READ, key: toBeHex(0, WORD_BYTES), offset: 0, data: toBeHex(0, WORD_BYTES / 2), length: 0 };
}
