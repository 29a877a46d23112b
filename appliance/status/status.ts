import type { Readiness } from '../service.ts';

/** What the status is made of: each value throws while its service has not started, and is then null. */
export interface StatusDeps {
  readonly services: readonly { readonly name: string; readiness(): Readiness }[];
  readonly isLocked: () => boolean;
  readonly heads: () => Record<'unsafe' | 'safe' | 'finalized', { readonly number: bigint }>;
  readonly peers: () => readonly unknown[];
  readonly records: () => number;
  readonly audit: () => { readonly size: number; readonly root: string };
  readonly anchored: () => Anchored;
  readonly now: () => number;
}

interface Anchored {
  readonly records: number;
  readonly auditSize: number;
  readonly safeBlock: string | null;
  readonly pending: number;
  readonly waiting?: string;
}

export interface StatusOptions {
  readonly nodeId: string;
  readonly peerId: string;
  readonly network: string;
  readonly version: string;
  readonly roles: readonly string[];
}

export interface Status {
  ready: boolean;
  reasons: { service: string; reason: string }[];
  locked: boolean;
  nodeId: string;
  peerId: string;
  network: string;
  version: string;
  uptimeSeconds: number;
  roles: string[];
  l2: { unsafe: number; safe: number; finalized: number } | null;
  peers: number | null;
  records: number | null;
  audit: { size: number; root: string } | null;
  anchored: { records: number; auditSize: number; safeBlock: number; pending: number; waiting?: string } | null;
}

/** The node at a glance: usable or why not, and how far each part has come. */
export interface StatusView {
  readiness(): { ready: boolean; reasons: { service: string; reason: string }[] };
  status(): Status;
}

export function createStatus(options: StatusOptions, deps: StatusDeps): StatusView {
  const startedAt = deps.now();

  function readiness(): ReturnType<StatusView['readiness']> {
    const reasons = deps.services.flatMap((service) => {
      const state = service.readiness();
      return state.ready ? [] : [{ service: service.name, reason: state.reason }];
    });
    return { ready: reasons.length === 0, reasons };
  }

  return {
    readiness,
    status: () => ({
      ...readiness(),
      locked: deps.isLocked(),
      nodeId: options.nodeId,
      peerId: options.peerId,
      network: options.network,
      version: options.version,
      uptimeSeconds: Math.max(0, Math.round((deps.now() - startedAt) / 1000)),
      roles: [...options.roles],
      l2: known(() => describeHeads(deps.heads())),
      peers: known(() => deps.peers().length),
      records: known(deps.records),
      audit: known(deps.audit),
      anchored: known(() => describeAnchored(deps.anchored())),
    }),
  };
}

function describeHeads(heads: ReturnType<StatusDeps['heads']>): NonNullable<Status['l2']> {
  const { unsafe, safe, finalized } = heads;
  return { unsafe: Number(unsafe.number), safe: Number(safe.number), finalized: Number(finalized.number) };
}

function describeAnchored({
  records,
  auditSize,
  safeBlock,
  pending,
  waiting,
}: Anchored): NonNullable<Status['anchored']> {
  const base = { records, auditSize, safeBlock: Number(safeBlock ?? 0), pending };
  return waiting === undefined ? base : { ...base, waiting };
}

/** A service that has not started knows nothing yet; the reasons say why. */
function known<T>(read: () => T): T | null {
  try {
    return read();
  } catch {
    return null;
  }
}
