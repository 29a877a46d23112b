import { setImmediate as nextTurn } from 'node:timers/promises';
import { errors, Pool } from 'undici';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { encodeMessage } from './codec.ts';
import { Exchange } from './exchange.ts';
import { dataFrames, encodeFrame, type Frame, FrameError } from './frames.ts';
import { invalidMessage, type Origin, parseFailure, parseMessage } from './message.ts';
import type { Download, Feed, Unary, Upload } from './method.ts';
import { createReconnect } from './reconnect.ts';
import { CROSSING_VERSION, parseVersion, VERSION_HEADER } from './version.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const FRAME_BATCH_BYTES = 256 * 1024;
const MAX_FAILURE_BYTES = 64 * 1024;

export interface ConnectionOptions {
  /** Who answers there: for errors and logs. */
  readonly service: string;
  readonly path: string;
  /** Stated to the server; another number only in tests of skew. */
  readonly version?: number;
}

/** The calling half of a crossing. It connects when it is needed, as often as it is needed: a role restarts without its neighbours. */
export interface Connection {
  unary<I, O>(method: Unary<I, O>, input: I, options?: { signal?: AbortSignal; timeoutMs?: number }): Promise<O>;
  upload<I, O>(method: Upload<I, O>, input: I, body: AsyncIterable<Uint8Array>, signal?: AbortSignal): Promise<O>;
  download<I, H>(
    method: Download<I, H>,
    input: I,
    signal?: AbortSignal,
  ): Promise<{ head: H; body: AsyncGenerator<Uint8Array, void, void> }>;
  /** Resolves with the last message; the consumer of the others holds back the sender. */
  feed<I, T, O>(
    method: Feed<I, T, O>,
    input: I,
    onItem: (item: T) => Promise<void> | void,
    signal?: AbortSignal,
  ): Promise<O>;
  close(): Promise<void>;
}

type Operation = { readonly name: string; readonly maxOutputBytes: number };
type Signal = AbortSignal | undefined;

export function createConnection(options: ConnectionOptions): Connection {
  const line = createLine(options);
  return {
    unary: (method, input, { signal, timeoutMs = method.timeoutMs } = {}) =>
      line.within(timeoutMs, method.name, signal, async (either) => {
        const payload = await line.message(method, encodeMessage(input), either);
        return parseMessage(payload, method.output, line.originOf(method));
      }),
    async upload(method, input, body, signal) {
      const source = { failure: undefined as { error: unknown } | undefined };
      try {
        const payload = await line.upload(method, encodeMessage(input), watched(body, source), signal);
        return parseMessage(payload, method.output, line.originOf(method));
      } catch (error) {
        // What broke off the upload was its source: say what the source said.
        throw source.failure === undefined ? error : source.failure.error;
      }
    },
    async download(method, input, signal) {
      const frames = line.frames(method, encodeMessage(input), signal);
      const origin = line.originOf(method);
      const first = (await frames.next()).value as Frame | undefined;
      if (first?.type !== 'item') throw invalidMessage(origin, 'it does not begin with a message');
      return { head: parseMessage(first.payload, method.head, origin), body: downloaded(frames, origin) };
    },
    async feed(method, input, onItem, signal) {
      const origin = line.originOf(method);
      for await (const { type, payload } of line.frames(method, encodeMessage(input), signal)) {
        if (type === 'item') await onItem(parseMessage(payload, method.item, origin));
        else if (type === 'result') return parseMessage(payload, method.output, origin);
        else throw invalidMessage(origin, `a frame ${type} in a feed`);
      }
      throw invalidMessage(origin, 'it has no end');
    },
    close: () => line.close(),
  };
}

