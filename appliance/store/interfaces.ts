/** What the store provides. */
import type { Cid, PeerIdText, RecordId } from '../../protocol/brand.ts';
import type { DestructionReceipt } from '../../protocol/envelope/destruction-receipt.ts';
import type { Service } from '../service.ts';
import type { IndexCondition } from './condition.ts';
import type { AccessContext } from './needs.ts';
import type { RekeyPlan, RekeyState } from './rekey-state.ts';
import type { HeldBlocks, HolderStanding, Offer, ReplicatedBlobs, ShardedBlobs } from './replicas.ts';
import type { ShardCondition } from './shards.ts';

/** Digests of a plaintext, base64, as the client announced them and the node found them true (RFC 9530). */
export interface ContentDigests {
  readonly 'sha-256'?: string;
  readonly 'sha-512'?: string;
}

export interface RecordMeta {
  readonly recordId: RecordId;
  readonly version: number;
  readonly bytes: number;
  readonly contentType: string;
  readonly labels: readonly string[];
  readonly name?: string;
  readonly cid: Cid;
  readonly createdAt: string;
  readonly kekId: string;
  readonly replicas: readonly PeerIdText[];
  readonly anchored: boolean;
  readonly digests?: ContentDigests;
}

/** What a change expects the record's current version to be; compared under the record's lock. A tag is a version's CID. */
export interface Expected {
  /** It is one of these; `any`: there is one. */
  readonly match?: 'any' | readonly string[];
  /** It is none of these; `any`: there is none. */
  readonly noneMatch?: 'any' | readonly string[];
}

/** Makes a put that is sent again one and the same put. */
export interface IdempotencyKey {
  /** Of one caller: whose keys say nothing about another's. */
  readonly key: string;
  /** Everything but the body that makes the put what it is. */
  readonly facts: readonly string[];
  readonly ttlMs: number;
  /** So many are remembered, the oldest is forgotten first. */
  readonly maxKeys: number;
}

export interface PutInput {
  /** Given: a new version of that record. Absent: a new record. */
  readonly recordId?: RecordId;
  readonly contentType: string;
  readonly labels: readonly string[];
  readonly name?: string;
  /** Only with a recordId. STORE_PRECONDITION_FAILED when the record is another by the time of the commit. */
  readonly expected?: Expected;
  /** Kept with the version. The body is held to them by whoever gives it: one that differs fails before its end. */
  readonly digests?: ContentDigests;
  readonly idempotency?: IdempotencyKey;
}

export interface PutReceipt {
  readonly recordId: RecordId;
  readonly version: number;
  readonly cid: Cid;
  readonly bytes: number;
  readonly auditLeaf: number;
  /** The receipt of an earlier put with the same idempotency key; nothing was stored now. */
  readonly replayed?: true;
}

export interface OpenOptions {
  readonly version?: number;
  /** Plaintext bytes [start, end). */
  readonly range?: { readonly start: number; readonly end?: number };
}

export interface OpenedRecord {
  readonly meta: RecordMeta;
  readonly start: number;
  /** Exclusive. */
  readonly end: number;
  readonly body: AsyncIterable<Uint8Array>;
  readonly auditLeaf: number;
}

/** What of a version is exported for Tink: its sealed blob, or the keyset that opens it. */
export interface TinkExportOptions {
  readonly part: 'blob' | 'keyset';
  readonly version?: number;
}

export interface TinkExport {
  readonly recordId: RecordId;
  readonly version: number;
  /** Of the sealed blob. */
  readonly blobBytes: number;
  /** What the blob is bound to, hex. */
  readonly associatedData: string;
  readonly auditLeaf: number;
  /** Each piece is the reader's own; a keyset is one piece, which the reader wipes. */
  readonly body: AsyncIterable<Uint8Array>;
}

export interface ListQuery {
  readonly label?: string;
  /** Of creation; the oldest first unless it says so. */
  readonly order?: 'oldest' | 'newest';
  readonly limit: number;
  readonly cursor?: string;
}

