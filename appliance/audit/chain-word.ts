import type { Logger } from '../telemetry/index.ts';
import type { AuditInput } from './event.ts';
import type { AuditMetrics } from './metrics.ts';

/**
 * `waiting` for the chain's first word since the start; `held` against it; `silent`: it did not answer in time, and what is here is
 * served although an older machine could not tell.
 */
export type ChainWordState = 'waiting' | 'held' | 'silent';

/** A whole machine put back to an older state agrees with itself: only what is outside knows better. */
export interface ChainWord {
  readonly state: ChainWordState;
  /** Lets what a caller does wait until the chain has spoken, or its time is over. */
  before(event: Pick<AuditInput, 'type' | 'context'>): Promise<void>;
  /** The log was held against a chain that is known up to now. */
  heard(): void;
  /** Ends the waiting: the log is barred, or closed. */
  release(): void;
}

/** What shows or changes private data. Unlocking, resolving and what the node does by itself go on. */
const PRIVATE = /^(record|upload)\.|^audit\.(read|query|export)$/;

export function createChainWord(of: {
  /** undefined: there is no chain to wait for. */
  readonly waitMs: number | undefined;
  readonly log: Logger;
  readonly metrics: Pick<AuditMetrics, 'chainSilent'>;
}): ChainWord {
  const { waitMs, log, metrics } = of;
  let state: ChainWordState = waitMs === undefined ? 'held' : 'waiting';
  const over = Promise.withResolvers<void>();
  const timer =
    waitMs === undefined
      ? undefined
      : setTimeout(() => {
          state = 'silent';
          metrics.chainSilent.set(1);
          log.warn({ waitMs }, 'the chain has not answered since the start: what is here is served, older or not');
          over.resolve();
        }, waitMs).unref();
  const release = (): void => {
    clearTimeout(timer);
    over.resolve();
  };
  return {
    get state() {
      return state;
    },
    async before({ type, context }) {
      if (state === 'waiting' && context.actor.tokenId !== undefined && PRIVATE.test(type)) await over.promise;
    },
    heard() {
      if (state === 'silent') log.info({}, 'the chain has answered: the log is held against it');
      state = 'held';
      metrics.chainSilent.set(0);
      release();
    },
    release,
  };
}
