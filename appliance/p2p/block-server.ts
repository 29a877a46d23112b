import { createHash } from 'node:crypto';
import type { Cid, PeerIdText } from '../../protocol/brand.ts';
import { type ErrorCode, isNectarError } from '../../protocol/errors.ts';
import { verifyBlock } from '../../protocol/network/block-cid.ts';
import {
  type ExchangeAnswer,
  type ExchangeRequest,
  encodeExchangeAnswer,
  MAX_EXCHANGE_ANSWER_BYTES,
  MAX_EXCHANGE_REQUEST_BYTES,
  parseExchangeAnswer,
  parseExchangeRequest,
  type Refusal,
} from '../../protocol/network/block-exchange.ts';
import type { Logger } from '../telemetry/index.ts';
import type { FrameStream } from './frame-stream.ts';
import type { P2pMetrics } from './metrics.ts';
import type { HeldBlocks } from './needs.ts';
import { createSlots } from './slots.ts';

export interface BlockServerDeps {
  readonly held: HeldBlocks;
  readonly isMember: (peerId: PeerIdText) => Promise<boolean>;
  readonly log: Logger;
  readonly metrics: P2pMetrics;
}

/** Exchanges that wait for each that is served; beyond, a peer is told to come again. */
const MAX_WAITING_PER_SLOT = 16;

/** Serves one exchange that `owner`, proved by the handshake, opened. */
export type BlockServer = (frames: FrameStream, owner: PeerIdText) => Promise<void>;

/**
 * The holder's side of the block exchange. Adversary: a member that wants others' blocks (the owner is never a field of
 * a message, and "not yours" looks like "not here"), or our memory or disk (bounded exchanges, frames, and the quota of
 * `held`).
 */
export function createBlockServer(maxExchanges: number, deps: BlockServerDeps): BlockServer {
  // By type: owners who store for hours do not keep others from getting theirs back.
  const slots = createSlots(maxExchanges);
  let open = 0;

  return async (frames, owner) => {
    let type: ExchangeRequest['type'] | 'unknown' = 'unknown';
    open += 1;
    try {
      const request = parseExchangeRequest(await frames.read(MAX_EXCHANGE_REQUEST_BYTES));
      type = request.type;
      const outcome =
        open > maxExchanges * MAX_WAITING_PER_SLOT
          ? await finish(frames, { type: 'refused', reason: 'busy' })
          : await slots(type, async () => await finish(frames, await serve(request, { frames, owner, deps })));
      deps.metrics.exchanges.inc({ type, outcome });
    } catch (error) {
      frames.reset(error);
      deps.metrics.exchanges.inc({ type, outcome: 'failed' });
      deps.log.debug({ peerId: owner, type, err: error }, 'exchange with a peer ended early');
    } finally {
      open -= 1;
    }
  };
}

async function finish(frames: FrameStream, answer: ExchangeAnswer): Promise<ExchangeAnswer['type']> {
  await frames.write(encodeExchangeAnswer(answer));
  await frames.close();
  return answer.type;
}

interface Exchange {
  readonly frames: FrameStream;
  readonly owner: PeerIdText;
  readonly deps: BlockServerDeps;
}

async function serve(request: ExchangeRequest, exchange: Exchange): Promise<ExchangeAnswer> {
  const { deps, owner } = exchange;
  if (request.type === 'get') {
    const bytes = await deps.held.get(owner, request.cid);
    return bytes === undefined ? { type: 'refused', reason: 'absent' } : { type: 'block', bytes };
  }
  if (request.type === 'release') {
    await deps.held.release(owner, request.root);
    return { type: 'done' };
  }
  // The descriptor's bootstrap peers are connected without being members; space is for members only.
  if (!(await deps.isMember(owner))) return { type: 'refused', reason: 'quota' };
  return await holdAll(request, exchange);
}

/** All of it or nothing: what a refused or broken-off request had brought goes again. */
async function holdAll(
  { root, cids }: ExchangeRequest & { readonly type: 'hold' },
  exchange: Exchange,
): Promise<ExchangeAnswer> {
  const { deps, owner } = exchange;
  const brought: Cid[] = [];
  let isDone = false;
  try {
    for (const cid of cids) {
      if ((await deps.held.get(owner, cid)) !== undefined) continue;
      brought.push(cid);
      const refusal = await pull(root, cid, exchange);
      if (refusal !== undefined) return { type: 'refused', reason: refusal };
    }
    isDone = true;
    return { type: 'done' };
  } finally {
    if (!isDone && brought.length > 0) await deps.held.release(owner, root, brought);
  }
}

/** Asks the owner for one block, verifies it and makes it durable; returns why not, when not. */
async function pull(root: Cid, cid: Cid, { frames, owner, deps }: Exchange): Promise<Refusal | undefined> {
  await frames.write(encodeExchangeAnswer({ type: 'want', cid }));
  const answer = parseExchangeAnswer(await frames.read(MAX_EXCHANGE_ANSWER_BYTES));
  if (answer.type !== 'block') return 'absent';
  const bytes = verifyBlock(cid, answer.bytes, (input) => createHash('sha256').update(input).digest());
  try {
    await deps.held.hold(owner, root, { cid, bytes });
    return undefined;
  } catch (error) {
    deps.log.warn({ peerId: owner, err: error }, 'block of a peer not held');
    return isFull(error) ? 'quota' : 'failed';
  }
}

/** There is no room here for the block of a peer. */
const FULL: ReadonlySet<ErrorCode> = new Set(['NODE_DISK_FULL', 'STORE_HELD_QUOTA']);

function isFull(error: unknown): boolean {
  return isNectarError(error) && FULL.has(error.code);
}
