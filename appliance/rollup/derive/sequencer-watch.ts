import { setTimeout as delay } from 'node:timers/promises';

export interface SequencerWatchOptions {
  /** Without any sign of life for this long it is silent; 0: it is never asked. */
  readonly silentMs: number;
}

export interface SequencerWatchDeps {
  readonly now: () => number;
  /** Resolves when the sequencer answers, whatever it says. */
  readonly ask: (signal: AbortSignal) => Promise<void>;
  /** Whether it is this process that orders transactions. */
  readonly isOwn: () => boolean;
}

/** Tells a sequencer that has nothing to order, which is no fault, from one that is gone. */
export interface SequencerWatch {
  /** A block of it came: the surest sign of life. */
  sawBlock(): void;
  /** Why it counts as silent; undefined while it lives, or nobody can tell. */
  silence(): string | undefined;
  /** Asks a sequencer that makes no blocks, now and then, until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
  /** One look: asks where that is due. */
  look(signal: AbortSignal): Promise<void>;
}

const LOOK_MS = 4_000;
const QUIET_MS = 8_000;
const ANSWER_MS = 5_000;
/** One request may be lost on the way. */
const FAILURES = 2;

export function createSequencerWatch(options: SequencerWatchOptions, deps: SequencerWatchDeps): SequencerWatch {
  const { now, ask, isOwn } = deps;
  let lastSign = now();
  let failures = 0;
  /** Where its blocks alone reach this node, by gossip, that it does not answer says nothing. */
  let answers = false;

  async function look(signal: AbortSignal): Promise<void> {
    if (isOwn() || now() - lastSign < QUIET_MS) return;
    const before = lastSign;
    try {
      await ask(AbortSignal.any([signal, AbortSignal.timeout(ANSWER_MS)]));
      lastSign = now();
      failures = 0;
      answers = true;
    } catch {
      if (!signal.aborted && lastSign === before) failures += 1;
    }
  }

  return {
    look,
    sawBlock() {
      if (failures >= FAILURES) answers = false;
      lastSign = now();
      failures = 0;
    },
    silence() {
      const silentMs = now() - lastSign;
      if (!answers || failures < FAILURES || silentMs <= options.silentMs) return undefined;
      return `the sequencer has made no block and given no answer for ${Math.round(silentMs / 1000)} s`;
    },
    async run(signal) {
      if (options.silentMs === 0) return;
      // It is asked once at the start: that it answers at all must be known before its silence means something.
      lastSign = now() - QUIET_MS;
      while (!signal.aborted) {
        await look(signal);
        await delay(LOOK_MS, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
