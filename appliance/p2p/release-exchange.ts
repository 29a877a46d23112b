import type { PeerIdText } from '../../protocol/brand.ts';
import {
  encodeReleaseAnswer,
  encodeReleaseRequest,
  isReleaseReceipt,
  MAX_RELEASE_ANSWER_BYTES,
  MAX_RELEASE_REQUEST_BYTES,
  parseReleaseAnswer,
  parseReleaseRequest,
  type ReleaseAnswer,
  type ReleaseParties,
  type ReleaseReceipt,
  type ReleaseRequest,
  releaseEpoch,
  releaseReceiptBytes,
} from '../../protocol/network/release-exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import { createAllowance } from './allowance.ts';
import type { FrameStream } from './frame-stream.ts';
import type { HeldBlocks } from './needs.ts';

/** A peer has so many requests open at a time. */
export const MAX_RELEASES_PER_PEER = 2;
/** Requests of one peer that are taken at once, and how soon another one is: each takes away up to 64 blobs, and costs a signature. */
const LIMITS = { burst: 16, refillMs: 250 };
/** By so many days the holder's clock may differ from ours. */
const MAX_EPOCH_SKEW = 1;

export interface ReleaseServerDeps {
  readonly held: Pick<HeldBlocks, 'release'>;
  readonly l2ChainId: bigint;
  readonly self: PeerIdText;
  /** By this node's peer key. */
  readonly sign: (bytes: Uint8Array) => Promise<Uint8Array> | Uint8Array;
  readonly log: Logger;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Serves one release. Adversary: a peer that wants another owner's blobs gone (who is owner says the handshake), or our disk's time. */
export type ReleaseServer = (frames: FrameStream, owner: PeerIdText) => Promise<void>;

export function createReleaseServer(deps: ReleaseServerDeps): ReleaseServer {
  const { held, l2ChainId, self, log, now } = deps;
  const isAllowed = createAllowance(LIMITS, now);

  async function answer(owner: PeerIdText, request: ReleaseRequest): Promise<ReleaseAnswer> {
    if (!isAllowed(owner)) return { type: 'refused', reason: 'busy' };
    try {
      let bytes = 0;
      for (const root of request.roots) bytes += await held.release(owner, root);
      // Signed when it is durable: what a crash would bring back is not receipted.
      const said = { epoch: releaseEpoch(now()), bytes };
      const signature = await deps.sign(releaseReceiptBytes({ l2ChainId, owner, holder: self }, request, said));
      return { type: 'released', ...said, signature };
    } catch (error) {
      log.warn({ peerId: owner, err: error }, 'blobs of a peer were not released');
      return { type: 'refused', reason: 'failed' };
    }
  }

  return async (frames, owner) => {
    try {
      const request = parseReleaseRequest(await frames.read(MAX_RELEASE_REQUEST_BYTES));
      await frames.write(encodeReleaseAnswer(await answer(owner, request)));
      await frames.close();
    } catch (error) {
      frames.reset(error);
      log.debug({ peerId: owner, err: error }, 'a release ended early');
    }
  };
}

/** Asks once. Undefined: the holder refused. Throws when the peer breaks off, breaks the protocol, or signs something else. */
export async function exchangeRelease(
  frames: FrameStream,
  of: { readonly parties: ReleaseParties; readonly request: ReleaseRequest; readonly now: number },
): Promise<ReleaseReceipt | undefined> {
  const { parties, request, now } = of;
  try {
    await frames.write(encodeReleaseRequest(request));
    const answer = parseReleaseAnswer(await frames.read(MAX_RELEASE_ANSWER_BYTES));
    await frames.close();
    if (answer.type === 'refused') return undefined;
    const { epoch, bytes, signature } = answer;
    const receipt = { epoch, bytes, signature };
    const isOfToday = Math.abs(epoch - releaseEpoch(now)) <= MAX_EPOCH_SKEW;
    if (!isOfToday || !isReleaseReceipt(parties, request, receipt)) throw new FalseReceipt();
    return receipt;
  } catch (error) {
    frames.reset(error);
    throw error;
  }
}

/** Signed by another key, over another request, or of another day. */
export class FalseReceipt extends Error {
  constructor() {
    super('the receipt is not for this request, or not of this day');
  }
}
