import type { Cid, RecordId, RootHash } from '../../protocol/brand.ts';
import type { AuditFilter } from '../../protocol/merkle/audit-filter.ts';
import type { Logger, Metrics, NodeMetrics } from '../telemetry/index.ts';
import type { AccessContext, GatewayAuditEvent } from './audit-event.ts';
import type { NetworkInfo, NodeReadiness, NodeStatus } from './schemas.ts';
import type { Tokens } from './tokens.ts';

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
  rotate(): Promise<{ from: string; to: string; generation: number }>;
  /** Destroys every KEK but the current one. */
  retire(): Promise<{ destroyed: readonly string[]; generation: number }>;
  enroll(wanted: Enrolment): Promise<{ id: string; generation: number }>;
  change(id: string, wanted: Enrolment): Promise<{ id: string; generation: number }>;
  remove(id: string): Promise<{ id: string; generation: number }>;
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

export interface AuditAnchor {
  readonly size: number;
  readonly root: RootHash;
  readonly where: string;
  /** When it was anchored, milliseconds. */
  readonly at?: number;
}

/** A successor epoch of the log, with what it declares lost. */
export interface DeclaredGap {
  readonly number: number;
  readonly start: number;
  readonly origin: string;
  /** Milliseconds. */
  readonly at: number;
  readonly cause: 'restore' | 'resolve';
  readonly from: number;
  readonly outside?: { readonly size: number; readonly root: RootHash; readonly where: string };
  readonly lost?: number;
}

export interface GatewayAuditVerdict {
  readonly integrity: string;
  readonly completeness: string;
  readonly size: number;
}

export interface GatewayAuditQuery {
  readonly filter: AuditFilter;
  readonly records?: readonly string[];
  readonly limit: number;
  readonly after?: number;
  readonly cursor?: string;
}

export interface GatewayAuditExport {
  readonly filter: AuditFilter;
  readonly records?: readonly string[];
  readonly bodies: boolean;
  readonly allLeaves: boolean;
  readonly anchors: readonly AuditAnchor[];
}

export interface GatewayAuditPage {
  readonly entries: readonly object[];
  readonly cursor?: string;
  readonly from: number;
  readonly to: number;
  readonly undecided: number;
}

export interface GatewayAudit {
  append(event: GatewayAuditEvent): Promise<{ index: number }>;
  checkpoint(): Promise<{ origin: string; size: number; root: RootHash; note: string }>;
  entry(index: number, context: AccessContext): Promise<object>;
  /** One leaf says of the whole reading what was asked, before its first page. */
  query(query: GatewayAuditQuery, context: AccessContext, signal: AbortSignal): Promise<GatewayAuditPage>;
  /** Lines of a bundle; what they show is in the log before the first one. */
  export(request: GatewayAuditExport, context: AccessContext, signal: AbortSignal): Promise<AsyncIterable<Uint8Array>>;
  /** With a context the proof shows the body, and that is logged; without one it shows none. */
  prove(index: number, context?: AccessContext): Promise<object>;
  verify(options: { anchors: readonly AuditAnchor[]; signal: AbortSignal }): Promise<GatewayAuditVerdict>;
  /** Declares what is missing lost, and begins a successor epoch; on record in the log itself. */
  resolve(request: {
    context: AccessContext;
    told?: readonly { note: string; where: string; at: number }[];
  }): Promise<DeclaredGap>;
}

export interface StoredMeta {
  readonly recordId: RecordId;
  readonly version: number;
  readonly bytes: number;
  readonly contentType: string;
  readonly labels: readonly string[];
  readonly name?: string;
  readonly cid: Cid;
  readonly createdAt: string;
  readonly kekId: string;
  readonly replicas: readonly string[];
  readonly anchored: boolean;
  readonly digests?: ContentDigests;
}

/** Digests of a plaintext, base64 (RFC 9530). */
export interface ContentDigests {
  readonly 'sha-256'?: string;
  readonly 'sha-512'?: string;
}

export interface PutReceipt {
  readonly recordId: RecordId;
  readonly version: number;
  readonly cid: Cid;
  readonly bytes: number;
  readonly auditLeaf: number;
  /** Of an earlier put with the same idempotency key; nothing was stored now. */
  readonly replayed?: true;
}

