import type { Block } from '@ethereumjs/block';
import { bytesToHex } from '../../../protocol/rollup/bytes.ts';
import { encodeConsensusReceipt } from '../../../protocol/rollup/receipt.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { ChainView } from './chain-view.ts';
import type { RpcMethods } from './json-rpc.ts';
import { parseHash, parseSelector } from './params.ts';
import type { PendingTransactions } from './pending-transactions.ts';
import { RPC_CODE, RpcError } from './rpc-error.ts';

/** Blocks, headers, transactions and receipts in Ethereum's own encoding. */
export function createRawMethods(
  view: ChainView,
  { database, pending }: { readonly database: ChainDatabase; readonly pending: Pick<PendingTransactions, 'find'> },
): RpcMethods {
  const getBlock = async (selector: unknown): Promise<Block> => {
    const block = await view.findBlock(parseSelector(selector));
    if (block === undefined) throw new RpcError(RPC_CODE.server, 'block not found');
    return block;
  };
  return {
    debug_getRawHeader: async ([selector]) => bytesToHex((await getBlock(selector)).header.serialize()),
    debug_getRawBlock: async ([selector]) => bytesToHex((await getBlock(selector)).serialize()),
    debug_getRawReceipts: async ([selector]) =>
      (await view.receipts((await getBlock(selector)).header)).map((receipt) =>
        bytesToHex(encodeConsensusReceipt(receipt)),
      ),
    async debug_getRawTransaction([value]) {
      const hash = parseHash(value);
      const place = await database.transaction(hash);
      const block = place && (await view.findBlock({ number: place.blockNumber }));
      const tx = block?.transactions[place?.index ?? 0];
      if (tx !== undefined) return bytesToHex(tx.serialize());
      const raw = pending.find(hash)?.raw;
      return raw === undefined ? '0x' : bytesToHex(raw);
    },
  };
}
