import type { Hex } from '../../../protocol/brand.ts';
import type { SignedTransaction } from '../../../protocol/rollup/transaction.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import { createSignal } from '../signal.ts';
import { createChainCursor } from './chain-cursor.ts';
import type { ChainView } from './chain-view.ts';
import { logChanges } from './filter-methods.ts';
import { parseLogFilter } from './log-filter.ts';
import { parseObject } from './params.ts';
import { renderHeader, renderTransaction } from './render.ts';
import type { RpcDeps } from './rpc-deps.ts';
import { invalidParams, RPC_CODE, RpcError } from './rpc-error.ts';

/** What a subscription says, first `opened` or `refused`; after `ended` it says nothing more. */
export type SubscriptionItem =
  | { readonly kind: 'opened' }
  | { readonly kind: 'refused'; readonly code: number; readonly message: string }
  | { readonly kind: 'event'; readonly result: unknown }
  | { readonly kind: 'ended'; readonly reason: string };

/** Blocks looked at between two events: a subscriber that lags takes them at its own pace, and nothing is kept for it. */
const BLOCKS_PER_STEP = 64;
/** Pending transactions have no place in the chain to come back to: those that wait for a slow subscriber are bounded. */
const MAX_WAITING = 4_096;
/** Whether the node follows the chain also changes without a new head. */
const SYNC_LOOK_MS = 1_000;
const MAX_SUBSCRIPTIONS = 512;
const MAX_SUBSCRIPTIONS_PER_CALLER = 64;

type SubscriptionDeps = Pick<RpcDeps, 'heads' | 'onHeads' | 'pending'> & {
  readonly view: ChainView;
  readonly database: Pick<ChainDatabase, 'block' | 'canonicalHash'>;
  readonly syncing: () => false | Record<string, Hex>;
};

type Source = (signal: AbortSignal) => AsyncGenerator<unknown, string | undefined, void>;

/** Wakes at each new head until the signal aborts. */
async function* wakes(deps: Pick<RpcDeps, 'onHeads'>, signal: AbortSignal, everyMs?: number): AsyncGenerator<void> {
  const woken = createSignal();
  const stop = deps.onHeads(woken.raise);
  const timer = everyMs === undefined ? undefined : setInterval(woken.raise, everyMs).unref();
  signal.addEventListener('abort', woken.raise, { once: true });
  try {
    while (!signal.aborted) {
      yield;
      await woken.raised();
    }
  } finally {
    signal.removeEventListener('abort', woken.raise);
    clearInterval(timer);
    stop();
  }
}

/** The chain from now on, step by step, rendered. */
function chainSource(
  deps: SubscriptionDeps,
  render: (step: Parameters<typeof logChanges>[0]) => Promise<unknown[]> | unknown[],
): Source {
  return async function* (signal) {
    const cursor = createChainCursor(deps.heads().unsafe, deps);
    for await (const _ of wakes(deps, signal)) {
      for (let more = true; more && !signal.aborted; ) {
        const step = await cursor.advance(BLOCKS_PER_STEP);
        if (step === undefined) return 'the chain it stood on is no longer known';
        yield* await render(step);
        more = step.removed.length + step.added.length > 0;
      }
    }
    return undefined;
  };
}

function pendingSource(deps: SubscriptionDeps, full: boolean): Source {
  return async function* (signal) {
    const arrived = createSignal();
    let waiting: SignedTransaction[] = [];
    const stop = deps.pending.onArrival((signed) => {
      if (waiting.length <= MAX_WAITING) waiting.push(signed);
      arrived.raise();
    });
    signal.addEventListener('abort', arrived.raise, { once: true });
    try {
      while (!signal.aborted) {
        await arrived.raised();
        const next = waiting;
        waiting = [];
        if (next.length > MAX_WAITING) return `more than ${MAX_WAITING} transactions waited for it`;
        for (const { hash, tx } of next) yield full ? renderTransaction(tx, undefined) : hash;
      }
      return undefined;
    } finally {
      signal.removeEventListener('abort', arrived.raise);
      stop();
    }
  };
}

/** As geth says it: an object when the node falls behind, false when it follows the chain. */
function syncingSource(deps: SubscriptionDeps): Source {
  return async function* (signal) {
    let before: boolean | undefined;
    for await (const _ of wakes(deps, signal, SYNC_LOOK_MS)) {
      const status = deps.syncing();
      const isSyncing = status !== false;
      if (isSyncing === before || (before === undefined && !isSyncing)) {
        before = isSyncing;
        continue;
      }
      before = isSyncing;
      yield status === false ? false : { syncing: true, status };
    }
    return undefined;
  };
}

function parseSource([name, options]: readonly unknown[], deps: SubscriptionDeps): Source {
  switch (name) {
    case 'newHeads':
      return chainSource(deps, ({ added }) => added.map(({ header }) => renderHeader(header)));
    case 'logs': {
      const filter = parseLogFilter(parseObject(options, 'filter'));
      return chainSource(deps, (step) => logChanges(step, filter, deps.view));
    }
    case 'newPendingTransactions':
      return pendingSource(deps, options === true);
    case 'syncing':
      return syncingSource(deps);
    default:
      throw invalidParams('no such subscription: newHeads, logs, newPendingTransactions and syncing are there');
  }
}

export type Subscribe = (
  params: unknown,
  caller: string,
  signal: AbortSignal,
) => AsyncGenerator<SubscriptionItem, void, void>;

/** Subscriptions of eth_subscribe. Nothing is kept for a slow subscriber but its place in the chain. */
export function createSubscriptions(deps: SubscriptionDeps): Subscribe {
  const running = new Map<string, number>();

  function admit(caller: string): () => void {
    const own = running.get(caller) ?? 0;
    const all = Array.from(running.values()).reduce((sum, count) => sum + count, 0);
    if (own >= MAX_SUBSCRIPTIONS_PER_CALLER || all >= MAX_SUBSCRIPTIONS)
      throw new RpcError(RPC_CODE.limitExceeded, `too many subscriptions: ${MAX_SUBSCRIPTIONS_PER_CALLER} at a time`);
    running.set(caller, own + 1);
    return () => {
      const left = (running.get(caller) ?? 1) - 1;
      if (left === 0) running.delete(caller);
      else running.set(caller, left);
    };
  }

  return async function* subscribe(params, caller, signal) {
    let source: Source;
    let leave: () => void;
    try {
      if (!Array.isArray(params)) throw invalidParams('params are not a list');
      source = parseSource(params, deps);
      leave = admit(caller);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      yield { kind: 'refused', code: error.code, message: error.message };
      return;
    }
    try {
      const events = source(signal);
      // What the source stands on is taken before the answer: nothing that comes after it is missed.
      let next = events.next();
      next.catch(() => undefined);
      yield { kind: 'opened' };
      for (;;) {
        const { done, value } = await next;
        if (done === true) {
          if (value !== undefined) yield { kind: 'ended', reason: value };
          return;
        }
        yield { kind: 'event', result: value };
        next = events.next();
      }
    } finally {
      leave();
    }
  };
}
