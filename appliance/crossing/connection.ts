import { setImmediate as nextTurn } from 'node:timers/promises';
import { errors, Pool } from 'undici';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import { encodeMessage } from './codec.ts';
import { dataFrames, encodeFrame, type Frame, FrameError, readFrames } from './frames.ts';
import { invalidMessage, type Origin, parseFailure, parseMessage } from './message.ts';
import type { Download, Feed, Unary, Upload } from './method.ts';
import { createReconnect } from './reconnect.ts';
import { CROSSING_VERSION, parseVersion, VERSION_HEADER } from './version.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const FRAME_BATCH_BYTES = 256 * 1024;
/** Of an answer, read while its consumer is busy with what came before. */
const READ_AHEAD_BYTES = 1024 * 1024;
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

interface Answer {
  readonly body: AsyncIterable<Uint8Array>;
}

type Operation = { readonly name: string; readonly maxOutputBytes: number };

export function createConnection({ service, path, version = CROSSING_VERSION }: ConnectionOptions): Connection {
  const pool = new Pool('http://localhost', {
    socketPath: path,
    connect: { timeout: CONNECT_TIMEOUT_MS },
    keepAliveTimeout: 3_600_000,
    keepAliveMaxTimeout: 3_600_000,
    // Unary calls are timed as a whole; a stream may wait for hours.
    headersTimeout: 0,
    bodyTimeout: 0,
  });
  const reconnect = createReconnect();
  const headers = { [VERSION_HEADER]: String(version) };

  async function request(
    method: Operation,
    body: Buffer | AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): ReturnType<typeof pool.request> {
    const base = { path: `/${method.name}`, method: 'POST', headers, highWaterMark: READ_AHEAD_BYTES } as const;
    const message = { ...base, ...(signal && { signal }) };
    if (!(body instanceof Uint8Array)) return pool.request({ ...message, body: asStream(body) });
    return pool.request({ ...message, body }).catch(async (error: NodeJS.ErrnoException) => {
      // The peer had closed before it could read the whole message: it did nothing, and a new process may be there by now.
      if (error.code !== 'EPIPE') throw error;
      await nextTurn();
      return pool.request({ ...message, body });
    });
  }

  /** Sends a request; resolves once an answer of status 200 begins. */
  async function send(
    method: Operation,
    body: Buffer | AsyncIterable<Uint8Array>,
    signal: AbortSignal | undefined,
  ): Promise<Answer> {
    const origin = { service, operation: method.name };
    signal?.throwIfAborted();
    if (!reconnect.mayTry()) throw absent(service);
    const response = await request(method, body, signal).catch((error: unknown) => {
      throw translate(error, origin, signal);
    });
    reconnect.succeeded();
    const theirs = parseVersion(response.headers[VERSION_HEADER]);
    if (theirs !== version) {
      response.body.destroy();
      throw new NectarError('NODE_VERSION_SKEW', { service, ours: version, theirs });
    }
    if (response.statusCode === 200) return response;
    throw parseFailure(await readAll(response.body, { ...origin, maxBytes: MAX_FAILURE_BYTES, signal }), origin);
  }

  function translate(error: unknown, origin: Origin, signal: AbortSignal | undefined): unknown {
    if (signal?.aborted === true) return signal.reason;
    const { code, cause } = error as { code?: string; cause?: { code?: string } };
    const reason = code ?? cause?.code;
    if (
      reason === 'ENOENT' ||
      reason === 'ECONNREFUSED' ||
      reason === 'EACCES' ||
      error instanceof errors.ConnectTimeoutError
    ) {
      reconnect.failed();
      return absent(service, error);
    }
    return new NectarError('NODE_CONNECTION_LOST', origin, { cause: error });
  }

  async function readAll(
    body: AsyncIterable<Uint8Array>,
    of: Origin & { readonly maxBytes: number; readonly signal: AbortSignal | undefined },
  ): Promise<Uint8Array> {
    const parts: Uint8Array[] = [];
    let size = 0;
    try {
      for await (const part of body) {
        size += part.length;
        if (size > of.maxBytes) throw invalidMessage(of, `longer than ${of.maxBytes} bytes`);
        parts.push(part);
      }
    } catch (error) {
      throw isNectarError(error) ? error : translate(error, of, of.signal);
    }
    return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
  }

  /** The frames of an answer: an error frame, a cut or a malformed frame throws. */
  async function* framesOf(answer: Answer, method: Operation, signal: AbortSignal | undefined): AsyncGenerator<Frame> {
    const origin = { service, operation: method.name };
    try {
      for await (const frame of readFrames(answer.body, Math.max(method.maxOutputBytes, MAX_FAILURE_BYTES))) {
        if (frame.type === 'error') throw parseFailure(frame.payload, origin);
        yield frame;
      }
    } catch (error) {
      if (isNectarError(error)) throw error;
      throw error instanceof FrameError ? invalidMessage(origin, error.message) : translate(error, origin, signal);
    }
  }

  return {
    async unary(method, input, { signal, timeoutMs = method.timeoutMs } = {}) {
      const limit = AbortSignal.timeout(timeoutMs);
      const either = signal === undefined ? limit : AbortSignal.any([signal, limit]);
      const origin = { service, operation: method.name };
      try {
        const { body } = await send(method, encodeMessage(input), either);
        const payload = await readAll(body, { ...origin, maxBytes: method.maxOutputBytes, signal: either });
        return parseMessage(payload, method.output, origin);
      } catch (error) {
        if (error !== limit.reason || signal?.aborted === true) throw error;
        const reason = `no answer to ${method.name} within ${timeoutMs} ms`;
        throw new NectarError('NODE_NOT_READY', { service, reason }, { cause: error });
      }
    },
    async upload(method, input, body, signal) {
      const source = { failure: undefined as { error: unknown } | undefined };
      const origin = { service, operation: method.name };
      try {
        const answer = await send(method, uploadFrames(encodeMessage(input), watched(body, source)), signal);
        const payload = await readAll(answer.body, { ...origin, maxBytes: method.maxOutputBytes, signal });
        return parseMessage(payload, method.output, origin);
      } catch (error) {
        // What broke off the upload was its source: say what the source said.
        throw source.failure === undefined ? error : source.failure.error;
      }
    },
    async download(method, input, signal) {
      const origin = { service, operation: method.name };
      const frames = framesOf(await send(method, encodeMessage(input), signal), method, signal);
      const first = (await frames.next()).value as Frame | undefined;
      if (first?.type !== 'item') throw invalidMessage(origin, 'it does not begin with a message');
      return { head: parseMessage(first.payload, method.head, origin), body: downloaded(frames, origin) };
    },
    async feed(method, input, onItem, signal) {
      const origin = { service, operation: method.name };
      let result: Uint8Array | undefined;
      // Read to the end of the answer, so that the connection serves again.
      for await (const frame of framesOf(await send(method, encodeMessage(input), signal), method, signal)) {
        if (frame.type === 'item') await onItem(parseMessage(frame.payload, method.item, origin));
        else if (frame.type === 'result') result = frame.payload;
        else throw invalidMessage(origin, `a frame ${frame.type} in a feed`);
      }
      if (result === undefined) throw invalidMessage(origin, 'it has no end');
      return parseMessage(result, method.output, origin);
    },
    close: () => pool.destroy(),
  };
}

async function* downloaded(frames: AsyncGenerator<Frame>, origin: Origin): AsyncGenerator<Uint8Array, void, void> {
  for await (const frame of frames) {
    if (frame.type === 'data') yield frame.payload;
    else if (frame.type !== 'result') throw invalidMessage(origin, `a frame ${frame.type} in a download`);
  }
}

async function* uploadFrames(head: Buffer, body: AsyncIterable<Uint8Array>): AsyncGenerator<Buffer, void, void> {
  yield encodeFrame('item', head);
  yield* dataFrames(body, FRAME_BATCH_BYTES);
  yield encodeFrame('result', encodeMessage(null));
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

/** undici takes async iterables, but its types name only streams. */
function asStream(body: AsyncIterable<Uint8Array>): Buffer {
  return body as unknown as Buffer;
}

function absent(service: string, cause?: unknown): NectarError<'NODE_NOT_READY'> {
  return new NectarError('NODE_NOT_READY', { service, reason: 'its process does not answer' }, { cause });
}
