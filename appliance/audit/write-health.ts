import { setTimeout as delay } from 'node:timers/promises';
import { isNectarError } from '../../protocol/errors.ts';
import type { Logger } from '../telemetry/index.ts';

/** How often a log that could not be written tries again by itself. */
const WRITE_PROBE_MS = 2_000;

/** Knows whether the log can be written, and finds out by itself when it can again. */
export interface WriteHealth {
  /** Runs an append and remembers how it went. */
  watch<T>(append: () => Promise<T>): Promise<T>;
  /** Why the last append failed; undefined while the log is writable. */
  readonly failure: string | undefined;
}

export interface WriteHealthDeps {
  readonly log: Logger;
  /** Ends the probing. */
  readonly signal: AbortSignal;
  /** Appends an event that says that recording had stopped: the attempt is the test, its success the evidence. */
  readonly probe: () => Promise<unknown>;
}

export function createWriteHealth({ log, signal, probe }: WriteHealthDeps): WriteHealth {
  let failure: string | undefined;
  let isProbing = false;

  async function probeUntilWritable(): Promise<void> {
    isProbing = true;
    while (failure !== undefined) {
      const waited = await delay(WRITE_PROBE_MS, true, { signal, ref: false }).catch(() => false);
      if (!waited) break;
      if (failure !== undefined) await probe().catch(() => undefined); // a failed probe is remembered by watch()
    }
    isProbing = false;
  }

  return {
    get failure() {
      return failure;
    },
    async watch(append) {
      try {
        const appended = await append();
        if (failure !== undefined) log.info({}, 'the audit log is writable again');
        failure = undefined;
        return appended;
      } catch (error) {
        if (isNectarError(error, 'NODE_DISK_FULL') || isNectarError(error, 'AUDIT_NOT_WRITABLE')) {
          if (failure === undefined)
            log.error({ code: error.code }, 'the audit log cannot be written: nothing private is served');
          failure = error.message;
          if (!isProbing) void probeUntilWritable();
        }
        throw error;
      }
    },
  };
}
