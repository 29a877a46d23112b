import type { Hex } from '../../../protocol/brand.ts';
import type { BlockRef, Heads } from '../execute/heads.ts';
import type { WithdrawalProof } from '../withdrawals/withdrawals.ts';
import { describeConfig } from './chain-config.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcMethods } from './json-rpc.ts';
import { parseQuantity } from './params.ts';
import { quantity } from './render.ts';
import type { RpcDeps } from './rpc-deps.ts';
import { invalidParams } from './rpc-error.ts';

function renderRef({ number, hash, timestamp }: BlockRef) {
  return { number: quantity(number), hash, timestamp: quantity(timestamp) };
}

type NodeDeps = Pick<
  RpcDeps,
  'rules' | 'clientVersion' | 'heads' | 'peerCount' | 'syncStatus' | 'batchOf' | 'batch' | 'batches' | 'withdrawalProof'
> & {
  readonly syncing: () => false | Record<string, Hex>;
};

/** What eth_syncing says: false only of a node that follows the chain. While it does not, it may not know how far behind it is. */
export function createSyncing({ heads, syncTarget }: { heads: () => Heads; syncTarget?: RpcDeps['syncTarget'] }) {
  let startingBlock: Hex | undefined;
  return (): false | Record<string, Hex> => {
    const current = heads().unsafe.number;
    startingBlock ??= quantity(current);
    const target = syncTarget?.();
    if (target === undefined) return false;
    return { startingBlock, currentBlock: quantity(current), highestBlock: quantity(target) };
  };
}

/** The arguments of `Outbox.execute` on L1. */
function renderProof(proof: WithdrawalProof | undefined): Record<string, unknown> | null {
  if (proof === undefined) return null;
  const { nodeId, state, message, siblings } = proof;
  const { nonce, from, to, value, data } = message;
  return {
    nodeId,
    state: { ...state, batch: quantity(state.batch), offset: quantity(state.offset) },
    message: { nonce: quantity(nonce), from, to, value: quantity(value), data },
    proof: siblings,
  };
}

/** A list has at most so many batches: each is asked for on L1. */
const MAX_LISTED_BATCHES = 25n;

function parseListed(value: unknown): number {
  const count = parseQuantity(value, 'count');
  if (count < 1n || count > MAX_LISTED_BATCHES) throw invalidParams(`count is not 1 to ${MAX_LISTED_BATCHES}`);
  return Number(count);
}

/** What is about the node rather than the chain. */
export function createNodeMethods(deps: NodeDeps, view: ChainView): RpcMethods {
  const chainId = deps.rules.chainId();
  return {
    eth_chainId: () => quantity(chainId),
    net_version: () => chainId.toString(),
    net_listening: () => true,
    net_peerCount: () => quantity(deps.peerCount?.() ?? 0),
    web3_clientVersion: () => deps.clientVersion,
    eth_accounts: () => [],
    eth_syncing: deps.syncing,
    async eth_config() {
      const genesis = await view.getHeader({ tag: 'earliest' });
      return describeConfig(deps.rules, view.hashOf(genesis));
    },
    async nectar_syncStatus() {
      const { unsafe, safe, finalized } = deps.heads();
      const more = await deps.syncStatus?.();
      return { unsafe: renderRef(unsafe), safe: renderRef(safe), finalized: renderRef(finalized), ...more };
    },
    nectar_withdrawalProof: async ([nonce]) =>
      renderProof(await deps.withdrawalProof?.(parseQuantity(nonce, 'message number'))),
    /** What L1 has of a batch and where; `data` is null once the archive has forgotten it. Null when there is no such batch. */
    nectar_getBatch: async ([number]) => (await deps.batch?.(parseQuantity(number, 'batch number'))) ?? null,
    /** The newest of them, or those up to a number, the newest first. */
    nectar_listBatches: async ([count, newest]) =>
      (await deps.batches?.({
        count: parseListed(count),
        newest: newest === undefined || newest === null ? undefined : parseQuantity(newest, 'batch number'),
      })) ?? [],
    nectar_batchOf: ([number]) => deps.batchOf?.(parseQuantity(number, 'block number')),
  };
}
