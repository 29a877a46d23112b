import { setTimeout as sleep } from 'node:timers/promises';
import type { PeerIdText } from '../../protocol/brand.ts';
import {
  BATCH_REQUEST_BYTES,
  type BatchAnswer,
  type BatchRequest,
  encodeBatchAnswer,
  encodeBatchRequest,
  MAX_BATCH_ANSWER_BYTES,
  parseBatchAnswer,
  parseBatchRequest,
} from '../../protocol/network/batch-exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import { createAllowance } from './allowance.ts';
import type { FrameStream } from './frame-stream.ts';
import type { KeptBatches } from './needs.ts';

/** A peer has so many requests open at a time. */
export const MAX_BATCHES_PER_PEER = 2;
/** Ten a second for each peer: a node that rebuilds its chain gets on, and costs no more than a slow line. */
const LIMITS = { burst: 64, refillMs: 100 };
const BUSY_ATTEMPTS = 5;
const BUSY_WAIT_MS = 200;

export interface BatchServerDeps {
  readonly batches: KeptBatches;
  readonly isAdmitted: (peerId: PeerIdText) => Promise<boolean>;
  readonly log: Logger;
  readonly now: () => number;
}

/** Serves one request for the data of a batch. Adversary: a peer that wants our line or disk, and strangers. */
export type BatchServer = (frames: FrameStream, peerId: PeerIdText) => Promise<void>;

export function createBatchServer({ batches, isAdmitted, log, now }: BatchServerDeps): BatchServer {
  const isAllowed = createAllowance(LIMITS, now);

  async function answer(peerId: PeerIdText, request: BatchRequest): Promise<BatchAnswer> {
    if (!(await isAdmitted(peerId))) return { type: 'refused', reason: 'stranger' };
    if (!isAllowed(peerId)) return { type: 'refused', reason: 'busy' };
    const encoded = await batches.find(request);
    return encoded === undefined ? { type: 'refused', reason: 'absent' } : { type: 'data', encoded };
  }

  return async (frames, peerId) => {
    try {
      const request = parseBatchRequest(await frames.read(BATCH_REQUEST_BYTES));
      await frames.write(encodeBatchAnswer(await answer(peerId, request)));
      await frames.close();
    } catch (error) {
      frames.reset(error);
      log.debug({ peerId, err: error }, 'a request for a batch ended early');
    }
  };
}

/** Asks one peer, again while it is busy; undefined when it does not give the data. What it gives is not judged. */
export async function askBatch(
  open: (signal: AbortSignal) => Promise<FrameStream>,
  request: BatchRequest,
  signal: AbortSignal,
): Promise<Uint8Array | undefined> {
  for (let attempt = 1; ; attempt += 1) {
    const answer = await exchangeBatch(await open(signal), request);
    if (answer.type === 'data') return answer.encoded;
    if (answer.reason !== 'busy' || attempt === BUSY_ATTEMPTS) return undefined;
    await sleep(BUSY_WAIT_MS * attempt, undefined, { signal });
  }
}

async function exchangeBatch(frames: FrameStream, request: BatchRequest): Promise<BatchAnswer> {
  try {
    await frames.write(encodeBatchRequest(request));
    const answer = parseBatchAnswer(await frames.read(MAX_BATCH_ANSWER_BYTES));
    await frames.close();
    return answer;
  } catch (error) {
    frames.reset(error);
    throw error;
  }
}
