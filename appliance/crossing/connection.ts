import type { Static, TSchema } from 'typebox';
import { NectarError } from '../../protocol/errors.ts';
import { passedBytes } from '../stream-memory.ts';
import type { Channel } from './channel.ts';
import { encodeMessage } from './codec.ts';
import type { Dialer } from './dialer.ts';
import { batched, type Frame } from './frames.ts';
import { createLine, type Line, type Signal } from './line.ts';
import { invalidMessage, type Origin, parseFailure, parseMessage } from './message.ts';
import type { Download, Feed, Unary, Upload } from './method.ts';
import { CROSSING_VERSION } from './version.ts';

const FRAME_BATCH_BYTES = 256 * 1024;
/** What ends the request of an upload. */
const END = encodeMessage(null);

export interface ConnectionOptions {
  /** Who answers there: for errors and logs. */
  readonly service: string;
  /** How its serving half is reached. */
  readonly dialer: Dialer;
  /** Stated to the server; another number only in tests of skew. */
  readonly version?: number;
}

/** The calling half of a crossing. It connects when it is needed, as often as it is needed: a role restarts without its neighbours. */
export interface Connection {
  unary<I extends TSchema, O extends TSchema>(
    method: Unary<I, O>,
    input: Static<I>,
    options?: { signal?: AbortSignal | undefined; timeoutMs?: number | undefined },
  ): Promise<Static<O>>;
  upload<I extends TSchema, O extends TSchema>(
    method: Upload<I, O>,
    input: Static<I>,
    body: AsyncIterable<Uint8Array>,
    signal?: AbortSignal,
  ): Promise<Static<O>>;
  download<I extends TSchema, H extends TSchema>(
    method: Download<I, H>,
    input: Static<I>,
    signal?: AbortSignal,
  ): Promise<{ head: Static<H>; body: AsyncGenerator<Uint8Array, void, void> }>;
  /** Resolves with the last message; the consumer of the others holds back the sender. */
  feed<I extends TSchema, T extends TSchema, O extends TSchema>(
    method: Feed<I, T, O>,
    input: Static<I>,
    onItem: (item: Static<T>) => Promise<void> | void,
    signal?: AbortSignal,
  ): Promise<Static<O>>;
  close(): Promise<void>;
}

export function createConnection({ service, dialer, version = CROSSING_VERSION }: ConnectionOptions): Connection {
  const line = createLine({ service, dialer, version });
  return {
    unary: (method, input, { signal, timeoutMs = method.timeoutMs } = {}) =>
      within({ timeoutMs, service, operation: method.name, signal, line }, async (either, onBegun) => {
        const payload = await message(line, { method, input: encodeMessage(input), signal: either, onBegun });
        return parseMessage(payload, method.output, line.originOf(method));
      }),
    async upload(method, input, body, signal) {
      const source: Source = { body, failure: undefined };
      try {
        const payload = await upload(line, { method, input: encodeMessage(input), source, signal });
        return parseMessage(payload, method.output, line.originOf(method));
      } catch (error) {
        // What broke off the upload was its source: say what the source said.
        throw source.failure === undefined ? error : source.failure.error;
      }
    },
    async download(method, input, signal) {
      const frames = answerFrames(line, { method, input: encodeMessage(input), signal });
      const origin = line.originOf(method);
      const first = (await frames.next()).value as Frame | undefined;
      try {
        if (first?.type !== 'item') throw invalidMessage(origin, 'it does not begin with a message');
        return { head: parseMessage(first.payload, method.head, origin), body: downloaded(frames, origin) };
      } catch (error) {
        await frames.return();
        throw error;
      }
    },
    async feed(method, input, onItem, signal) {
      const origin = line.originOf(method);
      for await (const { type, payload } of answerFrames(line, { method, input: encodeMessage(input), signal })) {
        if (type === 'item') await onItem(parseMessage(payload, method.item, origin));
        else if (type === 'result') return parseMessage(payload, method.output, origin);
        else throw invalidMessage(origin, `a frame ${type} in a feed`);
      }
      throw invalidMessage(origin, 'it has no end');
    },
    close: async () => line.close(),
  };
}

