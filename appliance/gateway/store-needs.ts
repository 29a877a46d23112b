import type { Cid, PeerIdText, RecordId } from '../../protocol/brand.ts';
import type { AccessContext } from './audit-event.ts';
import type { RekeyState } from './key-schemas.ts';
import type { StorageOffer } from './storage-schemas.ts';

/** What the gateway needs of the store. */

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

/** What a question says of one record. */
interface StoredPresence {
  readonly recordId: RecordId;
  readonly state: 'present' | 'absent' | 'destroyed' | 'lost' | 'damaged';
  readonly version?: number;
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
  present(ids: readonly RecordId[], context: AccessContext): Promise<readonly StoredPresence[]>;
  list(
    query: { label?: string; order?: 'oldest' | 'newest'; limit: number; cursor?: string },
    context: AccessContext,
  ): Promise<{ records: readonly StoredMeta[]; cursor?: string; damaged?: number }>;
  shred(id: RecordId, context: AccessContext, expected?: Expected): Promise<object>;
  /** Seals every record under new keys, in the background. */
  rekey(plan: { target?: string; load: number }, context: AccessContext): Promise<RekeyState>;
  pauseRekey(context: AccessContext): Promise<RekeyState>;
  /** Replaced ciphertext stays on the disk for so many milliseconds. */
  keepReplaced(milliseconds: number): Promise<void>;
  /** What this node takes of other owners. */
  changeOffer(bytes: number, context: AccessContext): Promise<StorageOffer>;
  /** How the segments of a record stand at its holders. */
  shardsOf(id: RecordId): Promise<object>;
  /** Reads a segment of a record from its holders alone, and throws unless every byte is right. */
  drill(of: { readonly recordId: RecordId; readonly segment: number }, signal: AbortSignal): Promise<object>;
  /** Looks through all segments now; `awayFrom` is given no more, and its shards are made anew elsewhere. */
  repairShards(options: { readonly awayFrom?: PeerIdText }): Promise<object>;
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
  /** Entries of a backup, sealed as they are at rest. */
  adopt(entries: AsyncIterable<Uint8Array>, context: AccessContext, signal: AbortSignal): Promise<object>;
}
