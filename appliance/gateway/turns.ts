import { NectarError } from '../../protocol/errors.ts';

export interface TurnsOptions {
  /** For messages: `requests`, `uploads`. */
  readonly what: string;
  /** Served at a time, and of one caller. */
  readonly limit: number;
  readonly perCaller: number;
  /** Waiting at a time, and of one caller. */
  readonly maxQueued: number;
  readonly maxQueuedPerCaller: number;
  /** The longest that anybody waits. */
  readonly maxWaitMs: number;
  /** Begun a second of one caller, in a burst of as many; undefined: as many as come. */
  readonly perSecond?: number;
}

export interface TurnsDependencies {
  /** Milliseconds, monotonic. */
  readonly now: () => number;
  readonly onChange?: (counts: { readonly running: number; readonly queued: number }) => void;
}

/** Who is served when more come than can be served at a time. */
export interface Turns {
  /**
   * Resolves with the release, to be called when the work is done; at once when there is room.
   *
   * @throws NectarError GATEWAY_BUSY when the node is full, GATEWAY_TOKEN_BUSY when the caller asks for more than its share;
   *   the reason of whichever of `signals` aborts first
   */
  take(caller: string, ...signals: readonly AbortSignal[]): Promise<() => void>;
}

interface Waiting {
  readonly grant: () => void;
  readonly refuse: (error: unknown) => void;
}

interface Caller {
  running: number;
  readonly queue: Set<Waiting>;
  tokens: number;
  at: number;
}

/** Fair among callers: each that waits is served in turn, its own requests in the order in which they came. Bounded in length and time. */
export function createTurns(options: TurnsOptions, { now, onChange = () => undefined }: TurnsDependencies): Turns {
  return new FairTurns(options, now, onChange);
}

class FairTurns implements Turns {
  readonly #options: TurnsOptions;
  readonly #now: () => number;
  readonly #onChange: NonNullable<TurnsDependencies['onChange']>;
  readonly #callers = new Map<string, Caller>();
  /** Callers that wait, in the order of their next turn. */
  readonly #waiting = new Set<string>();
  #running = 0;
  #queued = 0;
  #wake: NodeJS.Timeout | undefined;

  constructor(options: TurnsOptions, now: () => number, onChange: NonNullable<TurnsDependencies['onChange']>) {
    this.#options = options;
    this.#now = now;
    this.#onChange = onChange;
  }

  async take(name: string, ...signals: readonly AbortSignal[]): Promise<() => void> {
    for (const signal of signals) signal.throwIfAborted();
    const caller = this.#callerOf(name);
    const hasRoom = this.#running < this.#options.limit && caller.queue.size === 0 && this.#mayRun(caller);
    if (hasRoom) this.#begin(caller);
    else await this.#wait(name, caller, signals);
    let released = false;
    return () => {
      if (released) return;
      released = true;
      caller.running--;
      this.#running--;
      this.#forgetIdle(name, caller);
      this.#next();
    };
  }

  #callerOf(name: string): Caller {
    const known = this.#callers.get(name);
    if (known !== undefined) return known;
    const { perSecond = Number.POSITIVE_INFINITY } = this.#options;
    const caller: Caller = { running: 0, queue: new Set(), tokens: perSecond, at: this.#now() };
    this.#callers.set(name, caller);
    return caller;
  }

  #wait(name: string, caller: Caller, signals: readonly AbortSignal[]): Promise<void> {
    const { what, limit, perCaller, maxQueued, maxQueuedPerCaller, maxWaitMs } = this.#options;
    if (caller.queue.size >= maxQueuedPerCaller)
      throw new NectarError('GATEWAY_TOKEN_BUSY', { what, limit: perCaller });
    if (this.#queued >= maxQueued) throw new NectarError('GATEWAY_BUSY', { what, limit });
    return new Promise((resolve, reject) => {
      const settle = (outcome: () => void) => {
        clearTimeout(timer);
        for (const signal of signals) signal.removeEventListener('abort', abort);
        caller.queue.delete(waiting);
        this.#queued--;
        if (caller.queue.size === 0) this.#waiting.delete(name);
        this.#forgetIdle(name, caller);
        outcome();
      };
      const waiting: Waiting = {
        grant: () => settle(resolve),
        refuse: (error) =>
          settle(() => {
            this.#report();
            reject(error);
          }),
      };
      const abort = ({ target }: Event) => waiting.refuse((target as AbortSignal).reason);
      const timer = setTimeout(() => {
        const ownShare = caller.running >= perCaller || !this.#mayRun(caller);
        waiting.refuse(
          ownShare
            ? new NectarError('GATEWAY_TOKEN_BUSY', { what, limit: perCaller })
            : new NectarError('GATEWAY_BUSY', { what, limit }),
        );
      }, maxWaitMs).unref();
      for (const signal of signals) signal.addEventListener('abort', abort);
      caller.queue.add(waiting);
      this.#waiting.add(name);
      this.#queued++;
      this.#report();
      this.#wakeForRate();
    });
  }

  /** Serves who waits as far as there is room, one of each caller at a time. */
  #next(): void {
    for (let served = true; served && this.#running < this.#options.limit; ) {
      served = false;
      for (const name of [...this.#waiting]) {
        const caller = this.#callers.get(name);
        const first = caller?.queue.values().next().value;
        if (caller === undefined || first === undefined || !this.#mayRun(caller)) continue;
        if (this.#running >= this.#options.limit) break;
        this.#waiting.delete(name);
        if (caller.queue.size > 1) this.#waiting.add(name);
        this.#begin(caller);
        first.grant();
        served = true;
      }
    }
    this.#report();
    this.#wakeForRate();
  }

  #begin(caller: Caller): void {
    caller.running++;
    this.#running++;
    caller.tokens--;
    this.#report();
  }

  #mayRun(caller: Caller): boolean {
    this.#refill(caller);
    return caller.running < this.#options.perCaller && caller.tokens >= 1;
  }

  #refill(caller: Caller): void {
    const { perSecond } = this.#options;
    const now = this.#now();
    if (perSecond !== undefined)
      caller.tokens = Math.min(perSecond, caller.tokens + ((now - caller.at) / 1_000) * perSecond);
    caller.at = now;
  }

  /** No release tells when a caller that waits for its rate may go on. */
  #wakeForRate(): void {
    const { perSecond, perCaller, limit } = this.#options;
    if (perSecond === undefined || this.#wake !== undefined || this.#running >= limit) return;
    const held = [...this.#waiting].some((name) => {
      const caller = this.#callers.get(name);
      return caller !== undefined && caller.running < perCaller && caller.tokens < 1;
    });
    if (!held) return;
    this.#wake = setTimeout(
      () => {
        this.#wake = undefined;
        this.#next();
      },
      Math.max(1, Math.ceil(1_000 / perSecond)),
    ).unref();
  }

  #forgetIdle(name: string, caller: Caller): void {
    if (caller.running > 0 || caller.queue.size > 0) return;
    this.#refill(caller);
    const { perSecond } = this.#options;
    // One that has used up its rate is remembered until it has it again: names are those of tokens, so few.
    if (perSecond === undefined || caller.tokens >= perSecond) this.#callers.delete(name);
  }

  #report(): void {
    this.#onChange({ running: this.#running, queued: this.#queued });
  }
}
