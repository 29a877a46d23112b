import type { Hex } from '../../../protocol/brand.ts';
import type { SignedTransaction, Transaction } from '../../../protocol/rollup/transaction.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcMethods } from './json-rpc.ts';
import { parseHash, parseQuantity, parseSelector } from './params.ts';
import { type Place, quantity, renderBlock, renderReceipts, renderTransaction } from './render.ts';

/** Blocks, transactions and receipts. */
export function createBlockMethods(
  view: ChainView,
  database: ChainDatabase,
  pending: (hash: Hex) => SignedTransaction | undefined,
): RpcMethods & { eth_getTransactionReceipt: (params: readonly unknown[]) => Promise<unknown> } {
  const block = async (selector: unknown, full: unknown) => {
    const found = await view.findBlock(parseSelector(selector));
    return found && renderBlock(found, full === true);
  };
  const placeOf = async (hash: unknown): Promise<Place | undefined> => {
    const place = await database.transaction(parseHash(hash));
    const found = place && (await view.findBlock({ number: place.blockNumber }));
    return found && { block: found, index: place.index };
  };
  const atIndex = async (selector: unknown, at: unknown) => {
    const found = await view.findBlock(parseSelector(selector));
    const index = Number(parseQuantity(at, 'index'));
    const tx = found?.transactions[index];
    return found && tx && renderTransaction(tx as Transaction, { block: found, index });
  };
  const count = async (selector: unknown) => {
    const found = await view.findBlock(parseSelector(selector));
    return found && quantity(found.transactions.length);
  };

  return {
    eth_blockNumber: () => quantity(view.latest()),
    eth_getBlockByNumber: ([selector, full]) => block(selector, full),
    eth_getBlockByHash: ([hash, full]) => block(parseHash(hash), full),
    eth_getUncleCountByBlockNumber: async ([selector]) => (await count(selector)) && '0x0',
    eth_getUncleCountByBlockHash: async ([hash]) => (await count(parseHash(hash))) && '0x0',
    eth_getUncleByBlockNumberAndIndex: () => null,
    eth_getUncleByBlockHashAndIndex: () => null,
    eth_getBlockTransactionCountByNumber: ([selector]) => count(selector),
    eth_getBlockTransactionCountByHash: ([hash]) => count(parseHash(hash)),
    eth_getTransactionByBlockNumberAndIndex: ([selector, index]) => atIndex(selector, index),
    eth_getTransactionByBlockHashAndIndex: ([hash, index]) => atIndex(parseHash(hash), index),
    async eth_getTransactionByHash([hash]) {
      const place = await placeOf(hash);
      const tx = place?.block.transactions[place.index];
      if (place && tx) return renderTransaction(tx as Transaction, place);
      const waiting = pending(parseHash(hash));
      return waiting && renderTransaction(waiting.tx, undefined);
    },
    async eth_getTransactionReceipt([hash]) {
      const place = await placeOf(hash);
      return place && renderReceipts(place.block, await view.receipts(place.block.header))[place.index];
    },
    async eth_getBlockReceipts([selector]) {
      const found = await view.findBlock(parseSelector(selector));
      return found && renderReceipts(found, await view.receipts(found.header));
    },
  };
}
