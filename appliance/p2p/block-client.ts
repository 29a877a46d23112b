import { createHash } from 'node:crypto';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { isNectarError } from '../../protocol/errors.ts';
import { verifyBlock } from '../../protocol/network/block-cid.ts';
import type { ExchangeAnswer, ExchangeRequest } from '../../protocol/network/block-exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import { type Ask, type AskerDeps, createAsker } from './exchange-asker.ts';
import type { FrameStream } from './frame-stream.ts';
import type { FalseBlock } from './needs.ts';
import { drawQuestion, exchangeProof, type ProofOutcome } from './proof-exchange.ts';

/** Blocks offered in one hold: few enough that an honest slow line ends in the time that an exchange has. */
const BLOCKS_PER_HOLD = 64;

export interface BlockClientDeps extends AskerDeps {
  /** Connected peers that the registry authorizes. */
  readonly members: () => Promise<PeerIdText[]>;
  /** Opens a stream for a question whether a block is held; rejects with UnsupportedProtocolError where a peer knows none. */
  readonly openProof: (peerId: PeerIdText, signal: AbortSignal) => Promise<FrameStream>;
  readonly onFalseBlock: (found: FalseBlock) => void;
  readonly log: Logger;
}

/** Peers that are asked to hold nothing, beside those that hold already. */
export interface Placement {
  readonly holders: readonly PeerIdText[];
  /** They may have some of it: what they hold stays with them when they refuse the rest. */
  readonly former: readonly PeerIdText[];
  readonly barred: readonly PeerIdText[];
}

const NOBODY: Placement = { holders: [], former: [], barred: [] };

/** One holder and one block that it said is durable with it. */
export interface HeldQuestion {
  readonly holder: PeerIdText;
  readonly root: Cid;
  readonly cid: Cid;
}

export interface BlockClient {
  /**
   * Asks members to hold a sealed blob until `replicas` do, `holders` counted, who are not asked again. Resolves with the
   * new ones, who said that it is durable.
   */
  replicate(root: Cid, blocks: readonly Cid[], signal: AbortSignal, placed?: Placement): Promise<PeerIdText[]>;
  /** Brings blocks to one holder, under a root; true when it said that they are durable. A shard that is refused half way leaves nothing there. */
  bring(holder: PeerIdText, root: Cid, blocks: readonly Cid[], signal: AbortSignal): Promise<boolean>;
  /** Asks a holder for a hash that needs the bytes of a random range of a block which we have ourselves. Never throws but by the signal. */
  prove(question: HeldQuestion, signal: AbortSignal): Promise<ProofOutcome>;
  /** The block from the first holder that has it, verified against its CID; undefined when none has. */
  fetch(root: Cid, cid: Cid, holders: readonly PeerIdText[], signal: AbortSignal): Promise<Uint8Array | undefined>;
  /** Tells a holder to forget a blob, by its word alone: true when it said done. */
  forget(holder: PeerIdText, root: Cid, signal: AbortSignal): Promise<boolean>;
}

/** The owner's side of the block exchange: ciphertext only, and no holder's word is taken for a block. */
export function createBlockClient(replicas: number, deps: BlockClientDeps): BlockClient {
  const ask = createAsker(deps);
  const completes = createCompletes(ask, deps.log);

  /** Whole blocks are judged here: bytes that are not the block are evidence against who sent them. */
  async function get({ holder, root, cid }: HeldQuestion, signal: AbortSignal): Promise<Got> {
    try {
      const answer = await ask(holder, { type: 'get', root, cid }, signal);
      if (answer.type !== 'block') return { outcome: isAbsent(answer) ? 'absent' : 'silent' };
      try {
        return { outcome: 'proved', block: verifyBlock(cid, answer.bytes, sha256) };
      } catch (error) {
        if (!isNectarError(error, 'NETWORK_BLOCK_MISMATCH')) throw error;
        deps.onFalseBlock({ holder, root, cid, sha256: Buffer.from(sha256(answer.bytes)).toString('hex') });
        return { outcome: 'false' };
      }
    } catch (error) {
      signal.throwIfAborted();
      deps.log.debug({ peerId: holder, err: error }, 'block not fetched from a holder');
      return { outcome: 'silent' };
    }
  }

  return {
    async replicate(root, blocks, signal, placed = NOBODY) {
      const { holders, barred } = placed;
      const added: PeerIdText[] = [];
      const requests = holdRequests(root, blocks);
      for (const peerId of spread(root, await deps.members())) {
        if (holders.length + added.length >= replicas) break;
        if (holders.includes(peerId) || barred.includes(peerId)) continue;
        if (await completes(peerId, requests, signal)) added.push(peerId);
        // A large blob comes in several requests: those before the refused one are not to stay.
        else if (requests.length > 1 && !placed.former.includes(peerId))
          await completes(peerId, [{ type: 'release', root }], signal);
      }
      return added;
    },
    async bring(holder, root, blocks, signal) {
      const requests = holdRequests(root, blocks);
      if (await completes(holder, requests, signal)) return true;
      if (requests.length > 1) await completes(holder, [{ type: 'release', root }], signal);
      return false;
    },
    async prove(question, signal) {
      const block = await deps.blocks?.get(question.cid);
      try {
        if (block === undefined) return (await get(question, signal)).outcome;
        const frames = await deps.openProof(question.holder, signal);
        return await exchangeProof(frames, drawQuestion(question.cid, block), block);
      } catch (error) {
        signal.throwIfAborted();
        // One version older: it proves a block by giving it.
        if (error instanceof Error && error.name === 'UnsupportedProtocolError')
          return await get(question, signal).then(({ outcome }) => outcome);
        deps.log.debug({ peerId: question.holder, err: error }, 'a holder did not answer a question');
        return 'silent';
      }
    },
    async fetch(root, cid, holders, signal) {
      for (const holder of holders) {
        const { block } = await get({ holder, root, cid }, signal);
        if (block !== undefined) return block;
      }
      return undefined;
    },
    forget: (holder, root, signal) => completes(holder, [{ type: 'release', root }], signal),
  };
}

interface Got {
  readonly outcome: ProofOutcome;
  readonly block?: Uint8Array;
}

function isAbsent(answer: ExchangeAnswer): boolean {
  return answer.type === 'refused' && answer.reason === 'absent';
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
