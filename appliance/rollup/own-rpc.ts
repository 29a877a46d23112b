import type { Hex } from '../../protocol/brand.ts';
import type { OwnRpc } from './account/operator-account.ts';
import { RpcRefusal } from './l1/json-rpc.ts';

/** JSON-RPC on the own node without a socket: what a client sees is what the node itself relies on. */
export function createOwnRpc(handle: (body: unknown) => Promise<unknown>): OwnRpc {
  return async (method, params) => {
    const answer = (await handle({ jsonrpc: '2.0', id: 1, method, params })) as {
      readonly result?: unknown;
      readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
    };
    if (answer.error !== undefined) throw new RpcRefusal(answer.error.code, answer.error.message, answer.error.data);
    return answer.result;
  };
}

/** A longer stretch is not searched: reading the list anew is cheaper. */
const MAX_SEARCHED_BLOCKS = 1_000n;

/** Whether a contract wrote a log in these blocks; true when that was not looked up. */
export async function hasLogs(rpc: OwnRpc, address: Hex, blocks: { from: bigint; to: bigint }): Promise<boolean> {
  if (blocks.to - blocks.from >= MAX_SEARCHED_BLOCKS) return true;
  const range = { fromBlock: `0x${blocks.from.toString(16)}`, toBlock: `0x${blocks.to.toString(16)}` };
  const logs = await rpc('eth_getLogs', [{ address, ...range }]).catch(() => undefined);
  return !Array.isArray(logs) || logs.length > 0;
}

/** Reads of the state at a head, for the registry. */
export async function callAt(rpc: OwnRpc, head: 'latest' | 'safe', call: { to: Hex; data: Hex }): Promise<Hex> {
  return (await rpc('eth_call', [call, head])) as Hex;
}
