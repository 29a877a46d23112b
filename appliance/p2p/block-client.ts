import { createHash } from 'node:crypto';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { verifyBlock } from '../../protocol/network/block-cid.ts';
import type { ExchangeRequest } from '../../protocol/network/block-exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import { type Ask, type AskerDeps, createAsker } from './exchange-asker.ts';

/** Blocks offered in one hold: few enough that an honest slow line ends in the time that an exchange has. */
const BLOCKS_PER_HOLD = 64;

export interface BlockClientDeps extends AskerDeps {
  /** Connected peers that the registry authorizes. */
  readonly members: () => Promise<PeerIdText[]>;
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
  const ask = createAsker(deps);
  const completes = createCompletes(ask, deps.log);

  return {
    async replicate(root, blocks, signal, holders = []) {
      const added: PeerIdText[] = [];
      const requests = holdRequests(root, blocks);
      for (const peerId of spread(root, await deps.members())) {
        if (holders.length + added.length >= replicas) break;
        if (holders.includes(peerId)) continue;
        if (await completes(peerId, requests, signal)) added.push(peerId);
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
      for (const peerId of holders) {
        if (await completes(peerId, [{ type: 'release', root }], signal)) released.push(peerId);
      }
      return released;
    },
  };
}

type Completes = (peerId: PeerIdText, requests: readonly ExchangeRequest[], signal: AbortSignal) => Promise<boolean>;

/** True when the peer answered `done` to each; a peer that does otherwise is left for the next one, never thrown upon. */
function createCompletes(ask: Ask, log: Logger): Completes {
  return async (peerId, requests, signal) => {
    for (const request of requests) {
      try {
        const answer = await ask(peerId, request, signal);
        if (answer.type === 'done') continue;
        log.debug({ peerId, type: request.type, answer: answer.type }, 'peer refused an exchange');
      } catch (error) {
        signal.throwIfAborted();
        log.debug({ peerId, type: request.type, err: error }, 'exchange with a peer did not work');
      }
      return false;
    }
    return requests.length > 0;
  };
}

function holdRequests(root: Cid, blocks: readonly Cid[]): ExchangeRequest[] {
  const cids = [...new Set(blocks)];
  const count = Math.ceil(cids.length / BLOCKS_PER_HOLD);
  return Array.from({ length: count }, (_, index) => {
    return { type: 'hold', root, cids: cids.slice(index * BLOCKS_PER_HOLD, (index + 1) * BLOCKS_PER_HOLD) };
  });
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
