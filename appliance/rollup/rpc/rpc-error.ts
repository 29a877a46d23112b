/** Standard JSON-RPC 2.0 codes, and those that Ethereum nodes add (EIP-1474; 3 is a revert with its data). */
export const RPC_CODE = {
  invalidRequest: -32600,
  methodNotFound: -32601,
  invalidParams: -32602,
  internal: -32603,
  server: -32000,
  notFound: -32001,
  /** In a batch, once its answers are too large together; as geth says it. */
  responseTooLarge: -32003,
  limitExceeded: -32005,
  reverted: 3,
  /** EIP-7966: accepted, but in no block in time; the hash is the data. */
  syncTimeout: 4,
} as const;

/** An answer that is an error: it crosses no boundary but becomes the `error` member of the response. */
export class RpcError extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

export function invalidParams(message: string): RpcError {
  return new RpcError(RPC_CODE.invalidParams, message);
}
