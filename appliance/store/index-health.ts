import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../telemetry/index.ts';
import type { IndexDb } from './index-db.ts';

/** How often an index that could not be written is tried again by itself. */
const WRITE_PROBE_MS = 2_000;

/** Knows whether the index takes writes, and finds out by itself when it does again. */
export interface IndexHealth {
  /** Why the last commit failed; undefined while the index is writable. */
  readonly failure: string | undefined;
}

export interface IndexHealthDeps {
  readonly log: Logger;
  /** Ends the probing. */
  readonly signal: AbortSignal;
  readonly probeMs?: number;
}

/** Watches the commits of an index. While none succeeds, an empty one is tried every two seconds. */
export function watchIndex(
  db: IndexDb,
  { log, signal, probeMs = WRITE_PROBE_MS }: IndexHealthDeps,
): { readonly db: IndexDb; readonly health: IndexHealth } {
  let failure: string | undefined;
  let isProbing = false;

  const commit: IndexDb['commit'] = async (ops, how) => {
    try {
      await db.commit(ops, how);
      if (failure !== undefined) log.info({}, 'the index of the store is writable again');
      failure = undefined;
    } catch (error) {
      // What a stop cuts off says nothing of the disk.
      if (signal.aborted) throw error;
      const { message } = error as Error;
      if (failure === undefined) log.error({ reason: message }, 'the index of the store cannot be written');
      failure = message;
      if (!isProbing) void probeUntilWritable();
      throw error;
    }
  };

  async function probeUntilWritable(): Promise<void> {
    isProbing = true;
    while (failure !== undefined) {
      const waited = await delay(probeMs, true, { signal, ref: false }).catch(() => false);
      if (!waited) break;
      if (failure !== undefined) await commit([]).catch(() => undefined);
    }
    isProbing = false;
  }

  const health = {
    get failure() {
      return failure;
    },
  };
  return { db: { ...db, commit }, health };
}
