/** What the store needs of others (satisfied by wire.ts). */
import type { CodedShard, SegmentCoder } from '../../coding/host/segment-coder.ts';
import type { Cid, PeerIdText, RecordId } from '../../protocol/brand.ts';
import type { DekContext } from '../../protocol/envelope/aad.ts';
import type { EnvelopeCrypto } from '../../protocol/envelope/crypto.ts';
import type { WrappedDek } from '../../protocol/envelope/wrapped-dek.ts';
import type { Logger, Metrics } from '../telemetry/index.ts';

/** On whose behalf, for the audit log. */
export interface AccessContext {
  readonly actor: { readonly subject: string; readonly tokenId?: string; readonly name?: string };
  readonly address?: string;
  readonly requestId: string;
}

export interface StoreKeys {
  derive(purpose: 'index'): Uint8Array;
  /** The secret that the index is to be sealed by next. */
  pending(purpose: 'index'): Uint8Array | undefined;
  newDek(context: DekContext): { dek: Uint8Array; wrapped: WrappedDek };
  unwrapDek(wrapped: WrappedDek, context: DekContext): Uint8Array;
  rewrapDek(wrapped: WrappedDek, context: DekContext): WrappedDek;
  /** Destroys every KEK that is older than this one; not one that is newer. */
  retire(olderThan: string): Promise<{ readonly destroyed: readonly string[]; readonly generation: number }>;
}

export type StoreAuditType =
  | 'record.create'
  | 'record.read'
  | 'record.update'
  | 'record.delete'
  | 'record.query'
  | 'record.restore'
  | 'record.export'
  | 'record.rekey'
  | 'key.rekey'
  | 'store.index'
  | 'replica.fault'
  | 'replica.release'
  | 'held.expire'
  | 'storage.offer'
  | 'upload.begin'
  | 'upload.discard';

export interface StoreAuditEvent {
  readonly type: StoreAuditType;
  readonly outcome: 'success' | 'failure';
  readonly context: AccessContext;
  readonly recordId?: RecordId;
  /** Patients that the record's labels name. */
  readonly patients?: readonly string[];
  readonly version?: number;
  readonly detail?: Record<string, string | number>;
}

export interface StoreAudit {
  /** Resolves once the leaf is durable. */
  append(event: StoreAuditEvent): Promise<{ index: number; leafHash?: string }>;
}

/** How far the log is, and the newest generation of the index that one of its leaves states. */
export interface FileGenerations {
  readonly size: number;
  readonly index?: number;
}

/** What the audit log says happened to records: what the index is held against at start, and by a scrub. */
export interface StoreEvidence {
  latest(): Promise<FileGenerations>;
  /** From a leaf on, in order. */
  records(from: number, signal: AbortSignal): AsyncIterable<EvidenceEvent>;
}

export interface EvidenceEvent {
  readonly index: number;
  readonly type: string;
  readonly outcome: 'success' | 'failure';
  readonly recordId?: RecordId;
  readonly version?: number;
  /** `detail.cid` of the event. */
  readonly cid?: string;
  readonly leafHash?: string;
  /** Of the leaf. */
  readonly time?: string;
  /** `detail.destroyedAt` of a deletion. */
  readonly destroyedAt?: string;
}

export interface StoreReplicas {
  fetch(root: Cid, cid: Cid, holders: readonly PeerIdText[], signal: AbortSignal): Promise<Uint8Array | undefined>;
}

/** The coding of segments, in a thread. */
export interface StoreCoding {
  encode(...given: Parameters<SegmentCoder['encode']>): Promise<CodedShard[]>;
  read(...given: Parameters<SegmentCoder['read']>): Promise<ReturnType<SegmentCoder['read']>>;
  pieces(shard: Uint8Array): Promise<Uint8Array>;
}

export interface StoreSigner {
  /** Ed25519 over the bytes as they are, by the node's checkpoint signer. */
  sign(bytes: Uint8Array): Uint8Array | Promise<Uint8Array>;
}

export interface StoreDeps {
  readonly crypto: EnvelopeCrypto;
  readonly keys: StoreKeys;
  /** The index is sealed by the pending secret now. Absent where that is not done: of a copy that is looked at. */
  readonly settleIndex?: () => Promise<void>;
  readonly audit: StoreAudit;
  readonly evidence: StoreEvidence;
  readonly replicas?: StoreReplicas;
  /** Absent: nothing is coded, and no shard of others is kept. */
  readonly coding?: StoreCoding;
  readonly signer: StoreSigner;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly now: () => Date;
  readonly randomBytes: (length: number) => Uint8Array;
}
