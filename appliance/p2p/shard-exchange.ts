import type { PeerIdText } from '../../protocol/brand.ts';
import {
  encodeShardAnswer,
  encodeShardQuestion,
  MAX_SHARD_ANSWER_BYTES,
  MAX_SHARD_QUESTION_BYTES,
  parseShardAnswer,
  parseShardQuestion,
  roundedFreeBytes,
  type ShardAnswer,
  type ShardQuestion,
} from '../../protocol/network/shard-exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import { createAllowance } from './allowance.ts';
import type { FrameStream } from './frame-stream.ts';
import type { HeldShards } from './needs.ts';

/** A peer has so many questions open at a time. */
export const MAX_SHARD_QUESTIONS_PER_PEER = 4;
/** Each may have a holder hash a whole shard, or forty pieces of some. */
const LIMITS = { burst: 256, refillMs: 100 };

export interface ShardServerDeps {
  readonly shards: HeldShards;
  readonly isMember: (peerId: PeerIdText) => Promise<boolean>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Answers one question about shards. Adversary: a peer that asks for others' shards (who is owner says the handshake), or our disk's time. */
export type ShardServer = (frames: FrameStream, owner: PeerIdText) => Promise<void>;

export function createShardServer({ shards, isMember, log, now }: ShardServerDeps): ShardServer {
  const isAllowed = createAllowance(LIMITS, now);

  async function answer(owner: PeerIdText, question: ShardQuestion): Promise<ShardAnswer> {
    if (!isAllowed(owner)) return { type: 'refused', reason: 'busy' };
    if (question.type === 'leaves') return await shards.proveLeaves(owner, question.leaves);
    // Space is for members; who is none any more is still answered about what it has here.
    if (!(await isMember(owner))) return { type: 'refused', reason: 'stranger' };
    if (question.type === 'offer') return { type: 'offer', freeBytes: roundedFreeBytes(await shards.freeBytes(owner)) };
    const { id, root, bytes, blocks } = question;
    return await shards.take(owner, { id, root, bytes, blocks });
  }

  return async (frames, owner) => {
    try {
      const question = parseShardQuestion(await frames.read(MAX_SHARD_QUESTION_BYTES));
      await frames.write(encodeShardAnswer(await answerOrFail(owner, question)));
      await frames.close();
    } catch (error) {
      frames.reset(error);
      log.debug({ peerId: owner, err: error }, 'a question about shards ended early');
    }
  };

  async function answerOrFail(owner: PeerIdText, question: ShardQuestion): Promise<ShardAnswer> {
    try {
      return await answer(owner, question);
    } catch (error) {
      log.warn({ peerId: owner, err: error }, 'a question about shards was not answered');
      return { type: 'refused', reason: 'failed' };
    }
  }
}

/** Asks once; throws when the peer breaks off or breaks the protocol. */
export async function exchangeShard(frames: FrameStream, question: ShardQuestion): Promise<ShardAnswer> {
  try {
    await frames.write(encodeShardQuestion(question));
    const answer = parseShardAnswer(await frames.read(MAX_SHARD_ANSWER_BYTES));
    await frames.close();
    return answer;
  } catch (error) {
    frames.reset(error);
    throw error;
  }
}
