import { createConnection } from 'node:net';
import { Channel } from './channel.ts';
import { FrameError, type FrameReceiver, type FrameType, MAX_DATA_BYTES } from './frames.ts';
import { createAnswerParser, requestUpgrade } from './handshake.ts';
import { parseVersion } from './version.ts';

const CONNECT_TIMEOUT_MS = 2_000;
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
}

/** Connects and upgrades. Another version is told, not judged; its channel is of no use. */
export function dial(path: string, version: number, signal?: AbortSignal): Promise<DialedChannel> {
  const answer = createAnswerObserver();
  const parseAnswer = createAnswerParser();
  const { promise, resolve, reject } = Promise.withResolvers<DialedChannel>();
  let upgraded = false;

  function take(bytes: Uint8Array): boolean {
    if (upgraded) return channel.take(bytes);
    try {
      const head = parseAnswer(bytes);
      if (head === undefined) return true;
      const theirs = parseVersion(head.version);
      if (!head.accepted && theirs === version) throw new FrameError('it was not upgraded');
      upgraded = true;
      resolve({ channel, version: theirs, expect: answer.expect });
      return head.accepted ? channel.take(head.rest) : true;
    } catch (error) {
      channel.fail(error);
      return false;
    }
  }

  const socket = createConnection({
    path,
    onread: {
      buffer: READ_BUFFER,
      callback(size) {
        mostRead = Math.max(mostRead, size);
        return take(READ_BUFFER.subarray(0, size));
      },
    },
  });
  const channel = new Channel(socket, answer);
  const late = setTimeout(
    () => channel.fail(Object.assign(new Error('no upgrade in time'), { code: 'ETIMEDOUT' })),
    CONNECT_TIMEOUT_MS,
  );
  channel.onClose(reject);
  const abort = (): void => channel.fail(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  socket.write(requestUpgrade(version));
  return promise.finally(() => {
    clearTimeout(late);
    signal?.removeEventListener('abort', abort);
  });
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
