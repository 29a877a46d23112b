/**
 * The challenge protocol: one signed move, one answer. A move names its challenge and its round and is signed for both, so that one
 * said again says nothing new.
 *
 * request   a move, see protocol/dispute/message.ts
 * answer    type (1) and
 *             0x01 move      the answer, the same
 *             0x02 taken     nothing: after the last round L1 answers
 *             0x03 refused   the reason (1)
 */
import { MAX_MOVE_BYTES } from '../dispute/message.ts';
import { ByteReader } from './byte-reader.ts';

export const MAX_CHALLENGE_REQUEST_BYTES = MAX_MOVE_BYTES;
export const MAX_CHALLENGE_ANSWER_BYTES = 1 + MAX_MOVE_BYTES;

/** Why there is no answer: no such challenge, not a valid move, too many at once, or it is not computed yet and may be asked again. */
export const CHALLENGE_REFUSALS = ['unknown', 'invalid', 'busy', 'later', 'stranger'] as const;
export type ChallengeRefusal = (typeof CHALLENGE_REFUSALS)[number];

export type ChallengeAnswer =
  | { readonly type: 'move'; readonly encoded: Uint8Array }
  | { readonly type: 'taken' }
  | { readonly type: 'refused'; readonly reason: ChallengeRefusal };

const TYPE = { move: 0x01, taken: 0x02, refused: 0x03 } as const;

export function encodeChallengeAnswer(answer: ChallengeAnswer): Uint8Array {
  if (answer.type === 'taken') return Uint8Array.of(TYPE.taken);
  if (answer.type === 'refused') return Uint8Array.of(TYPE.refused, CHALLENGE_REFUSALS.indexOf(answer.reason));
  return Uint8Array.of(TYPE.move, ...answer.encoded);
}

/** Throws NETWORK_MESSAGE_INVALID. Judges nothing of the move. */
export function parseChallengeAnswer(bytes: Uint8Array): ChallengeAnswer {
  const reader = new ByteReader(bytes, 'challenge answer');
  const type = reader.u8();
  if (type === TYPE.move) return { type: 'move', encoded: reader.rest() };
  if (type === TYPE.taken) {
    reader.end();
    return { type: 'taken' };
  }
  if (type !== TYPE.refused) throw reader.invalid('unknown type');
  const reason = CHALLENGE_REFUSALS[reader.u8()];
  reader.end();
  if (reason === undefined) throw reader.invalid('unknown reason');
  return { type: 'refused', reason };
}
