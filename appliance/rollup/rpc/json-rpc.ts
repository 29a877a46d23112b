import { isNectarError } from '../../../protocol/errors.ts';
import type { Logger } from '../../telemetry/index.ts';
import { RPC_CODE, RpcError } from './rpc-error.ts';

/** Who calls, and until when the answer is wanted. */
export interface RpcContext {
  /** Filters and bounds are kept by caller: a token's id, or the node itself. */
  readonly caller: string;
  /** Aborts when the client leaves. */
  readonly signal?: AbortSignal;
}

/** The node's own calls. */
export const OWN_CALL: RpcContext = { caller: 'node' };

/** A method: parameters in (untrusted), JSON out. Throws RpcError or NectarError. */
export type RpcMethod = (params: readonly unknown[], context: RpcContext) => Promise<unknown> | unknown;
export type RpcMethods = Readonly<Record<string, RpcMethod>>;

/** How many calls one batch may hold, and what its answers may weigh together: as geth bounds them. */
const MAX_BATCH_CALLS = 1_000;
const MAX_BATCH_BYTES = 25 * 1024 * 1024;
const MAX_SHOWN_NAME = 64;

type Id = string | number | null;

interface Call {
  readonly id: Id | undefined;
  readonly method: string;
  readonly params: readonly unknown[];
}

function parseCall(body: unknown): Call | undefined {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return undefined;
  const { jsonrpc, id, method, params = [] } = body as Record<string, unknown>;
  const isId = id === undefined || id === null || typeof id === 'string' || typeof id === 'number';
  if (jsonrpc !== '2.0' || typeof method !== 'string' || !isId || !Array.isArray(params)) return undefined;
  return { id, method, params };
}

function failure(id: Id, code: number, message: string, data?: unknown) {
  return { jsonrpc: '2.0', id, error: { code, message, ...(data !== undefined && { data }) } };
}

function describe(id: Id, error: unknown, log: Logger) {
  if (error instanceof RpcError) return failure(id, error.code, error.message, error.data);
  // The bare reason, as every Ethereum node words it ("nonce too low"): wallets recognise it, and a follower can pass it on.
  if (isNectarError(error, 'ROLLUP_SEQUENCER_REFUSED')) {
    return failure(id, RPC_CODE.server, error.data.reason, { code: error.code });
  }
  if (isNectarError(error)) return failure(id, RPC_CODE.server, error.message, { code: error.code });
  log.error({ err: error }, 'rpc method failed');
  return failure(id, RPC_CODE.internal, 'internal error');
}

/** Some bytes of JSON: exact enough for a bound, and cheaper than writing it. */
function sizeOf(value: unknown): number {
  if (typeof value === 'string') return value.length + 3;
  if (typeof value !== 'object' || value === null) return 6;
  let size = 2;
  for (const [key, item] of Object.entries(value)) size += (Array.isArray(value) ? 0 : key.length + 4) + sizeOf(item);
  return size;
}

function tooLarge(item: unknown): object | undefined {
  const id = parseCall(item)?.id;
  return id === undefined ? undefined : failure(id, RPC_CODE.responseTooLarge, 'response too large');
}

export type JsonRpcHandler = (body: unknown, context?: RpcContext) => Promise<unknown>;

/** Whatever a client sent for a name goes back to it bounded and printable. */
function methodNotFound(name: string): RpcError {
  const shown = name.replace(/[^\x21-\x7e]/g, '?').slice(0, MAX_SHOWN_NAME);
  // Word for word as geth says it: ethers recognises a method that is not there by this text.
  return new RpcError(RPC_CODE.methodNotFound, `the method ${shown} does not exist/is not available`);
}

/** A JSON-RPC 2.0 server over named methods: single calls, batches, notifications. Never throws; undefined = no answer is due. */
export function createJsonRpc(methods: RpcMethods, log: Logger): JsonRpcHandler {
  async function answer(body: unknown, context: RpcContext): Promise<object | undefined> {
    const call = parseCall(body);
    if (call === undefined) return failure(null, RPC_CODE.invalidRequest, 'not a JSON-RPC 2.0 request');
    const id = call.id ?? null;
    const method = Object.hasOwn(methods, call.method) ? methods[call.method] : undefined;
    let response: object;
    try {
      if (method === undefined) throw methodNotFound(call.method);
      response = { jsonrpc: '2.0', id, result: (await method(call.params, context)) ?? null };
    } catch (error) {
      response = describe(id, error, log);
    }
    return call.id === undefined ? undefined : response;
  }

  return async (body, context = OWN_CALL) => {
    if (!Array.isArray(body)) return answer(body, context);
    if (body.length === 0) return failure(null, RPC_CODE.invalidRequest, 'empty batch');
    if (body.length > MAX_BATCH_CALLS) {
      return failure(null, RPC_CODE.limitExceeded, `a batch may hold ${MAX_BATCH_CALLS} calls`);
    }
    // One after another: a batch must not buy more of the machine than a client that asks in turn.
    const answers: object[] = [];
    let bytes = 0;
    for (const item of body) {
      if (context.signal?.aborted === true) break;
      const response = bytes < MAX_BATCH_BYTES ? await answer(item, context) : tooLarge(item);
      if (response === undefined) continue;
      bytes += sizeOf(response);
      answers.push(response);
    }
    return answers.length === 0 ? undefined : answers;
  };
}