export interface RecordPage {
  readonly records: readonly RecordMeta[];
  readonly cursor?: string;
  /** Records of this page that are left out, because their entries do not open: `fsck` says which. */
  readonly damaged?: number;
}

/** What a question says of one record. */
export interface RecordPresence {
  readonly recordId: RecordId;
  readonly state: 'present' | 'absent' | 'destroyed' | 'lost' | 'damaged';
  /** The newest, where it is present. */
  readonly version?: number;
}

export interface ScrubFinding {
  readonly code: string;
  readonly recordId?: RecordId;
  readonly version?: number;
  readonly cid?: Cid;
  readonly auditLeaf?: number;
}

export interface ScrubReport {
  readonly entries: number;
  readonly records: number;
  readonly versions: number;
  readonly blocks: number;
  readonly bytes: number;
  /** Blocks that were bad and came back from a replica. */
  readonly restored: number;
  /** Leaves of the audit log that were compared; undefined when there was no evidence to compare with. */
  readonly evidenceLeaves?: number;
  readonly findings: readonly ScrubFinding[];
}

/** What the index took of the entries of a backup. */
export interface AdoptedEntries {
  readonly offered: number;
  /** It lacked them; with those of `wanted` that came. */
  readonly adopted: number;
  /** Not of this index, not what the log says, or of records that are destroyed. */
  readonly refused: number;
  /** Database keys, hex, of small blobs that are lacking too. */
  readonly wanted: readonly string[];
}

/** What `fsck` rebuilt, and what it could not. */
export interface FsckReport {
  readonly records: number;
  readonly versions: number;
  /** Entries made anew from the versions. */
  readonly rebuilt: number;
  /** Values that did not open, or pointed nowhere. */
  readonly removed: number;
  readonly lostVersions: number;
  /** The first of them. */
  readonly lost: readonly { readonly recordId?: RecordId; readonly version?: number }[];
  readonly accepted: boolean;
}

export interface ScrubProgress {
  readonly versions: number;
  readonly total: number;
}

export interface VersionRef {
  readonly recordId: RecordId;
  readonly version: number;
}

/** How far an upload in several requests has come. */
export interface UploadState {
  readonly id: string;
  /** Bytes that are durable; sealed, as everything here. */
  readonly offset: number;
  readonly bytes: number;
  readonly expiresAt: string;
  /** Once all of it is here and it is a record. */
  readonly receipt?: PutReceipt;
}

/** Uploads in several requests. They belong to a subject, whichever of its tokens is used. STORE_UPLOAD_ABSENT for others. */
export interface PartialUploads {
  /** STORE_UPLOADS_FULL, NODE_DISK_FULL when there is no room for all of it. */
  begin(plan: { readonly input: PutInput; readonly bytes: number }, context: AccessContext): Promise<UploadState>;
  /**
   * Adds to it from `offset` on, and makes it a record when it is complete. Ends another append that still waits. What came
   * before a failure stays: `state` tells how much that is.
   *
   * @throws NectarError STORE_UPLOAD_OFFSET when the offset is another
   */
  append(
    id: string,
    from: { readonly offset: number; readonly body: AsyncIterable<Uint8Array> },
    context: AccessContext,
    signal: AbortSignal,
  ): Promise<UploadState>;
  state(id: string, context: AccessContext): Promise<UploadState>;
  discard(id: string, context: AccessContext): Promise<void>;
}

export interface StoreCondition {
  readonly index: IndexCondition;
  /** Of the first start after a restore: versions that the log tells of and the backup does not have. */
  readonly restored?: { readonly backupCreatedAt: string; readonly missing: number };
  /** Of the first start after a kill: puts that the log tells of and the index lacks, cut off or put back; a receipt tells which. */
  readonly cutOff?: number;
  /** Destroyed records whose bytes have not yet left the files. */
  readonly pendingErasures: number;
  /** Values of the index that were found not to open since the start. */
  readonly damaged: number;
  /** Members that said they hold blobs of ours, and what their answers say. */
  readonly holders: readonly HolderStanding[];
  /** Blobs destroyed or replaced here that holders have not signed to have released, and for how long the oldest. */
  readonly releases: { readonly pending: number; readonly oldestMs?: number };
  readonly offer: Offer;
  /** Of our blobs at others. */
  readonly shards: ShardCondition;
  /** Of the last whole scrub: versions that did not read. */
  readonly unreadable?: { readonly versions: number; readonly at: string };
  readonly rekey?: RekeyState;
}

