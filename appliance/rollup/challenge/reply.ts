import type { StepWitness } from '../../../machine/tracer/types.ts';
import { hasOpenings, type Move, moveHash, NO_MOVE, type Openings } from '../../../protocol/dispute/move.ts';
import { LAST_ROUND, placeAfter } from '../../../protocol/dispute/rounds.ts';
import { NectarError } from '../../../protocol/errors.ts';
import type { Rivalry } from './rivalry.ts';
import type { Truth } from './truth.ts';

/** What there is to say to a message: a move, or after round 12 the step that is false. */
export type Reply =
  | { readonly kind: 'move'; readonly move: Move; readonly openings: Openings | undefined }
  | { readonly kind: 'proof'; readonly choice: number; readonly witness: StepWitness };

/** The opener's first move. */
export async function firstMove(truth: Truth, rivalry: Rivalry): Promise<Move> {
  const place = { round: 1, iteration: 0n, step: 0n };
  const { id, start } = rivalry.subject;
  return { challenge: id, choice: 0, prev: NO_MOVE, start, points: await truth.pointsAt(rivalry, place), ...place };
}

/**
 * The answer to a message of the opponent: it denies the first false point. A function of the message and of what is true, so that
 * neither a crash, nor an L1 reorg, nor an opponent that signs twice makes this node contradict itself.
 *
 * @throws NectarError DISPUTE_NO_ANSWER when nothing of the message is false, or when it begins at what is not true
 */
export async function replyTo(truth: Truth, rivalry: Rivalry, on: Move): Promise<Reply> {
  const choice = await findLie(truth, rivalry, on);
  if (choice === undefined) throw new NectarError('DISPUTE_NO_ANSWER', { challenge: on.challenge, round: on.round });
  if (on.round === LAST_ROUND) {
    return { kind: 'proof', choice, witness: await truth.witnessAt(rivalry, on.iteration, on.step + BigInt(choice)) };
  }
  const place = placeAfter(on, choice);
  const prev = moveHash(rivalry.subject.domain, on);
  const start = await truth.startAt(rivalry, place);
  const move = { challenge: on.challenge, choice, prev, start, points: await truth.pointsAt(rivalry, place), ...place };
  return {
    kind: 'move',
    move,
    openings: hasOpenings(place.round) ? await truth.openingsAt(rivalry, place.iteration) : undefined,
  };
}

/** The first false point of a message that begins at the truth; undefined when there is none, or when it does not. */
export async function findLie(truth: Truth, rivalry: Rivalry, on: Move): Promise<number | undefined> {
  if (on.start !== (await truth.startAt(rivalry, on))) return undefined;
  const points = await truth.pointsAt(rivalry, on);
  const lie = on.points.findIndex((point, index) => point !== points[index]);
  return lie < 0 ? undefined : lie;
}
