import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import { verifyBlock } from '../../protocol/network/block-cid.ts';
import {
  type ExchangeAnswer,
  type ExchangeRequest,
  encodeExchangeAnswer,
  encodeExchangeRequest,
  MAX_EXCHANGE_ANSWER_BYTES,
  MAX_EXCHANGES_PER_PEER,
  parseExchangeAnswer,
} from '../../protocol/network/block-exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import type { FrameStream } from './frame-stream.ts';
import type { OwnBlocks } from './needs.ts';
import { createSlots } from './slots.ts';

/** Blocks offered in one hold: few enough that an honest slow line ends in the time that an exchange has. */
const BLOCKS_PER_HOLD = 64;

const BUSY_ATTEMPTS = 5;
const BUSY_WAIT_MS = 200;

export interface BlockClientDeps {
  /** Opens an exchange stream to the peer. */
  readonly open: (peerId: PeerIdText, signal: AbortSignal) => Promise<FrameStream>;
  /** Connected peers that the registry authorizes. */
  readonly members: () => Promise<PeerIdText[]>;
  readonly blocks: OwnBlocks | undefined;
  readonly log: Logger;
}

export interface BlockClient {
  /**
   * Asks members to hold a sealed blob until `replicas` do, `holders` counted, who are not asked again. Resolves with the
   * new ones, who said that it is durable.
   */
  replicate(
    root: Cid,
    blocks: readonly Cid[],
    signal: AbortSignal,
    holders?: readonly PeerIdText[],
  ): Promise<PeerIdText[]>;
  /** The block from the first holder that has it, verified against its CID; undefined when none has. */
  fetch(root: Cid, cid: Cid, holders: readonly PeerIdText[], signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Tells holders to forget a blob; resolves with those that did. */
  release(root: Cid, holders: readonly PeerIdText[], signal: AbortSignal): Promise<PeerIdText[]>;
}

/** The owner's side of the block exchange: ciphertext only, and no holder's word is taken for a block. */
export function createBlockClient(replicas: number, deps: BlockClientDeps): BlockClient {
  const slots = createSlots(MAX_EXCHANGES_PER_PEER);

  /** True when the peer answered `done`; a peer that does otherwise is left for the next one, never thrown upon. */
  async function completes(peerId: PeerIdText, request: ExchangeRequest, signal: AbortSignal): Promise<boolean> {
    try {
      const answer = await ask(peerId, request, signal);
      if (answer.type !== 'done')
        deps.log.debug({ peerId, type: request.type, answer: answer.type }, 'peer refused an exchange');
      return answer.type === 'done';
    } catch (error) {
      signal.throwIfAborted();
      deps.log.debug({ peerId, type: request.type, err: error }, 'exchange with a peer did not work');
      return false;
    }
  }

  /** Waits for its turn at the peer, and asks again, a few times, a peer that has too many others waiting. */
  async function ask(peerId: PeerIdText, request: ExchangeRequest, signal: AbortSignal): Promise<ExchangeAnswer> {
    for (let attempt = 1; ; attempt += 1) {
      const answer = await slots(peerId, () => exchange(peerId, request, signal));
      if (answer.type !== 'refused' || answer.reason !== 'busy' || attempt === BUSY_ATTEMPTS) return answer;
      await sleep(BUSY_WAIT_MS * attempt, undefined, { signal });
    }
  }

  async function exchange(peerId: PeerIdText, request: ExchangeRequest, signal: AbortSignal): Promise<ExchangeAnswer> {
    signal.throwIfAborted();
    const frames = await deps.open(peerId, signal);
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
        if (!offered.delete(answer.cid)) {
          throw new NectarError('NETWORK_MESSAGE_INVALID', {
            message: 'exchange answer',
            problem: 'wants what was not offered',
          });
        }
        await frames.write(await offer(answer.cid));
      }
    } catch (error) {
      frames.reset(error);
      throw error;
    }
  }

  async function offer(cid: Cid): Promise<Uint8Array> {
    const bytes = await deps.blocks?.get(cid);
    return encodeExchangeAnswer(bytes === undefined ? { type: 'refused', reason: 'absent' } : { type: 'block', bytes });
  }

  async function holds(peerId: PeerIdText, root: Cid, blocks: readonly Cid[], signal: AbortSignal): Promise<boolean> {
    const cids = [...new Set(blocks)];
    for (let index = 0; index < cids.length; index += BLOCKS_PER_HOLD) {
      const request = { type: 'hold', root, cids: cids.slice(index, index + BLOCKS_PER_HOLD) } as const;
      if (!(await completes(peerId, request, signal))) return false;
    }
    return cids.length > 0;
  }

  return {
    async replicate(root, blocks, signal, holders = []) {
      const added: PeerIdText[] = [];
      for (const peerId of spread(root, await deps.members())) {
        if (holders.length + added.length >= replicas) break;
        if (holders.includes(peerId)) continue;
        if (await holds(peerId, root, blocks, signal)) added.push(peerId);
      }
      return added;
    },
    async fetch(root, cid, holders, signal) {
      for (const peerId of holders) {
        try {
          const answer = await ask(peerId, { type: 'get', root, cid }, signal);
          if (answer.type === 'block') return verifyBlock(cid, answer.bytes, sha256);
        } catch (error) {
          signal.throwIfAborted();
          deps.log.debug({ peerId, err: error }, 'block not fetched from a holder');
        }
      }
      return undefined;
    },
    async release(root, holders, signal) {
      const released: PeerIdText[] = [];
      for (const peerId of holders)
        if (await completes(peerId, { type: 'release', root }, signal)) released.push(peerId);
      return released;
    },
  };
}

/** Rendezvous order: each blob has its own, so that blobs spread over members and every retry asks the same ones. */
function spread(root: Cid, members: readonly PeerIdText[]): PeerIdText[] {
  const rank = new Map(
    members.map((peerId) => [peerId, createHash('sha256').update(`${root} ${peerId}`).digest('hex')]),
  );
  return [...members].sort((a, b) => ((rank.get(a) ?? '') < (rank.get(b) ?? '') ? -1 : 1));
}

function sha256(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest();
}
