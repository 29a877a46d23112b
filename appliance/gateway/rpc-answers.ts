/** JSON-RPC answers that the gateway gives by itself. */
export const JSON_RPC_PARSE_ERROR = rpcFailure(null, -32700, 'parse error');

export function rpcFailure(id: unknown, code: number, message: string): object {
  return { jsonrpc: '2.0', id: id ?? null, error: { code, message } };
}

export function tooManyCalls(limit: number): object {
  return rpcFailure(null, -32600, `a batch holds at most ${limit} calls`);
}
