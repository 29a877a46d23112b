import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../../telemetry/index.ts';
import type { ChainDatabase } from '../execute/chain-database.ts';
import type { Executor } from '../execute/executor.ts';
import { pruneState, readPruneRecord } from './prune-state.ts';
import { findPruneTarget } from './prune-target.ts';

const HOUR_MS = 3_600_000;
const LOOK_MS = 60_000;
/** After a start it takes moments until this node has found right again what is confirmed. */
const LOOK_UNKNOWN_MS = 2_000;
/** Of the time that pruning works it rests this multiple: the node's work goes before. */
const REST_FACTOR = 3;

export interface PrunerOptions {
  /** State of the last so many hours before the finalized block stays; 0: all of it. */
  readonly stateHistoryHours: number;
}

export interface PrunerDeps {
  readonly database: ChainDatabase;
  readonly executor: Executor;
  /** The block of the newest assertion that L1 confirmed and this node finds right: what is asserted on top of it is judged by state from there on. */
  readonly confirmed: () => bigint | undefined;
  /** The oldest block of a chain that began with a snapshot. */
  readonly historyFrom: () => Promise<bigint>;
  /** Remembers what is read of the state of blocks up to this one, while it is here. */
  readonly prepare: (block: bigint) => Promise<void>;
  readonly onFloor: (floor: bigint) => void;
  readonly log: Logger;
}

/** Removes old state by itself, so that a node does not grow with every block for ever. */
export interface Pruner {
  /** Reads from where on the state is there. Once, before anybody asks. */
  open(): Promise<void>;
  /** The first block whose state is here. */
  stateFrom(): bigint;
  run(signal: AbortSignal): Promise<void>;
}

export function createPruner({ stateHistoryHours }: PrunerOptions, deps: PrunerDeps): Pruner {
  const { database, executor, confirmed, log } = deps;
  let floor = 0n;

  function learn(next: bigint): void {
    floor = next > floor ? next : floor;
    deps.onFloor(floor);
  }

  async function timeOf(number: bigint): Promise<bigint | undefined> {
    const hash = await database.canonicalHash(number);
    return hash && (await database.block(hash))?.header.timestamp;
  }

  async function target(): Promise<bigint | undefined> {
    const last = confirmed();
    const windowSeconds = BigInt((stateHistoryHours * HOUR_MS) / 1000);
    const { finalized } = executor.heads();
    return last === undefined
      ? undefined
      : findPruneTarget({ floor, finalized, confirmed: last, windowSeconds }, timeOf);
  }

  async function look(signal: AbortSignal): Promise<void> {
    const unfinished = (await readPruneRecord(executor)).run;
    const to = unfinished?.target ?? (await target());
    if (to === undefined) return;
    log.info({ to, resumed: unfinished !== undefined }, 'old L2 state is being removed');
    let began = performance.now();
    const rest = async (): Promise<void> => {
      await delay((performance.now() - began) * REST_FACTOR, undefined, { signal });
      began = performance.now();
    };
    await deps.prepare(to);
    await pruneState(to, { database, executor, rest, onFloor: learn });
    log.info({ from: floor }, 'old L2 state is removed');
  }

  return {
    async open() {
      learn(await deps.historyFrom());
      learn((await readPruneRecord(executor)).floor);
    },
    stateFrom: () => floor,
    async run(signal) {
      while (!signal.aborted) {
        try {
          if (stateHistoryHours > 0) await look(signal);
        } catch (error) {
          if (!signal.aborted) log.error({ err: error }, 'old L2 state cannot be removed');
        }
        const pauseMs = stateHistoryHours > 0 && confirmed() === undefined ? LOOK_UNKNOWN_MS : LOOK_MS;
        await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      }
    },
  };
}
