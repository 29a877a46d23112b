import { setTimeout as sleep } from 'node:timers/promises';
import { isNectarError, type NectarError } from '../../../protocol/errors.ts';
import type { Keys } from '../../keys/index.ts';
import { faulty, type Service } from '../../service.ts';
import type { Logger } from '../../telemetry/index.ts';
import type { AuditKeysClient } from './client.ts';

const RETRY_MS = 250;
/** These do not pass by themselves: a person must act. */
const STANDING: readonly string[] = ['VOLUME_MISSING', 'VOLUME_MARKS_INVALID', 'NODE_IDENTITY_DIFFERENT'];

export interface KeyHandoverDeps {
  readonly keys: Pick<Keys, 'derive' | 'openIdentity'>;
  readonly audit: Pick<AuditKeysClient, 'hand' | 'attend'>;
  readonly log: Logger;
}

/**
 * In the store role: gives the audit role its two keys, and again whenever its process is a new one. Starts once the log is
 * open: what the store then ends of a crash is put on record.
 */
export function createKeyHandover({ keys, audit, log }: KeyHandoverDeps): Service {
  const abort = new AbortController();
  let loop: Promise<void> | undefined;
  let missing: string | undefined = 'not started';
  /** Why the log gets none, where that stands until a person acts: a start that waits ends with it. */
  let fault: NectarError | undefined;

  async function handOver(signal: AbortSignal): Promise<void> {
    for (;;) {
      signal.throwIfAborted();
      try {
        await audit.hand(keys.derive('audit-body'), await keys.openIdentity('checkpoint'), signal);
        missing = fault = undefined;
        log.info({}, 'audit received its keys');
        return;
      } catch (error) {
        if (signal.aborted) throw error;
        missing = isNectarError(error) ? error.message : 'audit did not take its keys';
        const standing = isNectarError(error) && STANDING.includes(error.code) ? error : undefined;
        if (standing !== undefined && standing.message !== fault?.message)
          log.error({ code: standing.code, reason: missing }, 'audit cannot receive its keys');
        else log.debug({ err: error }, 'audit has not taken its keys yet');
        fault = standing;
      }
      await sleep(RETRY_MS, undefined, { signal });
    }
  }

  async function attend(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await audit.attend(signal).catch(() => undefined);
      if (signal.aborted) return;
      fault = undefined;
      missing = 'audit has ended, or lost its keys';
      await sleep(RETRY_MS, undefined, { signal }).catch(() => undefined);
      await handOver(signal).catch(() => undefined);
    }
  }

  return {
    name: 'audit keys',
    async start(signal) {
      const until = AbortSignal.any([signal, abort.signal]);
      missing = 'audit does not answer';
      await handOver(until);
      loop = attend(until);
    },
    async stop() {
      abort.abort();
      await loop;
    },
    readiness() {
      if (missing === undefined) return { ready: true };
      return fault === undefined ? { ready: false, reason: missing } : faulty(fault);
    },
  };
}
