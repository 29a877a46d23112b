import type { Hex } from '../../../protocol/brand.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { Heads } from '../execute/heads.ts';
import { createBlockMethods } from './block-methods.ts';
import { createCallMethods } from './call-methods.ts';
import { createChainView } from './chain-view.ts';
import { createFeeMethods } from './fee-methods.ts';
import { createFilterMethods } from './filter-methods.ts';
import { createJsonRpc, type JsonRpcHandler, type RpcMethods } from './json-rpc.ts';
import { createLogMethods, createLogSearch } from './log-methods.ts';
import { createNodeMethods } from './node-methods.ts';
import type { PendingTransactions } from './pending-transactions.ts';
import { createPoolMethods } from './pool-methods.ts';
import { createRawMethods } from './raw-methods.ts';
import { createSendMethods } from './send-methods.ts';
import { createStateMethods } from './state-methods.ts';

export interface RpcDeps {
  readonly database: ChainDatabase;
  readonly heads: () => Heads;
  /** Called after every change of the heads. Returns how to stop it. */
  readonly onHeads: (listener: (heads: Heads) => void) => () => void;
  readonly rules: Rules;
  readonly clientVersion: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly randomBytes: (size: number) => Uint8Array;
  /** Takes a signed transaction to the sequencer; resolves with its hash. Throws a NectarError that says why it is refused. */
  readonly submit: (raw: Uint8Array) => Promise<Hex>;
  /** Transactions on their way: on the sequencer its own pool, elsewhere what this node forwarded. */
  readonly pending: PendingTransactions;
  /** What the sequencer takes for the account's next nonce: asked while something is on its way. */
  readonly orderedNonce?: (address: Hex) => Promise<bigint>;
  /** The highest block known while the node does not follow the chain; undefined when it does. */
  readonly syncTarget?: () => bigint | undefined;
  readonly peerCount?: () => number;
  /** How far derivation is: JSON, added to nectar_syncStatus. */
  readonly syncStatus?: () => Promise<Record<string, unknown>> | Record<string, unknown>;
  /** Which batch on L1 holds an L2 block: JSON; undefined while none does. */
  readonly batchOf?: (blockNumber: bigint) => Promise<unknown>;
}

export interface Rpc {
  /** Answers a parsed JSON-RPC body, single or batch. Never throws; undefined when no answer is due (notifications). */
  readonly handle: JsonRpcHandler;
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
  const { database, rules, heads, pending } = deps;
  const view = createChainView(database, rules, heads);
  const search = createLogSearch(view);
  const blocks = createBlockMethods(view, database, (hash) => pending.find(hash));
  const states = createStateMethods(view, { database, rules, pendingNonce: pendingNonceOf(deps) });
  const methods: RpcMethods = {
    ...createNodeMethods(deps, view),
    ...blocks,
    ...states.methods,
    ...createCallMethods(view, { database, rules }),
    ...createFeeMethods(view),
    ...createLogMethods(search),
    ...createFilterMethods({ ...deps, view, search }),
    ...createSendMethods(deps, (hash) => blocks.eth_getTransactionReceipt([hash])),
    ...createPoolMethods(pending, states.nonceOf),
    ...createRawMethods(view, { database, pending }),
  };
  return { handle: createJsonRpc(methods, deps.log) };
}
