import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { Channel } from './channel.ts';
import { type DialedChannel, dial, wipeReadBuffer } from './dial.ts';
import { FrameError } from './frames.ts';
import { invalidMessage, type Origin } from './message.ts';
import { createReconnect } from './reconnect.ts';

/** Connections that are kept for the next calls; what a burst needs beyond them is closed. */
const MAX_IDLE = 64;

type Operation = { readonly name: string; readonly maxOutputBytes: number };
export type Signal = AbortSignal | undefined;

/** Carries calls to one other role: a channel each, kept for the next one when both sides are done with it. */
export interface Line {
  originOf(operation: { readonly name: string }): Origin;
  /** Begins a call, on a channel that is its own until it is given back. */
  begin(operation: Operation, input: Uint8Array, signal: Signal): Promise<Lent>;
  close(): void;
}

export interface Lent {
  readonly channel: Channel;
  /** What went wrong, in our words. */
  translate(error: unknown): unknown;
  /** `clean`: the request is sent and the answer taken; any other channel is closed, which tells the other side. */
  giveBack(clean: boolean): void;
}

export interface LineOptions {
  readonly service: string;
  readonly path: string;
  readonly version: number;
}

export function createLine({ service, path, version }: LineOptions): Line {
  const idle: DialedChannel[] = [];
  const inUse = new Set<DialedChannel>();
  const reconnect = createReconnect();
  const originOf = ({ name }: { readonly name: string }): Origin => ({ service, operation: name });

  function translate(error: unknown, operation: Operation, signal: Signal): unknown {
    if (signal?.aborted === true) return signal.reason;
    if (isNectarError(error)) return error;
    if (error instanceof FrameError) return invalidMessage(originOf(operation), error.message);
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'EACCES' || code === 'ETIMEDOUT') {
      reconnect.failed();
      return absent(service, error);
    }
    return new NectarError('NODE_CONNECTION_LOST', originOf(operation), { cause: error });
  }

  async function connect(operation: Operation, signal: Signal): Promise<DialedChannel> {
    if (!reconnect.mayTry()) throw absent(service);
    const dialed = await dial(path, version, signal).catch((error: unknown) => {
      throw translate(error, operation, signal);
    });
    reconnect.succeeded();
    if (dialed.version === version) return dialed;
    dialed.channel.fail(new Error('another version'));
    throw new NectarError('NODE_VERSION_SKEW', { service, ours: version, theirs: dialed.version });
  }

  function lend(dialed: DialedChannel, operation: Operation, signal: Signal): Lent {
    const { channel } = dialed;
    const abort = (): void => channel.fail(signal?.reason);
    signal?.addEventListener('abort', abort, { once: true });
    if (signal?.aborted === true) abort();
    inUse.add(dialed);
    channel.hold(true);
    dialed.expect(operation.maxOutputBytes);
    return {
      channel,
      translate: (error) => translate(error, operation, signal),
      giveBack(clean) {
        signal?.removeEventListener('abort', abort);
        inUse.delete(dialed);
        wipeReadBuffer();
        if (clean && channel.isSound && idle.length < MAX_IDLE) {
          channel.hold(false);
          idle.push(dialed);
        } else channel.fail(new Error('given up'));
      },
    };
  }

  function takeIdle(): DialedChannel | undefined {
    for (;;) {
      const found = idle.pop();
      if (found === undefined || found.channel.isSound) return found;
      found.channel.fail(new Error('of no use any more'));
    }
  }

  return {
    originOf,
    async begin(operation, input, signal) {
      signal?.throwIfAborted();
      for (;;) {
        const kept = takeIdle();
        const lent = lend(kept ?? (await connect(operation, signal)), operation, signal);
        try {
          await lent.channel.request(operation.name, input);
          return lent;
        } catch (error) {
          lent.giveBack(false);
          // The other side of a kept one had gone before it could read all of it: it did nothing, and a new process may be there.
          if (kept === undefined || signal?.aborted === true) throw lent.translate(error);
        }
      }
    },
    close() {
      for (const { channel } of [...idle, ...inUse]) channel.fail(new Error('the line was closed'));
      idle.length = 0;
    },
  };
}

function absent(service: string, cause?: unknown): NectarError<'NODE_NOT_READY'> {
  return new NectarError('NODE_NOT_READY', { service, reason: 'its process does not answer' }, { cause });
}
