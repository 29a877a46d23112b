import type { Fault, Readiness } from '../service.ts';
import type { RoleLogState } from '../telemetry/index.ts';
import { type Anchored, describeAnchored, type ShownAnchored } from './anchored.ts';
import { type Assertions, describeAssertions, type ShownAssertions } from './assertions.ts';
import { describeL1, type L1Standing, type ShownL1Standing } from './l1.ts';
import { describeLogLevels, type ShownLogLevel } from './log-levels.ts';
import { describeMembership, type MembershipStanding, type ShownMembership } from './membership.ts';
import type { Backups, ClientRevocation, CustodyStanding, Hardening } from './reports.ts';
import { describeStorage, type ShownStorage, type StoreCondition } from './storage.ts';
import { describeWitness, type ShownWitness, type WitnessStanding } from './witness.ts';

/** A service of this process answers at once, one of another role after a message. */
type Awaitable<T> = T | Promise<T>;

/** What the status is made of: each value throws while its service has not started, and is then null. */
export interface StatusDeps {
  readonly services: readonly { readonly name: string; readiness(): Awaitable<Readiness> }[];
  readonly isLocked: () => Awaitable<boolean>;
  readonly heads: () => Awaitable<Record<'unsafe' | 'safe' | 'finalized', { readonly number: bigint | number }>>;
  /** How many. */
  readonly peers: () => Awaitable<number>;
  /** In the registry. */
  readonly membership: () => Awaitable<MembershipStanding>;
  readonly records: () => Awaitable<number>;
  readonly audit: () => Awaitable<AuditStanding>;
  readonly anchored: () => Awaitable<Anchored>;
  /** Versions of records that the store knows to be anchored. */
  readonly anchoredRecords: () => Awaitable<number>;
  /** What is asserted of L2 on L1. */
  readonly assertions: () => Awaitable<Assertions>;
  readonly l1: () => Awaitable<L1Standing>;
  readonly witness: () => Awaitable<WitnessStanding>;
  /** Of the store's index. */
  readonly storage: () => Awaitable<StoreCondition>;
  /** What became of the list of tokens when it was held against the log; undefined until then. */
  readonly tokens: () => Awaitable<ReconciledTokens | undefined>;
  /** Of the last hardening report; null: there is none. */
  readonly hardening: () => Awaitable<Hardening | null>;
  /** What is on record of backup repositories; null: there is none. */
  readonly backups: () => Awaitable<Backups | null>;
  readonly custody: () => Awaitable<CustodyStanding>;
  readonly clientRevocations: () => Awaitable<readonly ClientRevocation[]>;
  /** How each role logs. */
  readonly logLevels: () => Awaitable<readonly RoleLogState[]>;
  readonly now: () => number;
}

/** A successor epoch of the log, as it declares itself. */
interface AuditEpoch {
  readonly number: number;
  readonly start: number;
  readonly origin: string;
  readonly at: number;
  readonly cause: 'restore' | 'resolve';
  readonly from: number;
  readonly outside?: { readonly size: number; readonly root: string; readonly where: string };
  readonly lost?: number;
}

interface AuditStanding {
  readonly size: number;
  readonly root: string;
  readonly epochs: readonly AuditEpoch[];
  readonly conflict: AuditConflict | null;
  readonly chain: 'waiting' | 'held' | 'silent';
  readonly nextErasure?: string;
}

interface AuditConflict {
  readonly code: string;
  readonly reason: string;
  /** Of the log at that moment. */
  readonly size: number;
  readonly head: { readonly size: number; readonly where: string };
}

interface ReconciledTokens {
  readonly found?: 'behind' | 'missing' | 'damaged';
  readonly revoked: number;
  readonly restored: number;
}

export interface StatusOptions {
  readonly nodeId: string;
  readonly peerId: string;
  readonly network: string;
  readonly version: string;
  readonly roles: readonly string[];
}

export interface Reason {
  service: string;
  reason: string;
  fault?: Fault;
}

