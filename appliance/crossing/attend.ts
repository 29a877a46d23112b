import type { Socket } from 'node:net';
import { NectarError } from '../../protocol/errors.ts';
import { freeBytes, passedBytes } from '../stream-memory.ts';
import type { Logger } from '../telemetry/index.ts';
import { Channel } from './channel.ts';
import { failureOf } from './failure-of.ts';
import { type Frame, FrameError } from './frames.ts';
import { encodeFailure, invalidMessage } from './message.ts';
import { createRequestObserver, type RequestObserver } from './request-observer.ts';
import { type Call, callerOf, type Route } from './route.ts';

/** Time a caller has to send the input of a call that it began. */
const INPUT_TIMEOUT_MS = 15_000;

export interface Attended {
  /** What came with the upgrade. */
  readonly head: Uint8Array;
  readonly routes: ReadonlyMap<string, Route>;
  readonly log: Logger;
}

/** Answers the calls that come over a connection, one after the other, until it ends. Never throws. */
export async function attend(socket: Socket, { head, routes, log }: Attended): Promise<void> {
  const requests = createRequestObserver(routes);
  const channel = new Channel(socket, requests);
  channel.take(head);
  socket.on('data', (bytes) => {
    if (!channel.take(bytes)) socket.pause();
    freeBytes(bytes);
  });
  try {
    for (;;) {
      const operation = Buffer.from((await channel.next()).payload).toString('latin1');
      if (!(await isAnswered({ channel, requests, operation, route: routes.get(operation), log }))) return;
    }
  } catch (error) {
    // It ended between two calls, or what came is none.
    channel.fail(error);
  }
}

interface Asked {
  readonly channel: Channel;
  readonly requests: RequestObserver;
  readonly operation: string;
  readonly route: Route | undefined;
  readonly log: Logger;
}

/** Answers one call. False: it was the last one of its connection. */
async function isAnswered({ channel, requests, operation, route, log }: Asked): Promise<boolean> {
  const gone = new AbortController();
  const stop = channel.onClose(() => gone.abort(lost(operation)));
  try {
    if (route === undefined) throw new NectarError('GATEWAY_ROUTE_ABSENT', {});
    const result = await route.serve({
      input: await nextInput(channel, operation),
      body: uploaded(channel, { operation, free: route.freesPieces }),
      gone: gone.signal,
      send: sending(channel, { operation, free: route.freesPieces }),
    });
    if (requests.isWhole() && channel.isSound) {
      requests.begin();
      await channel.write('result', [result]);
      return true;
    }
    channel.end('result', result);
  } catch (error) {
    if (channel.isOpen) channel.end('error', encodeFailure(failureOf(error, { log, operation })));
  } finally {
    stop();
  }
  return false;
}

async function nextInput(channel: Channel, operation: string): Promise<Uint8Array> {
  const timer = setTimeout(() => channel.fail(lost(operation)), INPUT_TIMEOUT_MS);
  try {
    return (await nextFrame(channel, operation)).payload;
  } finally {
    clearTimeout(timer);
  }
}

/** The bytes of an upload; throws when they stop before their end, so that no part is taken for the whole. */
async function* uploaded(
  channel: Channel,
  { operation, free }: { operation: string; free: boolean },
): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const { type, payload } = await nextFrame(channel, operation);
    if (type === 'result') return;
    yield payload;
    if (free) freeBytes(payload);
    else passedBytes(payload.length);
  }
}

/** A slow reader slows the source. */
function sending(channel: Channel, { operation, free }: { operation: string; free: boolean }): Call['send'] {
  return async (type, payload) => {
    try {
      await channel.write(type, [payload], { free });
    } catch (error) {
      throw lost(operation, error);
    }
    if (!free) passedBytes(payload.length);
  };
}

async function nextFrame(channel: Channel, operation: string): Promise<Frame> {
  try {
    return await channel.next();
  } catch (error) {
    if (error instanceof FrameError) throw invalidMessage(callerOf(operation), error.message);
    throw lost(operation, error);
  }
}

function lost(operation: string, cause?: unknown): NectarError<'NODE_CONNECTION_LOST'> {
  return new NectarError('NODE_CONNECTION_LOST', { service: 'the caller', operation }, { cause });
}
