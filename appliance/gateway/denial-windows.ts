import { networkOf } from '../peer-network.ts';
import type { GatewayAuditEvent } from './dependencies.ts';

const MINUTE_MS = 60_000;
/** Networks counted apart in one minute; those that come later are counted together. */
const MAX_NETWORKS = 256;
/** Summaries of anonymous peers in one minute; the loudest have their own, the rest one together. */
const MAX_SUMMARIES = 16;
const OTHERS = 'others';

export interface DenialBounds {
  /** Written one by one in a minute: of each identified caller, and of all anonymous peers together. */
  readonly perMinute: number;
  /** Of one network of anonymous peers. */
  readonly perNetwork: number;
}

/** Of whom: a caller whose token this node made, or the network that somebody unknown came from. */
type Crowd = { readonly caller: GatewayAuditEvent['context']['actor'] } | { readonly network: string };

interface Window {
  readonly crowd: Crowd;
  readonly type: GatewayAuditEvent['type'];
  written: number;
  /** Left out, by kind. */
  readonly suppressed: Map<string, number>;
}

export interface DenialWindows {
  /** True when the event may be written by itself; otherwise it was counted. */
  take(event: GatewayAuditEvent, kind: string, identified: boolean): boolean;
  /** Counts without ever writing one by one. */
  count(type: GatewayAuditEvent['type'], kind: string, address: string): void;
  /** An event taken could not be kept: it is counted as left out. */
  giveBack(event: GatewayAuditEvent, kind: string, identified: boolean): void;
  /** What the minutes that have passed left out, each crowd in one event; with `closing`, this minute too. */
  summaries(closing?: boolean): GatewayAuditEvent[];
}

/**
 * The budgets of evidence of refused requests. Anonymous peers share theirs, by network, and cannot spend that of a caller
 * with a token: each caller has a budget of its own. What goes beyond is counted by kind, and the counts become evidence
 * when the minute ends.
 */
export function createDenialWindows(bounds: DenialBounds, now: () => number): DenialWindows {
  let windows = new Map<string, Window>();
  let startedAt = now();
  let anonymous = 0;

  const windowOf = (type: GatewayAuditEvent['type'], crowd: Crowd): Window => {
    const key = 'caller' in crowd ? `${type} caller ${crowd.caller.tokenId}` : `${type} network ${crowd.network}`;
    const known = windows.get(key);
    if (known !== undefined) return known;
    if ('network' in crowd && crowd.network !== OTHERS && windows.size >= MAX_NETWORKS)
      return windowOf(type, { network: OTHERS });
    const window = { crowd, type, written: 0, suppressed: new Map() };
    windows.set(key, window);
    return window;
  };
  const suppress = (window: Window, kind: string): void => {
    window.suppressed.set(kind, (window.suppressed.get(kind) ?? 0) + 1);
  };
  const crowdOf = ({ context }: GatewayAuditEvent, identified: boolean): Crowd =>
    identified ? { caller: context.actor } : { network: networkOf(context.address ?? 'unknown') };

  return {
    take(event, kind, identified) {
      const window = windowOf(event.type, crowdOf(event, identified));
      const allowed = identified
        ? window.written < bounds.perMinute
        : window.written < bounds.perNetwork && anonymous < bounds.perMinute;
      if (!allowed) {
        suppress(window, kind);
        return false;
      }
      window.written++;
      if (!identified) anonymous++;
      return true;
    },
    count(type, kind, address) {
      suppress(windowOf(type, { network: networkOf(address) }), kind);
    },
    giveBack(event, kind, identified) {
      suppress(windowOf(event.type, crowdOf(event, identified)), kind);
    },
    summaries(closing = false) {
      const at = now();
      if (!closing && at - startedAt < MINUTE_MS) return [];
      const ended = [...windows.values()].filter(({ suppressed }) => suppressed.size > 0);
      const span = { since: new Date(startedAt).toISOString(), until: new Date(at).toISOString() };
      windows = new Map();
      startedAt = at;
      anonymous = 0;
      return summarise(ended, span);
    },
  };
}

function summarise(windows: readonly Window[], span: { since: string; until: string }): GatewayAuditEvent[] {
  const callers = windows.filter(({ crowd }) => 'caller' in crowd);
  const peers = windows.filter(({ crowd }) => 'network' in crowd).sort((a, b) => totalOf(b) - totalOf(a));
  const rest = new Map<GatewayAuditEvent['type'], Window>();
  for (const { type, suppressed } of peers.slice(MAX_SUMMARIES)) {
    const together = rest.get(type) ?? { crowd: { network: OTHERS }, type, written: 0, suppressed: new Map() };
    for (const [kind, count] of suppressed) together.suppressed.set(kind, (together.suppressed.get(kind) ?? 0) + count);
    rest.set(type, together);
  }
  return [...callers, ...peers.slice(0, MAX_SUMMARIES), ...rest.values()].map((window) => summaryOf(window, span));
}

function summaryOf(window: Window, span: { since: string; until: string }): GatewayAuditEvent {
  const { crowd, type } = window;
  const kinds = [...window.suppressed].map(([kind, count]) => `${kind} ${count}`).join(', ');
  return {
    type,
    outcome: 'failure',
    context: {
      actor: 'caller' in crowd ? crowd.caller : { subject: 'anonymous' },
      requestId: `denials/${span.since}`,
    },
    detail: {
      suppressed: totalOf(window),
      kinds,
      ...('network' in crowd && { network: crowd.network }),
      ...span,
    },
  };
}

function totalOf({ suppressed }: Window): number {
  return [...suppressed.values()].reduce((sum, count) => sum + count, 0);
}
