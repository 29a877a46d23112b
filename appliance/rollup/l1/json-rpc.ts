import { isNectarError, NectarError } from '../../../protocol/errors.ts';
import { readBounded } from './read-bounded.ts';
import { whyUnreachable } from './why-unreachable.ts';

/** One JSON-RPC call to L1. What comes back is unknown and hostile until a parser has checked it. */
export interface JsonRpc {
  call(method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown>;
  /** The endpoint that answered last said what is not true: begin with another one from now on. */
  distrust(): void;
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
  /** Tried in order, beginning with the last one that answered. */
  readonly urls: readonly string[];
  readonly timeoutMs: number;
  /** A response longer than this is cut off and refused: a hostile endpoint must not fill the memory. */
  readonly maxResponseBytes: number;
}

const METHOD_NOT_FOUND = -32601;

export function createJsonRpc(options: JsonRpcOptions, deps: { readonly fetch?: typeof fetch } = {}): JsonRpc {
  const request = deps.fetch ?? fetch;
  let preferred = 0;
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

  return {
    async call(method, params, signal) {
      const body = JSON.stringify({ jsonrpc: '2.0', id: ++id, method, params });
      let cause: unknown;
      for (let attempt = 0; attempt < options.urls.length; attempt++) {
        signal.throwIfAborted();
        const index = (preferred + attempt) % options.urls.length;
        try {
          const answer = await post(options.urls[index] ?? '', body, signal);
          preferred = index;
          return resultOf(answer, method);
        } catch (error) {
          signal.throwIfAborted();
          // A refusal is an answer, unless it is that this endpoint does not know the method.
          if (isNectarError(error, 'ROLLUP_L1_REFUSED') && error.data.code !== METHOD_NOT_FOUND) throw error;
          cause = error;
        }
      }
      throw new NectarError('ROLLUP_L1_UNREACHABLE', { method, reason: whyUnreachable(cause) }, { cause });
    },
    distrust() {
      preferred = (preferred + 1) % Math.max(options.urls.length, 1);
    },
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
