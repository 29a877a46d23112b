import type { Logger, Metrics, NodeLogLevels, NodeMetrics } from '../telemetry/index.ts';
import type { AccessContext } from './audit-event.ts';
import type { AuditAnchor, GatewayAudit } from './audit-needs.ts';
import type { AuditorDecision, AuditorQueue, DecisionResult } from './auditor-schemas.ts';
import type { GatewayCustody } from './custody-needs.ts';
import type { KeyList } from './key-schemas.ts';
import type { NetworkInfo, NodeReadiness, NodeStatus } from './node-schemas.ts';
import type { SharedTexts } from './shared-texts.ts';
import type { StakeStatus } from './stake-schemas.ts';
import type { GatewayStore } from './store-needs.ts';
import type { Tokens } from './tokens.ts';
import type { WithdrawalList } from './withdrawal-schemas.ts';

export type { AccessContext, GatewayAuditEvent } from './audit-event.ts';

/** A service of this process answers at once, one of another role after a message. */
type Awaitable<T> = T | Promise<T>;

/** The provider's own schema decides what its settings may be; the gateway only bounds them. */
export interface Enrolment {
  readonly provider: string;
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly secret?: Uint8Array;
}

export interface GatewayKeys {
  state(): Awaitable<'locked' | 'unlocked'>;
  unlock(secret: { provider: string; passphrase?: Uint8Array }): Promise<void>;
  list(): Awaitable<
    readonly { id: string; createdAt: string; current: boolean; provider: string; destroyedAt?: string }[]
  >;
  /** What opens the node. */
  providers(): Awaitable<
    readonly { id: string; provider: string; title: string; attended: boolean; createdAt: string }[]
  >;
  /** What else the root key protects, and whether its key was replaced with the root key. */
  purposes(): Awaitable<readonly KeyList['purposes'][number][]>;
  rotate(): Promise<{ from: string; to: string; generation: number }>;
  /** Destroys every KEK but the current one. */
  retire(): Promise<{ destroyed: readonly string[]; generation: number }>;
  enroll(wanted: Enrolment): Promise<{ id: string; generation: number }>;
  change(id: string, wanted: Enrolment): Promise<{ id: string; generation: number }>;
  remove(id: string): Promise<{ id: string; generation: number }>;
  /** Another root key, for all providers but those that are named; `secret`: the passphrase of those that are attended. */
  replaceRoot(wanted: {
    readonly without: readonly string[];
    readonly secret?: Uint8Array;
  }): Promise<{ providers: readonly string[]; generation: number }>;
  /** Accepts a key list that contradicts the log. */
  resolve(): Promise<{ from: string; to: string; generation: number }>;
}

/** What a node says of a copy of itself: `kind: 'file'` of one in one file, `'snapshot'` of one in a repository. */
export type CopyStatement =
  | {
      readonly kind: 'file';
      readonly createdAt: string;
      readonly entries: number;
      readonly bytes: number;
      readonly manifestSha256: string;
    }
  | {
      readonly kind: 'snapshot';
      readonly repository: string;
      readonly generation: number;
      readonly createdAt: string;
      readonly leaves: number;
      readonly checkpointSize: number;
      readonly checkpointRoot: string;
      readonly manifestSha256: string;
      readonly tableSha256: string;
      readonly previous: string;
    };

export interface GatewayBackups {
  /** Ed25519 by the checkpoint key over the statement's text. */
  sign(statement: CopyStatement): Promise<Uint8Array>;
  /** Seals the metadata of a repository. */
  repositoryKey(repository: string): Promise<Uint8Array>;
}

export interface GatewayPeer {
  readonly peerId: string;
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  readonly since: string;
}

/** What a subscription says: first `opened` or `refused`, then events; after `ended` nothing more. */
export interface SubscriptionItem {
  readonly kind: 'opened' | 'refused' | 'event' | 'ended';
  /** Of `refused`: a JSON-RPC error. */
  readonly code?: number;
  readonly message?: string;
  readonly result?: unknown;
  readonly reason?: string;
}

/** What the gateway needs from the rest of the node. A service that has not started throws NODE_NOT_READY. */
export interface GatewayDependencies {
  readonly keys: GatewayKeys;
  readonly backups: GatewayBackups;
  readonly audit: GatewayAudit;
  readonly store: GatewayStore;
  readonly custody: GatewayCustody;
  /** JSON-RPC 2.0, single or batch; undefined when the body held notifications only. Never throws once started. */
  readonly rollup: {
    rpc(body: unknown, caller?: string, signal?: AbortSignal): Promise<unknown>;
    /** eth_subscribe with these parameters; ends with the signal. */
    subscribe(params: unknown, caller: string, signal: AbortSignal): AsyncIterable<SubscriptionItem>;
    /** ETH of the operator's account to L1; resolves once the sequencer has taken it. */
    withdraw(what: { readonly to: string; readonly amountWei: string }): Promise<{ readonly transaction: string }>;
    withdrawals(): Promise<readonly WithdrawalList['withdrawals'][number][]>;
    /** Executes one on L1 and waits until it is mined. */
    claim(which: { readonly id: number }): Promise<void>;
    /** The stake by which this node asserts L2 on L1, and whether it is to have one. */
    stakeStatus(): Promise<StakeStatus>;
    setStaking(wish: { readonly wanted: boolean }): Promise<StakeStatus>;
    /** The state at the latest confirmed assertion, part by part. */
    snapshot(): AsyncIterable<Uint8Array>;
    /** Gives up unsafe blocks above `to`; without it, all that L1 has not confirmed. */
    rewind(to: { readonly to?: number }): Promise<{ readonly from: number; readonly to: number }>;
  };
  readonly p2p: { peers(): Awaitable<readonly GatewayPeer[]> };
  /** The anchored checkpoints that `audit verify` compares the log with. */
  readonly anchor: { anchors(): Promise<readonly AuditAnchor[]> };
  readonly node: {
    readiness(): Awaitable<NodeReadiness>;
    status(): Promise<NodeStatus>;
    network(): Promise<NetworkInfo>;
    /** Applies to the NodeRegistry; resolves once the application is accepted by the sequencer. */
    join(context: AccessContext): Promise<{ membership: string; transaction?: string }>;
    /** Leaves the network; resolves once the sequencer has accepted it. */
    leave(): Promise<{ membership: string; transaction: string }>;
    appeal(of: { readonly evidence: string }): Promise<{ membership: string; transaction: string }>;
  };
  /** What an accredited auditor decides through this node. */
  readonly auditor: {
    queue(): Promise<AuditorQueue>;
    decide(decision: AuditorDecision): Promise<DecisionResult>;
  };
  readonly tokens: Tokens;
  /** What this gateway shares with others of its node; without it, it is the only one. */
  readonly shared?: SharedTexts;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What every role counts, the gateway among them. */
  readonly nodeMetrics: NodeMetrics;
  /** How every role logs. */
  readonly logLevels: NodeLogLevels;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
}
