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
  const held = createHeldEvents(audit, log);
  const mayWrite = createMinuteBudget(maxPerMinute, now);
  let suppressed = 0;

  const observed = (event: GatewayAuditEvent): void => {
    const detail = { ...event.detail, at: new Date(now()).toISOString(), ...(suppressed > 0 && { suppressed }) };
    if (held.add({ ...event, detail })) suppressed = 0;
    else suppressed++;
    void held.flush();
  };
  return {
    observed,
    denied(event) {
      if (mayWrite()) observed(event);
      else suppressed++;
    },
    flush: held.flush,
  };
}

/** A queue before the log: in order, each event at most once, kept while the log does not take it. */
function createHeldEvents(audit: SecurityEventsDependencies['audit'], log: Logger) {
  const held: GatewayAuditEvent[] = [];
  let flushing: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    for (let event = held[0]; event !== undefined; event = held[0]) {
      await audit.append(event);
      held.shift();
    }
  };
  return {
    /** False when there is no room. */
    add(event: GatewayAuditEvent): boolean {
      if (held.length >= MAX_HELD) return false;
      held.push(event);
      return true;
    },
    flush(): Promise<void> {
      flushing ??= drain()
        .catch((error: unknown) =>
          log.debug({ err: error, held: held.length }, 'security events wait for the audit log'),
        )
        .finally(() => {
          flushing = undefined;
        });
      return flushing;
    },
  };
}

function createMinuteBudget(max: number, now: () => number): () => boolean {
  let start = Number.NEGATIVE_INFINITY;
  let spent = 0;
  return () => {
    if (now() - start >= MINUTE_MS) {
      start = now();
      spent = 0;
    }
    spent++;
    return spent <= max;
  };
}
