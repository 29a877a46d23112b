import type { ConnectionEnd } from '../connection-guard.ts';
import type { Logger } from '../telemetry/index.ts';
import type { GatewayAudit } from './audit-needs.ts';
import { createDenialWindows } from './denial-windows.ts';
import type { GatewayAuditEvent } from './dependencies.ts';

/** Of the anonymous budget of a minute, what one network may take. */
const NETWORK_SHARE = 0.5;
/** Events held while the log cannot be written yet (the node is locked), by who causes them; what does not fit is counted. */
const MAX_HELD = { anonymous: 64, identified: 256, observed: 64, summary: 64 } as const;
type Cause = keyof typeof MAX_HELD;

export interface SecurityEvents {
  /** Appends soon, never fails: the caller has already been refused. A flood is counted instead of written. */
  denied(event: GatewayAuditEvent, by: { readonly kind: string; readonly identified: boolean }): void;
  /** A connection ended by the bounds on connections: counted, and written once a minute for each network. */
  connectionEnded(why: ConnectionEnd, address: string): void;
  /** Appends now when the log is open, else as soon as it is: unlocking happens before there is a log. */
  observed(event: GatewayAuditEvent): void;
  /** Tries to write what is held, and the counts of minutes that have passed; with `closing`, all counts. */
  flush(closing?: boolean): Promise<void>;
}

export interface SecurityEventsDependencies {
  readonly audit: Pick<GatewayAudit, 'append'>;
  readonly log: Logger;
  readonly now: () => number;
}

/**
 * Evidence of refused requests. An anonymous peer can cause these at will, so they are bounded per minute and what is
 * left out is counted, and the counts are written: the disk cannot be filled from outside, the flood is on record, and it
 * pushes out nothing that an identified caller did.
 */
export function createSecurityEvents(
  maxPerMinute: number,
  { audit, log, now }: SecurityEventsDependencies,
): SecurityEvents {
  const held = createHeldEvents(audit, log);
  const bounds = { perMinute: maxPerMinute, perNetwork: Math.max(1, Math.floor(maxPerMinute * NETWORK_SHARE)) };
  const windows = createDenialWindows(bounds, now);
  let lost = 0;

  const hold = (event: GatewayAuditEvent, cause: Cause): boolean =>
    held.add({ ...event, detail: { ...event.detail, at: new Date(now()).toISOString() } }, cause);
  const summarise = (closing: boolean): void => {
    for (const event of windows.summaries(closing)) {
      if (!hold(event, 'summary')) lost += Number(event.detail?.suppressed ?? 1);
    }
  };
  return {
    observed(event) {
      const detail = { ...event.detail, ...(lost > 0 && { suppressed: lost }) };
      if (hold({ ...event, detail }, 'observed')) lost = 0;
      else lost++;
      void held.flush();
    },
    denied(event, { kind, identified }) {
      if (windows.take(event, kind, identified) && !hold(event, identified ? 'identified' : 'anonymous'))
        windows.giveBack(event, kind, identified);
      void held.flush();
    },
    connectionEnded(why, address) {
      windows.count('connection.refused', why, address);
    },
    flush(closing = false) {
      summarise(closing);
      return held.flush();
    },
  };
}

/** A queue before the log: in order, each event at most once, kept while the log does not take it. */
function createHeldEvents(audit: SecurityEventsDependencies['audit'], log: Logger) {
  const held: { event: GatewayAuditEvent; cause: Cause }[] = [];
  const counts: Record<Cause, number> = { anonymous: 0, identified: 0, observed: 0, summary: 0 };
  let flushing: Promise<void> | undefined;
  const drain = async (): Promise<void> => {
    for (let next = held[0]; next !== undefined; next = held[0]) {
      await audit.append(next.event);
      held.shift();
      counts[next.cause]--;
    }
  };
  return {
    /** False when there is no room for what this cause brings. */
    add(event: GatewayAuditEvent, cause: Cause): boolean {
      if (counts[cause] >= MAX_HELD[cause]) return false;
      counts[cause]++;
      held.push({ event, cause });
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