/** What carries calls: pooled connections for single messages, one of its own for each stream. */
function createLine({ service, path, version = CROSSING_VERSION }: ConnectionOptions) {
  const pool = new Pool('http://localhost', {
    socketPath: path,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: 3_600_000,
    keepAliveMaxTimeout: 3_600_000,
    // Calls are timed as a whole.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const reconnect = createReconnect();
  const headers = { [VERSION_HEADER]: String(version) };
  const originOf = (method: { readonly name: string }): Origin => ({ service, operation: method.name });

  function translate(error: unknown, origin: Origin, signal: Signal): unknown {
    if (signal?.aborted === true) return signal.reason;
    if (isNectarError(error)) return error;
    if (error instanceof FrameError) return invalidMessage(origin, error.message);
    const { code } = error as NodeJS.ErrnoException;
    const nobody = code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EACCES';
    if (nobody || error instanceof errors.ConnectTimeoutError) {
      reconnect.failed();
      return absent(service, error);
    }
    return new NectarError('NODE_CONNECTION_LOST', origin, { cause: error });
  }

  function checkVersion(stated: string | string[] | undefined): void {
    reconnect.succeeded();
    const theirs = parseVersion(stated);
    if (theirs !== version) throw new NectarError('NODE_VERSION_SKEW', { service, ours: version, theirs });
  }

  /** Runs a call and says in our words what went wrong with it. */
  async function attempt<T>(method: Operation, signal: Signal, call: () => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    if (!reconnect.mayTry()) throw absent(service);
    try {
      return await call();
    } catch (error) {
      throw translate(error, originOf(method), signal);
    }
  }

  async function request(method: Operation, body: Buffer, signal: AbortSignal) {
    const message = { path: `/${method.name}`, method: 'POST', headers, body, signal } as const;
    return pool.request(message).catch(async (error: NodeJS.ErrnoException) => {
      // The peer had closed before it could read the whole message: it did nothing, and a new process may be there by now.
      if (error.code !== 'EPIPE') throw error;
      await nextTurn();
      return pool.request(message);
    });
  }

  function openExchange(method: Operation, signal: Signal): Exchange {
    const maxPayloadBytes = Math.max(method.maxOutputBytes, MAX_FAILURE_BYTES);
    return new Exchange({ path, target: `/${method.name}`, headers, maxPayloadBytes, signal });
  }

  /** Refuses an answer of another version, and one that is an error. */
  async function accept(exchange: Exchange, method: Operation): Promise<void> {
    const { status, headers: stated } = await exchange.head();
    checkVersion(stated.get(VERSION_HEADER));
    if (status !== 200) throw parseFailure(await exchange.message(MAX_FAILURE_BYTES), originOf(method));
  }

  return {
    originOf,
    close: () => pool.destroy(),
    async within<T>(timeoutMs: number, operation: string, signal: Signal, call: (either: AbortSignal) => Promise<T>) {
      const limit = AbortSignal.timeout(timeoutMs);
      try {
        return await call(signal === undefined ? limit : AbortSignal.any([signal, limit]));
      } catch (error) {
        if (error !== limit.reason || signal?.aborted === true) throw error;
        const reason = `no answer to ${operation} within ${timeoutMs} ms`;
        throw new NectarError('NODE_NOT_READY', { service, reason }, { cause: error });
      }
    },
    message: (method: Operation, body: Buffer, signal: AbortSignal) =>
      attempt(method, signal, async () => {
        const answer = await request(method, body, signal);
        const maxBytes = answer.statusCode === 200 ? method.maxOutputBytes : MAX_FAILURE_BYTES;
        const payload = await readAll(answer.body, maxBytes);
        checkVersion(answer.headers[VERSION_HEADER]);
        if (answer.statusCode === 200) return payload;
        throw parseFailure(payload, originOf(method));
      }),
    upload: (method: Operation, head: Buffer, body: AsyncIterable<Uint8Array>, signal: Signal) =>
      attempt(method, signal, async () => {
        const exchange = openExchange(method, signal);
        const pump = send(exchange, head, body);
        try {
          // The answer may come before the end of the body: it refuses the rest.
          await Promise.race([pump, exchange.head()]);
          await accept(exchange, method);
          return await exchange.message(method.maxOutputBytes);
        } finally {
          exchange.close();
          pump.catch(() => undefined);
        }
      }),
    /** The frames of an answer; a cut, a malformed or an error frame throws. */
    async *frames(method: Operation, body: Buffer, signal: Signal): AsyncGenerator<Frame, void, void> {
      const exchange = await attempt(method, signal, async () => openExchange(method, signal));
      try {
        exchange.sendMessage(body);
        await accept(exchange, method);
        for (let frame = await exchange.nextFrame(); frame !== undefined; frame = await exchange.nextFrame()) {
          if (frame.type === 'error') throw parseFailure(frame.payload, originOf(method));
          yield frame;
        }
      } catch (error) {
        throw translate(error, originOf(method), signal);
      } finally {
        exchange.close();
      }
    },
  };
}

async function send(exchange: Exchange, head: Buffer, body: AsyncIterable<Uint8Array>): Promise<void> {
  exchange.begin();
  await exchange.writeChunk([encodeFrame('item', head)]);
  for await (const parts of dataFrames(body, FRAME_BATCH_BYTES)) await exchange.writeChunk(parts);
  await exchange.writeChunk([encodeFrame('result', encodeMessage(null))]);
  exchange.endChunks();
}

async function readAll(body: AsyncIterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > maxBytes) throw new FrameError(`longer than ${maxBytes} bytes`);
    parts.push(part);
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}

async function* downloaded(
  frames: AsyncGenerator<Frame, void, void>,
  origin: Origin,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const frame of frames) {
    if (frame.type === 'data') yield frame.payload;
    else if (frame.type !== 'result') throw invalidMessage(origin, `a frame ${frame.type} in a download`);
  }
}

async function* watched(
  body: AsyncIterable<Uint8Array>,
  source: { failure: { error: unknown } | undefined },
): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* body;
  } catch (error) {
    source.failure = { error };
    throw error;
  }
}

function absent(service: string, cause?: unknown): NectarError<'NODE_NOT_READY'> {
  return new NectarError('NODE_NOT_READY', { service, reason: 'its process does not answer' }, { cause });
}