export interface Status {
  ready: boolean;
  reasons: Reason[];
  locked: boolean;
  nodeId: string;
  peerId: string;
  network: string;
  version: string;
  uptimeSeconds: number;
  roles: string[];
  l2: { unsafe: number; safe: number; finalized: number } | null;
  peers: number | null;
  membership: ShownMembership | null;
  records: number | null;
  audit: {
    size: number;
    root: string;
    nextErasure?: string;
    epochs: AuditEpoch[];
    conflict: { code: string; reason: string; size: number; expected: number; where: string } | null;
    chain: 'waiting' | 'held' | 'silent';
  } | null;
  anchored: ShownAnchored | null;
  assertions: ShownAssertions | null;
  l1: ShownL1Standing | null;
  witness: ShownWitness | null;
  storage: ShownStorage | null;
  tokens: { found?: 'behind' | 'missing' | 'damaged'; revoked: number; restored: number } | null;
  hardening: Hardening | null;
  backups: Backups | null;
  custody: CustodyStanding | null;
  clientRevocations: ClientRevocation[] | null;
  logLevels: ShownLogLevel[] | null;
}

/** The node at a glance: usable or why not, and how far each part has come. */
export interface StatusView {
  readiness(): Promise<{ ready: boolean; reasons: Reason[] }>;
  status(): Promise<Status>;
}

export function createStatus(options: StatusOptions, deps: StatusDeps): StatusView {
  const startedAt = deps.now();

  async function readiness(): ReturnType<StatusView['readiness']> {
    const states = await Promise.all(
      deps.services.map(async (service) => ({ service: service.name, state: await service.readiness() })),
    );
    const reasons = states.flatMap(({ service, state }) => {
      if (state.ready) return [];
      const { reason, fault } = state;
      return [{ service, reason, ...(fault !== undefined && { fault }) }];
    });
    return { ready: reasons.length === 0, reasons };
  }

  return {
    readiness,
    async status() {
      const [
        state,
        locked,
        l2,
        peers,
        membership,
        records,
        audit,
        anchored,
        assertions,
        l1,
        witness,
        storage,
        tokens,
        hardening,
        backups,
        custody,
        clientRevocations,
        logLevels,
      ] = await Promise.all([
        readiness(),
        known(deps.isLocked),
        known(async () => describeHeads(await deps.heads())),
        known(deps.peers),
        known(async () => describeMembership(await deps.membership())),
        known(deps.records),
        known(async () => describeAudit(await deps.audit())),
        known(async () => describeAnchored(await deps.anchored(), await deps.anchoredRecords())),
        known(async () => describeAssertions(await deps.assertions())),
        known(async () => describeL1(await deps.l1())),
        known(async () => describeWitness(await deps.witness())),
        known(async () => describeStorage(await deps.storage())),
        known(async () => describeTokens(await deps.tokens())),
        known(deps.hardening),
        known(deps.backups),
        known(deps.custody),
        known(async () => [...(await deps.clientRevocations())]),
        known(async () => describeLogLevels(await deps.logLevels())),
      ]);
      return {
        ...state,
        // A store that does not answer opens nothing either, but no passphrase would change that: the reasons say it.
        locked: locked ?? false,
        nodeId: options.nodeId,
        peerId: options.peerId,
        network: options.network,
        version: options.version,
        uptimeSeconds: Math.max(0, Math.round((deps.now() - startedAt) / 1000)),
        roles: [...options.roles],
        l2,
        peers,
        membership,
        records,
        audit,
        anchored,
        assertions,
        l1,
        witness,
        storage,
        tokens,
        hardening,
        backups,
        custody,
        clientRevocations,
        logLevels,
      };
    },
  };
}

function describeHeads(heads: Awaited<ReturnType<StatusDeps['heads']>>): NonNullable<Status['l2']> {
  const { unsafe, safe, finalized } = heads;
  return { unsafe: Number(unsafe.number), safe: Number(safe.number), finalized: Number(finalized.number) };
}

function describeAudit({
  size,
  root,
  epochs,
  conflict,
  chain,
  nextErasure,
}: AuditStanding): NonNullable<Status['audit']> {
  const erasure = nextErasure === undefined ? {} : { nextErasure };
  const barred = conflict === null ? null : describeConflict(conflict);
  return { size, root, ...erasure, epochs: [...epochs], conflict: barred, chain };
}

function describeConflict({ code, reason, size, head }: AuditConflict) {
  return { code, reason, size, expected: head.size, where: head.where };
}

function describeTokens(reconciled: ReconciledTokens | undefined): Status['tokens'] {
  if (reconciled === undefined) return null;
  const { found, revoked, restored } = reconciled;
  return { ...(found === undefined ? {} : { found }), revoked, restored };
}

/** A service that has not started knows nothing yet; the reasons say why. */
async function known<T>(read: () => Awaitable<T>): Promise<T | null> {
  try {
    return await read();
  } catch {
    return null;
  }
}