/** Makes a put that is sent again one and the same put. */
export interface IdempotencyKey {
  readonly key: string;
  readonly facts: readonly string[];
  readonly ttlMs: number;
  readonly maxKeys: number;
}

/** What a change expects the record's current version to be, by its CID; held against it in one step with the change. */
export interface Expected {
  readonly match?: 'any' | readonly string[];
  readonly noneMatch?: 'any' | readonly string[];
}

export interface PutInput {
  readonly recordId?: RecordId;
  readonly contentType: string;
  readonly labels: readonly string[];
  readonly name?: string;
  readonly expected?: Expected;
  readonly digests?: ContentDigests;
  readonly idempotency?: IdempotencyKey;
}

export interface OpenedRecord {
  readonly meta: StoredMeta;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  /** Each piece is the reader's own. */
  readonly body: AsyncIterable<Uint8Array>;
  readonly auditLeaf: number;
}

/** How far an upload in several requests has come. */
export interface UploadState {
  readonly id: string;
  readonly offset: number;
  readonly bytes: number;
  readonly expiresAt: string;
  /** Once it is a record. */
  readonly receipt?: PutReceipt;
}

/** Uploads in several requests; each belongs to a subject. */
export interface GatewayUploads {
  begin(plan: { readonly input: PutInput; readonly bytes: number }, context: AccessContext): Promise<UploadState>;
  append(
    id: string,
    from: { readonly offset: number; readonly body: AsyncIterable<Uint8Array> },
    context: AccessContext,
    signal: AbortSignal,
  ): Promise<UploadState>;
  state(id: string, context: AccessContext): Promise<UploadState>;
  discard(id: string, context: AccessContext): Promise<void>;
}

/** The sealed blob of a version, or the Tink keyset that opens it. */
export interface TinkExport {
  readonly recordId: RecordId;
  readonly version: number;
  readonly blobBytes: number;
  /** Hex. */
  readonly associatedData: string;
  readonly auditLeaf: number;
  /** Each piece is the reader's own; a keyset is one piece, which the reader wipes. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface GatewayStore {
  readonly uploads: GatewayUploads;
  put(
    input: PutInput,
    body: AsyncIterable<Uint8Array>,
    context: AccessContext,
    signal: AbortSignal,
  ): Promise<PutReceipt>;
  /** The audit record is durable before this resolves. `range.end` is exclusive. */
  open(
    id: RecordId,
    options: { version?: number; range?: { start: number; end?: number } },
    context: AccessContext,
    signal: AbortSignal,
  ): Promise<OpenedRecord>;
  head(id: RecordId, options: { version?: number }, context: AccessContext): Promise<StoredMeta>;
  list(
    query: { label?: string; limit: number; cursor?: string },
    context: AccessContext,
  ): Promise<{ records: readonly StoredMeta[]; cursor?: string; damaged?: number }>;
  shred(id: RecordId, context: AccessContext, expected?: Expected): Promise<object>;
  rewrap(onProgress: (done: number) => void, context: AccessContext): Promise<{ rewrapped: number }>;
  exportCar(id: RecordId, options: { version?: number }, context: AccessContext): AsyncIterable<Uint8Array>;
  exportTink(
    id: RecordId,
    options: { part: 'blob' | 'keyset'; version?: number },
    context: AccessContext,
    signal: AbortSignal,
  ): Promise<TinkExport>;
  scrub(onProgress: () => void, signal: AbortSignal): Promise<object>;
  fsck(
    options: { readonly accept: boolean; readonly context: AccessContext },
    onProgress: () => void,
    signal: AbortSignal,
  ): Promise<object>;
}

export interface GatewayPeer {
  readonly peerId: string;
  readonly address: string;
  readonly direction: 'inbound' | 'outbound';
  readonly since: string;
}

/** What the gateway needs from the rest of the node. A service that has not started throws NODE_NOT_READY. */
export interface GatewayDependencies {
  readonly keys: GatewayKeys;
  readonly backups: GatewayBackups;
  readonly audit: GatewayAudit;
  readonly store: GatewayStore;
  /** JSON-RPC 2.0, single or batch; undefined when the body held notifications only. Never throws once started. */
  readonly rollup: {
    rpc(body: unknown): Promise<unknown>;
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
  };
  readonly tokens: Tokens;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** What every role counts, the gateway among them. */
  readonly nodeMetrics: NodeMetrics;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly randomBytes: (length: number) => Uint8Array;
}
