import { NectarError } from '../../../protocol/errors.ts';
import type { BatchRpc, JsonRpc } from '../l1/json-rpc.ts';

export interface GatherBounds {
  /** Of one request. A call that is larger by itself goes alone. */
  readonly maxCalls: number;
  readonly maxBytes: number;
  /** Requests on their way at a time: what comes meanwhile goes together. */
  readonly maxRequests: number;
  /** A call that did not get its turn within this many milliseconds is not sent. */
  readonly maxWaitMs: number;
}

interface Waiting {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly signal: AbortSignal;
  readonly bytes: number;
  readonly since: number;
  readonly settle: (outcome: PromiseSettledResult<unknown>) => void;
}

/**
 * Calls that come together go in one request: a transaction costs a fraction of the HTTP request that it would be by itself, on both
 * sides. Nothing waits for company: a call goes out in the turn of the event loop in which it came, unless as many requests as may be on
 * their way are. Each call gets its own answer or its own error.
 */
export function createGatheredRpc(rpc: BatchRpc, bounds: GatherBounds, now: () => number = Date.now): JsonRpc {
  let waiting: Waiting[] = [];
  let requests = 0;
  let isScheduled = false;

  /** The first that wait, as many as go into one request. They share one signal, so that nobody's end is another's. */
  function take(): readonly Waiting[] {
    const signal = waiting[0]?.signal;
    let bytes = 0;
    const end = waiting.findIndex((call, place) => {
      bytes += call.bytes;
      return call.signal !== signal || place === bounds.maxCalls || (bytes > bounds.maxBytes && place > 0);
    });
    const taken = waiting.slice(0, end === -1 ? waiting.length : end);
    waiting = waiting.slice(taken.length);
    return taken;
  }

  function expire(): void {
    const oldest = now() - bounds.maxWaitMs;
    const late = waiting.filter(({ since }) => since < oldest);
    if (late.length === 0) return;
    waiting = waiting.filter(({ since }) => since >= oldest);
    for (const { method, settle } of late) {
      const reason = 'it did not answer in time';
      settle({ status: 'rejected', reason: new NectarError('ROLLUP_L1_UNREACHABLE', { method, reason }) });
    }
  }

  async function send(calls: readonly Waiting[]): Promise<void> {
    requests += 1;
    try {
      const [first] = calls as [Waiting];
      const outcomes = await rpc.callAll(calls, first.signal);
      for (const [place, { settle }] of calls.entries()) settle(outcomes[place] as PromiseSettledResult<unknown>);
    } catch (reason) {
      for (const { settle } of calls) settle({ status: 'rejected', reason });
    } finally {
      requests -= 1;
      flush();
    }
  }

  function flush(): void {
    expire();
    while (waiting.length > 0 && requests < bounds.maxRequests) void send(take());
  }

  function schedule(): void {
    if (isScheduled || requests >= bounds.maxRequests) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      flush();
    });
  }

  return {
    call: (method, params, signal) =>
      new Promise((resolve, reject) => {
        const bytes = JSON.stringify({ method, params }).length;
        const settle = (outcome: PromiseSettledResult<unknown>): void =>
          outcome.status === 'fulfilled' ? resolve(outcome.value) : reject(outcome.reason);
        waiting.push({ method, params, signal, bytes, since: now(), settle });
        schedule();
      }),
    distrust: () => rpc.distrust(),
  };
}
