import type { Hex } from '../../../protocol/brand.ts';
import { hexToBytes } from '../../../protocol/rollup/bytes.ts';
import type { Rules } from '../../../protocol/rollup/rules.ts';
import { MAX_TRANSACTION_BYTES, type SignedTransaction } from '../../../protocol/rollup/transaction.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { BlockRef, Heads } from '../execute/heads.ts';
import { createBlockMethods } from './block-methods.ts';
import { createCallMethods } from './call-methods.ts';
import { createChainView } from './chain-view.ts';
import { createFeeMethods } from './fee-methods.ts';
import { createJsonRpc, type RpcMethods } from './json-rpc.ts';
import { createLogMethods } from './log-methods.ts';
import { parseBytes, parseQuantity } from './params.ts';
import { quantity } from './render.ts';
import { invalidParams } from './rpc-error.ts';
import { createStateMethods } from './state-methods.ts';

export interface RpcDeps {
  readonly database: ChainDatabase;
  readonly heads: () => Heads;
  readonly rules: Rules;
  readonly clientVersion: string;
  readonly log: Logger;
  /** Takes a signed transaction to the sequencer; resolves with its hash. Throws a NectarError that says why it is refused. */
  readonly submit: (raw: Uint8Array) => Promise<Hex>;
  /** The sequencer's own pool, on the node that runs it. */
  readonly pool?: {
    /** The nonce after the account's waiting transactions. */
    pendingNonce(address: Hex): bigint | undefined;
    find(hash: Hex): SignedTransaction | undefined;
  };
  /** The highest block known from elsewhere while the node catches up; undefined when it follows the chain. */
  readonly syncTarget?: () => bigint | undefined;
  /** How far derivation is: JSON, added to nectar_syncStatus. */
  readonly syncStatus?: () => Promise<Record<string, unknown>> | Record<string, unknown>;
  /** Which batch on L1 holds an L2 block: JSON; undefined while none does. */
  readonly batchOf?: (blockNumber: bigint) => Promise<unknown>;
}

export interface Rpc {
  /** Answers a parsed JSON-RPC body, single or batch. Never throws; undefined when no answer is due (notifications). */
  handle(body: unknown): Promise<unknown>;
}

function renderRef({ number, hash, timestamp }: BlockRef) {
  return { number: quantity(number), hash, timestamp: quantity(timestamp) };
}

/** What is about the node rather than the chain. */
function createNodeMethods(deps: RpcDeps): RpcMethods {
  const chainId = deps.rules.chainId();
  return {
    eth_chainId: () => quantity(chainId),
    net_version: () => chainId.toString(),
    net_listening: () => true,
    web3_clientVersion: () => deps.clientVersion,
    eth_accounts: () => [],
    eth_syncing() {
      const target = deps.syncTarget?.();
      const current = deps.heads().unsafe.number;
      if (target === undefined || target <= current) return false;
      return { startingBlock: '0x0', currentBlock: quantity(current), highestBlock: quantity(target) };
    },
    eth_sendRawTransaction([raw]) {
      const bytes = hexToBytes(parseBytes(raw, 'transaction'));
      if (bytes.length > MAX_TRANSACTION_BYTES)
        throw invalidParams(`a transaction may have ${MAX_TRANSACTION_BYTES} bytes`);
      return deps.submit(bytes);
    },
    async nectar_syncStatus() {
      const { unsafe, safe, finalized } = deps.heads();
      const more = await deps.syncStatus?.();
      return { unsafe: renderRef(unsafe), safe: renderRef(safe), finalized: renderRef(finalized), ...more };
    },
    nectar_batchOf: ([number]) => deps.batchOf?.(parseQuantity(number, 'block number')),
  };
}

/** Creates the node's Ethereum JSON-RPC: the methods that ethers, viem and wallets call, and nectar_*. */
export function createRpc(deps: RpcDeps): Rpc {
  const { database, rules, heads, pool } = deps;
  const view = createChainView(database, rules, heads);
  const methods: RpcMethods = {
    ...createNodeMethods(deps),
    ...createBlockMethods(view, database, (hash) => pool?.find(hash)),
    ...createStateMethods(view, { database, rules, pendingNonce: (address) => pool?.pendingNonce(address) }),
    ...createCallMethods(view, { database, rules }),
    ...createFeeMethods(view),
    ...createLogMethods(view),
  };
  return { handle: createJsonRpc(methods, deps.log) };
}
