import type { Hex } from '../../../protocol/brand.ts';
import { type Move, moveHash, type SignedMove } from '../../../protocol/dispute/move.ts';
import { LAST_ROUND, otherSide, sideOfRound } from '../../../protocol/dispute/rounds.ts';
import { verifyMove } from '../../../protocol/dispute/verify-move.ts';
import { NectarError } from '../../../protocol/errors.ts';
import { findOwnMove, type HeardMoves, MAX_HEARD } from './heard-moves.ts';
import { findLie, firstMove, replyTo } from './reply.ts';
import type { Rivalry } from './rivalry.ts';
import { type MoveSigner, verifyMoveSignature } from './sign-move.ts';
import type { Truth } from './truth.ts';

/** What is said between the parties off chain. */
export interface Conversations {
  /**
   * Takes a message of the opponent: judged, kept on disk, then answered. Undefined after round 12, which L1 answers.
   *
   * Adversary: an opponent that sends anything, twice, in any order, or signs two moves of one round.
   *
   * @throws NectarError DISPUTE_MOVE_INVALID, DISPUTE_SIGNATURE_INVALID; nothing of the message is kept then
   */
  hear(rivalry: Rivalry, message: SignedMove): Promise<SignedMove | undefined>;
  /** The opener's newest move, to be sent to the opponent; undefined when the last round was heard. */
  newest(rivalry: Rivalry): Promise<SignedMove | undefined>;
}

export interface ConversationsDeps {
  readonly truth: Truth;
  readonly heard: HeardMoves;
  readonly signer: MoveSigner;
  readonly now: () => number;
}

export function createConversations({ truth, heard, signer, now }: ConversationsDeps): Conversations {
  async function ownMove(rivalry: Rivalry, hash: Hex): Promise<Move | undefined> {
    const { domain, id } = rivalry.subject;
    const kept = findOwnMove(domain, await heard.get(id), hash);
    if (kept !== undefined || rivalry.side === 'R') return kept;
    const first = await firstMove(truth, rivalry);
    return moveHash(domain, first) === hash ? first : undefined;
  }

  /** What L1 would say, and what it cannot: that the message begins at the truth and leaves it. */
  async function judge(rivalry: Rivalry, message: SignedMove): Promise<void> {
    const { move, openings } = message;
    const refuse = (reason: string): never => {
      throw new NectarError('DISPUTE_MOVE_INVALID', { round: move.round, reason });
    };
    const other = otherSide(rivalry.side);
    if (sideOfRound(move.round) !== other) refuse("its round is not the opponent's");
    verifyMoveSignature(rivalry.subject.domain, message, rivalry.parties[other].signer);
    const prev = move.round === 1 ? undefined : await ownMove(rivalry, move.prev);
    if (prev === undefined && move.round !== 1) refuse('it answers nothing that this node said');
    const task = openings && (await truth.taskAt(rivalry, openings.before).catch(() => undefined));
    verifyMove(rivalry.subject, { prev, move, openings, task });
    if ((await findLie(truth, rivalry, move)) === undefined) refuse('there is nothing in it to deny');
  }

  async function answer(rivalry: Rivalry, { move }: SignedMove): Promise<SignedMove | undefined> {
    if (move.round === LAST_ROUND) return undefined;
    const reply = await replyTo(truth, rivalry, move);
    return reply.kind === 'move' ? signer.sign(rivalry.subject.domain, reply.move, reply.openings) : undefined;
  }

  return {
    async hear(rivalry, message) {
      const { id, domain } = rivalry.subject;
      const hash = moveHash(domain, message.move);
      const known = (await heard.get(id))?.heard ?? [];
      const again = known.find((entry) => moveHash(domain, entry.message.move) === hash);
      // A lost answer: the same again, which tells the opponent nothing new.
      if (again !== undefined) return again.reply;
      if (known.length >= MAX_HEARD)
        throw new NectarError('DISPUTE_MOVE_INVALID', {
          round: message.move.round,
          reason: 'too many messages came before',
        });
      await judge(rivalry, message);
      const reply = await answer(rivalry, message);
      await heard.add(id, { message, reply }, now());
      return reply;
    },
    async newest(rivalry) {
      const conversation = await heard.get(rivalry.subject.id);
      const [first, ...rest] = conversation?.heard ?? [];
      const newest =
        first &&
        rest.reduce((high, entry) => (entry.message.move.round > high.message.move.round ? entry : high), first);
      if (newest !== undefined) return newest.reply;
      return signer.sign(rivalry.subject.domain, await firstMove(truth, rivalry), undefined);
    },
  };
}
