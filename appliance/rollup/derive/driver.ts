import { setTimeout as delay } from 'node:timers/promises';
import { isNectarError, NectarError, rollupSeverity } from '../../../protocol/errors.ts';
import type { Readiness } from '../../service.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { L1Obstacles } from '../l1/describe-l1.ts';
import type { Silence } from '../l1/silence.ts';
import type { Derived } from './deriver.ts';
import type { Discarded, L1Steps } from './l1-steps.ts';

export interface DriverOptions {
  /** Pause between two looks at L1. */
  readonly pollMs: number;
  /** Longest pause after failures in a row. */
  readonly maxBackoffMs: number;
  /** L1 silent, or not to be followed, for longer than this makes the node not ready. */
  readonly staleMs: number;
}

export interface DriverDeps {
  readonly steps: L1Steps;
  /** How long L1 has been asked in vain: while it hangs, no step fails. */
  readonly silence: Silence;
  readonly log: Logger;
  readonly now: () => number;
  readonly onDerived?: (derived: Derived) => void;
  readonly onDiscarded?: (discarded: Discarded) => void;
  /** Whether the data of a batch is waited for. */
  readonly onWaiting?: (waiting: boolean) => void;
}

/** Runs derivation for as long as the node runs, and alone decides what an error means for it. */
export interface Driver {
  run(signal: AbortSignal): Promise<void>;
  /** Looks at L1 now instead of at the end of the pause. */
  poke(): void;
  readiness(): Readiness;
  /** What keeps it from following an L1 that answers. */
  obstacles(): L1Obstacles;
  /** False from an L1 reorg, or a start, until every unsafe block's origin is known to be canonical. */
  settled(): boolean;
  /** Looks at L1 now; resolves once it was looked at, well or badly, and after `timeoutMs` at the latest. */
  look(timeoutMs: number): Promise<void>;
}

interface State {
  verified: boolean;
  settled: boolean;
  synced: boolean;
  failures: number;
  /** Since when no step has succeeded; undefined: the last one did. */
  failingSince: number | undefined;
  halted: string | undefined;
  /** A failure that is not L1's: shown until a step succeeds. */
  trouble: string | undefined;
  /** Why L1 cannot be followed now, in words of the registry. */
  l1: string | undefined;
  /** L1 answers, but nobody has the data of the next batch: which one, and why. */
  waiting: string | undefined;
  /** The endpoints contradict each other about what was verified. */
  disagreement: string | undefined;
}

/** Before that, L1 may only be slow. */
const HANG_SAID_MS = 5_000;

