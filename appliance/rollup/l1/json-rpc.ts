import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { createEndpoints, type Endpoints } from './endpoints.ts';
import { readBounded } from './read-bounded.ts';
import { whyUnreachable } from './why-unreachable.ts';

/** One JSON-RPC call to L1. What comes back is unknown and hostile until a parser has checked it. */
export interface JsonRpc {
  call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown>;
  /** The endpoint that answered last said what is not true: begin with another one from now on. */
  distrust(): void;
}

/** One whose endpoints can be asked singly, to compare them. */
export interface EndpointRpc extends JsonRpc {
  /** Throws what the endpoint did. */
  callAt(index: number, method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown>;
}

/** A JSON-RPC error object: the `cause` of ROLLUP_L1_REFUSED. Its text is the endpoint's, so it is never logged above debug. */
export class RpcRefusal extends Error {
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data: unknown) {
    super(message.slice(0, 512));
    this.name = 'RpcRefusal';
    this.code = code;
    this.data = data;
  }
}

export interface JsonRpcOptions {
  /** Tried in the order that `endpoints` has, or else beginning with the last one that answered. */
  readonly urls: readonly string[];
  readonly timeoutMs: number;
  /** A response longer than this is cut off and refused: a hostile endpoint must not fill the memory. */
  readonly maxResponseBytes: number;
}

const METHOD_NOT_FOUND = -32601;

/** An endpoint with one of these will not help now; another one may: rate limits, its own faults, history that it has not. */
const ANOTHER_MAY: ReadonlySet<number> = new Set([METHOD_NOT_FOUND, -32603, -32005, -32002, -32001]);

export function createJsonRpc(
  options: JsonRpcOptions,
  deps: { readonly fetch?: typeof fetch; readonly endpoints?: Endpoints } = {},
): EndpointRpc {
  const request = deps.fetch ?? fetch;
  const endpoints = deps.endpoints ?? createEndpoints(options.urls);
  let id = 0;

  async function post(url: string, body: string, signal: AbortSignal): Promise<unknown> {
    const response = await request(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(options.timeoutMs)]),
      redirect: 'error',
    });
    return JSON.parse(await readBounded(response, options.maxResponseBytes));
  }

  async function ask(index: number, method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params });
    return resultOf(await post(options.urls[index] ?? '', body, signal), method);
  }

  return {
    async call(method, params, signal) {
      let cause: unknown;
      for (const index of endpoints.order()) {
        signal.throwIfAborted();
        try {
          const result = await ask(index, method, params, signal);
          endpoints.answered(index);
          return result;
        } catch (error) {
          signal.throwIfAborted();
          if (isNectarError(error, 'ROLLUP_L1_REFUSED') && !ANOTHER_MAY.has(error.data.code)) {
            endpoints.answered(index);
            throw error;
          }
          endpoints.failed(index, whyUnreachable(error));
          cause = error;
        }
      }
      const passed = endpoints.list().filter(({ standing }) => standing === 'disagrees').length;
      const others = passed === 0 ? '' : `; ${passed} other(s) contradict what was verified and are not asked`;
      // Each refused it: what the last one said is more than that nobody answered.
      if (isNectarError(cause, 'ROLLUP_L1_REFUSED') && cause.data.code !== METHOD_NOT_FOUND) throw cause;
      throw new NectarError(
        'ROLLUP_L1_UNREACHABLE',
        { method, reason: `${whyUnreachable(cause)}${others}` },
        { cause },
      );
    },
    callAt: ask,
    distrust: () => endpoints.distrust(),
  };
}

function resultOf(answer: unknown, method: string): unknown {
  if (typeof answer !== 'object' || answer === null) {
    throw new NectarError('ROLLUP_L1_RESPONSE_INVALID', { what: 'JSON-RPC envelope' });
  }
  const { error, result } = answer as {
    error?: { code?: unknown; message?: unknown; data?: unknown };
    result?: unknown;
  };
  if (error === undefined || error === null) return result ?? null;
  const code = typeof error.code === 'number' ? error.code : -32000;
  throw new NectarError(
    'ROLLUP_L1_REFUSED',
    { method, code },
    { cause: new RpcRefusal(code, String(error.message), error.data) },
  );
}
