import type { IncomingMessage, ServerResponse } from 'node:http';
import { NectarError } from '../../protocol/errors.ts';
import type { Logger } from '../telemetry/index.ts';
import { encodeMessage } from './codec.ts';
import { failureOf } from './failure-of.ts';
import { encodeFrame, type Frame, FrameError, frameHeader, readFrames } from './frames.ts';
import { encodeFailure, invalidMessage, type Origin, parseMessage } from './message.ts';
import type { Download, Feed, Unary, Upload } from './method.ts';
import { passedBytes } from './young-collector.ts';

/** Time a caller has to send a single message. */
const MESSAGE_TIMEOUT_MS = 15_000;
const FRAMES = { 'content-type': 'application/vnd.nectar.frames' };

/** One operation of a crossing, served. */
export interface Route {
  readonly name: string;
  serve(request: IncomingMessage, response: ServerResponse, gone: AbortSignal): Promise<void>;
}

export function unaryRoute<I, O>(method: Unary<I, O>, handle: (input: I, gone: AbortSignal) => Promise<O> | O): Route {
  return {
    name: method.name,
    async serve(request, response, gone) {
      const input = parseMessage(await readMessage(request, method), method.input, callerOf(method));
      sendMessage(response, encodeMessage(await handle(input, gone)));
    },
  };
}

export function uploadRoute<I, O>(
  method: Upload<I, O>,
  handle: (input: I, body: AsyncIterable<Uint8Array>, gone: AbortSignal) => Promise<O>,
): Route {
  return {
    name: method.name,
    async serve(request, response, gone) {
      const frames = readFrames(request.iterator({ destroyOnReturn: false }), method.maxInputBytes);
      const input = parseMessage(await firstItem(frames, method), method.input, callerOf(method));
      sendMessage(response, encodeMessage(await handle(input, uploaded(frames, method), gone)));
    },
  };
}

export function downloadRoute<I, H>(
  method: Download<I, H>,
  handle: (input: I, gone: AbortSignal) => Promise<{ head: H; body: AsyncIterable<Uint8Array> }>,
  log: Logger,
): Route {
  return {
    name: method.name,
    async serve(request, response, gone) {
      const input = parseMessage(await readMessage(request, method), method.input, callerOf(method));
      const { head, body } = await handle(input, gone);
      beginFrames(response);
      response.write(encodeFrame('item', encodeMessage(head)));
      await finish(response, { log, operation: method.name }, async () => {
        for await (const piece of body) {
          if (piece.length === 0) continue;
          // Not corked by hand: then `write` would not tell that the socket is full. Node joins both by itself.
          response.write(frameHeader('data', piece.length));
          if (!response.write(piece)) await drained(response, gone);
        }
        return encodeMessage(null);
      });
    },
  };
}

export function feedRoute<I, T, O>(
  method: Feed<I, T, O>,
  handle: (input: I, send: (item: T) => Promise<void>, gone: AbortSignal) => Promise<O>,
  log: Logger,
): Route {
  return {
    name: method.name,
    async serve(request, response, gone) {
      const input = parseMessage(await readMessage(request, method), method.input, callerOf(method));
      const send = async (item: T): Promise<void> => {
        if (!response.write(encodeFrame('item', encodeMessage(item)))) await drained(response, gone);
      };
      beginFrames(response);
      response.flushHeaders();
      await finish(response, { log, operation: method.name }, async () =>
        encodeMessage(await handle(input, send, gone)),
      );
    },
  };
}

/** Frames say themselves where they end: the body is as it is, without HTTP's chunks around them, and ends with the connection. */
function beginFrames(response: ServerResponse): void {
  response.removeHeader('transfer-encoding');
  response.writeHead(200, FRAMES);
}

/** Ends a stream with its result, or with the error that ended it: the other side throws the same. */
async function finish(
  response: ServerResponse,
  of: { readonly log: Logger; readonly operation: string },
  work: () => Promise<Buffer>,
): Promise<void> {
  try {
    response.end(encodeFrame('result', await work()));
  } catch (error) {
    if (response.destroyed) return;
    response.end(encodeFrame('error', encodeFailure(failureOf(error, of))));
  }
}

function sendMessage(response: ServerResponse, body: Buffer): void {
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
  response.end(body);
}

/** The whole body of a single message: bounded in size and in time. */
async function readMessage(
  request: IncomingMessage,
  { name, maxInputBytes }: { readonly name: string; readonly maxInputBytes: number },
): Promise<Uint8Array> {
  const timer = setTimeout(() => request.socket.destroy(), MESSAGE_TIMEOUT_MS);
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const part of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
      size += part.length;
      if (size > maxInputBytes) throw invalidMessage(callerOf({ name }), `longer than ${maxInputBytes} bytes`);
      parts.push(part);
    }
  } catch (error) {
    throw error instanceof NectarError ? error : lost(name, error);
  } finally {
    clearTimeout(timer);
  }
  return parts.length === 1 ? (parts[0] as Uint8Array) : Buffer.concat(parts);
}

async function firstItem(frames: AsyncGenerator<Frame>, method: { readonly name: string }): Promise<Uint8Array> {
  const frame = await nextFrame(frames, method.name);
  if (frame?.type !== 'item') throw invalidMessage(callerOf(method), 'it does not begin with a message');
  return frame.payload;
}

/** The bytes of an upload; throws when they stop before their end, so that no part is taken for the whole. */
async function* uploaded(
  frames: AsyncGenerator<Frame>,
  method: { readonly name: string },
): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const frame = await nextFrame(frames, method.name);
    if (frame === undefined) return;
    if (frame.type === 'data') {
      passedBytes(frame.payload.length);
      yield frame.payload;
    } else if (frame.type !== 'result') throw invalidMessage(callerOf(method), `a frame ${frame.type} in an upload`);
  }
}

async function nextFrame(frames: AsyncGenerator<Frame>, operation: string): Promise<Frame | undefined> {
  try {
    const { done, value } = await frames.next();
    return done === true ? undefined : value;
  } catch (error) {
    if (error instanceof FrameError) throw invalidMessage(callerOf({ name: operation }), error.message);
    throw lost(operation, error);
  }
}

/** Resolves when the other side has taken what was written: a slow reader slows the source. */
function drained(response: ServerResponse, gone: AbortSignal): Promise<void> {
  if (response.destroyed) return Promise.reject(gone.reason);
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      response.off('drain', settle).off('close', settle);
      if (response.destroyed) reject(gone.reason ?? new Error('connection closed'));
      else resolve();
    };
    response.on('drain', settle).on('close', settle);
  });
}

function callerOf({ name }: { readonly name: string }): Origin {
  return { service: 'the caller', operation: name };
}

function lost(operation: string, cause: unknown): NectarError<'NODE_CONNECTION_LOST'> {
  return new NectarError('NODE_CONNECTION_LOST', { service: 'the caller', operation }, { cause });
}