export function createDriver(options: DriverOptions, deps: DriverDeps): Driver {
  const { steps, log, now } = deps;
  const state: State = {
    verified: false,
    settled: false,
    synced: false,
    failures: 0,
    failingSince: undefined,
    halted: undefined,
    trouble: undefined,
    l1: undefined,
    waiting: undefined,
    disagreement: undefined,
  };
  let wake = new AbortController();
  let looked = Promise.withResolvers<void>();

  async function step(signal: AbortSignal): Promise<void> {
    if (!state.verified) await steps.verify(signal);
    state.verified = true;
    const settled = await steps.advance({ checkUnsafe: !state.settled, onDerived: report, onDiscarded }, signal);
    state.settled = settled;
    state.synced = true;
    state.failures = 0;
    state.trouble = undefined;
    state.l1 = undefined;
    state.disagreement = undefined;
    waitFor(undefined);
    state.failingSince = undefined;
  }

  function waitFor(error: NectarError<'ROLLUP_L1_BLOBS_UNREADABLE'> | undefined): void {
    if (error !== undefined && state.waiting === undefined) log.warn(error.data, 'waiting for the data of a batch');
    state.waiting = error?.message;
    deps.onWaiting?.(error !== undefined);
  }

  function onDiscarded(discarded: Discarded): void {
    log.warn(discarded, 'unsafe blocks given up');
    deps.onDiscarded?.(discarded);
  }

  function report(derived: Derived): void {
    const { number } = derived.record;
    if (derived.malformedBatches > 0)
      log.warn({ l1: number, count: derived.malformedBatches }, 'malformed batch on L1');
    for (const { what, sequenceNumber, block, reason } of derived.dropped) {
      log.warn({ l1: number, batch: sequenceNumber, block, what, reason }, 'L1 content has no place on L2');
    }
    if (derived.obliged > 0) log.warn({ l1: number, blocks: derived.obliged }, 'blocks added for overdue messages');
    if (derived.replaced) log.warn({ l1: number, safe: derived.record.safe.number }, 'L1 contradicts unsafe blocks');
    if (derived.blocks > 0) log.debug({ l1: number, blocks: derived.blocks }, 'blocks derived');
    deps.onDerived?.(derived);
  }

  /** The only switch on a rollup error's severity. */
  async function recover(error: unknown, signal: AbortSignal): Promise<void> {
    const severity = rollupSeverity(error);
    state.failures += 1;
    state.failingSince ??= now();
    // What is said is what failed now, not what failed before it.
    state.trouble = undefined;
    state.l1 = undefined;
    if (severity === 'reset') {
      state.settled = false;
      const ancestor = await steps.reset(signal);
      log.warn({ l1: ancestor.number, safe: ancestor.safe.number }, 'derivation reset to a common L1 block');
      return;
    }
    if (severity === 'critical') {
      state.halted = codeOf(error);
      log.error({ err: error }, 'derivation halted');
      return;
    }
    // Not of the rollup: a full disk, or a bug. Nothing is lost by trying again, more and more slowly.
    if (severity === undefined) state.trouble = codeOf(error);
    if (severity === 'temporary') state.l1 = (error as NectarError).message;
    state.disagreement = isNectarError(error, 'ROLLUP_L1_ENDPOINTS_DISAGREE') ? error.message : undefined;
    waitFor(isNectarError(error, 'ROLLUP_L1_BLOBS_UNREADABLE') ? error : undefined);
    if (state.failures === 1 && severity === undefined)
      log.error({ err: error }, 'derivation met an unexpected error and tries again');
    if (state.failures === 1 && severity === 'temporary') {
      // Our own words only: the cause may carry the endpoint's.
      log.warn({ code: codeOf(error), reason: state.l1 }, 'L1 cannot be followed for now');
      log.debug({ err: error }, 'L1 cannot be followed for now');
    }
  }

  async function pause(signal: AbortSignal): Promise<void> {
    const backoff = options.pollMs * 2 ** Math.min(state.failures, 16);
    const ms = Math.min(backoff, Math.max(options.maxBackoffMs, options.pollMs));
    await delay(ms, undefined, { signal: AbortSignal.any([signal, wake.signal]) }).catch(() => {});
    // Renewed only now, so that a poke during the work before still cuts the pause after it.
    if (wake.signal.aborted) wake = new AbortController();
  }

  async function attempt(action: () => Promise<void>, signal: AbortSignal): Promise<unknown> {
    try {
      await action();
      return undefined;
    } catch (error) {
      return signal.aborted ? undefined : error;
    }
  }

  function readinessOfL1(): Readiness {
    const why = state.l1 === undefined ? '' : `: ${state.l1}`;
    const silentMs = deps.silence.ms();
    const silent = `L1 has not answered for ${Math.round(silentMs / 1000)} s${why}`;
    if (!state.synced) {
      const hangs = state.l1 === undefined && silentMs > HANG_SAID_MS;
      return { ready: false, reason: `deriving the chain from L1${hangs ? `: ${silent}` : why}` };
    }
    if (silentMs > options.staleMs) return { ready: false, reason: silent };
    const failingMs = state.failingSince === undefined ? 0 : now() - state.failingSince;
    if (failingMs <= options.staleMs) return { ready: true };
    return { ready: false, reason: `L1 cannot be followed for ${Math.round(failingMs / 1000)} s${why}` };
  }

  return {
    async run(signal) {
      while (!signal.aborted && state.halted === undefined) {
        const telling = looked;
        looked = Promise.withResolvers();
        let error = await attempt(() => step(signal), signal);
        telling.resolve();
        // A reset asks L1 as well and may fail in its turn.
        while (error !== undefined && state.halted === undefined) {
          const failure = error;
          error = await attempt(() => recover(failure, signal), signal);
          if (error !== undefined) await pause(signal);
        }
        if (state.halted === undefined) await pause(signal);
      }
    },
    poke: () => wake.abort(),
    settled: () => state.settled,
    async look(timeoutMs) {
      // What is looked at already may have been asked for too early: the next look counts.
      const { promise } = looked;
      wake.abort();
      const late = delay(timeoutMs, undefined, { ref: false });
      await Promise.race([promise, late]);
    },
    obstacles() {
      const { waiting, disagreement } = state;
      return { ...(waiting !== undefined && { waiting }), ...(disagreement !== undefined && { disagreement }) };
    },
    readiness() {
      if (state.halted !== undefined) return { ready: false, reason: `derivation halted: ${state.halted}` };
      if (state.trouble !== undefined) return { ready: false, reason: `derivation stumbled: ${state.trouble}` };
      if (state.waiting !== undefined) return { ready: false, reason: state.waiting };
      return readinessOfL1();
    },
  };
}

function codeOf(error: unknown): string {
  return error instanceof NectarError ? error.code : 'internal error';
}
