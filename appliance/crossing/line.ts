import { setImmediate as nextTurn } from 'node:timers/promises';
import { isNectarError, NectarError } from '../../protocol/errors.ts';
import type { Channel } from './channel.ts';
import { type DialedChannel, dial, wipeReadBuffer } from './dial.ts';
import type { Dialer } from './dialer.ts';
import { FrameError } from './frames.ts';
import { invalidMessage, type Origin } from './message.ts';
import { createReconnect } from './reconnect.ts';

/** Connections that are kept for the next calls; what a burst needs beyond them is closed. */
const MAX_IDLE = 64;
/** Nobody is there, or nobody that may be reached. */
const UNREACHED = new Set(['ENOENT', 'ECONNREFUSED', 'EACCES', 'ETIMEDOUT']);

type Operation = { readonly name: string; readonly maxOutputBytes: number };
export type Signal = AbortSignal | undefined;

/** Carries calls to one other role: a channel each, kept for the next one when both sides are done with it. */
export interface Line {
  originOf(operation: { readonly name: string }): Origin;
  /** Begins a call, on a channel that is its own until it is given back. */
  begin(operation: Operation, input: Uint8Array, signal: Signal): Promise<Lent>;
  /**
   * An answer that was due since then has not come: the other side may be gone without a word, as a machine that lost its network is.
   * What is kept and was not heard since is given up, so that the next call dials anew instead of waiting as long.
   */
  distrust(since: number): void;
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
  readonly dialer: Dialer;
  readonly version: number;
}

export function createLine({ service, dialer, version }: LineOptions): Line {
  const idle: DialedChannel[] = [];
  const inUse = new Set<DialedChannel>();
  const reconnect = createReconnect();
  let unreached: NectarError = absent(service);
  const originOf = ({ name }: { readonly name: string }): Origin => ({ service, operation: name });

  function translate(error: unknown, operation: Operation, signal: Signal): unknown {
    if (signal?.aborted === true) return signal.reason;
    if (isNectarError(error)) return error;
    if (error instanceof FrameError) return invalidMessage(originOf(operation), error.message);
    return new NectarError('NODE_CONNECTION_LOST', originOf(operation), { cause: error });
  }

  /** Before the upgrade nothing was asked for: whatever goes wrong, nothing was done. */
  function translateDial(error: unknown, operation: Operation, signal: Signal): unknown {
    if (signal?.aborted === true || error instanceof FrameError) return translate(error, operation, signal);
    const { code } = error as NodeJS.ErrnoException;
    const known = isNectarError(error) ? error : dialer.explain(error as NodeJS.ErrnoException);
    if (known === undefined && !UNREACHED.has(code ?? '')) return translate(error, operation, signal);
    unreached = known ?? absent(service, error);
    reconnect.failed();
    return unreached;
  }

  async function connect(operation: Operation, signal: Signal): Promise<DialedChannel> {
    if (!reconnect.mayTry()) throw unreached;
    const dialed = await dial(dialer, { service, version, signal }).catch((error: unknown) => {
      throw translateDial(error, operation, signal);
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
        if (clean && channel.isSound && !dialed.isStale() && idle.length < MAX_IDLE) {
          channel.hold(false);
          idle.push(dialed);
        } else channel.fail(new Error('given up'));
      },
    };
  }

  function takeIdle(): DialedChannel | undefined {
    for (;;) {
      const found = idle.pop();
      if (found === undefined || (found.channel.isSound && !found.isStale())) return found;
      found.channel.fail(new Error('of no use any more'));
    }
  }

  return {
    originOf,
    async begin(operation, input, signal) {
      signal?.throwIfAborted();
      for (;;) {
        if (!dialer.refusesWrites && idle.length > 0) await hearOfEnds();
        const kept = takeIdle();
        const lent = lend(kept ?? (await connect(operation, signal)), operation, signal);
        try {
          await lent.channel.request(operation.name, input);
          return lent;
        } catch (error) {
          lent.giveBack(false);
          // The other side of a kept one had gone before it could read all of it: it did nothing, and a new process may be there.
          if (kept === undefined || !dialer.refusesWrites || signal?.aborted === true) throw lent.translate(error);
        }
      }
    },
    distrust(since) {
      const heard = idle.filter((kept) => kept.heardAt() >= since);
      for (const kept of idle) if (!heard.includes(kept)) kept.channel.fail(new Error('not heard'));
      idle.splice(0, idle.length, ...heard);
    },
    close() {
      for (const { channel } of [...idle, ...inUse]) channel.fail(new Error('the line was closed'));
      idle.length = 0;
    },
  };
}

/**
 * A network takes bytes for a process that has gone. What the kernel knows of it by now is heard in the second turn at the latest: the
 * first may be the rest of one that has asked the kernel already.
 */
async function hearOfEnds(): Promise<void> {
  await nextTurn();
  await nextTurn();
}

function absent(service: string, cause?: unknown): NectarError<'NODE_NOT_READY'> {
  return new NectarError('NODE_NOT_READY', { service, reason: 'its process does not answer' }, { cause });
}
