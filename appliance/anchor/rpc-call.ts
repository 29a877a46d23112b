import type { Hex } from '../../protocol/brand.ts';
import { NectarError } from '../../protocol/errors.ts';
import type { Chain } from './needs.ts';

/** `Chain.call` over the node's own JSON-RPC handler: eth_call at `latest`. Throws ANCHOR_CALL_REFUSED. */
export function ethCall(rpc: (body: unknown) => Promise<unknown>): Chain['call'] {
  return async (tx) => {
    const answer = await rpc({ jsonrpc: '2.0', id: 1, method: 'eth_call', params: [tx, 'latest'] });
    const { result, error } = answer as { result?: unknown; error?: { code?: unknown } };
    if (typeof result === 'string' && /^0x(?:[0-9a-f]{2})*$/i.test(result)) return result as Hex;
    throw new NectarError('ANCHOR_CALL_REFUSED', { code: Number(error?.code ?? 0) });
  };
}
