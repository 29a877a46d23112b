import type { WebSocket } from 'ws';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { GatewayDependencies } from './dependencies.ts';
import { JSON_RPC_PARSE_ERROR, rpcFailure, tooManyCalls } from './rpc-answers.ts';

/** Messages of one connection that wait for their turn. */
const MAX_WAITING = 128;
const MAX_SUBSCRIPTIONS = 64;
const SUBSCRIPTION_ID_BYTES = 16;
/** RFC 6455, 7.4.1. */
export const CLOSE = { goingAway: 1001, policy: 1008, tryLater: 1013 } as const;

export interface RpcSessionOptions {
  /** Whose token: filters and bounds are kept by it. */
  readonly tokenId: string;
  readonly maxBatch: number;
  /** What may wait to be taken by the client. */
  readonly maxBufferBytes: number;
  /** How long a client that is told to go has for it. */
  readonly lingerMs: number;
}

export interface RpcSessionDependencies {
  readonly rollup: GatewayDependencies['rollup'];
  readonly randomBytes: (length: number) => Uint8Array;
  /** Waits for this caller's turn; resolves with what ends it. */
  readonly turn: (signal: AbortSignal) => Promise<() => void>;
  /** Throws when the token is not good any more. */
  readonly recheck: () => Promise<unknown>;
}

/** JSON-RPC over one WebSocket connection, with the subscriptions that live on it. */
export interface RpcSession {
  /** A message came. */
  take(text: string): void;
  /** Looks at the token again, and ends the connection of one that is not good any more. */
  check(): Promise<void>;
  /** Says why, and goes; one that does not take that is cut off. */
  end(code: number, reason: string): void;
}

interface Call {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly params?: unknown;
}