interface Request {
  readonly method: { readonly name: string; readonly maxOutputBytes: number };
  readonly input: Buffer;
  readonly signal: Signal;
}

/** What is sent, and what went wrong with its making. */
interface Source {
  readonly body: AsyncIterable<Uint8Array>;
  failure: { readonly error: unknown } | undefined;
}

interface Limits {
  readonly timeoutMs: number;
  readonly service: string;
  readonly operation: string;
  readonly signal: Signal;
  readonly line: Line;
}

/** Runs a call in its time, however often it waits. */
async function within<T>(
  { timeoutMs, service, operation, signal, line }: Limits,
  call: (either: AbortSignal, onBegun: () => void) => Promise<T>,
): Promise<T> {
  const limit = AbortSignal.timeout(timeoutMs);
  const since = performance.now();
  let isBegun = false;
  const onBegun = (): void => {
    isBegun = true;
  };
  try {
    return await call(signal === undefined ? limit : AbortSignal.any([signal, limit]), onBegun);
  } catch (error) {
    if (error !== limit.reason || signal?.aborted === true) throw error;
    line.distrust(since);
    const missing = isBegun ? `answer to ${operation}` : `connection to it for ${operation}`;
    const reason = `no ${missing} within ${timeoutMs} ms`;
    throw new NectarError('NODE_NOT_READY', { service, reason }, { cause: error });
  }
}

/** One message there, one back. */
async function message(
  line: Line,
  { method, input, signal, onBegun }: Request & { readonly onBegun: () => void },
): Promise<Uint8Array> {
  const lent = await line.begin(method, input, signal);
  onBegun();
  let clean = false;
  try {
    const result = await nextResult(lent.channel, line.originOf(method));
    clean = true;
    return result;
  } catch (error) {
    throw lent.translate(error);
  } finally {
    lent.giveBack(clean);
  }
}

async function upload(
  line: Line,
  { method, input, signal, source }: Request & { readonly source: Source },
): Promise<Uint8Array> {
  const lent = await line.begin(method, input, signal);
  let sent = false;
  let clean = false;
  try {
    const pump = send(lent.channel, source).then(() => {
      sent = true;
    });
    // The answer may come before the end of the body: it refuses the rest.
    const answer = nextResult(lent.channel, line.originOf(method));
    const result = await Promise.race([answer, pump.then(() => answer)]);
    clean = sent;
    return result;
  } catch (error) {
    throw lent.translate(error);
  } finally {
    lent.giveBack(clean);
  }
}

/** The frames of an answer but its errors, which are thrown. */
async function* answerFrames(line: Line, { method, input, signal }: Request): AsyncGenerator<Frame, void, void> {
  const lent = await line.begin(method, input, signal);
  let clean = false;
  try {
    for (;;) {
      signal?.throwIfAborted();
      const frame = await lent.channel.next();
      if (frame.type === 'error') throw parseFailure(frame.payload, line.originOf(method));
      clean = frame.type === 'result';
      yield frame;
      if (clean) return;
    }
  } catch (error) {
    throw lent.translate(error);
  } finally {
    lent.giveBack(clean);
  }
}

async function send(channel: Channel, source: Source): Promise<void> {
  for await (const parts of batched(watched(source), FRAME_BATCH_BYTES)) {
    await channel.write('data', parts);
    passedBytes(parts.reduce((sum, part) => sum + part.length, 0));
  }
  await channel.write('result', [END]);
}

async function nextResult(channel: Channel, origin: Origin): Promise<Uint8Array> {
  const { type, payload } = await channel.next();
  if (type === 'error') throw parseFailure(payload, origin);
  if (type !== 'result') throw invalidMessage(origin, `a frame ${type} for an answer`);
  return payload;
}

async function* downloaded(
  frames: AsyncGenerator<Frame, void, void>,
  origin: Origin,
): AsyncGenerator<Uint8Array, void, void> {
  for await (const frame of frames) {
    if (frame.type === 'data') {
      passedBytes(frame.payload.length);
      yield frame.payload;
    } else if (frame.type !== 'result') throw invalidMessage(origin, `a frame ${frame.type} in a download`);
  }
}

async function* watched(source: Source): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* source.body;
  } catch (error) {
    source.failure = { error };
    throw error;
  }
}
