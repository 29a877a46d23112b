import type { PeerIdText } from '../../protocol/brand.ts';
import {
  encodeWitnessAnswer,
  MAX_WITNESS_ANSWER_BYTES,
  MAX_WITNESS_REQUEST_BYTES,
} from '../../protocol/network/witness-exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import { createAllowance } from './allowance.ts';
import type { FrameStream } from './frame-stream.ts';
import type { P2pDeps } from './needs.ts';

/** A peer has so many requests open at a time. */
export const MAX_WITNESSES_PER_PEER = 2;
/** Requests of one peer that are judged at once, and how soon another one is: each costs signatures and a write. */
const BURST = 8;
const REFILL_MS = 1_000;

export interface WitnessServerDeps {
  readonly witness: NonNullable<P2pDeps['witness']>;
  readonly isMember: (peerId: PeerIdText) => Promise<boolean>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Serves one request for a cosignature. Adversary: a member that wants our signatures, time or disk, and strangers. */
export type WitnessServer = (frames: FrameStream, peerId: PeerIdText) => Promise<void>;

export function createWitnessServer({ witness, isMember, log, now }: WitnessServerDeps): WitnessServer {
  const isAllowed = createAllowance({ burst: BURST, refillMs: REFILL_MS }, now);

  return async (frames, peerId) => {
    try {
      const request = await frames.read(MAX_WITNESS_REQUEST_BYTES);
      await frames.write(await judge(peerId, request));
      await frames.close();
    } catch (error) {
      frames.reset(error);
      log.debug({ peerId, err: error }, 'a request for a cosignature ended early');
    }
  };

  async function judge(peerId: PeerIdText, request: Uint8Array): Promise<Uint8Array> {
    if (!(await isMember(peerId))) return encodeWitnessAnswer({ type: 'refused', reason: 'stranger' });
    if (!isAllowed(peerId)) return encodeWitnessAnswer({ type: 'refused', reason: 'busy' });
    return witness.answer(peerId, request);
  }
}

/** Asks one member on a stream of its own. */
export async function exchangeWitness(frames: FrameStream, request: Uint8Array): Promise<Uint8Array> {
  try {
    await frames.write(request);
    const answer = await frames.read(MAX_WITNESS_ANSWER_BYTES);
    await frames.close();
    return answer;
  } catch (error) {
    frames.reset(error);
    throw error;
  }
}
