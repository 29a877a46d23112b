import { Channel } from './channel.ts';
import type { Dialer } from './dialer.ts';
import { FrameError, type FrameReceiver, type FrameType, MAX_DATA_BYTES } from './frames.ts';
import { type Answer, createAnswerParser, requestUpgrade } from './handshake.ts';
import { parseFailure } from './message.ts';
import { parseVersion } from './version.ts';

const MAX_FAILURE_BYTES = 64 * 1024;
/** All connections of this process read into this one buffer: what was read is copied out before the next read begins. */
const READ_BUFFER = Buffer.allocUnsafeSlow(256 * 1024);
let mostRead = 0;

/** What it held was another container's plaintext: not kept longer than its call. */
export function wipeReadBuffer(): void {
  READ_BUFFER.fill(0, 0, mostRead);
  mostRead = 0;
}

/** The calling end of a channel, and how much of an answer it believes. */
export interface DialedChannel {
  readonly channel: Channel;
  /** The version of the other side. */
  readonly version: number;
  /** From now on messages of so many bytes are expected, until the answer has ended; then nothing is. */
  expect(maxBytes: number): void;
  /** No further call begins on it. */
  isStale(): boolean;
  /** When the other side was last heard, in milliseconds of this process's clock (performance.now). */
  heardAt(): number;
}

export interface DialOptions {
  readonly service: string;
  readonly version: number;
  readonly signal?: AbortSignal | undefined;
}

/** Connects and upgrades. Another version is told, not judged; its channel is of no use. @throws NectarError why it was refused */
export async function dial(dialer: Dialer, { service, version, signal }: DialOptions): Promise<DialedChannel> {
  const answer = createAnswerObserver();
  const parseAnswer = createAnswerParser();
  const { promise, resolve, reject } = Promise.withResolvers<DialedChannel>();
  let refusal: Refusal | undefined;
  let upgraded = false;
  let heardAt = performance.now();

  function begin(head: Answer): boolean {
    const theirs = parseVersion(head.version);
    if (!head.accepted && theirs === version) {
      refusal = createRefusal(service, head);
      return refusal(head.rest);
    }
    upgraded = true;
    const { isStale } = dialed;
    resolve({ channel, version: theirs, expect: answer.expect, isStale, heardAt: () => heardAt });
    return head.accepted ? channel.take(head.rest) : true;
  }

  function take(bytes: Uint8Array): boolean {
    if (upgraded) return channel.take(bytes);
    try {
      if (refusal !== undefined) return refusal(bytes);
      const head = parseAnswer(bytes);
      return head === undefined ? true : begin(head);
    } catch (error) {
      channel.fail(error);
      return false;
    }
  }

  const onread = {
    buffer: READ_BUFFER,
    callback(size: number) {
      mostRead = Math.max(mostRead, size);
      heardAt = performance.now();
      return take(READ_BUFFER.subarray(0, size));
    },
  };
  const dialed = dialer.connect(onread, (socket) => socket.write(requestUpgrade(dialer.target, version)));
  const channel = new Channel(dialed.socket, answer);
  const late = setTimeout(
    () => channel.fail(Object.assign(new Error('no upgrade in time'), { code: 'ETIMEDOUT' })),
    dialer.timeoutMs,
  );
  channel.onClose(reject);
  const abort = (): void => channel.fail(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  return promise.finally(() => {
    clearTimeout(late);
    signal?.removeEventListener('abort', abort);
  });
}

type Refusal = (bytes: Uint8Array) => boolean;

/** Takes the body of a refusal, and throws what it says once it is whole. */
function createRefusal(service: string, { length }: Answer): Refusal {
  if (length === undefined || length > MAX_FAILURE_BYTES) throw new FrameError('it was not upgraded');
  let body = Buffer.alloc(0);
  return (bytes) => {
    body = Buffer.concat([body, bytes]);
    if (body.length > length) throw new FrameError('it was not upgraded');
    if (body.length < length) return true;
    throw parseFailure(body, { service, operation: 'upgrade' });
  };
}

function createAnswerObserver(): FrameReceiver & Pick<DialedChannel, 'expect'> {
  let maxMessageBytes = 0;
  return {
    expect(maxBytes) {
      maxMessageBytes = maxBytes;
    },
    maxBytes(type: FrameType) {
      if (type === 'call' || maxMessageBytes === 0) return 0;
      if (type === 'error') return MAX_FAILURE_BYTES;
      return type === 'data' ? MAX_DATA_BYTES : maxMessageBytes;
    },
    take({ type }) {
      if (type === 'result' || type === 'error') maxMessageBytes = 0;
    },
  };
}
