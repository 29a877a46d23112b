import type { Logger } from '../telemetry/index.ts';
import type { GatewayAudit, GatewayAuditEvent } from './dependencies.ts';

const MINUTE_MS = 60_000;
/** Events held while the log cannot be written yet (the node is locked); what does not fit is counted. */
const MAX_HELD = 64;

export interface SecurityEvents {
  /** Appends soon, never fails: the caller has already been refused. A flood is counted instead of written. */
  denied(event: GatewayAuditEvent): void;
  /** Appends now when the log is open, else as soon as it is: unlocking happens before there is a log. */
  observed(event: GatewayAuditEvent): void;
  /** Tries to write what is held. */
  flush(): Promise<void>;
}

export interface SecurityEventsDependencies {
  readonly audit: Pick<GatewayAudit, 'append'>;
  readonly log: Logger;
  readonly now: () => number;
}

/**
 * Evidence of refused requests. An anonymous peer can cause these at will, so they are bounded per minute and the number
 * left out is written with the next one: the disk cannot be filled from outside, and the flood is still on record.
 */
export function createSecurityEvents(
  maxPerMinute: number,
  { audit, log, now }: SecurityEventsDependencies,
): SecurityEvents {
  const held: GatewayAuditEvent[] = [];
  let windowStart = Number.NEGATIVE_INFINITY;
  let written = 0;
  let suppressed = 0;
  let flushing: Promise<void> | undefined;

  const hold = (event: GatewayAuditEvent): void => {
    if (held.length >= MAX_HELD) {
      suppressed++;
      return;
    }
    const detail = { ...event.detail, at: new Date(now()).toISOString(), ...(suppressed > 0 && { suppressed }) };
    suppressed = 0;
    held.push({ ...event, detail });
  };
  const drain = async (): Promise<void> => {
    for (let event = held[0]; event !== undefined; event = held[0]) {
      await audit.append(event);
      held.shift();
    }
  };
  const flush = async (): Promise<void> => {
    flushing ??= drain()
      .catch((error: unknown) => log.debug({ err: error, held: held.length }, 'security events wait for the audit log'))
      .finally(() => {
        flushing = undefined;
      });
    await flushing;
  };

  return {
    denied(event) {
      if (now() - windowStart >= MINUTE_MS) {
        windowStart = now();
        written = 0;
      }
      if (written >= maxPerMinute) {
        suppressed++;
        return;
      }
      written++;
      hold(event);
      void flush();
    },
    observed(event) {
      hold(event);
      void flush();
    },
    flush,
  };
}
