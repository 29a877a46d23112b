import { setTimeout as sleep } from 'node:timers/promises';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import {
  type ExchangeAnswer,
  type ExchangeRequest,
  encodeExchangeAnswer,
  encodeExchangeRequest,
  MAX_EXCHANGE_ANSWER_BYTES,
  MAX_EXCHANGES_PER_PEER,
  parseExchangeAnswer,
} from '../../protocol/network/block-exchange.ts';
import type { FrameStream } from './frame-stream.ts';
import type { OwnBlocks } from './needs.ts';
import { createSlots } from './slots.ts';

const BUSY_ATTEMPTS = 5;
const BUSY_WAIT_MS = 200;

export interface AskerDeps {
  /** Opens an exchange stream to the peer. */
  readonly open: (peerId: PeerIdText, signal: AbortSignal) => Promise<FrameStream>;
  readonly blocks: OwnBlocks | undefined;
}

/** Makes one exchange with a peer and resolves with its last answer. Throws when the peer breaks the protocol or off. */
export type Ask = (peerId: PeerIdText, request: ExchangeRequest, signal: AbortSignal) => Promise<ExchangeAnswer>;

/** Asks in turn, as many at a time as a peer takes, and asks again a peer that has too many others waiting. */
export function createAsker(deps: AskerDeps): Ask {
  const slots = createSlots(MAX_EXCHANGES_PER_PEER);
  return async (peerId, request, signal) => {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await slots(peerId, async () => {
        signal.throwIfAborted();
        return await exchange(await deps.open(peerId, signal), request, deps.blocks);
      });
      if (answer.type !== 'refused' || answer.reason !== 'busy' || attempt === BUSY_ATTEMPTS) return answer;
      await sleep(BUSY_WAIT_MS * attempt, undefined, { signal });
    }
  };
}

async function exchange(
  frames: FrameStream,
  request: ExchangeRequest,
  blocks: OwnBlocks | undefined,
): Promise<ExchangeAnswer> {
  try {
    await frames.write(encodeExchangeRequest(request));
    const offered = new Set(request.type === 'hold' ? request.cids : []);
    for (;;) {
      const answer = parseExchangeAnswer(await frames.read(MAX_EXCHANGE_ANSWER_BYTES));
      if (answer.type !== 'want') {
        await frames.close();
        return answer;
      }
      // Each offered block once and nothing else: the exchange ends, and a holder reads no block it was not offered.
      if (!offered.delete(answer.cid)) throw unoffered();
      await frames.write(await offer(answer.cid, blocks));
    }
  } catch (error) {
    frames.reset(error);
    throw error;
  }
}

async function offer(cid: Cid, blocks: OwnBlocks | undefined): Promise<Uint8Array> {
  const bytes = await blocks?.get(cid);
  return encodeExchangeAnswer(bytes === undefined ? { type: 'refused', reason: 'absent' } : { type: 'block', bytes });
}

function unoffered(): NectarError<'NETWORK_MESSAGE_INVALID'> {
  return new NectarError('NETWORK_MESSAGE_INVALID', {
    message: 'exchange answer',
    problem: 'wants what was not offered',
  });
}