export interface Store extends Service, ReplicatedBlobs, ShardedBlobs {
  put(
    input: PutInput,
    body: AsyncIterable<Uint8Array>,
    context: AccessContext,
    signal: AbortSignal,
  ): Promise<PutReceipt>;
  readonly uploads: PartialUploads;
  open(id: RecordId, options: OpenOptions, context: AccessContext, signal: AbortSignal): Promise<OpenedRecord>;
  head(id: RecordId, options: { readonly version?: number }, context: AccessContext): Promise<RecordMeta>;
  /** Which of at most 1,000 records are there, in the order of the ids; one leaf for all of them. */
  present(ids: readonly RecordId[], context: AccessContext): Promise<readonly RecordPresence[]>;
  list(query: ListQuery, context: AccessContext): Promise<RecordPage>;
  /** A record that is destroyed already has its receipt returned, whatever is expected. */
  shred(id: RecordId, context: AccessContext, expected?: Expected): Promise<DestructionReceipt>;
  rewrap(onProgress: (done: number) => void, context: AccessContext): Promise<{ rewrapped: number }>;
  /**
   * Seals every version anew under a data key that no KEK before the target has wrapped, in the background and across restarts, and then
   * has the older KEKs destroyed. STORE_REKEY_ABSENT: there is none to go on with.
   */
  rekey(plan: RekeyPlan, context: AccessContext): Promise<RekeyState>;
  /** Stops it until `rekey`, also across restarts. STORE_REKEY_ABSENT. */
  pauseRekey(context: AccessContext): Promise<RekeyState>;
  /** What this node takes of other owners from now on; on record, and it lasts over restarts. What is held stays. */
  changeOffer(bytes: number, context: AccessContext): Promise<Offer>;
  /** Replaced ciphertext stays on the disk for so long: somebody copies an index that still names it. */
  keepReplaced(milliseconds: number): Promise<void>;
  exportCar(id: RecordId, options: { readonly version?: number }, context: AccessContext): AsyncIterable<Uint8Array>;
  /** The audit record is durable before this resolves. */
  exportTink(
    id: RecordId,
    options: TinkExportOptions,
    context: AccessContext,
    signal: AbortSignal,
  ): Promise<TinkExport>;
  scrub(onProgress: (progress: ScrubProgress) => void, signal?: AbortSignal): Promise<ScrubReport>;
  /** `anchored`: versions that an anchored root covers. */
  stats(): { records: number; versions: number; bytes: number; anchored: number };
  /** Rebuilds what follows from the version entries; `accept` takes an index that was put back for what it is. */
  fsck(
    options: { readonly accept: boolean; readonly context: AccessContext },
    onProgress: (progress: ScrubProgress) => void,
    signal?: AbortSignal,
  ): Promise<FsckReport>;
  /** Takes versions and small blobs that the index lacks from entries of a backup (protocol/backup/index-frames.ts); `fsck` follows. */
  adopt(entries: AsyncIterable<Uint8Array>, context: AccessContext, signal: AbortSignal): Promise<AdoptedEntries>;
  /** Whether the index is the newest there is, and what is still to be done in the background. */
  condition(): StoreCondition;
  unanchored(limit: number): Promise<readonly (VersionRef & { commitment: Uint8Array })[]>;
  /** Marks those whose commitment is the one given; the others stay among the unanchored. */
  markAnchored(
    items: readonly (VersionRef & { commitment: Uint8Array })[],
    anchor: { root: string; batchId: string },
  ): Promise<void>;
  readonly blocks: {
    get(cid: Cid): Promise<Uint8Array | undefined>;
    has(cid: Cid): Promise<boolean>;
    links(root: Cid): Promise<Cid[]>;
  };
  readonly held: HeldBlocks;
}