export function createRpcSession(
  socket: WebSocket,
  options: RpcSessionOptions,
  deps: RpcSessionDependencies,
): RpcSession {
  const closed = new AbortController();
  const subscriptions = new Map<string, AbortController>();
  /** Lengths of the messages that the client's side does not have yet, in their order. */
  const sending: number[] = [];
  let waiting = 0;
  let last: Promise<void> = Promise.resolve();

  function end(code: number, reason: string): void {
    if (closed.signal.aborted) return;
    closed.abort(new NectarError('GATEWAY_STOPPING', {}));
    socket.close(code, reason);
    const timer = setTimeout(() => socket.terminate(), options.lingerMs).unref();
    socket.once('close', () => clearTimeout(timer));
  }

  /**
   * Resolves when the client's side has it, so that a source of events goes no faster than its client. The longest message does
   * not count: an answer takes its time, and an event that comes meanwhile says nothing against the client.
   */
  async function send(value: unknown): Promise<void> {
    if (closed.signal.aborted) return;
    if (sending.reduce((sum, bytes) => sum + bytes, 0) - Math.max(0, ...sending) > options.maxBufferBytes)
      return end(CLOSE.tryLater, 'the client does not take what it is sent');
    const text = JSON.stringify(value);
    sending.push(Buffer.byteLength(text));
    await new Promise<void>((resolve) =>
      socket.send(text, () => {
        sending.shift();
        resolve();
      }),
    );
  }

  async function check(): Promise<void> {
    try {
      await deps.recheck();
    } catch (error) {
      if (isNectarError(error) && error.code.startsWith('GATEWAY_TOKEN_')) return end(CLOSE.policy, error.message);
      throw error;
    }
  }

  async function subscribe({ id, params }: Call): Promise<void> {
    if (subscriptions.size >= MAX_SUBSCRIPTIONS)
      return send(rpcFailure(id, -32005, `too many subscriptions: ${MAX_SUBSCRIPTIONS} on a connection`));
    const name = `0x${BigInt(`0x${Buffer.from(deps.randomBytes(SUBSCRIPTION_ID_BYTES)).toString('hex')}`).toString(16)}`;
    const stop = new AbortController();
    const signal = AbortSignal.any([stop.signal, closed.signal]);
    const items = deps.rollup.subscribe(params, options.tokenId, signal)[Symbol.asyncIterator]();
    const first = await items.next();
    if (first.done === true || first.value.kind !== 'opened') {
      const { code = -32000, message = 'the node is not ready' } = first.done === true ? {} : first.value;
      return send(rpcFailure(id, code, message));
    }
    subscriptions.set(name, stop);
    await send({ jsonrpc: '2.0', id: id ?? null, result: name });
    void relay(name, { [Symbol.asyncIterator]: () => items }, signal);
  }

  async function relay(
    name: string,
    items: AsyncIterable<{ readonly kind: string; readonly result?: unknown; readonly reason?: string }>,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      for await (const { kind, result, reason } of items) {
        if (signal.aborted) return;
        if (kind === 'ended') return end(CLOSE.tryLater, (reason ?? 'the subscription ended').slice(0, 120));
        await send({ jsonrpc: '2.0', method: 'eth_subscription', params: { subscription: name, result } });
      }
      // A source that ends by itself will say nothing more: a client that waits for it must learn that.
      if (!signal.aborted) end(CLOSE.tryLater, 'the subscription ended');
    } catch {
      if (!signal.aborted) end(CLOSE.tryLater, 'the node cannot follow the chain now');
    } finally {
      subscriptions.delete(name);
    }
  }

  function unsubscribe({ id, params }: Call): Promise<void> {
    const [name] = Array.isArray(params) ? (params as unknown[]) : [];
    const stop = subscriptions.get(String(name));
    if (stop === undefined) return send(rpcFailure(id, -32000, 'subscription not found'));
    subscriptions.delete(String(name));
    stop.abort();
    return send({ jsonrpc: '2.0', id: id ?? null, result: true });
  }

  async function answer(message: unknown): Promise<void> {
    if (message === undefined) return send(JSON_RPC_PARSE_ERROR);
    if (Array.isArray(message)) {
      if (message.length > options.maxBatch) return send(tooManyCalls(options.maxBatch));
      if (message.some((item) => isSubscription(item as Call)))
        return send(rpcFailure(null, -32600, 'subscriptions are made one by one, in no batch'));
    }
    const call = (message ?? {}) as Call;
    if (call.method === 'eth_subscribe') return subscribe(call);
    if (call.method === 'eth_unsubscribe') return unsubscribe(call);
    const answered = await deps.rollup.rpc(message, options.tokenId, closed.signal);
    if (answered !== undefined) await send(answered);
  }

  async function serve(text: string): Promise<void> {
    if (closed.signal.aborted) return;
    const release = await deps.turn(closed.signal);
    const message = parse(text);
    try {
      await check();
      await answer(message);
    } catch (error) {
      if (closed.signal.aborted) return;
      const { id } = (message ?? {}) as Call;
      const problem = isNectarError(error) ? error.message : 'internal error';
      await send(rpcFailure(id, isNectarError(error) ? -32000 : -32603, problem));
    } finally {
      release();
    }
  }

  socket.once('close', () => closed.abort(new NectarError('GATEWAY_STOPPING', {})));
  return {
    end,
    check,
    take(text) {
      if (waiting >= MAX_WAITING) return end(CLOSE.policy, `more than ${MAX_WAITING} calls wait for an answer`);
      waiting += 1;
      // In order: a client may rely on it that what it sent first has happened first.
      last = last
        .then(() => serve(text))
        .catch((error: unknown) => {
          if (!closed.signal.aborted) end(CLOSE.tryLater, isNectarError(error) ? error.message : 'internal error');
        })
        .finally(() => {
          waiting -= 1;
        });
    },
  };
}

function isSubscription({ method }: Call): boolean {
  return method === 'eth_subscribe' || method === 'eth_unsubscribe';
}

/** Undefined for what is not JSON, which no JSON text gives. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
