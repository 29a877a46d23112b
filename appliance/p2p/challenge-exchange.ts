import type { PeerIdText } from '../../protocol/brand.ts';
import {
  type ChallengeAnswer,
  encodeChallengeAnswer,
  MAX_CHALLENGE_ANSWER_BYTES,
  MAX_CHALLENGE_REQUEST_BYTES,
  parseChallengeAnswer,
} from '../../protocol/network/challenge-exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import { createAllowance } from './allowance.ts';
import type { FrameStream } from './frame-stream.ts';
import type { OwnChallenges } from './needs.ts';

/** A peer has one message on its way at a time: the two take turns. */
export const MAX_CHALLENGES_PER_PEER = 1;
/** Twelve rounds at once, then one message in five seconds: each may cost a trace. */
const LIMITS = { burst: 16, refillMs: 5_000 };

export interface ChallengeServerDeps {
  readonly challenges: OwnChallenges;
  readonly isAdmitted: (peerId: PeerIdText) => Promise<boolean>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Serves one move of an opponent. Adversary: one that wants our time, and strangers; what a move is worth is judged elsewhere. */
export type ChallengeServer = (frames: FrameStream, peerId: PeerIdText) => Promise<void>;

export function createChallengeServer({ challenges, isAdmitted, log, now }: ChallengeServerDeps): ChallengeServer {
  const isAllowed = createAllowance(LIMITS, now);

  async function answer(peerId: PeerIdText, encoded: Uint8Array): Promise<ChallengeAnswer> {
    if (!(await isAdmitted(peerId))) return { type: 'refused', reason: 'stranger' };
    if (!isAllowed(peerId)) return { type: 'refused', reason: 'busy' };
    return challenges.hear(encoded);
  }

  return async (frames, peerId) => {
    try {
      const request = await frames.read(MAX_CHALLENGE_REQUEST_BYTES);
      await frames.write(encodeChallengeAnswer(await answer(peerId, request)));
      await frames.close();
    } catch (error) {
      frames.reset(error);
      log.debug({ peerId, err: error }, 'a message of a challenge ended early');
    }
  };
}

/** Says one move to a peer. Its answer is not judged. */
export async function exchangeChallenge(frames: FrameStream, encoded: Uint8Array): Promise<ChallengeAnswer> {
  try {
    await frames.write(encoded);
    const answer = parseChallengeAnswer(await frames.read(MAX_CHALLENGE_ANSWER_BYTES));
    await frames.close();
    return answer;
  } catch (error) {
    frames.reset(error);
    throw error;
  }
}
