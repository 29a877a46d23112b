import type { Hex } from '../../../protocol/brand.ts';
import { createBlockMethods } from './block-methods.ts';
import { createCallMethods } from './call-methods.ts';
import { createChainView } from './chain-view.ts';
import { createFeeMethods } from './fee-methods.ts';
import { createFilterMethods } from './filter-methods.ts';
import { createJsonRpc, type JsonRpcHandler, type RpcMethods } from './json-rpc.ts';
import { createLogMethods, createLogSearch } from './log-methods.ts';
import { createLossMethods } from './loss-methods.ts';
import { createNodeMethods, createSyncing } from './node-methods.ts';
import { createPoolMethods } from './pool-methods.ts';
import { createRawMethods } from './raw-methods.ts';
import type { RpcDeps } from './rpc-deps.ts';
import { createSendMethods } from './send-methods.ts';
import { createSimulateMethods } from './simulate-methods.ts';
import { createStateMethods } from './state-methods.ts';
import { createStatusMethods } from './status-methods.ts';
import { createSubscriptions, type Subscribe } from './subscriptions.ts';
import { createTraceMethods } from './trace-methods.ts';
import { createWorkMeter } from './work-meter.ts';

/** Of a request's work on this thread, unless told. */
const DEADLINE_MS = 5_000;

export interface Rpc {
  /** Answers a parsed JSON-RPC body, single or batch. Never throws; undefined when no answer is due (notifications). */
  readonly handle: JsonRpcHandler;
  /** eth_subscribe, for whoever has a connection that stays. */
  readonly subscribe: Subscribe;
}

/** Counts what is on its way; the sequencer, while it answers, knows better what became of it. */
function pendingNonceOf({ pending, orderedNonce }: Pick<RpcDeps, 'pending' | 'orderedNonce'>) {
  return async (address: Hex, nonce: bigint): Promise<bigint> => {
    const counted = pending.nextNonce(address, nonce);
    if (counted === nonce || orderedNonce === undefined) return counted;
    const ordered = await orderedNonce(address).catch(() => counted);
    return ordered > nonce ? ordered : nonce;
  };
}

/** Creates the node's Ethereum JSON-RPC: the methods that ethers, viem and wallets call, and nectar_*. */
export function createRpc(deps: RpcDeps): Rpc {
  const { database, pending } = deps;
  const view = createChainView(deps);
  const meter = createWorkMeter({ budget: deps.budget, deadlineMs: deps.deadlineMs ?? DEADLINE_MS });
  const search = createLogSearch(view, { index: deps.logIndex, meter });
  const blocks = createBlockMethods(view, database, (hash) => pending.find(hash));
  const states = createStateMethods(view, { database, meter, pendingNonce: pendingNonceOf(deps) });
  const syncing = createSyncing(deps);
  const methods: RpcMethods = {
    ...createNodeMethods({ ...deps, syncing }, view),
    ...createLossMethods(deps),
    ...createStatusMethods({ ...deps, nonceOf: states.nonceOf }),
    ...blocks,
    ...states.methods,
    ...createCallMethods(view, deps.evm),
    ...createSimulateMethods(view, deps.evm),
    ...createTraceMethods(view, deps),
    ...createFeeMethods(view),
    ...createLogMethods(search),
    ...createFilterMethods({ ...deps, view, search }),
    ...createSendMethods(deps, (hash) => blocks.eth_getTransactionReceipt([hash])),
    ...createPoolMethods(pending, states.nonceOf),
    ...createRawMethods(view, { database, pending }),
  };
  return {
    handle: createJsonRpc(methods, deps.log),
    subscribe: createSubscriptions({ ...deps, view, syncing }),
  };
}
