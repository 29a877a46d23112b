import { createHash, randomBytes, randomInt, timingSafeEqual } from 'node:crypto';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import {
  blockProof,
  encodeProofAnswer,
  encodeProofQuestion,
  MAX_PROOF_ANSWER_BYTES,
  MAX_PROOF_RANGE_BYTES,
  PROOF_NONCE_BYTES,
  PROOF_QUESTION_BYTES,
  type ProofAnswer,
  type ProofQuestion,
  parseProofAnswer,
  parseProofQuestion,
} from '../../protocol/network/block-proof.ts';
import type { Logger } from '../telemetry/index.ts';
import { createAllowance } from './allowance.ts';
import type { FrameStream } from './frame-stream.ts';
import type { HeldBlocks } from './needs.ts';

/** A peer has so many questions open at a time. */
export const MAX_PROOFS_PER_PEER = 4;
/** An owner asks about a few blocks a minute; each question has a holder read one block. */
const LIMITS = { burst: 128, refillMs: 100 };

export interface ProofServerDeps {
  readonly held: Pick<HeldBlocks, 'get'>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Answers one question about a held block. Adversary: a peer that wants to learn who stores what here, or our disk's time. */
export type ProofServer = (frames: FrameStream, owner: PeerIdText) => Promise<void>;

export function createProofServer({ held, log, now }: ProofServerDeps): ProofServer {
  const isAllowed = createAllowance(LIMITS, now);

  async function answer(owner: PeerIdText, question: ProofQuestion): Promise<ProofAnswer> {
    if (!isAllowed(owner)) return { type: 'refused', reason: 'busy' };
    const block = await held.get(owner, question.cid);
    const hash = block === undefined ? undefined : blockProof(question, block, sha256);
    return hash === undefined ? { type: 'refused', reason: 'absent' } : { type: 'proof', hash };
  }

  return async (frames, owner) => {
    try {
      const question = parseProofQuestion(await frames.read(PROOF_QUESTION_BYTES));
      await frames.write(encodeProofAnswer(await answer(owner, question)));
      await frames.close();
    } catch (error) {
      frames.reset(error);
      log.debug({ peerId: owner, err: error }, 'a question about a held block ended early');
    }
  };
}

/** `false`: the answer does not follow from the bytes. `silent`: there was none, which may be the network's fault, or ours. */
export type ProofOutcome = 'proved' | 'absent' | 'false' | 'silent';

/** A random range of a block that we have ourselves, and a nonce that has never been used. */
export function drawQuestion(cid: Cid, block: Uint8Array): ProofQuestion {
  const length = Math.min(block.length, MAX_PROOF_RANGE_BYTES);
  return { cid, length, offset: randomInt(block.length - length + 1), nonce: randomBytes(PROOF_NONCE_BYTES) };
}

/** Asks one question; throws when the peer breaks off or breaks the protocol. */
export async function exchangeProof(
  frames: FrameStream,
  question: ProofQuestion,
  block: Uint8Array,
): Promise<ProofOutcome> {
  try {
    await frames.write(encodeProofQuestion(question));
    const answer = parseProofAnswer(await frames.read(MAX_PROOF_ANSWER_BYTES));
    await frames.close();
    if (answer.type === 'refused') return answer.reason === 'absent' ? 'absent' : 'silent';
    const expected = blockProof(question, block, sha256);
    return expected !== undefined && timingSafeEqual(expected, answer.hash) ? 'proved' : 'false';
  } catch (error) {
    frames.reset(error);
    throw error;
  }
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
