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

/** Reads of the state at a head, for the registry. */
export async function callAt(rpc: OwnRpc, head: 'latest' | 'safe', call: { to: Hex; data: Hex }): Promise<Hex> {
  return (await rpc('eth_call', [call, head])) as Hex;
}
