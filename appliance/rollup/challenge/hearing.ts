import { setTimeout as delay } from 'node:timers/promises';
import { encodeSignedMove, parseSignedMove } from '../../../protocol/dispute/message.ts';
import type { SignedMove } from '../../../protocol/dispute/move.ts';
import { isNectarError } from '../../../protocol/errors.ts';
import type { ChallengeAnswer } from '../../../protocol/network/challenge-exchange.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { Conversations } from './conversations.ts';
import type { Rivalry } from './rivalry.ts';

/** An answer that takes longer is made all the same, and given to who asks again. */
const PATIENCE_MS = 10_000;
/** So many messages are being judged at once, of all opponents. */
const MAX_HEARING = 4;

export interface HearingDeps {
  readonly rivalries: () => readonly Rivalry[];
  readonly conversations: Pick<Conversations, 'hear'>;
  readonly log: Logger;
  readonly wait?: (ms: number) => Promise<unknown>;
}

/** The responder's half of talking: what a peer's message is answered. Never rejects: the reason is for the log. */
export type Hearing = (encoded: Uint8Array) => Promise<ChallengeAnswer>;

export function createHearing({ rivalries, conversations, log, wait = pause }: HearingDeps): Hearing {
  const judged = new Map<string, Promise<ChallengeAnswer>>();

  async function judge(rivalry: Rivalry, message: SignedMove): Promise<ChallengeAnswer> {
    try {
      const reply = await conversations.hear(rivalry, message);
      return reply === undefined ? { type: 'taken' } : { type: 'move', encoded: encodeSignedMove(reply) };
    } catch (error) {
      log.debug({ err: error, challenge: rivalry.subject.id, round: message.move.round }, 'a move is not taken');
      const isTheirs =
        isNectarError(error, 'DISPUTE_MOVE_INVALID') || isNectarError(error, 'DISPUTE_SIGNATURE_INVALID');
      return { type: 'refused', reason: isTheirs ? 'invalid' : 'later' };
    }
  }

  return async (encoded) => {
    let message: SignedMove;
    try {
      message = parseSignedMove(encoded);
    } catch {
      return { type: 'refused', reason: 'invalid' };
    }
    const rivalry = rivalries().find(({ subject }) => subject.id === message.move.challenge);
    if (rivalry === undefined) return { type: 'refused', reason: 'unknown' };
    const key = `${message.move.challenge}/${message.move.round}`;
    const running = judged.get(key);
    // The same round again while it is judged, or another of the same: one after the other.
    if (running !== undefined || judged.size >= MAX_HEARING) return { type: 'refused', reason: 'later' };
    const judging = judge(rivalry, message).finally(() => judged.delete(key));
    judged.set(key, judging);
    const late = wait(PATIENCE_MS).then((): ChallengeAnswer => ({ type: 'refused', reason: 'later' }));
    return Promise.race([judging, late]);
  };
}

/** Keeps no process from ending. */
async function pause(ms: number): Promise<void> {
  await delay(ms, undefined, { ref: false });
}
