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

export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** One that can be asked several things in one request. */
export interface BatchRpc extends JsonRpc {
  /**
   * What came of each call, in their order: one that is refused does not touch the others. Throws ROLLUP_L1_UNREACHABLE where no endpoint
   * answered at all.
   */
  callAll(calls: readonly RpcCall[], signal: AbortSignal): Promise<readonly PromiseSettledResult<unknown>[]>;
}

/** One whose endpoints can be asked singly, to compare them. */
export interface EndpointRpc extends BatchRpc {
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

/** An endpoint that did not take a batch gets single calls for this long: it may be another program by then. */
const WITHOUT_BATCHES_MS = 600_000;

export interface JsonRpcDeps {
  readonly fetch?: typeof fetch;
  readonly endpoints?: Endpoints;
  readonly now?: () => number;
}

export function createJsonRpc(options: JsonRpcOptions, deps: JsonRpcDeps = {}): EndpointRpc {
  const { fetch: request = fetch, endpoints = createEndpoints(options.urls), now = Date.now } = deps;
  const withoutBatchesUntil = new Map<number, number>();
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

  /** The envelope of each call that the endpoint answered, by the call's place; undefined: it takes no batches. */
  async function askAll(index: number, calls: readonly RpcCall[], signal: AbortSignal): Promise<Envelopes | undefined> {
    if (now() < (withoutBatchesUntil.get(index) ?? 0)) return undefined;
    const first = id + 1;
    id += calls.length;
    const body = JSON.stringify(calls.map((call, place) => ({ jsonrpc: '2.0', id: first + place, ...call })));
    const answer = await post(options.urls[index] ?? '', body, signal).catch((error: unknown) => {
      // An answer that is no JSON, or too long: asked singly it may be one.
      if (error instanceof SyntaxError || isNectarError(error, 'ROLLUP_L1_RESPONSE_INVALID')) return undefined;
      throw error;
    });
    if (Array.isArray(answer)) return envelopesByPlace(answer, first, calls.length);
    withoutBatchesUntil.set(index, now() + WITHOUT_BATCHES_MS);
    return undefined;
  }

  /** What the first endpoint that answers says. */
  async function throughEndpoints<T>(
    method: string,
    signal: AbortSignal,
    ask: (index: number) => Promise<T>,
  ): Promise<T> {
    let cause: unknown;
    for (const index of endpoints.order()) {
      signal.throwIfAborted();
      try {
        const result = await ask(index);
        endpoints.answered(index);
        return result;
      } catch (error) {
        signal.throwIfAborted();
        if (isFinal(error)) {
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
    throw new NectarError('ROLLUP_L1_UNREACHABLE', { method, reason: `${whyUnreachable(cause)}${others}` }, { cause });
  }

  const call = (method: string, params: readonly unknown[], signal: AbortSignal): Promise<unknown> =>
    throughEndpoints(method, signal, (index) => ask(index, method, params, signal));

  return {
    call,
    async callAll(calls, signal) {
      const [first] = calls;
      if (first === undefined) return [];
      const answered =
        calls.length === 1
          ? undefined
          : await throughEndpoints(first.method, signal, (index) => askAll(index, calls, signal));
      return Promise.allSettled(
        calls.map(async ({ method, params }, place) => {
          const envelope = answered?.get(place);
          if (envelope === undefined) return call(method, params, signal);
          try {
            return resultOf(envelope, method);
          } catch (error) {
            if (isFinal(error)) throw error;
            return call(method, params, signal);
          }
        }),
      );
    },
    callAt: ask,
    distrust: () => endpoints.distrust(),
  };
}

/** No other endpoint will say anything else. */
function isFinal(error: unknown): boolean {
  return isNectarError(error, 'ROLLUP_L1_REFUSED') && !ANOTHER_MAY.has(error.data.code);
}

type Envelopes = ReadonlyMap<number, unknown>;

/** Answers of a batch come in any order, and may be missing: only the first with a call's own number is its answer. */
function envelopesByPlace(answers: readonly unknown[], first: number, count: number): Envelopes {
  const envelopes = new Map<number, unknown>();
  for (const answer of answers) {
    const { id } = (answer ?? {}) as { id?: unknown };
    const place = typeof id === 'number' ? id - first : -1;
    if (Number.isInteger(place) && place >= 0 && place < count && !envelopes.has(place)) envelopes.set(place, answer);
  }
  return envelopes;
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
